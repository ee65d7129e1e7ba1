//! The servers that a URL lists: the first one that is well is used, and a failed one is watched.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use diesel::r2d2::Error;

use super::bad;
use super::connect::Attempts;
use super::error_class::is_lost;
use crate::store::pool::connection_errors::is_full;

/// The mean time before failed hosts are tried again, which doubles up to the longest one while another
/// host is well.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

pub(super) struct Host {
    pub(super) url: String,
    pub(super) attempts: Attempts,
}

pub(super) struct Hosts {
    list: Vec<Arc<Host>>,
    failures: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    hosts: BTreeSet<usize>,
    watched: bool,
}

impl Hosts {
    pub(super) fn new(urls: Vec<String>) -> Self {
        let host = |url| {
            Arc::new(Host {
                url,
                attempts: Attempts::default(),
            })
        };
        Self {
            list: urls.into_iter().map(host).collect(),
            failures: Mutex::default(),
        }
    }

    pub(super) fn has_others(&self) -> bool {
        self.list.len() > 1
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn preferred(&self) -> Option<usize> {
        let failures = self.failures();
        (0..self.list.len()).find(|number| !failures.hosts.contains(number))
    }

    /// Returns `true` if connections to this host are to be replaced by connections to a better one.
    pub(super) fn prefer_another_than(&self, number: usize) -> bool {
        self.has_others() && self.preferred().is_some_and(|other| other != number)
    }

    /// Connects to the first host that is well, and returns its number. Failed hosts are tried last. The
    /// error names each host. `connect` takes a host, and whether one that is well can be tried after it.
    pub(super) fn connect<T>(
        &self,
        connect: impl Fn(&Arc<Host>, bool) -> Result<T, Error>,
    ) -> Result<(usize, T), Error> {
        if !self.has_others() {
            return Ok((0, connect(&self.list[0], false)?));
        }
        let failed = self.failures().hosts.clone();
        let mut order: Vec<_> = (0..self.list.len()).collect();
        order.sort_by_key(|number| failed.contains(number));
        let mut causes = Vec::new();
        for (tried, &number) in order.iter().enumerate() {
            let hurried = order[tried + 1..].iter().any(|it| !failed.contains(it));
            let connect = || connect(&self.list[number], hurried);
            let connected = connect().or_else(|error| match is_lost(&error.to_string()) {
                // Perhaps the server closed only this connection.
                true => connect(),
                false => Err(error),
            });
            let cause = match connected {
                Ok(connected) => {
                    self.remember(number, None);
                    return Ok((number, connected));
                }
                Err(error) => error.to_string(),
            };
            // A host that is full is well.
            if is_full(&cause) {
                return Err(bad(cause));
            }
            self.remember(number, Some(cause.trim()));
            causes.push(format!("{}: {}", self.place(number), cause.trim()));
        }
        Err(bad(causes.join("; ")))
    }

    /// Remembers that a host is well, or has failed; logs the change.
    fn remember(&self, number: usize, failure: Option<&str>) {
        let changed = match failure {
            None => self.failures().hosts.remove(&number),
            Some(_) => self.failures().hosts.insert(number),
        };
        let place = self.place(number);
        match failure {
            _ if !changed => {}
            None => log::info!("the database at {place} is well again"),
            Some(cause) => {
                log::warn!("the database at {place} is not used until it is well: {cause}")
            }
        }
    }

    fn place(&self, number: usize) -> &str {
        place(&self.list[number].url)
    }

    /// Starts a thread that tries the failed hosts, one after the other, until all are well. At most one
    /// runs.
    pub(super) fn watch(self: &Arc<Self>, is_well: impl Fn(&Arc<Host>) -> bool + Send + 'static) {
        let mut failures = self.failures();
        if failures.watched || failures.hosts.is_empty() {
            return;
        }
        let hosts = Arc::downgrade(self);
        let watch = thread::Builder::new().name("session-hosts".to_owned());
        let started = watch.spawn(move || watch_until_well(&hosts, is_well));
        failures.watched = started.is_ok();
    }

    /// Tries each failed host. Returns `true` if all are well.
    fn probe(&self, is_well: &impl Fn(&Arc<Host>) -> bool) -> bool {
        let failed = self.failures().hosts.clone();
        for number in failed {
            if is_well(&self.list[number]) {
                self.remember(number, None);
            }
        }
        let mut failures = self.failures();
        failures.watched = !failures.hosts.is_empty();
        !failures.watched
    }
}

fn watch_until_well(hosts: &Weak<Hosts>, is_well: impl Fn(&Arc<Host>) -> bool) {
    let mut pause = PAUSE;
    loop {
        // Several processes must not return to a host at the same moment.
        thread::sleep(pause.mul_f64(0.5 + fastrand::f64()));
        let Some(hosts) = hosts.upgrade() else {
            return;
        };
        if hosts.probe(&is_well) {
            return;
        }
        // While none is well, a standby may become the primary at any moment.
        pause = match hosts.preferred() {
            Some(_) => (pause * 2).min(LONGEST_PAUSE),
            None => PAUSE,
        };
    }
}

/// Returns a URL for each host in the list of a URL.
#[cfg(any(test, feature = "mysql", feature = "postgres"))]
pub(crate) fn urls_of(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return vec![url.to_owned()];
    };
    let (authority, after) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (account, hosts) = match authority.rfind('@') {
        Some(at) => authority.split_at(at + 1),
        None => ("", authority),
    };
    let hosts = hosts.split(',');
    hosts
        .map(|host| format!("{scheme}://{account}{host}{after}"))
        .collect()
}

