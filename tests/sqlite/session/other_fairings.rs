//! Headers of other fairings stay on pages that replace a response.

use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::http::{ContentType, Header};
use rocket::local::blocking::Client;
use rocket::response::Redirect;
use rocket::{Build, Responder, Rocket, catch, catchers, post, routes};
use rocket_diesel_session::{Error, Session, Sessions};

use testing::site::{self, Watched};

#[derive(Responder)]
struct WithHeaders<T> {
    answer: T,
    a: Header<'static>,
    b: Header<'static>,
    c: Header<'static>,
    d: Header<'static>,
}

#[post("/redirect")]
fn redirect(session: &Session) -> Result<WithHeaders<Redirect>, Error> {
    session.log_in("ada")?;
    Ok(WithHeaders {
        answer: Redirect::to("/welcome"),
        a: Header::new("Set-Cookie", "signed_in=yes"),
        b: Header::new("Clear-Site-Data", "\"cache\""),
        c: Header::new("HX-Redirect", "/welcome"),
        d: Header::new("X-Accel-Redirect", "/internal/welcome"),
    })
}

#[post("/file")]
fn file(session: &Session) -> Result<(ContentType, WithHeaders<Vec<u8>>), Error> {
    session.log_in("ada")?;
    let answer = WithHeaders {
        answer: vec![0; 9_999],
        a: Header::new("content-disposition", "attachment"),
        b: Header::new("ETag", "\"of the file\""),
        c: Header::new("Last-Modified", "Sat, 28 Nov 2026 00:00:00 GMT"),
        d: Header::new("Content-Encoding", "gzip"),
    };
    Ok((ContentType::PDF, answer))
}

#[derive(Responder)]
#[response(status = 503)]
struct Page {
    text: &'static str,
    vary: Header<'static>,
    policy: Header<'static>,
}

#[catch(503)]
fn unavailable() -> Page {
    Page {
        text: "later",
        vary: Header::new("Vary", "Accept"),
        policy: Header::new("Content-Security-Policy", "default-src 'self'"),
    }
}

#[catch(403)]
fn forbidden() -> &'static str {
    "forbidden"
}

const OF_FAIRINGS: [(&str, &str); 10] = [
    ("Access-Control-Allow-Origin", "https://www.example.org"),
    ("Access-Control-Allow-Credentials", "true"),
    ("Access-Control-Expose-Headers", "Retry-After"),
    ("Content-Security-Policy-Report-Only", "default-src 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    (
        "Reporting-Endpoints",
        "main=\"https://example.org/reports\"",
    ),
    ("Strict-Transport-Security", "max-age=31536000"),
    ("Timing-Allow-Origin", "https://www.example.org"),
    ("X-Request-Id", "7"),
    ("Vary", "Origin"),
];

fn cors() -> AdHoc {
    AdHoc::on_response("CORS", |_, response| {
        Box::pin(async move {
            for (name, value) in OF_FAIRINGS {
                response.adjoin_raw_header(name, value);
            }
            if response
                .headers()
                .get_one("Content-Security-Policy")
                .is_none()
            {
                response.set_raw_header("Content-Security-Policy", "default-src 'none'");
            }
        })
    })
}

fn application(store: Arc<Watched>, first: bool) -> Rocket<Build> {
    let sessions = Sessions::fairing().with_store(store);
    let sessions = sessions.with_csrf_protection();
    let rocket = rocket::custom(site::figment("{}"))
        .mount("/", routes![redirect, file])
        .register("/", catchers![unavailable, forbidden]);
    match first {
        true => rocket.attach(cors()).attach(sessions),
        false => rocket.attach(sessions).attach(cors()),
    }
}

#[test]
fn an_error_page_keeps_the_headers_of_other_fairings() {
    for first in [true, false] {
        let store = Arc::new(Watched::default());
        let client = Client::untracked(application(store.clone(), first)).unwrap();
        for (uri, sender, status) in [
            ("/redirect", "same-origin", 503),
            ("/file", "same-origin", 503),
            ("/file", "cross-site", 403),
        ] {
            store.fail(u32::MAX);
            let sender = Header::new("Sec-Fetch-Site", sender);
            let answer = client.post(uri).header(ContentType::JSON).header(sender);
            let answer = answer.dispatch();
            assert_eq!(answer.status().code, status, "{uri}");
            let headers = answer.headers();
            for (name, value) in OF_FAIRINGS {
                let found: Vec<_> = headers.get(name).filter(|it| *it == value).collect();
                assert_eq!(found, [value], "{uri}, {first}: {name}");
            }
            for gone in [
                "Location",
                "Set-Cookie",
                "Clear-Site-Data",
                "HX-Redirect",
                "X-Accel-Redirect",
                "Content-Disposition",
                "Content-Encoding",
                "ETag",
                "Last-Modified",
            ] {
                assert_eq!(headers.get_one(gone), None, "{uri}, {first}");
            }
            let one = |name| headers.get(name).collect::<Vec<_>>();
            assert_eq!(one("Content-Type"), ["text/plain; charset=utf-8"], "{uri}");
            assert_eq!(one("Content-Length").len(), 0, "the server computes it");
            assert_eq!(one("Content-Security-Policy").len(), 1, "{uri}, {first}");
            let policy = headers.get_one("Content-Security-Policy").unwrap();
            if status == 503 {
                assert_eq!(policy, "default-src 'self'", "the page's own");
                let vary = one("Vary");
                assert_eq!(vary.len(), 3, "{vary:?}");
                for item in ["Accept", "Origin", "Cookie"] {
                    assert!(vary.contains(&item), "{vary:?}");
                }
            }
        }
    }
}
