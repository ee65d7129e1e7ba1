//! Runs `users disable` and `users enable`.

use rocket::serde::json::json;

use super::program::{ADA, GRACE, NOTHING, PASSWORD, is_signed_in, now, run, sign_in, sign_up};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::on_every_backend;

on_every_backend!(a_closed_account_cannot_sign_in_until_it_is_opened);

fn a_closed_account_cannot_sign_in_until_it_is_opened(database: &TestDatabase) {
    let application = Application::start(database);
    let grace = sign_up(&application, GRACE);
    let ada = sign_up(&application, ADA);
    sign_in(&application, ADA);
    let ada_s_sign_in = || {
        let credentials = json!({ "email": ADA, "password": PASSWORD });
        let answer = application.visitor();
        let answer = answer.post_json("/api/v1/signin", &credentials.to_string());
        answer.status
    };

    let disable = ["users", "disable", " Ada@Example.org "];
    let id = database.lines("SELECT id AS line FROM users WHERE email = 'ada@example.org'");
    let updated =
        |change: &str| json!({ "event": "user_updated", "user": id[0], "change": change });
    let ran = run(database, &disable);
    let expired = json!({
        "event": "session_expired", "why": "revoked", "user": id[0], "count": 2
    });
    assert_eq!(ran.emitted(), [updated("disabled"), expired]);
    assert_eq!(
        ran.done(),
        "ada@example.org is disabled; sessions ended: 2\n"
    );
    assert!(!is_signed_in(&ada) && is_signed_in(&grace));
    assert_eq!(ada_s_sign_in(), 401);
    assert_eq!(database.store.count(now()).unwrap(), 1, "of Grace alone");
    let known = database.lines("SELECT user_id AS line FROM known_devices");
    assert!(
        !known.is_empty() && !known.contains(&id[0]),
        "of Grace alone"
    );
    let ran = run(database, &disable);
    assert!(ran.emitted().is_empty(), "nothing happened: {ran:?}");
    assert_eq!(
        ran.done(),
        "ada@example.org was disabled before; sessions ended: 0\n"
    );
    assert_eq!(ada_s_sign_in(), 401);

    let enable = ["users", "enable", ADA];
    let ran = run(database, &enable);
    assert_eq!(ran.emitted(), [updated("enabled")]);
    assert_eq!(ran.done(), "ada@example.org is enabled\n");
    assert!(!is_signed_in(&ada), "what ended stays ended");
    assert_eq!(ada_s_sign_in(), 200);
    assert_eq!(
        run(database, &enable).done(),
        "ada@example.org was not disabled\n"
    );

    for verb in ["disable", "enable"] {
        let line = run(database, &["users", verb, "eve@example.org"]).refused(NOTHING);
        assert!(line.contains("eve@example.org"), "{line}");
    }
    assert!(is_signed_in(&grace));
}
