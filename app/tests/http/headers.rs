//! Checks the headers that protect pages in browsers and caches, on every kind of response.

use std::fs;

use reqwest::Method;
use reqwest::blocking::Client;
use reqwest::header::HeaderMap;

use testing::accounts::{EMAIL, PASSWORD, register, sign_in};
use testing::application::Application;
use testing::database::{self, TestDatabase};
use testing::proxy::{NGINX_FOLDERS, nginx};
use testing::server::free_port;
use testing::sql::execute;
use testing::visitor::{Answer, Visitor};

const PROTECTION: [(&str, &str); 7] = [
    (
        "Content-Security-Policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    (
        "Permissions-Policy",
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), usb=()",
    ),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
];

fn lines<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let lines = headers.get_all(name).iter();
    lines.map(|line| line.to_str().unwrap()).collect()
}

/// Expects each header once, with exactly this value.
fn assert_all(headers: &HeaderMap, what: &str) {
    for (name, value) in PROTECTION {
        assert_eq!(lines(headers, name), [value], "{name} of {what}");
    }
    for banner in ["Server", "X-Powered-By"] {
        assert!(!headers.contains_key(banner), "{banner} of {what}");
    }
}

fn assert_protected(answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {answer:?}");
    assert_all(&answer.headers, what);
}

/// Expects the headers that keep a page private to its visitor.
fn assert_private(answer: &Answer, what: &str) {
    assert_eq!(
        lines(&answer.headers, "Cache-Control"),
        ["no-store"],
        "{what}"
    );
    let vary = lines(&answer.headers, "Vary").join(",");
    assert!(vary.contains("Cookie"), "{what}: {vary}");
}

/// Starts the application with a template that fails, and perhaps a second one.
fn with_broken(database: &TestDatabase, broken: &[&str]) -> (Application, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let templates = testing::root().join("templates");
    for template in fs::read_dir(templates).unwrap() {
        let template = template.unwrap();
        fs::copy(template.path(), folder.path().join(template.file_name())).unwrap();
    }
    for name in broken {
        let template = folder.path().join(format!("{name}.html.j2"));
        fs::write(template, "{{ nothing() }}").unwrap();
    }
    let place = folder.path().to_str().unwrap();
    let application = Application::start_with(database, &[("ROCKET_TEMPLATE_DIR", place)]);
    (application, folder)
}

#[test]
fn every_answer_is_protected() {
    let database = database::sqlite();
    let (application, _templates) = with_broken(&database, &["messages"]);
    let anonymous = application.visitor();
    for page in ["/", "/login", "/register", "/health/live", "/health/ready"] {
        assert_protected(&anonymous.get(page), 200, page);
    }
    for file in ["style.css", "countdown.js", "session_end.js", "favicon.svg"] {
        assert_protected(&anonymous.get(&format!("/static/{file}")), 200, file);
    }
    assert_protected(&anonymous.get("/home"), 303, "the way to the sign-in page");
    assert_protected(
        &anonymous.get("/api/v1/me"),
        401,
        "the API for anonymous users",
    );
    for path in ["/nowhere", "/static/nowhere", "/api/v1/nowhere"] {
        assert_protected(&anonymous.get(path), 404, path);
    }
    assert_protected(&anonymous.post_json("/api/v1/signup", "{"), 400, "no JSON");
    let long = "x".repeat(40_000);
    let too_much = anonymous.post("/login", &[("email", &long), ("password", "")]);
    assert_protected(&too_much, 413, "a large form");
    let user = application.visitor();
    let errors = register(&user, "nobody", &[]);
    assert_protected(&errors, 422, "a form with errors");
    assert_private(&errors, "a form with errors");
    assert_protected(&register(&user, EMAIL, &[]), 303, "a registration");
    let refused = sign_in(&anonymous, EMAIL, "not the right one");
    assert_protected(&refused, 401, "a refused sign-in");
    for page in ["/home", "/account", "/account/devices", "/account/password"] {
        let answer = user.get(page);
        assert_protected(&answer, 200, page);
        assert_private(&answer, page);
    }
    let broken = user.get("/messages");
    assert_protected(&broken, 500, "a broken template");
    for inner in ["nothing", "minijinja", "template", ".j2"] {
        assert!(!broken.body.contains(inner), "{inner} in {}", broken.body);
    }
    assert_protected(&user.post("/logout", &[]), 303, "a sign-out");
    assert_protected(
        &anonymous.post_json("/api/v1/signout", ""),
        204,
        "a sign-out",
    );

    execute(&database, "ALTER TABLE sessions RENAME TO away");
    let unreachable = application.visitor_with("id=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let moment = unreachable.get("/home");
    assert_protected(&moment, 503, "the store is away");
    assert_private(&moment, "the store is away");
}

#[test]
fn an_answer_without_a_page_of_its_own_is_protected() {
    let database = database::sqlite();
    let (application, _templates) = with_broken(&database, &["index", "error"]);
    let anonymous = application.visitor();
    assert_protected(&anonymous.get("/"), 500, "the catcher fails, too");
    for method in [Method::HEAD, Method::OPTIONS, Method::TRACE, Method::DELETE] {
        let request = Client::new().request(method.clone(), &application.base);
        let answer = request.send().unwrap();
        assert_eq!(answer.status(), 500, "{method}");
        assert_all(answer.headers(), method.as_str());
    }
}

#[test]
fn from_another_site_is_protected_too() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let says = (
        "Sec-Fetch-Site".parse().unwrap(),
        "cross-site".parse().unwrap(),
    );
    let elsewhere = Visitor::new(&application.base, HeaderMap::from_iter([says]));
    assert_protected(&sign_in(&elsewhere, EMAIL, PASSWORD), 403, "from elsewhere");
}

