//! A store whose calls are measured, are spans, and are logged without their data.

use std::fmt;
use std::iter;
use std::sync::Arc;
use std::time::Instant;

use super::span::Span;
use crate::error::Error;
use crate::metrics::{self, Since};
use crate::record::Record;
use crate::store::{Gathers, Inserted, Loaded, Save, Store, Updated};
use crate::token::Key;

/// Logs each call of another store: the beginning of the key, the outcome and the duration.
///
/// It logs no user, data or browser, and no text of an error, which might contain them. A span has no
/// beginning of a key either.
pub(crate) struct Observed {
    store: Arc<dyn Store>,
    backend: String,
    logs: bool,
}

impl Observed {
    /// Returns the store as it is if its calls are neither logged nor spans.
    pub(crate) fn around(store: Arc<dyn Store>, backend: &str, logs: bool) -> Arc<dyn Store> {
        let backend = backend.to_owned();
        match logs || cfg!(any(feature = "metrics", feature = "tracing")) {
            true => Arc::new(Self {
                store,
                backend,
                logs,
            }),
            false => store,
        }
    }

    /// Makes one call. `line` describes it in the log.
    fn call<T, D: Answered>(
        &self,
        verb: &'static str,
        line: fmt::Arguments<'_>,
        ask: impl FnOnce(&dyn Store) -> Result<T, Error>,
        outcome: impl Fn(&T) -> D,
    ) -> Result<T, Error> {
        let span = Span::of_call(verb, &self.backend, 1);
        let (start, since) = (Instant::now(), Since::now());
        let answer = span.around(|| ask(&*self.store));
        span.record(&answer, &outcome);
        let label = |answer: &T| outcome(answer).label();
        metrics::called(verb, since, iter::once_with(|| of(&answer, label)));
        if self.logs {
            log_call(line, start, &answer, outcome);
        }
        answer
    }

    /// Makes one call for several records. `log` writes the lines of the log.
    fn call_for_many<T>(
        &self,
        verb: &'static str,
        records: usize,
        ask: impl FnOnce(&dyn Store) -> Vec<Result<T, Error>>,
        outcome: impl Fn(&T) -> &'static str,
        log: impl FnOnce(&[Result<T, Error>], Instant),
    ) -> Vec<Result<T, Error>> {
        let span = Span::of_call(verb, &self.backend, records);
        let (start, since) = (Instant::now(), Since::now());
        let answers = span.around(|| ask(&*self.store));
        span.record(&Ok(()), |()| {
            let failed = answers.iter().filter(|it| it.is_err()).count();
            format!("{failed} failed")
        });
        let outcomes = answers.iter().map(|answer| of(answer, &outcome));
        metrics::called(verb, since, outcomes);
        if self.logs {
            log(&answers, start);
        }
        answers
    }
}

fn log_call<T, D: fmt::Display>(
    line: fmt::Arguments<'_>,
    start: Instant,
    answer: &Result<T, Error>,
    outcome: impl FnOnce(&T) -> D,
) {
    let took = start.elapsed().as_micros();
    match answer {
        Ok(answer) => log::info!("store: {line}: {}, {took} µs", outcome(answer)),
        Err(_) => log::info!("store: {line}: failed, {took} µs"),
    }
}

/// The outcome of a call, as text for the log and as one of a few labels for metrics.
trait Answered: fmt::Display {
    fn label(&self) -> &'static str {
        "done"
    }
}

impl Answered for String {}
impl Answered for u64 {}
impl Answered for &'static str {
    fn label(&self) -> &'static str {
        self
    }
}

