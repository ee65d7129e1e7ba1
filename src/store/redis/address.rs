//! The URL of a Redis server or cluster, and connections to its nodes.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use redis::{
    Client, Connection, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo,
    RedisConnectionInfo, RedisError, RedisResult, cmd,
};

use super::sentinel::{self, Sentinels};
use super::tls;
use crate::error::Error;

/// The servers of a URL, and the credentials for them.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) cluster: bool,
    /// One server, or the nodes of a cluster that name the others; never empty. With sentinels, the first of
    /// those in the place of the primary.
    nodes: Vec<ConnectionInfo>,
    pub(super) sentinels: Option<Arc<Sentinels>>,
    /// The longest duration of connecting, of a read and of a write.
    timeout: Duration,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Servers {
    One,
    Cluster,
    Sentinels,
}

const SCHEMES: [(&str, &str, Servers); 12] = [
    ("redis", "redis", Servers::One),
    ("rediss", "rediss", Servers::One),
    ("redis+unix", "unix", Servers::One),
    ("unix", "unix", Servers::One),
    ("valkey", "redis", Servers::One),
    ("valkeys", "rediss", Servers::One),
    ("redis-cluster", "redis", Servers::Cluster),
    ("rediss-cluster", "rediss", Servers::Cluster),
    ("redis-sentinel", "redis", Servers::Sentinels),
    ("rediss-sentinel", "rediss", Servers::Sentinels),
    ("redis+sentinel", "redis", Servers::Sentinels),
    ("rediss+sentinel", "rediss", Servers::Sentinels),
];

/// Returns `true` if URLs of this scheme are for Redis.
pub(crate) fn is_redis(scheme: &str) -> bool {
    SCHEMES.iter().any(|(known, ..)| *known == scheme)
}

impl Address {
    /// Reads `redis://user:password@host:port/number`, `rediss://…` for TLS, for a cluster
    /// `redis-cluster://user:password@host:port,host:port`, and for sentinels
    /// `redis-sentinel://user:password@host:port,host:port/service/number`.
    pub(super) fn parse(url: &str, timeout: Duration) -> Result<Self, Error> {
        let (scheme, rest) = url.split_once("://").unwrap_or((url, ""));
        let known = SCHEMES.iter().find(|(known, ..)| *known == scheme);
        let Some((_, plain, servers)) = known else {
            return Err(unusable("has no scheme of Redis"));
        };
        let (rest, fragment) = match rest.split_once('#') {
            Some((rest, fragment)) => (rest, format!("#{fragment}")),
            None => (rest, String::new()),
        };
        tls::check_fragment(&fragment)?;
        let (mut rest, mut authority) = (rest.to_owned(), None);
        if *plain == "rediss" {
            tls::install();
            authority = take(&mut rest, "ssl_ca");
        }
        let read = |account: &str, hosts: &[String]| {
            let node = |host| format!("{plain}://{account}{host}{fragment}").into_connection_info();
            let nodes: Result<Vec<_>, _> = hosts.iter().map(node).collect();
            let nodes = nodes.map_err(|cause| unusable("cannot be read").with_source(cause))?;
            match &authority {
                Some(authority) => tls::trusting(nodes, authority),
                None => Ok(nodes),
            }
        };
        let mut sentinels = None;
        let of_sentinels = ["sentinel_user", "sentinel_pass"].map(|name| match servers {
            Servers::Sentinels => take(&mut rest, name),
            _ => None,
        });
        let (account, place) = match rest.rsplit_once('@') {
            Some((account, place)) => (format!("{account}@"), place),
            None => (String::new(), rest.as_str()),
        };
        let hosts = match servers {
            Servers::One => vec![place.to_owned()],
            Servers::Cluster => {
                let hosts = place.trim_end_matches('/').split(',');
                hosts.map(str::to_owned).collect()
            }
            Servers::Sentinels => {
                let (hosts, service, number) =
                    sentinel::read(place).ok_or_else(|| unusable("names no service"))?;
                let list = read("", &hosts)?;
                let list = list.into_iter().map(|it| with_account(it, &of_sentinels));
                sentinels = Some(Arc::new(Sentinels::new(decoded(service), list.collect())));
                vec![format!("{}/{number}", hosts[0])]
            }
        };
        Ok(Self {
            cluster: *servers == Servers::Cluster,
            nodes: read(&account, &hosts)?,
            sentinels,
            timeout,
        })
    }

