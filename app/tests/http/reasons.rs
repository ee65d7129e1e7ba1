//! Checks that pages explain why a user has to sign in again, and that a failure changes
//! nothing.

use testing::accounts::{EMAIL, PASSWORD, cookie, register, sign_in};
use testing::application::Application;
use testing::database::sqlite;
use testing::sql;
use testing::visitor::Answer;

const ENDED: &str = "Your session has ended. Please sign in again.";
const SENT: &str = "You are no longer signed in";

fn says(page: &Answer, words: &str) -> bool {
    page.body.contains(words)
}

#[test]
fn a_session_that_has_ended_is_the_reason_to_sign_in_again() {
    let database = sqlite();
    for profile in ["dev", "prod"] {
        let profile = [("ROCKET_PROFILE", profile)];
        let application = Application::start_with(&database, &profile);
        register(&application.visitor(), EMAIL, &[]);
        for page in ["/home", "/account/password", "/login"] {
            let browser = application.visitor();
            sign_in(&browser, EMAIL, PASSWORD);
            sql::execute(&database, "DELETE FROM sessions");
            let mut answer = browser.get(page);
            if page != "/login" {
                assert_eq!(answer.status, 303, "{page}");
                answer = browser.get(answer.location());
            }
            assert!(says(&answer, ENDED), "{page}: {}", answer.body);
            assert!(!says(&answer, SENT) && !says(&answer, "Welcome back"));
            sign_in(&browser, EMAIL, PASSWORD);
            browser.post("/logout", &[]);
            assert!(!says(&browser.get("/login"), ENDED));
        }
        let sent = application.visitor();
        sign_in(&sent, EMAIL, PASSWORD);
        sent.get("/account/devices");
        sql::execute(&database, "DELETE FROM sessions");
        let answer = sent.post("/account/devices/end_others", &[]);
        assert!(answer.location().starts_with("/login"));
        assert!(says(&sent.get(answer.location()), SENT));
    }
}

#[test]
fn no_link_says_that_a_session_has_ended() {
    let database = sqlite();
    let application = Application::start(&database);
    let anonymous = application.visitor();
    for link in ["/login?ended=true", "/login?ended", "/login?ended=form"] {
        let page = anonymous.get(link);
        assert!(!says(&page, SENT) && !says(&page, ENDED), "{link}");
    }
    let asked = anonymous.get("/home");
    assert!(!says(&anonymous.get(asked.location()), ENDED));
    let sent = anonymous.post("/account/devices/end_others", &[]);
    assert!(!says(&anonymous.get(sent.location()), SENT));
}

#[test]
fn an_error_page_is_true_and_links_to_no_other_site() {
    let database = sqlite();
    let application = Application::start(&database);
    let user = application.visitor();
    let signed_in = cookie(&register(&user, EMAIL, &[]));
    let anonymous = application.visitor();
    anonymous.get("/register");
    sql::execute(&database, "ALTER TABLE sessions RENAME TO away");
    let failed = register(&anonymous, "zoe@example.org", &[]);
    assert_eq!(failed.status, 503);
    for words in ["Nothing was changed", "Reload this page", "what you typed"] {
        assert!(says(&failed, words), "{words}: {}", failed.body);
    }
    assert!(!says(&failed, "signed in"), "{}", failed.body);
    assert!(!says(&failed, "class=\"button"), "{}", failed.body);
    assert_eq!(failed.cookies().len(), 0);

    let read = application.visitor_with(&signed_in).get("/home");
    assert_eq!(read.status, 503);
    assert!(says(&read, "If you were signed in, you still are.") && says(&read, "Try again</a>"));
    let sent = user.post("/account/devices/end_others", &[]);
    assert_eq!(sent.status, 503);
    assert!(says(&sent, "If you were signed in, you still are.") && says(&sent, "Reload"));
}
