//! An Express application without passport: the user's id is where `session.user_path` says.

use testing::server::Server;
use testing::visitor::Visitor;

use super::side::{Place, browser};

on_both!(
    a_sign_in_at_one_holds_at_the_other_without_passport,
    a_sign_out_at_one_holds_at_the_other_without_passport,
    a_user_s_sessions_are_found_at_the_path,
);

const PATHS: [&str; 4] = ["userId", "user_id", "user.id", "data.user.sid"];

fn both(place: &Place, path: &str) -> [Server; 2] {
    let express = place.tutorial(path);
    [express, place.busy_with(&format!(",user_path={path:?}"))]
}

fn user(server: &Server, browser: &Visitor) -> String {
    browser.get(&format!("{}/user", server.base)).body
}

fn post(server: &Server, browser: &Visitor, path: &str) -> u16 {
    browser.post(&format!("{}{path}", server.base), &[]).status
}

fn a_sign_in_at_one_holds_at_the_other_without_passport(place: &Place) {
    for path in PATHS {
        let [express, rocket] = both(place, path);
        let browser = browser();
        assert_eq!(user(&rocket, &browser), "");
        post(&express, &browser, "/log_in/7");
        assert_eq!(user(&rocket, &browser), "7", "{path}");
        assert_eq!(post(&rocket, &browser, "/log_in/8"), 200);
        assert_eq!(user(&express, &browser), "grace", "{path}");
        let home = browser.get(&format!("{}/home", express.base));
        assert_eq!(home.body, "Hello grace", "{path}");
        let login = browser.get(&format!("{}/login", express.base));
        assert_eq!(login.location(), "/home", "{path}");
    }
}

fn a_sign_out_at_one_holds_at_the_other_without_passport(place: &Place) {
    for path in PATHS {
        let servers = both(place, path);
        for (here, there) in [(0, 1), (1, 0)] {
            let browser = browser();
            post(&servers[here], &browser, "/log_in/7");
            post(&servers[there], &browser, "/log_out");
            for server in &servers {
                assert_eq!(user(server, &browser), "", "{path}");
            }
            let home = browser.get(&format!("{}/home", servers[0].base));
            assert_eq!(home.location(), "/login", "{path}");
        }
    }
}

fn a_user_s_sessions_are_found_at_the_path(place: &Place) {
    for path in PATHS {
        let [express, rocket] = both(place, path);
        let [first, second, other] = [browser(), browser(), browser()];
        for (server, browser, id) in [
            (&express, &first, "7"),
            (&rocket, &second, "7"),
            (&express, &other, "8"),
        ] {
            post(server, browser, &format!("/log_in/{id}"));
        }
        assert_eq!(post(&rocket, &second, "/end_others"), 200);
        assert_eq!(user(&rocket, &first), "", "{path}");
        assert_eq!(user(&rocket, &second), "7", "{path}");
        assert_eq!(user(&rocket, &other), "8", "{path}");
    }
}
