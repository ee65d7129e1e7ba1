//! Advisories about injection by cookies.

use rocket::http::Header;

use testing::site::{Answer, Site, invented_token};

/// Names were decoded, so that a page of a neighbour could set `__%48ost-id`.
#[test]
fn cve_2020_8184_an_encoded_name_is_another_name() {
    let mut site = Site::new();
    site.post("/log_in/eve");
    let planted = site.cookie.take().unwrap().replace("__Host", "__%48ost");
    site.post("/log_in/ada");
    let own = site.cookie.clone().unwrap();
    let who = |cookies: String| {
        let request = site
            .client
            .get("/who")
            .header(Header::new("Cookie", cookies));
        Answer::of(request.dispatch()).body
    };
    assert_eq!(who(planted.clone()), "nobody");
    assert_eq!(who(format!("{own}; {planted}")), "ada");
    assert_eq!(who(format!("{planted}; {own}")), "ada");
}

/// The id went into the store's protocol as it came.
#[test]
fn cve_2022_4064_a_malformed_token_reaches_no_store() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    site.store.calls();
    let token = invented_token();
    for bad in [
        "\r\nFLUSHALL\r\n",
        " x",
        "\0",
        "\t",
        "%0d%0aFLUSHALL",
        "*",
        "🦀",
    ] {
        for value in [
            bad.to_owned(),
            format!("{token}{bad}"),
            format!("{bad}{token}"),
        ] {
            let header = Header::new("Cookie", format!("__Host-id={value}"));
            let answer = Answer::of(site.client.get("/who").header(header).dispatch());
            assert_eq!((answer.status, answer.set_cookie), (200, None), "{value:?}");
            assert!(site.store.calls().is_empty(), "{value:?}");
        }
    }
}
