//! Checks that an origin of `session.trusted_origins` is written as browsers send it.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Returns how to write an origin, unless it is already written as browsers send it.
pub(super) fn refusal(origin: &str) -> Option<String> {
    let usual =
        "write scheme and host, and a port that is not the usual one: \"https://www.example.org\"";
    let Some((scheme @ ("http" | "https"), rest)) = origin.split_once("://") else {
        return Some(usual.to_owned());
    };
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len()));
    if authority.is_empty() || authority.contains(['@', ' ']) {
        return Some(usual.to_owned());
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.contains('*') {
        return Some("a * stands for no host; write each origin by its name".to_owned());
    }
    if !host.is_ascii() {
        return Some(
            "browsers send the ASCII form of such a name; write that: \"https://xn--…\"".to_owned(),
        );
    }
    let Some(host) = canonical(host) else {
        return Some(usual.to_owned());
    };
    let port = match (scheme, port) {
        (_, None | Some("")) | ("http", Some("80")) | ("https", Some("443")) => String::new(),
        (_, Some(port)) => match port.parse::<u16>() {
            Ok(number) if number > 0 => format!(":{number}"),
            _ => return Some("a port is a number from 1 to 65535".to_owned()),
        },
    };
    let sent = format!("{scheme}://{host}{port}");
    (!tail.is_empty() || !sent.eq_ignore_ascii_case(origin))
        .then(|| format!("write {sent:?}, as browsers send it"))
}

/// Returns the host as browsers write it, or `None` if it is not a host.
fn canonical(host: &str) -> Option<String> {
    if let Some(address) = host.strip_prefix('[') {
        let address: Ipv6Addr = address.strip_suffix(']')?.parse().ok()?;
        return Some(match address.to_ipv4_mapped() {
            Some(_) => host.to_owned(),
            None => format!("[{address}]"),
        });
    }
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_name = host.bytes().all(is_letter) && !host.starts_with('.') && !host.contains("..");
    let last = host.trim_end_matches('.').rsplit('.').next()?;
    let is_number = last.starts_with(|letter: char| letter.is_ascii_digit());
    // Browsers read 127.1 and 0x7f.1 as addresses.
    match is_number {
        true => host
            .parse()
            .ok()
            .map(|address: Ipv4Addr| address.to_string()),
        false => is_name.then(|| host.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use rocket::figment::Figment;
    use rocket::figment::providers::{Format, Toml};

    use crate::config::Config;

    fn read(origin: &str) -> Result<(), String> {
        let toml = format!("[session]\ntrusted_origins = [{origin:?}]");
        let read = Config::read(&Figment::from(Toml::string(&toml)));
        read.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn an_origin_that_no_browser_sends_is_refused_with_its_spelling() {
        for (origin, words) in [
            ("https://*.example.org", "write each origin by its name"),
            ("https://a.example:443", "write \"https://a.example\""),
            ("http://a.example:80", "write \"http://a.example\""),
            ("https://a.example:", "write \"https://a.example\""),
            (
                "https://a.example:08443",
                "write \"https://a.example:8443\"",
            ),
            ("https://a.example:99999", "from 1 to 65535"),
            ("https://a.example:0", "from 1 to 65535"),
            ("https://a.example:x", "from 1 to 65535"),
            ("https://bücher.example", "xn--"),
            ("https://a.example/", "write \"https://a.example\""),
            ("https://a.example/login", "write \"https://a.example\""),
            ("https://a.example?x", "write \"https://a.example\""),
            ("https://a.example#x", "write \"https://a.example\""),
            ("https://[0:0::1]:8443", "write \"https://[::1]:8443\""),
            ("https://127.1", "write scheme and host"),
            ("https://.example.org", "write scheme and host"),
            ("https://a b.example", "write scheme and host"),
            ("https://", "write scheme and host"),
            ("//a.example", "write scheme and host"),
            ("a.example", "write scheme and host"),
            ("null", "write scheme and host"),
            ("*", "write scheme and host"),
            ("ftp://a.example", "write scheme and host"),
        ] {
            let refusal = read(origin).unwrap_err();
            let given = format!("session.trusted_origins has {origin:?}; ");
            assert!(refusal.starts_with(&given), "{refusal}");
            assert!(refusal.contains(words), "{origin}: {refusal}");
        }
        let refusal = read("https://bob:S3CRET@a.example").unwrap_err();
        assert!(!refusal.contains("S3CRET"), "{refusal}");
    }

    #[test]
    fn an_origin_as_browsers_send_it_is_accepted() {
        for origin in [
            "https://www.example.org",
            "http://www.example.org:8080",
            "https://WWW.Example.org",
            "https://xn--bcher-kva.example",
            "http://localhost:3000",
            "http://127.0.0.1:3000",
            "http://[::1]:3000",
            "https://example.org.",
        ] {
            assert_eq!(read(origin), Ok(()), "{origin}");
        }
    }
}
