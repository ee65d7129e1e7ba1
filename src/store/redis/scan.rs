//! Scans all records of each node.

use std::collections::HashSet;

use redis::{Connection, RedisResult, cmd, pipe};

use super::encoding::PENDING;

/// How many keys a node looks at in one command, while other clients wait.
const AT_ONCE: u32 = 500;

/// A record that a scan has found.
pub(super) struct FoundKey {
    /// The name of its hash.
    pub(super) name: String,
    pub(super) expires_at: i64,
}

/// Returns all records whose names begin with `prefix`, each once, in no order.
pub(super) fn records(nodes: &mut [Connection], prefix: &str) -> RedisResult<Vec<FoundKey>> {
    let (mut seen, mut names_seen) = (Vec::new(), HashSet::new());
    for node in nodes {
        walk(node, prefix, "hash", |node, names| {
            let mut ask = pipe();
            for name in &names {
                ask.cmd("HMGET").arg(name).arg("expires_at").arg(PENDING);
            }
            let answers: Vec<(Option<String>, Option<String>)> = ask.query(node)?;
            for (name, (expires_at, pending)) in names.into_iter().zip(answers) {
                let expires_at = expires_at.and_then(|text| text.parse().ok());
                if let (Some(expires_at), None) = (expires_at, pending)
                    && names_seen.insert(name.clone())
                {
                    seen.push(FoundKey { name, expires_at });
                }
            }
            Ok(())
        })?;
    }
    Ok(seen)
}

/// Deletes all keys of a type that begin with `prefix`, and returns their number.
pub(super) fn clear(nodes: &mut [Connection], prefix: &str, kind: &str) -> RedisResult<u64> {
    let mut count = 0;
    for node in nodes {
        walk(node, prefix, kind, |node, names| {
            let mut delete = pipe();
            for name in &names {
                delete.cmd("DEL").arg(name);
            }
            let deleted: Vec<u64> = delete.query(node)?;
            count += deleted.iter().sum::<u64>();
            Ok(())
        })?;
    }
    Ok(count)
}

/// Passes the names of one node that begin with `prefix` to `each`, in batches, some of them twice.
pub(super) fn walk(
    node: &mut Connection,
    prefix: &str,
    kind: &str,
    mut each: impl FnMut(&mut Connection, Vec<String>) -> RedisResult<()>,
) -> RedisResult<()> {
    let pattern = format!("{}*", escaped(prefix));
    let mut cursor = 0_u64;
    loop {
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(&pattern);
        scan.arg("COUNT").arg(AT_ONCE).arg("TYPE").arg(kind);
        let (next, names): (u64, Vec<String>) = scan.query(node)?;
        if !names.is_empty() {
            each(node, names)?;
        }
        if next == 0 {
            return Ok(());
        }
        cursor = next;
    }
}

fn escaped(text: &str) -> String {
    let special = |character| "*?[]\\^-".contains(character);
    let escape = |character| [special(character).then_some('\\'), Some(character)];
    text.chars().flat_map(escape).flatten().collect()
}
