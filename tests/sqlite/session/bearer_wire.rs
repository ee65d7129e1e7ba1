//! Bearer tokens byte by byte, as no client library sends them.

use std::process::Stdio;

use testing::server::{Browser, Server};
use testing::wire::{get, is_too_large, status};
use testing::{database, site};

/// A server that takes both cookies and bearer tokens, and the tokens of two users.
struct Wire {
    server: Server,
    ada: String,
    grace: String,
}

impl Wire {
    fn to(database: &database::TestDatabase) -> Self {
        let settings = r#",token_from=["cookie","bearer"]"#;
        let server = Server::busy_with(database, settings, "off", Stdio::null());
        let token = |user: &str| {
            let mut browser = Browser::default();
            browser.post(&format!("{}/log_in/{user}", server.base));
            let cookie = browser.cookie.unwrap();
            cookie.strip_prefix("id=").unwrap().to_owned()
        };
        let (ada, grace) = (token("ada"), token("grace"));
        Self { server, ada, grace }
    }

    /// Returns the status and the user of a request with these header lines.
    fn user(&self, lines: &[u8]) -> (u16, String) {
        let answer = get(&self.server.base, "/user", lines);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        assert!(!head.to_lowercase().contains("session-token"), "{answer}");
        (status(&answer), body.to_owned())
    }
}

#[test]
fn only_the_scheme_and_one_whole_token_open_a_session() {
    let database = database::sqlite();
    let wire = Wire::to(&database);
    let ada = &wire.ada;
    for line in [
        format!("Authorization: Bearer {ada}\r\n"),
        format!("authorization:bearer {ada}\r\n"),
        format!("AUTHORIZATION: \t BEARER   {ada} \t \r\n"),
        format!("Authorization: Bearer {ada}\nAccept: */*\r\n"),
    ] {
        let expected = (200, "ada".to_owned());
        assert_eq!(wire.user(line.as_bytes()), expected, "{line:?}");
    }
    let (start, end) = ada.split_at(20);
    for value in [
        String::new(),
        "Bearer".into(),
        "Bearer ".into(),
        ada.clone(),
        format!("Bearer\t{ada}"),
        format!("Bearer \t{ada}"),
        format!("Bearer\u{a0}{ada}"),
        format!("Bearer {ada}\u{a0}"),
        format!("Bearer {start}\t{end}"),
        format!("Bearer {start} {end}"),
        format!("Bearer {start}\u{2028}{end}"),
        format!("Bearer {start}%00{end}"),
        format!("Bearer {start}"),
        format!("Bearer {end}"),
        format!("Bearer {ada}{ada}"),
        format!("Bearer {ada} {ada}"),
        format!("Bearer {ada},{ada}"),
        format!("Bearer {ada}, Bearer {ada}"),
        format!("Bearer {ada};"),
        format!("Bearer {ada}="),
        format!("Bearer {ada}=="),
        format!("Bearer ={ada}"),
        format!("Bearer \"{ada}\""),
        format!("Bearer <{ada}>"),
        format!("Bearer token={ada}"),
        format!("Bearer Bearer {ada}"),
        format!("Bearer: {ada}"),
        format!("Bearer{ada}"),
        format!("Token {ada}"),
        format!("Basic {ada}"),
        format!("bear\u{e9}r {ada}"),
        format!("\u{ff22}earer {ada}"),
        format!("Bearer {}", ada.replace(start, &start.to_ascii_uppercase())),
        format!("Bearer {}", site::flip_case(ada)),
        format!("Bearer {}", ada.replace(['-', '_'], "/")),
        format!("Bearer {}~", &ada[..42]),
        format!("Bearer {}", site::invented_token()),
        "Bearer ....".into(),
        "Bearer ' OR 1=1--".into(),
        format!("Bearer {}", "\u{1f600}".repeat(100)),
        format!("Bearer {}", "A".repeat(100_000)),
        format!("{} {ada}", "Bearer ".repeat(1_000)),
    ] {
        let line = format!("Authorization: {value}\r\n");
        // Some tokens have nothing to replace.
        if value != format!("Bearer {ada}") {
            let expected = (200, String::new());
            assert_eq!(wire.user(line.as_bytes()), expected, "{value:.90}");
        }
    }
    for value in [
        [b"Bearer \xff", ada.as_bytes()].concat(),
        [b"Bearer ", ada.as_bytes(), b"\x80"].concat(),
        [b"\xa0Bearer ", ada.as_bytes()].concat(),
    ] {
        let line = [b"Authorization: ", &value[..], b"\r\n"].concat();
        assert_eq!(wire.user(&line), (200, String::new()), "{value:?}");
    }
    for lines in [
        format!("Authorization: Bearer {start}\0{end}\r\n"),
        format!("Authorization: Bearer {start}\r{end}\r\n"),
        format!("Authorization: Bearer\r\n {ada}\r\n"),
        format!("Authorization : Bearer {ada}\r\n"),
    ] {
        let answer = get(&wire.server.base, "/user", lines.as_bytes());
        assert_eq!(status(&answer), 400, "{lines:?}: {answer}");
    }
    let endless = format!("Authorization: Bearer {}\r\n", "A".repeat(2 * 1024 * 1024));
    let answer = get(&wire.server.base, "/user", endless.as_bytes());
    assert!(is_too_large(&answer), "{answer:.90}");
    assert_eq!(database.store.count(0).unwrap(), 2);
}

#[test]
fn of_several_credentials_only_equal_ones_count() {
    let database = database::sqlite();
    let wire = Wire::to(&database);
    let [ada, grace] = [&wire.ada, &wire.grace];
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let cookie = |token: &str| format!("Cookie: id={token}\r\n");
    let basic = "Authorization: Basic YTpi\r\n";
    for (lines, status, user) in [
        ([bearer(ada), bearer(ada)], 200, ""),
        ([bearer(ada), bearer(grace)], 200, ""),
        ([bearer(ada), basic.into()], 200, ""),
        ([basic.into(), bearer(ada)], 200, ""),
        ([bearer(ada), "authorization: \r\n".into()], 200, ""),
        ([cookie(ada), bearer(ada)], 200, "ada"),
        ([bearer(grace), cookie(grace)], 200, "grace"),
        ([cookie(ada), bearer(grace)], 400, ""),
        ([bearer(ada), cookie(grace)], 400, ""),
        ([bearer(ada), cookie(&site::invented_token())], 400, ""),
        ([cookie(ada), bearer(&site::invented_token())], 400, ""),
        ([cookie(ada), bearer("x")], 200, ""),
        ([cookie(ada), bearer("")], 200, ""),
        ([cookie("x"), bearer(ada)], 200, "ada"),
        (
            [format!("Cookie: id={ada}; id={grace}\r\n"), bearer(ada)],
            200,
            "ada",
        ),
        ([cookie(ada), basic.into()], 200, "ada"),
        (
            [cookie(ada), format!("Proxy-{}", bearer(grace))],
            200,
            "ada",
        ),
        ([cookie(ada), format!("X-{}", bearer(grace))], 200, "ada"),
    ] {
        let (answered, body) = wire.user(lines.concat().as_bytes());
        let body = if answered == 200 { body } else { String::new() };
        assert_eq!((answered, &*body), (status, user), "{lines:?}");
    }
    assert_eq!(database.store.count(0).unwrap(), 2);
}
