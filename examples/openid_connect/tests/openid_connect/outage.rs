//! A provider that does not answer.

use crate::club::Club;

#[test]
#[ignore = "needs Node: run ./test.sh"]
fn a_provider_that_is_down_is_no_refusal_and_needs_no_restart() {
    let club = Club::open();
    club.stop_provider();
    let browser = club.browser();
    let answer = browser.get("/sign_in");
    assert_eq!(answer.status, 503);
    assert!(answer.header("Retry-After").is_some(), "{answer:?}");

    club.start_provider();
    let back = browser.pass(&browser.begin("/"), "ada");
    club.stop_provider();
    assert_eq!(browser.get(&back).status, 503);
    assert_eq!(browser.get("/").location(), "/sign_in?next=%2F");

    club.start_provider();
    assert_eq!(browser.sign_in("ada").location(), "/");
}
