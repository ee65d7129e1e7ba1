//! Runs `sessions revoke`.

use rocket::serde::json::json;

use super::program::{
    ADA, GRACE, HOUR, NOTHING, anonymous, is_signed_in, now, run, sign_in, sign_up,
};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::{on_every_backend, sql};

on_every_backend!(
    the_next_request_of_a_revoked_session_is_signed_out,
    revoking_all_signs_out_every_user,
    an_ambiguous_key_ends_no_session,
);

fn the_next_request_of_a_revoked_session_is_signed_out(database: &TestDatabase) {
    let application = Application::start(database);
    let grace = sign_up(&application, GRACE);
    let first = sign_up(&application, ADA);
    let (second, key) = sign_in(&application, ADA);
    let by_key = ["sessions", "revoke", "--key", key.short()];
    assert_eq!(run(database, &by_key).done(), "1 session ended\n");
    assert!(is_signed_in(&first) && !is_signed_in(&second) && is_signed_in(&grace));
    let line = run(database, &by_key).refused(NOTHING);
    assert!(line.contains(key.short()), "{line}");

    let (_, third) = sign_in(&application, ADA);
    let mut over = anonymous("0ver", now());
    over.user_id = database.store.load(&third, now()).unwrap().unwrap().user_id;
    database.store.insert(&over).unwrap();
    let by_user = ["sessions", "revoke", "--user", "Ada@Example.org", "--json"];
    let ended = run(database, &by_user).json();
    assert_eq!(ended, json!({ "ended": 2 }), "without the expired one");
    let known = || sql::count(database, "known_devices");
    assert_eq!(known(), 1, "hers are forgotten");
    assert!(!is_signed_in(&first) && is_signed_in(&grace));
    let line = run(database, &by_user).refused(NOTHING);
    assert!(line.contains(ADA), "{line}");
    let unknown = ["sessions", "revoke", "--user", "eve@example.org"];
    let line = run(database, &unknown).refused(NOTHING);
    assert!(line.contains("eve@example.org"), "{line}");

    assert!(
        is_signed_in(&sign_in(&application, ADA).0),
        "no account is closed"
    );
}

fn revoking_all_signs_out_every_user(database: &TestDatabase) {
    let application = Application::start(database);
    let browsers = [sign_up(&application, ADA), sign_up(&application, GRACE)];
    let unconfirmed = run(database, &["sessions", "revoke", "--all"]);
    assert_eq!((unconfirmed.code, &*unconfirmed.stdout), (2, ""));
    assert!(unconfirmed.stderr.contains("--yes"), "{unconfirmed:?}");
    assert!(browsers.iter().all(is_signed_in));

    let everybody = ["sessions", "revoke", "--all", "--yes"];
    assert_eq!(run(database, &everybody).done(), "2 sessions ended\n");
    assert_eq!(sql::count(database, "known_devices"), 0);
    assert!(!browsers.iter().any(is_signed_in));
    run(database, &everybody).refused(NOTHING);
}

fn an_ambiguous_key_ends_no_session(database: &TestDatabase) {
    for beginning in ["abcdef11", "abcdef12a", "abcdef12b", "abcdef13"] {
        database
            .store
            .insert(&anonymous(beginning, now() + HOUR))
            .unwrap();
    }
    let revoke = |key| run(database, &["sessions", "revoke", "--key", key]);
    let several = revoke("abcdef12");
    assert_eq!(several.code, 1);
    assert_eq!(
        several.stdout.matches("\nabcdef12  ").count(),
        2,
        "{several:?}"
    );
    let line = several.stderr.strip_suffix('\n').unwrap();
    for longer in ["abcdef12a0000000", "abcdef12b0000000"] {
        assert!(!line.contains('\n') && line.contains(longer), "{line}");
    }
    assert_eq!(run(database, &["sessions", "count"]).done(), "4\n");

    assert_eq!(revoke("ABCDEF12b").done(), "1 session ended\n");
    assert_eq!(revoke("abcdef12").done(), "1 session ended\n");
    revoke("abcdef12").refused(NOTHING);
    assert_eq!(run(database, &["sessions", "count"]).done(), "2\n");
    for nonsense in ["abcdef1", "", "abcdefgh", "%%%%%%%%"] {
        let refused = revoke(nonsense);
        assert_eq!((refused.code, &*refused.stdout), (2, ""));
        assert!(
            refused.stderr.contains("at least the 8 characters"),
            "{refused:?}"
        );
    }
}

/// Deleting takes longer than the timeout of requests.
#[cfg(feature = "test_servers")]
fn to_end_all_may_take_long(database: &TestDatabase, slow_deletes: &str) {
    super::program::execute(database, slow_deletes);
    database
        .store
        .insert(&anonymous("a", now() + HOUR))
        .unwrap();
    let everybody = ["sessions", "revoke", "--all", "--yes"];
    assert_eq!(run(database, &everybody).done(), "1 session ended\n");
    assert_eq!(run(database, &["sessions", "count"]).done(), "0\n");
}

#[cfg(feature = "test_servers")]
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn revoking_all_may_take_long_on_mariadb() {
    to_end_all_may_take_long(
        &testing::database::mariadb(),
        "CREATE TRIGGER slow BEFORE DELETE ON sessions FOR EACH ROW DO SLEEP(3)",
    );
}

#[cfg(feature = "test_servers")]
#[test]
#[ignore = "needs PostgreSQL: run ./test.sh"]
fn revoking_all_may_take_long_on_postgresql() {
    to_end_all_may_take_long(
        &testing::database::postgresql(),
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN PERFORM pg_sleep(3); RETURN OLD; END'; \
         CREATE TRIGGER slow BEFORE DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION slow()",
    );
}
