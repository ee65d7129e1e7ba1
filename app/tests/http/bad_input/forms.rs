//! Sends bodies that are no form, and forms with repeated fields.

use std::time::{Duration, Instant};

use testing::accounts::{EMAIL, PASSWORD, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::sql;

const FORM: &str = "application/x-www-form-urlencoded";

/// Of a repeated field, every reader takes the first one.
#[test]
fn fields_that_are_missing_too_many_or_twice() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let extra = [
        ("is_admin", "1"),
        ("id", "1"),
        ("disabled_at", "1"),
        ("user_id", "1"),
        ("email", "eve@example.org"),
    ];
    assert_eq!(register(&visitor, EMAIL, &extra).status, 303);
    assert_eq!(
        sql::texts(&database, "SELECT email AS text FROM users"),
        [EMAIL]
    );
    assert_eq!(
        sql::count(&database, "users WHERE disabled_at IS NULL AND id <> '1'"),
        1
    );

    for fields in [
        vec![("email", EMAIL)],
        vec![("password", PASSWORD)],
        vec![("Email", EMAIL), ("Password", PASSWORD)],
        vec![],
    ] {
        let visitor = application.visitor();
        assert_eq!(visitor.post("/login", &fields).status, 422, "{fields:?}");
    }
    let wrong = ("password", "a wrong horse battery");
    let right = ("password", PASSWORD);
    for (first, second, status) in [(wrong, right, 401), (right, wrong, 303)] {
        let visitor = application.visitor();
        let answer = visitor.post("/login", &[("email", EMAIL), first, second]);
        assert_eq!(answer.status, status);
    }
}

#[test]
fn bodies_that_are_no_form_are_not_read_as_one() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    let visitor = application.visitor();
    let json = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    let form = format!("email={EMAIL}&password={}", PASSWORD.replace(' ', "+"));
    for (content_type, body) in [
        ("application/json", &json),
        ("text/plain", &form),
        ("text/html", &form),
        ("application/octet-stream", &form),
        ("nonsense", &form),
        ("", &form),
    ] {
        let refused = visitor.post_body("/login", content_type, body.clone().into());
        assert!(
            (400..=422).contains(&refused.status),
            "{content_type}: {refused:?}"
        );
        assert_eq!(refused.set_cookie("id"), None, "{content_type}");
    }
    for (content_type, body) in [(FORM, &form), ("text/plain", &json)] {
        let refused = visitor.post_body("/api/v1/signin", content_type, body.clone().into());
        assert!(
            (400..=422).contains(&refused.status),
            "{content_type}: {refused:?}"
        );
    }
    let part = |name: &str, more: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{value}\r\n")
    };
    let file = "; filename=\"password.txt\"\r\nContent-Type: application/octet-stream";
    for more in [file, "; filename=\"../../etc/passwd\"", "; name=\"email\""] {
        let body = part("email", "", EMAIL)
            + part("password", more, "a wrong horse battery").as_str()
            + "--b--\r\n";
        let refused = visitor.post_body("/login", "multipart/form-data; boundary=b", body.into());
        assert!((400..=422).contains(&refused.status), "{more}: {refused:?}");
    }
    let endless = part("email", "", EMAIL);
    let refused = visitor.post_body("/login", "multipart/form-data; boundary=b", endless.into());
    assert!((400..=422).contains(&refused.status), "{refused:?}");
    assert!(!is_signed_in(&visitor));
}

#[test]
fn cve_2025_46727_no_body_is_without_bounds() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let nested = format!("email{}=x", "[a]".repeat(1_000));
    let dots = format!("email{}=x", ".a".repeat(1_000));
    let many = (0..3_000).map(|n| format!("f{n}=&")).collect::<String>();
    let too_many = (0..10_000).map(|n| format!("f{n}=&")).collect::<String>();
    let large = format!("email={}", "x".repeat(33 * 1024));
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let object = r#"{"a":"#.repeat(6_000);
    let large_json = format!(r#"{{"email":"{}"}}"#, "x".repeat(2 * 1024 * 1024));
    for (path, content_type, body, statuses) in [
        ("/login", FORM, &nested, [422, 422]),
        ("/login", FORM, &dots, [422, 422]),
        ("/login", FORM, &many, [422, 422]),
        ("/login", FORM, &too_many, [413, 413]),
        ("/login", FORM, &large, [413, 413]),
        ("/api/v1/signin", "application/json", &deep, [400, 422]),
        ("/api/v1/signin", "application/json", &object, [400, 422]),
        (
            "/api/v1/signin",
            "application/json",
            &large_json,
            [413, 413],
        ),
    ] {
        let start = Instant::now();
        let refused = visitor.post_body(path, content_type, body.clone().into());
        let took = start.elapsed();
        assert!(
            statuses.contains(&refused.status),
            "{body:.40}: {}",
            refused.status
        );
        assert!(took < Duration::from_millis(500), "{body:.40}: {took:?}");
    }
    assert_eq!(visitor.get("/").status, 200);
}

#[test]
fn bytes_that_are_no_text_are_no_field() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    let visitor = application.visitor();
    let password = PASSWORD.replace(' ', "+");
    for body in [
        &b"email=%zz&password=%"[..],
        b"email=%ff%fe&password=%c3%28",
        b"email=\xff\xfe&password=\xc3\x28",
        b"\xff=\xff&\0=\0",
        b"&&&=&=&===",
        b"%",
        format!("email={EMAIL}%ff&password={password}").as_bytes(),
        format!("email={EMAIL}&password={password}%ff").as_bytes(),
        format!("email={EMAIL}&password={password}\u{0}").as_bytes(),
    ] {
        let refused = visitor.post_body("/login", FORM, body.to_vec());
        assert!(
            [400, 401, 422].contains(&refused.status),
            "{body:?}: {refused:?}"
        );
        assert_eq!(refused.set_cookie("id"), None, "{body:?}");
    }
    let refused = visitor.post_body(
        "/api/v1/signin",
        "application/json",
        b"{\"email\":\"\xff\"}".to_vec(),
    );
    assert!([400, 422].contains(&refused.status), "{refused:?}");
}

/// A form can name its method; that must not bypass any check.
#[test]
fn a_method_in_a_form_reaches_nothing_else() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    register(&visitor, EMAIL, &[]);
    let change = [("current", PASSWORD), ("new", "staple battery horse")];
    for method in ["GET", "HEAD", "TRACE", "DELETE", "PATCH", "put"] {
        let method = ("_method", method);
        // A HEAD has no complete answer, since the browser sent a POST.
        let sent = visitor.try_post("/logout", &[method]);
        assert!(
            sent.is_none_or(|sent| [400, 403, 404, 405].contains(&sent.status)),
            "{method:?}"
        );
        assert!(is_signed_in(&visitor), "{method:?}");
        // A GET is the page with the form.
        let sent = visitor.try_post("/account/password", &[&[method][..], &change].concat());
        assert!(
            sent.is_none_or(|sent| [200, 400, 403, 404, 405].contains(&sent.status)),
            "{method:?}"
        );
    }
    assert_eq!(sign_in(&application.visitor(), EMAIL, PASSWORD).status, 303);
    let sent = visitor.post("/logout", &[("_method", "nonsense")]);
    assert!([303, 400, 403].contains(&sent.status), "{sent:?}");
}