fn of<T>(answer: &Result<T, Error>, outcome: impl FnOnce(&T) -> &'static str) -> &'static str {
    answer.as_ref().map_or("failed", outcome)
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

fn inserted(inserted: &Inserted) -> &'static str {
    match inserted {
        Inserted::Done => "done",
        Inserted::Taken => "taken",
    }
}

fn records(list: &[Record]) -> String {
    format!("{} records", list.len())
}

fn deleted(count: &u64) -> String {
    format!("{count} deleted")
}

impl Store for Observed {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        let line = format_args!("load {}", key.short());
        self.call("load", line, |store| store.load(key, now), found)
    }

    fn load_with_user(&self, key: &Key, now: i64) -> Result<Loaded, Error> {
        let line = format_args!("load {}", key.short());
        self.call("load", line, |store| store.load_with_user(key, now), found)
    }

    fn gathers(&self) -> Gathers {
        self.store.gathers()
    }

    fn load_many(&self, keys: &[&Key], now: i64) -> Vec<Result<Loaded, Error>> {
        let log = |answers: &[Result<Loaded, Error>], start| {
            for (key, answer) in keys.iter().zip(answers) {
                log_call(format_args!("load {}", key.short()), start, answer, found);
            }
        };
        let ask = |store: &dyn Store| store.load_many(keys, now);
        self.call_for_many("load_many", keys.len(), ask, found, log)
    }

    fn expiries(&self, keys: &[&Key], now: i64) -> Vec<Result<Option<i64>, Error>> {
        let log = |answers: &[Result<Option<i64>, Error>], start| {
            let live = answers.iter().filter(|it| matches!(it, Ok(Some(_))));
            let failed = answers.iter().find_map(|it| it.as_ref().err());
            let answer = failed.map_or(Ok(live.count()), |error| Err(error.copy()));
            let line = format_args!("expiries of {} records", keys.len());
            log_call(line, start, &answer, |live| format!("{live} live"));
        };
        let ask = |store: &dyn Store| store.expiries(keys, now);
        self.call_for_many("expiries", keys.len(), ask, found, log)
    }

    fn save_many(&self, saves: &[&Save]) -> Vec<Result<Updated, Error>> {
        let log = |answers: &[Result<Updated, Error>], start| {
            for (save, answer) in saves.iter().zip(answers) {
                let key = save.key().short();
                let line = match save {
                    Save::Insert(_) => format!("insert {key}"),
                    Save::Update { .. } => format!("update {key} as {key}"),
                    Save::Touch { .. } => format!("touch {key}"),
                };
                log_call(format_args!("{line}"), start, answer, updated);
            }
        };
        let ask = |store: &dyn Store| store.save_many(saves);
        self.call_for_many("save_many", saves.len(), ask, updated, log)
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        let line = format_args!("insert {}", record.key.short());
        self.call("insert", line, |store| store.insert(record), inserted)
    }

    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        let (old, new) = (key.short(), record.key.short());
        let line = format_args!("update {old} as {new}");
        let ask = |store: &dyn Store| store.update(key, version, record);
        self.call("update", line, ask, updated)
    }

    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
        let line = format_args!("touch {}", key.short());
        let ask = |store: &dyn Store| store.touch(key, seen_at, expires_at);
        self.call("touch", line, ask, |()| "done")
    }

    fn delete(&self, key: &Key) -> Result<bool, Error> {
        let outcome = |there: &bool| if *there { "deleted" } else { "not found" };
        let line = format_args!("delete {}", key.short());
        self.call("delete", line, |store| store.delete(key), outcome)
    }

    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        let line = format_args!("list of a user");
        let ask = |store: &dyn Store| store.list(user_id, now);
        self.call("list", line, ask, |list| records(list))
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        let line = format_args!("all after {}, up to {limit}", short(after));
        let ask = |store: &dyn Store| store.all(now, after, limit);
        self.call("all", line, ask, |list| records(list))
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        let line = format_args!("delete_all of a user except {}", short(except));
        let ask = |store: &dyn Store| store.delete_all(user_id, except);
        self.call("delete_all", line, ask, deleted)
    }

    fn delete_expired(&self, now: i64, limit: u32) -> Result<u64, Error> {
        let line = format_args!("delete up to {limit}");
        let ask = |store: &dyn Store| store.delete_expired(now, limit);
        self.call("delete_expired", line, ask, deleted)
    }

    fn first_expiry(&self) -> Result<Option<i64>, Error> {
        self.store.first_expiry()
    }

    fn count(&self, now: i64) -> Result<u64, Error> {
        self.call(
            "count",
            format_args!("count"),
            |store| store.count(now),
            u64::clone,
        )
    }

    fn clear(&self) -> Result<u64, Error> {
        self.call(
            "clear",
            format_args!("clear"),
            |store| store.clear(),
            deleted,
        )
    }

    fn time(&self) -> Result<Option<i64>, Error> {
        self.store.time()
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
        let store = Observed::around(Arc::new(MemoryStore::with_limit(100)), "memory", true);
        contract::check(&*store);
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
        let full = Observed::around(Arc::new(MemoryStore::with_limit(0)), "memory", true);
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
