//! Each answer of the provider counts once, for the attempt that it belongs to.

use crate::browser::{parameter, with_parameter};
use crate::club::Club;

#[test]
#[ignore = "needs Node: run ./test.sh"]
fn an_answer_counts_once_and_for_its_own_browser_alone() {
    let club = Club::open();
    let browser = club.browser();
    let page = browser.begin("/");
    let back = browser.pass(&page, "ada");

    // Nobody can sign another browser in.
    let other = club.browser();
    assert_eq!(other.get(&back).status, 401);
    assert_eq!(other.cookies(), "");
    other.begin("/");
    assert_eq!(other.get(&back).status, 401);
    assert_eq!(other.get("/").location(), "/sign_in?next=%2F");

    for state in ["", "another", &parameter(&back, "state")[1..]] {
        let forged = with_parameter(&back, "state", state);
        assert_eq!(browser.get(&forged).status, 401, "{state}");
    }
    for path in [
        "/sign_in/callback",
        "/sign_in/callback?code=1",
        "/sign_in/callback?state",
    ] {
        assert_eq!(browser.get(path).status, 401, "{path}");
    }

    assert_eq!(browser.get(&back).location(), "/");
    assert_eq!(browser.get(&back).status, 401);
    assert!(browser.get("/").body.contains("Welcome to the club, ada."));
}

#[test]
#[ignore = "needs Node: run ./test.sh"]
fn a_code_of_another_attempt_is_refused() {
    let club = Club::open();
    let [victim, attacker] = [club.browser(), club.browser()];
    let code = attacker.pass(&attacker.begin("/"), "eve");
    let back = victim.pass(&victim.begin("/"), "ada");
    let injected = with_parameter(&back, "code", parameter(&code, "code"));
    assert_eq!(victim.get(&injected).status, 401);
    assert_eq!(victim.get("/").location(), "/sign_in?next=%2F");
    // The attempt is spent, whatever came of it.
    assert_eq!(victim.get(&back).status, 401);
}

#[test]
#[ignore = "needs Node: run ./test.sh"]
fn two_tabs_sign_in_side_by_side() {
    let club = Club::open();
    for order in [[0, 1], [1, 0]] {
        let browser = club.browser();
        let pages = ["/", "/minutes?page=3"];
        let tabs = pages.map(|page| browser.begin(page));
        for tab in order {
            let back = browser.pass(&tabs[tab], "ada");
            assert_eq!(browser.get(&back).location(), pages[tab]);
        }
        assert_eq!(club.attempts(), 0);
    }
}

#[test]
#[ignore = "needs Node: run ./test.sh"]
fn a_session_keeps_the_five_newest_attempts() {
    let club = Club::open();
    let browser = club.browser();
    let tabs: Vec<_> = (0..6).map(|_| browser.begin("/")).collect();
    assert_eq!(club.attempts(), 5);
    let answers: Vec<_> = tabs.iter().map(|tab| browser.pass(tab, "ada")).collect();
    assert_eq!(browser.get(&answers[0]).status, 401);
    for answer in &answers[1..] {
        assert_eq!(browser.get(answer).location(), "/");
    }
}
