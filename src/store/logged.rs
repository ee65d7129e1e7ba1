//! A store that logs each verb without its data.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::error::Error;
use crate::record::Record;
use crate::store::{Gathers, Inserted, Loaded, Save, Store, Updated};
use crate::token::Key;

/// Logs each verb of another store: the beginning of the key, the outcome and the duration.
///
/// It logs no user, data or browser, and no text of an error, which might contain them.
pub(crate) struct Logged(pub(crate) Arc<dyn Store>);

fn logged<T, D: fmt::Display>(
    verb: fmt::Arguments<'_>,
    ask: impl FnOnce() -> Result<T, Error>,
    outcome: impl FnOnce(&T) -> D,
) -> Result<T, Error> {
    let start = Instant::now();
    let answer = ask();
    log_verb(verb, start, &answer, outcome);
    answer
}

fn log_verb<T, D: fmt::Display>(
    verb: fmt::Arguments<'_>,
    start: Instant,
    answer: &Result<T, Error>,
    outcome: impl FnOnce(&T) -> D,
) {
    let took = start.elapsed().as_micros();
    match answer {
        Ok(answer) => log::info!("store: {verb}: {}, {took} µs", outcome(answer)),
        Err(_) => log::info!("store: {verb}: failed, {took} µs"),
    }
}

fn short(key: Option<&Key>) -> &str {
    key.map_or("nothing", Key::short)
}

fn found<T>(found: &Option<T>) -> &'static str {
    match found {
        Some(_) => "found",
        None => "not found",
    }
}

fn updated(updated: &Updated) -> &'static str {
    match updated {
        Updated::Done => "done",
        Updated::Stale => "stale",
        Updated::Taken => "taken",
    }
}

fn records(list: &[Record]) -> String {
    format!("{} records", list.len())
}

fn deleted(count: &u64) -> String {
    format!("{count} deleted")
}