    /// Returns host and port of a server in the URL; the number wraps around.
    pub(super) fn node(&self, number: usize) -> String {
        self.nodes[number % self.nodes.len()].addr().to_string()
    }

    /// Opens a connection to a node, or to the primary that the sentinels name.
    pub(super) fn open(&self, node: &str) -> RedisResult<Connection> {
        let open = |node: &str| connect(self.beside(node)?, self.timeout);
        match &self.sentinels {
            Some(sentinels) => sentinels.open(open),
            None => open(node),
        }
    }

    /// Opens a connection to each server that holds records.
    pub(super) fn open_each(&self) -> RedisResult<Vec<Connection>> {
        let mut opened = self.open(&self.node(0));
        for other in 1..self.nodes.len() {
            opened = opened.or_else(|_| self.open(&self.node(other)));
        }
        let mut first = opened?;
        if !self.cluster {
            return Ok(vec![first]);
        }
        let nodes: String = cmd("CLUSTER").arg("NODES").query(&mut first)?;
        let primaries = nodes.lines().filter_map(primary);
        primaries.map(|node| self.open(node)).collect()
    }

    /// Returns a node of the same cluster, with the same credentials.
    fn beside(&self, node: &str) -> RedisResult<ConnectionInfo> {
        let first = self.nodes[0].clone();
        if matches!(first.addr(), ConnectionAddr::Unix(_)) {
            return Ok(first);
        }
        let unreadable = || RedisError::from((ErrorKind::Client, "a node has no port"));
        let (host, port) = node.rsplit_once(':').ok_or_else(unreadable)?;
        let (host, port) = (host.to_owned(), port.parse().map_err(|_| unreadable())?);
        let address = match first.addr() {
            ConnectionAddr::TcpTls {
                insecure,
                tls_params,
                ..
            } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        Ok(first.set_addr(address))
    }
}

pub(super) fn connect(to: ConnectionInfo, timeout: Duration) -> RedisResult<Connection> {
    let connection = Client::open(to)?.get_connection_with_timeout(timeout)?;
    connection.set_read_timeout(Some(timeout))?;
    connection.set_write_timeout(Some(timeout))?;
    Ok(connection)
}

/// Takes a parameter that the Redis client does not know out of a URL.
fn take(rest: &mut String, name: &str) -> Option<String> {
    let (place, parameters) = rest.split_once('?')?;
    let is_it = |parameter: &&str| parameter.split('=').next() == Some(name);
    let (taken, others): (Vec<_>, Vec<_>) = parameters.split('&').partition(is_it);
    let (_, value) = taken.first()?.split_once('=')?;
    let value = decoded(value);
    *rest = match others.is_empty() {
        true => place.to_owned(),
        false => format!("{place}?{}", others.join("&")),
    };
    Some(value)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn with_account(to: ConnectionInfo, [user, password]: &[Option<String>; 2]) -> ConnectionInfo {
    let mut settings = RedisConnectionInfo::default();
    if let Some(user) = user {
        settings = settings.set_username(user);
    }
    if let Some(password) = password {
        settings = settings.set_password(password);
    }
    to.set_redis_settings(settings)
}

/// Returns host and port of a primary in a line of `CLUSTER NODES`: `id host:port@bus,name flags …`.
fn primary(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace().skip(1);
    let (address, flags) = (words.next()?, words.next()?);
    let is = |flag| flags.split(',').any(|it| it == flag);
    let usable = is("master") && !is("fail") && !is("noaddr");
    address.split('@').next().filter(|_| usable)
}

/// Does not show the URL, which may contain a password.
fn unusable(what: &str) -> Error {
    Error::configuration(format!(
        "its url {what}; write redis://user:password@host:6379/0, rediss://… for TLS, \
         redis-cluster://user:password@host:6379,host:6379, or \
         redis-sentinel://user:password@host:26379,host:26379/service/0"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(url: &str) -> Vec<String> {
        let address = Address::parse(url, Duration::from_secs(1)).unwrap();
        let shown = |node: &ConnectionInfo| {
            let redis = node.redis_settings();
            let (user, password) = (redis.username(), redis.password());
            format!("{} {user:?} {password:?} {}", node.addr(), redis.db())
        };
        address.nodes.iter().map(shown).collect()
    }

    #[test]
    fn a_url_has_credentials_a_number_and_all_nodes() {
        let alone = nodes("redis://ada:p%40ss@redis.example:7000/3");
        assert_eq!(alone, [r#"redis.example:7000 Some("ada") Some("p@ss") 3"#]);
        let both = nodes("rediss-cluster://:secret@one:7000,two:7001/");
        assert_eq!(
            both,
            [
                r#"one:7000 None Some("secret") 0"#,
                r#"two:7001 None Some("secret") 0"#
            ]
        );
        assert_eq!(nodes("redis://localhost"), ["localhost:6379 None None 0"]);
        assert_eq!(nodes("valkey://localhost"), nodes("redis://localhost"));
        let service = nodes("redis+sentinel://ada:p%40ss@one,[::1]:7/my%2Fservice/3");
        assert_eq!(service, [r#"one:26379 Some("ada") Some("p@ss") 3"#]);
        let socket = nodes("redis+unix:///run/redis.sock?db=2&user=ada&pass=p%40ss");
        assert_eq!(socket, [r#"/run/redis.sock Some("ada") Some("p@ss") 2"#]);
    }

    #[test]
    fn a_url_that_cannot_be_read_is_refused_without_its_password() {
        for url in [
            "redis:",
            "redis://",
            "redis://u:secret@",
            "redis://u:secret@host:port/",
            "redis://u:secret@host/number",
            "redis-cluster://u:secret@one:1,two:x",
            "redis-cluster://u:secret@,",
            "redis-sentinel://u:secret@one,two",
            "redis-sentinel://u:secret@one,two/",
            "redis-sentinel://u:secret@one,two/service/number",
            "http://u:secret@host",
        ] {
            let refusal = Address::parse(url, Duration::from_secs(1)).err();
            let refusal = refusal.unwrap_or_else(|| panic!("{url}")).to_string();
            assert!(refusal.contains("write redis://user"), "{url}: {refusal}");
            assert!(!refusal.contains("secret"), "{refusal}");
        }
    }

    #[test]
    fn an_authority_is_a_file_with_a_certificate() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.crt");
        let file = file.to_str().unwrap();
        let refusal = || {
            let url = format!("rediss-cluster://u:secret@one:1,two:2?ssl_ca={file}");
            let address = Address::parse(&url, Duration::from_secs(1));
            address.err().unwrap().to_string()
        };
        let unreadable = refusal();
        std::fs::write(file, "secret").unwrap();
        for (refusal, why) in [(unreadable, "cannot be read"), (refusal(), "in PEM")] {
            assert!(refusal.contains(why) && refusal.contains(file), "{refusal}");
            assert!(!refusal.contains("secret"), "{refusal}");
        }
    }

    #[test]
    fn only_a_build_that_asked_for_it_trusts_any_server() {
        let address = Address::parse("rediss://host/0#insecure", Duration::from_secs(1));
        match cfg!(feature = "redis-insecure") {
            true => drop(address.ok().unwrap()),
            false => {
                let refusal = address.err().unwrap().to_string();
                assert!(refusal.contains("--features redis-insecure"), "{refusal}");
            }
        }
    }

    #[test]
    fn primaries_are_found_in_what_a_cluster_says() {
        let lines = "\
            a 10.0.0.1:7000@17000,one master - 0 0 1 connected 0-5460\n\
            b 10.0.0.2:7000@17000 myself,master - 0 0 2 connected 5461-10922\n\
            c ::1:7001@17001 master - 0 0 3 connected 10923-16383\n\
            d 10.0.0.4:7000@17000 slave a 0 0 1 connected\n\
            e 10.0.0.5:7000@17000 master,fail - 0 0 4 disconnected\n\
            f :0@0 master,noaddr - 0 0 5 disconnected";
        let found: Vec<_> = lines.lines().filter_map(primary).collect();
        assert_eq!(found, ["10.0.0.1:7000", "10.0.0.2:7000", "::1:7001"]);
    }
}
