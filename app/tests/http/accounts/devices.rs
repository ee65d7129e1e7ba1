//! Lists a user's devices and signs them out.

use std::sync::Barrier;
use std::thread;

use rocket::serde::json::Value;

use testing::accounts::{
    EMAIL, PASSWORD, age, cookie, is_signed_in, register, sign_in, until_not_busy,
};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::visitor::Visitor;
use testing::{on_every_backend, sql};

on_every_backend!(
    devices_have_names_and_the_current_one_is_marked,
    users_sign_out_only_their_own_devices,
    all_other_devices_are_signed_out,
    signing_out_a_device_needs_a_recent_sign_in,
    the_newest_of_many_concurrent_sign_ins_stay,
);

const FIREFOX: &str = "Mozilla/5.0 (Windows NT 10.0; rv:145.0) Gecko/20100101 Firefox/145.0";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1";

/// Signs in Ada with Firefox, a telephone and a program, and Grace.
fn people(application: &Application) -> [Visitor; 4] {
    let ada = application.visitor_from(FIREFOX);
    register(&ada, EMAIL, &[]);
    let [telephone, program] = [IPHONE, "curl/8.14.1"].map(|agent| {
        let visitor = application.visitor_from(agent);
        assert_eq!(sign_in(&visitor, EMAIL, PASSWORD).location(), "/home");
        visitor
    });
    let grace = application.visitor();
    register(&grace, "grace@example.org", &[]);
    [ada, telephone, program, grace]
}

fn devices(visitor: &Visitor) -> Vec<Value> {
    let answer = visitor.get("/api/v1/devices");
    assert_eq!(answer.status, 200);
    answer.json().as_array().unwrap().clone()
}

/// Returns the short key of the visitor's session.
fn key(visitor: &Visitor) -> String {
    let mine = |device: &Value| device["current"] == true;
    let device = devices(visitor).into_iter().find(mine).unwrap();
    device["key"].as_str().unwrap().to_owned()
}

