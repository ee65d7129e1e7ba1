//! Refuses settings that are invalid or would leak secrets.

use testing::application::{Application, refusal};
use testing::database;

/// Expects one line that has all of `words`.
fn is_refused(variables: &[(&str, &str)], words: &[&str]) {
    let database = database::sqlite();
    let (status, output) = refusal(&database.url, variables);
    let refused = status.code().is_some_and(|code| code != 0);
    assert!(refused, "{variables:?} was accepted: {output}");
    let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
    let lines = output.lines().filter(has_all).count();
    assert_eq!(lines, 1, "{variables:?}, {words:?}: {output}");
}

#[test]
fn rocket_s_level_debug_is_refused_but_for_development() {
    for profile in ["prod", "release", "staging"] {
        let variables = [("ROCKET_PROFILE", profile), ("ROCKET_LOG_LEVEL", "debug")];
        let named = format!("log_level is \"debug\" in the profile {profile}");
        is_refused(
            &variables,
            &[&named, "every cookie and form", "set it to \"normal\""],
        );
    }
    let database = database::sqlite();
    let application = Application::start_with(&database, &[("ROCKET_LOG_LEVEL", "debug")]);
    let output = application.output();
    let warnings = output
        .lines()
        .filter(|line| line.contains("log_level is \"debug\":"));
    assert_eq!(warnings.count(), 1, "{output}");
}

#[test]
fn invalid_settings_are_refused() {
    for (session, words) in [
        ("{events=\"syslog\"}", ["session.events", "`stdout`"]),
        (
            "{client_address=\"half\"}",
            ["session.client_address", "`truncated`"],
        ),
        (
            "{trusted_proxies=[\"10.0.0.1/8\"]}",
            [
                "session.trusted_proxies",
                "write the network \"10.0.0.0/8\"",
            ],
        ),
        (
            "{events_key=\"only 30 characters are too few\"}",
            ["session.events_key has 30 characters", "at least 32"],
        ),
        (
            "{cookie={trusted_proxies=[\"10.0.0.1\"]}}",
            ["session.cookie", "trusted_proxies"],
        ),
    ] {
        is_refused(&[("ROCKET_SESSION", session)], &words);
    }
}