impl Store for Logged {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        let verb = format_args!("load {}", key.short());
        logged(verb, || self.0.load(key, now), found)
    }

    fn load_with_user(&self, key: &Key, now: i64) -> Result<Loaded, Error> {
        let verb = format_args!("load {}", key.short());
        logged(verb, || self.0.load_with_user(key, now), found)
    }

    fn gathers(&self) -> Gathers {
        self.0.gathers()
    }

    fn load_many(&self, keys: &[&Key], now: i64) -> Vec<Result<Loaded, Error>> {
        let start = Instant::now();
        let answers = self.0.load_many(keys, now);
        for (key, answer) in keys.iter().zip(&answers) {
            log_verb(format_args!("load {}", key.short()), start, answer, found);
        }
        answers
    }

    fn expiries(&self, keys: &[&Key], now: i64) -> Vec<Result<Option<i64>, Error>> {
        let start = Instant::now();
        let answers = self.0.expiries(keys, now);
        let live = answers
            .iter()
            .filter(|it| matches!(it, Ok(Some(_))))
            .count();
        let failed = answers
            .iter()
            .find_map(|it| it.as_ref().err().map(Error::copy));
        let verb = format_args!("expiries of {} records", keys.len());
        log_verb(verb, start, &failed.map_or(Ok(live), Err), |live| {
            format!("{live} live")
        });
        answers
    }

    fn save_many(&self, saves: &[&Save]) -> Vec<Result<Updated, Error>> {
        let start = Instant::now();
        let answers = self.0.save_many(saves);
        for (save, answer) in saves.iter().zip(&answers) {
            let key = save.key().short();
            match save {
                Save::Insert(_) => log_verb(format_args!("insert {key}"), start, answer, updated),
                Save::Update { .. } => {
                    log_verb(
                        format_args!("update {key} as {key}"),
                        start,
                        answer,
                        updated,
                    );
                }
                Save::Touch { .. } => log_verb(format_args!("touch {key}"), start, answer, updated),
            }
        }
        answers
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        let inserted = |inserted: &Inserted| match inserted {
            Inserted::Done => "done",
            Inserted::Taken => "taken",
        };
        let verb = format_args!("insert {}", record.key.short());
        logged(verb, || self.0.insert(record), inserted)
    }

    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        let (old, new) = (key.short(), record.key.short());
        let verb = format_args!("update {old} as {new}");
        logged(verb, || self.0.update(key, version, record), updated)
    }

    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
        let verb = format_args!("touch {}", key.short());
        logged(verb, || self.0.touch(key, seen_at, expires_at), |()| "done")
    }

    fn delete(&self, key: &Key) -> Result<bool, Error> {
        let outcome = |there: &bool| if *there { "deleted" } else { "not found" };
        let verb = format_args!("delete {}", key.short());
        logged(verb, || self.0.delete(key), outcome)
    }

    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        let verb = format_args!("list of a user");
        logged(verb, || self.0.list(user_id, now), |list| records(list))
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        let verb = format_args!("all after {}, up to {limit}", short(after));
        logged(verb, || self.0.all(now, after, limit), |list| records(list))
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        let verb = format_args!("delete_all of a user except {}", short(except));
        logged(verb, || self.0.delete_all(user_id, except), deleted)
    }

    fn delete_expired(&self, now: i64, limit: u32) -> Result<u64, Error> {
        let verb = format_args!("delete up to {limit}");
        logged(verb, || self.0.delete_expired(now, limit), deleted)
    }

    fn first_expiry(&self) -> Result<Option<i64>, Error> {
        self.0.first_expiry()
    }

    fn count(&self, now: i64) -> Result<u64, Error> {
        let verb = format_args!("count");
        logged(verb, || self.0.count(now), u64::clone)
    }

    fn clear(&self) -> Result<u64, Error> {
        logged(format_args!("clear"), || self.0.clear(), deleted)
    }

    fn time(&self) -> Result<Option<i64>, Error> {
        self.0.time()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::store::contract;
    use crate::store::memory::MemoryStore;

    static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

    struct Lines;

    impl log::Log for Lines {
        fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
            metadata.target() == module_path!().trim_end_matches("::tests")
        }

        fn log(&self, record: &log::Record<'_>) {
            if self.enabled(record.metadata()) {
                LINES.lock().unwrap().push(record.args().to_string());
            }
        }

        fn flush(&self) {}
    }

    #[test]
    fn each_verb_is_logged_without_its_secrets() {
        log::set_logger(&Lines).unwrap();
        log::set_max_level(log::LevelFilter::Info);
        let store = Logged(Arc::new(MemoryStore::with_limit(100)));
        contract::check(&store);
        LINES.lock().unwrap().clear();

        let [one, other] = ["one-secret", "other-secret"].map(|secret| Record {
            user_id: Some("user-secret".into()),
            data: secret.into(),
            user_agent: Some("agent-secret".into()),
            ip: Some("ip-secret".into()),
            ..contract::record()
        });
        store.insert(&one).unwrap();
        store.insert(&one).unwrap();
        store.load(&one.key, 0).unwrap();
        store.load(&other.key, 0).unwrap();
        store.touch(&one.key, 0, 0).unwrap();
        store.update(&one.key, 0, &other).unwrap();
        store.update(&one.key, 0, &other).unwrap();
        store.list("user-secret", 0).unwrap();
        store.all(0, Some(&one.key), 9).unwrap();
        store.delete_all("user-secret", None).unwrap();
        store.delete(&one.key).unwrap();
        store.delete_expired(0, 9).unwrap();
        store.count(0).unwrap();
        store.clear().unwrap();
        let full = Logged(Arc::new(MemoryStore::with_limit(0)));
        full.insert(&one).unwrap_err();

        let lines = std::mem::take(&mut *LINES.lock().unwrap());
        let logged_verbs: Vec<_> = lines
            .iter()
            .map(|line| line.rsplit_once(", ").unwrap().0.to_owned())
            .collect();
        let (a, b) = (one.key.short(), other.key.short());
        let all = match one.key < other.key {
            true => "1 records",
            false => "0 records",
        };
        let expected = [
            format!("insert {a}: done"),
            format!("insert {a}: taken"),
            format!("load {a}: found"),
            format!("load {b}: not found"),
            format!("touch {a}: done"),
            format!("update {a} as {b}: done"),
            format!("update {a} as {b}: stale"),
            "list of a user: 1 records".into(),
            format!("all after {a}, up to 9: {all}"),
            "delete_all of a user except nothing: 1 deleted".into(),
            format!("delete {a}: not found"),
            "delete up to 9: 0 deleted".into(),
            "count: 0".into(),
            "clear: 0 deleted".into(),
            format!("insert {a}: failed"),
        ];
        assert_eq!(logged_verbs, expected.map(|line| format!("store: {line}")));
        for line in &lines {
            let (_, took) = line.rsplit_once(", ").unwrap();
            took.strip_suffix(" µs").unwrap().parse::<u64>().unwrap();
        }
        for secret in ["-secret", one.key.as_str(), other.key.as_str()] {
            assert!(!lines.concat().contains(secret), "{secret}: {lines:?}");
        }
    }
}