#[test]
fn only_production_is_bound_to_tls_for_a_year() {
    let database = database::sqlite();
    let name = "Strict-Transport-Security";
    for (profile, value) in [
        ("dev", None),
        ("prod", Some("max-age=31536000; includeSubDomains")),
    ] {
        let application = Application::start_with(&database, &[("ROCKET_PROFILE", profile)]);
        let anonymous = application.visitor();
        for (page, status) in [
            ("/", 200),
            ("/home", 303),
            ("/nowhere", 404),
            ("/static/style.css", 200),
        ] {
            let answer = anonymous.get(page);
            assert_protected(&answer, status, page);
            assert_eq!(answer.header(name), value, "{profile}: {page}");
        }
    }
}

#[test]
fn a_sign_out_has_the_browser_forget_the_pages_and_not_the_device() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let forget = ["\"cache\", \"storage\""];
    let (form, program) = (application.visitor(), application.visitor());
    register(&form, EMAIL, &[]);
    sign_in(&program, EMAIL, PASSWORD);
    let answers = [
        form.post("/logout", &[]),
        program.post_json("/api/v1/signout", ""),
    ];
    for answer in answers {
        assert_eq!(
            lines(&answer.headers, "Clear-Site-Data"),
            forget,
            "{answer:?}"
        );
        assert!(answer.set_cookie("id").unwrap().contains("Max-Age=0"));
    }
    assert_eq!(form.get("/login").header("Clear-Site-Data"), None);
}

/// Browsers would drop the forbidden parts of a page without an error.
#[test]
fn no_page_has_anything_that_its_policy_forbids() {
    let root = testing::root();
    let mut seen = 0;
    for template in fs::read_dir(root.join("templates")).unwrap() {
        let path = template.unwrap().path();
        let text = fs::read_to_string(&path).unwrap().to_lowercase();
        let inline = [
            "<style",
            " style=",
            "javascript:",
            "<iframe",
            "<object",
            "<embed",
            "<base",
        ];
        for forbidden in inline {
            assert!(!text.contains(forbidden), "{forbidden} in {path:?}");
        }
        for handler in text.split(" on").skip(1) {
            let name = handler
                .split(|c: char| !c.is_ascii_lowercase())
                .next()
                .unwrap();
            let rest = &handler[name.len()..];
            assert!(!rest.starts_with('='), "on{name} in {path:?}");
        }
        for script in text.split("<script").skip(1) {
            let own = script.starts_with(" src=\"/static/") && script.contains("></script>");
            assert!(own, "a script in {path:?}");
        }
        for source in ["src=\"", "<link"]
            .into_iter()
            .flat_map(|it| text.split(it).skip(1))
        {
            let (tag, _) = source.split_once('>').unwrap();
            assert!(!tag.contains("//"), "{tag} in {path:?}");
        }
        seen += 1;
    }
    assert!(seen > 10, "{seen} templates");
    for name in ["countdown.js", "session_end.js"] {
        let script = fs::read_to_string(root.join("static").join(name)).unwrap();
        for forbidden in ["eval(", "innerHTML", ".style", "Function("] {
            assert!(!script.contains(forbidden), "{forbidden} in {name}");
        }
    }
}

/// A cache that stores everything that its rules allow, for all clients.
fn caching(port: u16, application: &str) -> String {
    format!(
        "pid nginx.pid; error_log stderr; events {{}}
         http {{
             {NGINX_FOLDERS}
             access_log off;
             proxy_cache_path cache keys_zone=pages:1m;
             server {{
                 listen 127.0.0.1:{port};
                 location / {{
                     proxy_pass {application};
                     proxy_set_header Host $http_host;
                     proxy_cache pages;
                     proxy_cache_valid any 1h;
                     add_header X-Cache $upstream_cache_status always;
                 }}
             }}
         }}"
    )
}

#[test]
#[ignore = "needs nginx: run ./test.sh"]
fn cve_2023_30861_a_cache_in_front_gives_nobody_the_page_of_another() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let (home, port) = (tempfile::tempdir().unwrap(), free_port());
    let proxy = nginx(home, &caching(port, &application.base), port);
    let browser = || Visitor::new(&proxy.server.base, Default::default());
    let emails = ["ada@example.org", "mary@example.org"];
    let users = emails.map(|email| {
        let user = browser();
        assert_eq!(register(&user, email, &[]).location(), "/home");
        user
    });
    let anonymous = browser();

    for round in ["first", "second"] {
        for page in [
            "/",
            "/home",
            "/account",
            "/account/devices",
            "/login",
            "/nowhere",
        ] {
            for (user, (own, other)) in users
                .iter()
                .zip([(emails[0], emails[1]), (emails[1], emails[0])])
            {
                let answer = user.get(page);
                let kept = answer.header("X-Cache");
                assert_eq!(kept, Some("MISS"), "{round} {page}");
                assert_private(&answer, page);
                assert!(!answer.body.contains(other), "{round} {page}");
                if page == "/home" || page == "/account" {
                    assert!(answer.body.contains(own), "{round} {page}");
                }
            }
            let answer = anonymous.get(page);
            assert_eq!(answer.header("X-Cache"), Some("MISS"), "{round} {page}");
            for private in emails.into_iter().chain(["Sign out"]) {
                assert!(!answer.body.contains(private), "{round} {page}: {private}");
            }
        }
        // It stores public responses.
        let style = anonymous.get("/static/style.css");
        let kept = if round == "first" { "MISS" } else { "HIT" };
        assert_eq!(style.header("X-Cache"), Some(kept));
    }
}
