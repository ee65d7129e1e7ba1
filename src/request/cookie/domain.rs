//! The domain of a cookie, as browsers take it.

use std::net::IpAddr;

/// Returns why browsers would not take the domain, and what to write. A dot before it has no
/// meaning.
pub(super) fn refusal(domain: &str) -> Option<String> {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(is_letter);
    let name = domain.strip_prefix('.').unwrap_or(domain);
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    if name.split('.').all(is_label) && !is_address(name) {
        return None;
    }
    let host = domain.split_once("://").map_or(domain, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') && !is_address(host) => host,
        _ => host,
    };
    let host = host.trim_start_matches("*.").trim_matches(['.', '[', ']']);
    Some(if is_address(host) || is_address(domain) {
        "a cookie of an IP address has no domain; leave it out".to_owned()
    } else if !domain.is_ascii() {
        "write the ASCII form of the name, which begins with xn--".to_owned()
    } else if host.split('.').all(is_label) {
        format!("write {host:?}, which covers its subdomains, too")
    } else {
        "write a name such as \"example.org\", or leave it out to keep the cookie to this host"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use rocket::figment::Figment;
    use rocket::figment::providers::{Format, Toml};

    use crate::config::Config;

    fn read(domain: &str) -> Result<(), String> {
        let toml = format!("[session.cookie]\ndomain = {domain:?}");
        let read = Config::read(&Figment::from(Toml::string(&toml)));
        read.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn a_domain_that_no_browser_takes_is_refused() {
        for (domain, words) in [
            ("https://example.org", "write \"example.org\""),
            ("https://example.org/", "write \"example.org\""),
            ("example.org:8835", "write \"example.org\""),
            ("example.org/app", "write \"example.org\""),
            ("*.example.org", "write \"example.org\""),
            ("example.org.", "write \"example.org\""),
            ("..example.org", "write \"example.org\""),
            ("127.0.0.1:8835", "leave it out"),
            ("127.0.0.1", "leave it out"),
            ("::1", "leave it out"),
            ("[::1]", "leave it out"),
            ("[::1]:8000", "leave it out"),
            ("http://[::1]:8000", "leave it out"),
            ("bücher.example", "xn--"),
            ("a..b", "such as \"example.org\""),
            ("a b", "such as \"example.org\""),
            ("a;b", "such as \"example.org\""),
            (".", "such as \"example.org\""),
            ("", "such as \"example.org\""),
        ] {
            let refusal = read(domain).unwrap_err();
            let given = format!("session.cookie.domain is {domain:?}; ");
            assert!(refusal.starts_with(&given), "{refusal}");
            assert!(refusal.contains(words), "{domain}: {refusal}");
        }
        for domain in [
            "example.org",
            ".example.org",
            "localhost",
            "xn--bcher-kva.example",
        ] {
            assert_eq!(read(domain), Ok(()), "{domain}");
        }
    }
}
