//! Follows flash messages to the next page.

use testing::accounts::{EMAIL, PASSWORD, register, sign_in};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::visitor::Answer;
use testing::{on_every_backend, sql};

on_every_backend!(the_next_page_shows_a_message_once);

const WELCOME: &str = "Your account is ready";

fn assert_no_cookie_but_ours(answer: &Answer) {
    let cookies = answer.cookies();
    let is_ours = |line: &&str| {
        ["id=", "id-form=", "device="]
            .iter()
            .any(|name| line.starts_with(name))
    };
    let ours = cookies.iter().all(is_ours);
    assert!(ours, "{cookies:?}");
}

fn the_next_page_shows_a_message_once(database: &TestDatabase) {
    let application = Application::start(database);
    for (index, page) in ["/home", "/", "/messages"].into_iter().enumerate() {
        let visitor = application.visitor();
        let registered = register(&visitor, &format!("ada+{index}@example.org"), &[]);
        assert_no_cookie_but_ours(&registered);
        assert_eq!(registered.cookies().len(), 3);
        // Neither page can show the message.
        assert_eq!(visitor.get("/login").status, 303);
        assert_eq!(visitor.get("/nowhere").status, 404);
        assert_eq!(visitor.get("/api/v1/me").status, 200);
        assert_eq!(visitor.head(page).status, 200);

        let first = visitor.get(page);
        assert!(first.body.contains(WELCOME), "{page}: {}", first.body);
        assert!(first.body.contains(r#"role="status""#));
        assert_no_cookie_but_ours(&first);
        assert!(!visitor.get(page).body.contains(WELCOME), "{page}");
    }
}

#[test]
fn the_sign_in_page_confirms_a_sign_out() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    register(&visitor, EMAIL, &[]);
    let signed_out = visitor.post("/logout", &[]);
    assert_no_cookie_but_ours(&signed_out);
    let page = visitor.get(signed_out.location());
    assert!(page.body.contains("You are signed out."), "{}", page.body);
    assert_no_cookie_but_ours(&page);
    assert!(!visitor.get("/login").body.contains("signed out"));

    let refused = sign_in(&visitor, EMAIL, "not the right one");
    assert!(!refused.body.contains("signed out"));
    assert_eq!(refused.cookies(), Vec::<&str>::new());
    assert_eq!(sql::count(&database, "sessions"), 0);
    assert_no_cookie_but_ours(&sign_in(&visitor, EMAIL, PASSWORD));
}
