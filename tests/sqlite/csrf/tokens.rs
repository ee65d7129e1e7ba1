//! A CSRF token belongs to one browser and its current session.

use rocket::http::{ContentType, Header};

use super::site::Site;

const PLAIN_HTTP: &str = "{cookie={secure=false}}";

#[test]
fn a_form_needs_the_token_of_its_own_session() {
    let site = Site::new(PLAIN_HTTP);
    let before = site.csrf_token("/form");
    let pre_session = site.cookies.borrow()["id-form"].clone();
    site.log_in();
    let own = site.csrf_token("/form");
    let other = Site::new(PLAIN_HTTP);
    let anonymous = other.csrf_token("/form");
    other.log_in();
    let user = other.csrf_token("/form");
    for bad in [
        "",
        "_token",
        "_token=",
        "_token=undefined",
        "token=own",
        &format!("_token={anonymous}"),
        &format!("_token={user}"),
        &format!("_token={before}"),
        &format!("_token={}", &own[..own.len() - 1]),
        &format!("_token={}{}", &own[..43], "A".repeat(43)),
        &format!("_token={own}A"),
        &format!("_token=&_token={own}"),
        &format!("_token={}", site.cookies.borrow()["id"]),
        &format!("_token={pre_session}"),
        &format!("{}&_token={own}", "x".repeat(512)),
    ] {
        assert_eq!(site.submit("/change", bad).status, 403, "{bad}");
    }
    assert_eq!(site.done(), 0);
    assert_eq!(site.submit("/change", &format!("_token={own}")).status, 200);
    assert_eq!(
        site.submit("/change", &format!("a=b&_token={own}")).status,
        200
    );
}

/// Login CSRF: omniauth CVE-2015-9284.
#[test]
fn cve_2015_9284_a_sign_in_needs_a_token_too() {
    let site = Site::new(PLAIN_HTTP);
    for body in ["", "_token=", "_token=AAAA"] {
        assert_eq!(site.submit("/log_in", body).status, 403);
    }
    // Without the cookie that it belongs to, a token is nothing.
    let token = Site::new(PLAIN_HTTP).csrf_token("/form");
    assert_eq!(
        site.submit("/log_in", &format!("_token={token}")).status,
        403
    );
    assert_eq!(site.rows(), 0);
    site.log_in();
    assert_eq!(site.rows(), 1);
}

#[test]
fn cve_2022_24895_a_token_from_before_the_sign_in_is_worthless() {
    let site = Site::new(PLAIN_HTTP);
    let before = site.csrf_token("/form");
    let token = format!("_token={before}");
    assert_eq!(site.submit("/change", &token).status, 200);
    assert_eq!(site.submit("/log_in", &token).status, 200);
    assert!(site.cookies.borrow().keys().eq(["id"]));
    assert_eq!(site.submit("/change", &token).status, 403);

    let of_first_session = site.csrf_token("/form");
    site.log_in();
    let token = format!("_token={of_first_session}");
    assert_eq!(site.submit("/change", &token).status, 403);
}

#[test]
fn the_forms_of_anonymous_users_leave_no_row() {
    let site = Site::new("{}");
    let answer = site.send(site.client.get("/form"));
    let [line] = &answer.cookies[..] else {
        panic!("{:?}", answer.cookies);
    };
    assert!(line.starts_with("__Host-id-form="), "{line}");
    for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
        assert!(line.contains(attribute), "{line}");
    }
    // One cookie serves all forms of this browser.
    let again = site.send(site.client.get("/form"));
    assert_eq!(again.cookies, [""; 0]);
    let token = format!("_token={}", again.body);
    assert_eq!(site.submit("/change", &token).status, 200);
    assert_eq!(site.rows(), 0);
}

#[test]
fn a_form_on_a_page_that_begins_a_session_is_accepted() {
    let site = Site::new(PLAIN_HTTP);
    let token = site.csrf_token("/form_and_session");
    assert_eq!(site.rows(), 1);
    assert_eq!(
        site.submit("/change", &format!("_token={token}")).status,
        200
    );
    let token = site.csrf_token("/form_and_session");
    assert_eq!(
        site.submit("/change", &format!("_token={token}")).status,
        200
    );
}

/// A neighbouring subdomain can set a cookie of this site, and then knows what it holds.
#[test]
fn beside_a_session_no_planted_cookie_counts() {
    for begins in ["/form", "/form_and_session"] {
        let site = Site::new(PLAIN_HTTP);
        site.csrf_token(begins);
        if begins == "/form" {
            site.log_in();
        }
        assert_eq!(site.rows(), 1);
        // Cookies of a browser without a session, and of one whose session has begun.
        for page in ["/form", "/form_and_session"] {
            let other = Site::new(PLAIN_HTTP);
            let token = other.csrf_token(page);
            let planted = other.cookies.borrow()["id-form"].clone();
            let (secret, _) = planted.split_once('.').unwrap_or((&planted, ""));
            for planted in [&planted, secret, &format!("{secret}.")] {
                let cookie = ("id-form".to_owned(), planted.to_owned());
                site.cookies.borrow_mut().extend([cookie]);
                let body = format!("_token={token}");
                assert_eq!(
                    site.submit("/change", &body).status,
                    403,
                    "{begins}, {page}"
                );
                // Nor does the session adopt it later.
                site.csrf_token("/form_and_session");
                assert_eq!(
                    site.submit("/change", &body).status,
                    403,
                    "{begins}, {page}"
                );
            }
        }
    }
}

#[test]
fn a_form_from_before_a_session_is_accepted_beside_it() {
    let site = Site::new(PLAIN_HTTP);
    let first_tab = format!("_token={}", site.csrf_token("/form"));
    site.csrf_token("/form_and_session");
    assert_eq!(site.rows(), 1);
    assert_eq!(site.submit("/change", &first_tab).status, 200);
    site.csrf_token("/form_and_session");
    assert_eq!(site.submit("/change", &first_tab).status, 200);
    site.log_in();
    assert_eq!(site.submit("/change", &first_tab).status, 403);
}

#[test]
fn scripts_and_uploads_can_send_the_token_too() {
    let site = Site::new(PLAIN_HTTP);
    let token = site.csrf_token("/form");
    let header = Header::new("X-CSRF-Token", token.clone());
    let script = site.client.post("/change").header(header);
    assert_eq!(site.send(script).status, 200);
    let wrong = Header::new("X-CSRF-Token", "AAAA");
    let script = site.client.post("/change").header(wrong);
    assert_eq!(site.send(script).status, 403);

    let upload = |token: &str| {
        let content = ContentType::FormData.with_params([("boundary", "x")]);
        let body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"_token\"\r\n\r\n{token}\r\n\
             --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n{}\r\n--x--\r\n",
            "y".repeat(2_000)
        );
        let request = site.client.post("/change").header(content).body(body);
        site.send(request).status
    };
    assert_eq!(upload(&token), 200);
    assert_eq!(upload("AAAA"), 403);
}

#[test]
fn a_wrong_trusted_origin_stops_the_launch() {
    for bad in [
        "example.org",
        "https://",
        "https://example.org/",
        "*",
        "null",
    ] {
        let settings = format!(r#"{{trusted_origins=["{bad}"]}}"#);
        let launched = std::panic::catch_unwind(|| Site::new(&settings).rows());
        assert!(launched.is_err(), "{bad}");
    }
}