/// Returns host and port of a URL, without its account.
fn place(url: &str) -> &str {
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn each_host_of_a_list_has_a_url() {
        assert_eq!(
            urls_of("mysql://ada:p%2C@one:1,[::1]:2,three/app?ssl_ca=a,b"),
            [
                "mysql://ada:p%2C@one:1/app?ssl_ca=a,b",
                "mysql://ada:p%2C@[::1]:2/app?ssl_ca=a,b",
                "mysql://ada:p%2C@three/app?ssl_ca=a,b",
            ]
        );
        assert_eq!(urls_of("mysql://one/a,b"), ["mysql://one/a,b"]);
        assert_eq!(urls_of("host=a,b"), ["host=a,b"]);
    }

    #[test]
    fn the_first_host_that_is_well_is_used_and_an_error_names_each_without_a_password() {
        let hosts = Hosts::new(urls_of("mysql://ada:secret@one:1,two:2,three/app"));
        let connect = |down: &[&str]| {
            hosts.connect(|host, _| match down.contains(&place(&host.url)) {
                true => Err(bad("down".into())),
                false => Ok(()),
            })
        };
        assert_eq!(connect(&[]).unwrap().0, 0);
        assert_eq!(connect(&["one:1"]).unwrap().0, 1);
        assert!(hosts.prefer_another_than(0) && !hosts.prefer_another_than(1));
        // A failed host costs no second attempt.
        assert_eq!(connect(&[]).unwrap().0, 1);
        let error = connect(&["one:1", "two:2", "three"]).unwrap_err();
        let text = error.to_string();
        for place in ["one:1: ", "two:2: ", "three: "] {
            assert!(text.contains(place), "{text}");
        }
        assert!(!text.contains("secret"), "{text}");
        assert!(!hosts.prefer_another_than(2));
        assert!(!hosts.probe(&|host| place(&host.url) == "one:1"));
        assert_eq!(connect(&[]).unwrap().0, 0);
        assert!(hosts.prefer_another_than(2));
        assert!(hosts.probe(&|_| true));
    }

    #[test]
    fn a_host_that_loses_one_connection_is_tried_again() {
        let hosts = Hosts::new(urls_of("mysql://one,two/app"));
        let lose = |times: usize| {
            let left = Cell::new(times);
            hosts.connect(|host, _| match (place(&host.url), left.get()) {
                ("one", 1..) => {
                    left.set(left.get() - 1);
                    Err(bad("Lost connection to server during query".into()))
                }
                _ => Ok(()),
            })
        };
        assert_eq!(lose(1).unwrap().0, 0);
        assert_eq!(lose(2).unwrap().0, 1);
    }
}
