//! Bearer tokens in events, over HTTP.

use super::site::*;

const BOTH: &str = r#",token_from=["cookie","bearer"]"#;

#[test]
fn bad_bearer_tokens_are_events_that_do_not_show_them() {
    let site = Site::with(BOTH);
    let mut owner = site.browser();
    owner.post("/log_in/ada");
    let cookie = owner.cookie.clone().unwrap();
    let token = cookie.strip_prefix("id=").unwrap();
    let unknown = format!("{}A", "B".repeat(42));
    let (good, other) = (format!("Bearer {token}"), format!("Bearer {unknown}"));
    let cut = format!("Bearer {}", &token[1..]);
    let cookie = Some(cookie.as_str());
    for (headers, cookie, status, expected) in [
        (&[&*good][..], None, 200, &[][..]),
        (&[&*good], cookie, 200, &[]),
        (&["Basic YTpi"], cookie, 200, &[]),
        (&["Bearer"], None, 200, &["session_malformed"]),
        (&[&*cut], cookie, 200, &["session_malformed"]),
        (&[&*good, &*good], cookie, 200, &["session_malformed"]),
        (&[&*other], cookie, 400, &["session_malformed"]),
        (&[&*other], None, 200, &["session_use_after_expire"]),
    ] {
        let emitted = site.emitted_by(|| {
            let mut client = site.browser();
            client.cookie = cookie.map(str::to_owned);
            for value in headers {
                client = client.with("authorization", value);
            }
            assert_eq!(client.get("/devices").0, status, "{headers:?}");
        });
        assert_eq!(names(&emitted), expected, "{headers:?}");
    }
    let printed = site.printed();
    for secret in [&token[1..], &unknown] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
