//! The sentinels of a URL, which name the primary of several Redis servers.
//!
//! The Redis client's own sentinel support connects without a time limit, so that a sentinel that hangs
//! would hold up every attempt.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::{Connection, ConnectionInfo, ErrorKind, RedisError, RedisResult, Role, cmd};

use super::address::connect;
use super::server::is_forbidden;

/// The longest duration of connecting to a sentinel, and of its reply.
const TIMEOUT: Duration = Duration::from_secs(1);

pub(super) struct Sentinels {
    /// The name that they give the servers.
    service: String,
    list: Vec<ConnectionInfo>,
    /// The number of the one that last named a primary.
    last: AtomicUsize,
}

impl Sentinels {
    pub(super) fn new(service: String, list: Vec<ConnectionInfo>) -> Self {
        Self {
            service,
            list,
            last: AtomicUsize::new(0),
        }
    }

    /// Opens a connection to the primary that a sentinel names. `open` takes host and port.
    ///
    /// During a failover sentinels name the former primary, or a server that is still a replica.
    pub(super) fn open(
        &self,
        open: impl Fn(&str) -> RedisResult<Connection>,
    ) -> RedisResult<Connection> {
        let count = self.list.len();
        let first = self.last.load(Ordering::Relaxed);
        let (mut tried, mut cause) = (Vec::new(), no_primary("the url has no sentinel", ""));
        for number in (first..first + count).map(|number| number % count) {
            let opened = self.primary(number).and_then(|place| {
                if tried.contains(&place) {
                    return Err(no_primary(
                        "the sentinels name a server that is down",
                        &place,
                    ));
                }
                tried.push(place.clone());
                let connection = open(&place).and_then(|it| as_primary(it, &place))?;
                // A server that hung may answer after a replica has taken over.
                match self.primary(number)? == place {
                    true => Ok(connection),
                    false => Err(no_primary(
                        "the sentinels name another server by now",
                        &place,
                    )),
                }
            });
            match opened {
                Ok(connection) => {
                    self.last.store(number, Ordering::Relaxed);
                    return Ok(connection);
                }
                Err(error) => cause = error,
            }
        }
        Err(cause)
    }

    /// Returns host and port of the primary by this sentinel.
    fn primary(&self, number: usize) -> RedisResult<String> {
        let mut sentinel = connect(self.list[number].clone(), TIMEOUT)?;
        let mut ask = cmd("SENTINEL");
        ask.arg("GET-MASTER-ADDR-BY-NAME").arg(&self.service);
        let named: Option<(String, u16)> = ask.query(&mut sentinel)?;
        let unknown = || no_primary("a sentinel does not know the service", &self.service);
        let (host, port) = named.ok_or_else(unknown)?;
        Ok(format!("{host}:{port}"))
    }
}

/// Returns the connection if its server is a primary, or does not say.
fn as_primary(mut connection: Connection, place: &str) -> RedisResult<Connection> {
    match cmd("ROLE").query(&mut connection) {
        Ok(Role::Primary { .. }) => Ok(connection),
        Ok(_) => Err(no_primary(
            "the sentinels name a server that is no primary",
            place,
        )),
        Err(error) if is_forbidden(&error) => Ok(connection),
        Err(error) => Err(error),
    }
}

fn no_primary(why: &'static str, what: &str) -> RedisError {
    RedisError::from((ErrorKind::Client, why, what.to_owned()))
}

/// Reads `HOST:PORT,HOST:PORT/SERVICE/NUMBER`: the sentinels, the service and the database's number.
pub(super) fn read(place: &str) -> Option<(Vec<String>, &str, &str)> {
    let mut parts = place.splitn(3, '/');
    let (hosts, service) = (parts.next()?, parts.next()?);
    let number = parts.next().unwrap_or_default();
    let with_port = |host: &str| match host.rsplit(']').next() {
        Some(after) if after.contains(':') => host.to_owned(),
        _ => format!("{host}:26379"),
    };
    let hosts = hosts.split(',').map(with_port).collect();
    (!service.is_empty()).then_some((hosts, service, number))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use redis::IntoConnectionInfo;

    use super::*;

    const PRIMARY: &str = "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n";
    const REPLICA: &str = "*5\r\n$5\r\nslave\r\n$3\r\none\r\n:6379\r\n$9\r\nconnected\r\n:0\r\n";

    /// Serves as a sentinel that names these servers one after the other, and as a server with this role.
    fn server(named: &'static [&'static str], role: &'static str) -> ConnectionInfo {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            let mut named = named.iter();
            for mut stream in listener.incoming().flatten() {
                let mut bytes = [0; 1024];
                while let Ok(count @ 1..) = stream.read(&mut bytes) {
                    let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                    let reply = match text.as_str() {
                        text if text.contains("SENTINEL") => {
                            let host = named.next().unwrap();
                            format!("*2\r\n+{host}\r\n+6379\r\n")
                        }
                        text if text.contains("ROLE") => role.to_owned(),
                        text => "+OK\r\n".repeat(text.matches('*').count()),
                    };
                    stream.write_all(reply.as_bytes()).unwrap();
                }
            }
        });
        url.into_connection_info().unwrap()
    }

    fn opened(named: &'static [&'static str], role: &'static str) -> Result<(), String> {
        let (sentinel, named) = (server(named, ""), server(&[], role));
        let sentinels = Sentinels::new("service".into(), vec![sentinel]);
        let opened = sentinels.open(|_| connect(named.clone(), TIMEOUT));
        opened.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_is_used_if_it_is_a_primary_and_named_once_it_answers() {
        assert_eq!(opened(&["one", "one"], PRIMARY), Ok(()));
        for (named, role, why) in [
            (&["one", "two"], PRIMARY, "another server by now"),
            (&["one", "one"], REPLICA, "no primary"),
        ] {
            let refusal = opened(named, role).unwrap_err();
            assert!(refusal.contains(why), "{refusal}");
        }
    }
}
