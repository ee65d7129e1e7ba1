//! Cookies that are not what they seem.

use super::*;
use crate::request::Incoming;
use crate::token::TokenSource;

fn read(headers: &[&str]) -> Incoming {
    Incoming::read(
        headers.iter().copied(),
        "__Host-id",
        &TokenSource::default(),
    )
}

#[test]
fn only_the_one_cookie_is_read() {
    let good = "A".repeat(43);
    let other = format!("{}A", "B".repeat(42));
    let found = |header: &str| read(&[header]).token.is_some();
    assert!(found(&format!("__Host-id={good}")));
    assert!(found(&format!("a=b; __Host-id={good}; c=d")));
    assert!(
        found(&format!("__%48ost-id={other}; __Host-id={good}")),
        "the real one wins"
    );
    assert!(
        found(&format!("__Host-id={good}; __%48ost-id={other}")),
        "the real one wins"
    );
    assert!(
        found(&format!("__Host-id={good}; __Host-id={good}")),
        "twice the same"
    );
    let many = (0..10_000).map(|n| format!("c{n}=v; ")).collect::<String>();
    assert!(found(&format!("{many}__Host-id={good}")));
    assert!(
        read(&["a=b", &format!("__Host-id={good}")]).token.is_some(),
        "HTTP/2 splits the header"
    );
    for bad in [
        "__Host-id=".into(),
        "__Host-id=\"\"".into(),
        format!("__Host-id=\"{good}\""),
        format!("__Host-id={good}A"),
        format!("__Host-id={}", &good[1..]),
        format!("__Host-id={good} ; a=b"),
        format!("__Host-id={good}%20"),
        format!("__Host-id=%41{}", &good[1..]),
        format!("__Host-id={good}="),
        "__Host-id=' OR 1=1--".into(),
        "__Host-id=\0".into(),
        format!("__%48ost-id={good}"),
        format!("__Host-id={good}; __Host-id={other}"),
        format!("__Host-id={other}; __Host-id={good}"),
        format!("__Host-id={good}; __Host-id="),
        format!("__host-id={good}"),
        format!(" __Host-id={good}"),
        format!("a=b;  __Host-id={good}"),
        format!("=__Host-id={good}"),
        format!("__Host-id ={good}"),
        format!("__Host-id={}", "A".repeat(400 * 1024)),
        "__Host-id".into(),
        String::new(),
    ] {
        assert!(!found(&bad), "{bad:.80}");
    }
}

#[test]
fn the_prefix_follows_from_the_settings() {
    let config = CookieConfig::default();
    assert_eq!(config.full_name(), "__Host-id");
    assert_eq!(
        CookieConfig {
            path: "/app".into(),
            ..config.clone()
        }
        .full_name(),
        "__Secure-id"
    );
    assert_eq!(
        CookieConfig {
            domain: Some("example.org".into()),
            ..config.clone()
        }
        .full_name(),
        "__Secure-id"
    );
    assert_eq!(
        CookieConfig {
            secure: Secure::Always(false),
            ..config.clone()
        }
        .full_name(),
        "id"
    );
    assert_eq!(
        CookieConfig {
            secure: Secure::When(Auto::Auto),
            ..config
        }
        .full_name(),
        "id"
    );
}