fn devices_have_names_and_the_current_one_is_marked(database: &TestDatabase) {
    let application = Application::start(database);
    let [ada, telephone, _program, grace] = people(&application);
    sql::execute(
        database,
        "UPDATE sessions SET created_at = created_at - 7200000, seen_at = seen_at - 180000 \
         WHERE user_agent LIKE '%iPhone%'",
    );
    let page = ada.get("/account/devices").body;
    for words in [
        "Safari on iPhone",
        "A program",
        ">2 hours ago</time>",
        ">3 minutes ago</time>",
        ">just now</time>",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    // The current device comes first, and signs out with the button of all pages.
    let (own, others) = page.split_once("</li>").unwrap();
    assert!(own.contains("Firefox on Windows") && own.contains("This device"));
    assert!(!own.contains("/end\"") && !others.contains("This device"));
    assert_eq!(page.matches("/end\"").count(), 2);
    assert!(
        page.contains("Z\" title=\"") && page.contains(" UTC\">"),
        "{page}"
    );
    let from_the_telephone = telephone.get("/account/devices").body;
    let (own, _) = from_the_telephone.split_once("</li>").unwrap();
    assert!(own.contains("Safari on iPhone") && own.contains("This device"));

    let listed = devices(&ada);
    assert_eq!(listed.len(), 3);
    assert_eq!(listed.iter().filter(|it| it["current"] == true).count(), 1);
    for key in sql::texts(database, "SELECT id AS text FROM sessions") {
        assert!(!page.contains(&key) && !ada.get("/api/v1/devices").body.contains(&key));
    }
    assert_eq!(devices(&grace).len(), 1);
    let alone = grace.get("/account/devices").body;
    assert!(alone.contains("on this device only") && !alone.contains("all other devices"));
    assert!(!alone.contains("Firefox"));
    assert_eq!(application.visitor().get("/api/v1/devices").status, 401);
}

fn users_sign_out_only_their_own_devices(database: &TestDatabase) {
    let application = Application::start(database);
    let [ada, telephone, program, grace] = people(&application);
    let end = |key: &str| {
        let page = ada.post(&format!("/account/devices/{key}/end"), &[]).status;
        (page, ada.delete(&format!("/api/v1/devices/{key}")).status)
    };
    let [of_grace, of_telephone, of_program, own] = [&grace, &telephone, &program, &ada].map(key);
    for foreign in [
        &of_grace,
        "00000000",
        "nonsense",
        "'",
        "%00",
        &of_telephone[..7],
    ] {
        assert_eq!(end(foreign), (404, 404), "{foreign}");
    }
    assert!(is_signed_in(&grace));

    let ended = ada.post(&format!("/account/devices/{of_telephone}/end"), &[]);
    assert_eq!(ended.location(), "/account/devices");
    let page = ada.get("/account/devices").body;
    assert!(page.contains("That device is signed out.") && !page.contains("iPhone"));
    assert!(!is_signed_in(&telephone) && is_signed_in(&program));
    assert_eq!(end(&of_telephone), (303, 404), "repeated");

    let path = format!("/api/v1/devices/{of_program}");
    assert_eq!(ada.delete(&path).status, 204);
    assert!(!is_signed_in(&program) && is_signed_in(&ada));
    let own = ada.delete(&format!("/api/v1/devices/{own}"));
    assert_eq!(own.status, 204);
    assert!(own.set_cookie("id").unwrap().contains("Max-Age=0"));
    assert!(!is_signed_in(&ada) && is_signed_in(&grace));
}

fn all_other_devices_are_signed_out(database: &TestDatabase) {
    let application = Application::start(database);
    let [ada, telephone, program, grace] = people(&application);
    let ended = ada.post("/account/devices/end_others", &[]);
    assert_eq!(ended.location(), "/account/devices");
    let page = ada.get("/account/devices").body;
    assert!(page.contains("All other devices are signed out.") && !page.contains("/end"));
    assert!(!is_signed_in(&telephone) && !is_signed_in(&program));
    assert!(is_signed_in(&ada) && is_signed_in(&grace));
    assert_eq!(ada.post("/account/devices/end_others", &[]).status, 303);

    let before = cookie(&sign_in(&telephone, EMAIL, PASSWORD));
    let ended = telephone.delete("/api/v1/devices");
    assert_eq!(ended.status, 204);
    assert_ne!(cookie(&ended), before);
    assert!(is_signed_in(&telephone) && is_signed_in(&grace) && !is_signed_in(&ada));
}

fn signing_out_a_device_needs_a_recent_sign_in(database: &TestDatabase) {
    let application = Application::start(database);
    let [ada, telephone, _, _] = people(&application);
    let key = key(&telephone);
    age(database, 11);
    let page = "/account/devices";
    assert_eq!(ada.get(page).status, 200);
    for path in [format!("{page}/{key}/end"), format!("{page}/end_others")] {
        let sent = ada.post_from(page, &path, &[]);
        assert_eq!(
            sent.location(),
            "/account/confirm?next=%2Faccount%2Fdevices"
        );
    }
    for path in [
        format!("/api/v1/devices/{key}"),
        "/api/v1/devices".to_owned(),
    ] {
        let refused = ada.delete(&path);
        assert_eq!(refused.status, 403);
        assert!(refused.body.contains("last 10 minutes"), "{refused:?}");
    }
    assert!(is_signed_in(&telephone));
    let confirmed = [("password", PASSWORD), ("next", page)];
    assert_eq!(ada.post("/account/confirm", &confirmed).location(), page);
    assert_eq!(ada.post(&format!("{page}/{key}/end"), &[]).location(), page);
    assert!(!is_signed_in(&telephone));
}

/// Uses several nodes, since one verifies few passwords at a time.
fn the_newest_of_many_concurrent_sign_ins_stay(database: &TestDatabase) {
    const AT_ONCE: usize = 32;
    let setting = [
        ("ROCKET_SESSION", "{sessions_per_user=5}"),
        ("ROCKET_ACCOUNTS", "{attempts_per_account=100}"),
    ];
    let nodes = [(); 4].map(|()| Application::start_with(database, &setting));
    register(&nodes[0].visitor(), EMAIL, &[]);
    sql::execute(
        database,
        "CREATE TABLE born (id VARCHAR(64), created_at BIGINT)",
    );
    let note = "INSERT INTO born VALUES (NEW.id, NEW.created_at)";
    sql::at_each(database, "AFTER INSERT", note);

    let (start, nodes) = (Barrier::new(AT_ONCE), &nodes);
    let visitors: Vec<Visitor> = thread::scope(|scope| {
        let sign_ins: Vec<_> = nodes
            .iter()
            .cycle()
            .take(AT_ONCE)
            .map(|node| {
                scope.spawn(|| {
                    let visitor = node.visitor();
                    start.wait();
                    let signed_in = until_not_busy(|| sign_in(&visitor, EMAIL, PASSWORD));
                    assert_eq!(signed_in.location(), "/home");
                    visitor
                })
            })
            .collect();
        sign_ins
            .into_iter()
            .map(|one| one.join().unwrap())
            .collect()
    });

    let keys = |rows: &str| {
        let mut keys = sql::texts(database, &format!("SELECT id AS text FROM {rows}"));
        keys.sort_unstable();
        keys
    };
    assert_eq!(keys("born").len(), AT_ONCE);
    let newest = keys("born ORDER BY created_at DESC, id DESC LIMIT 5");
    assert_eq!(keys("sessions"), newest);
    let mut inside: Vec<String> = visitors
        .iter()
        .filter(|it| is_signed_in(it))
        .map(key)
        .collect();
    inside.sort_unstable();
    let short: Vec<&str> = newest.iter().map(|key| &key[..8]).collect();
    assert_eq!(inside, short);
}
