//! Tests of the routes of `own_users`.

use std::cell::RefCell;

use rocket::Config;
use rocket::http::{Accept, ContentType, Header, Status};
use rocket::local::blocking::{Client, LocalRequest};

use testing::sql;

#[test]
fn an_application_brings_its_own_users() {
    let database = testing::database::sqlite();
    sql::execute(&database, include_str!("members.sql"));
    let figment = Config::figment().merge(("databases.app.url", &database.url));
    let client = Client::untracked(super::application(figment)).unwrap();
    let cookie = RefCell::new(String::new());
    let send = |request: LocalRequest<'_>| {
        let sent = Header::new("Cookie", cookie.borrow().clone());
        let response = request.header(sent).dispatch();
        if let Some(set) = response.headers().get_one("Set-Cookie") {
            *cookie.borrow_mut() = set.split(';').next().unwrap().to_owned();
        }
        let status = response.status();
        (status, response.into_string().unwrap_or_default())
    };
    let sign_in = |nickname: &str, password: &str| {
        let form = format!("nickname={nickname}&password={password}");
        send(client.post("/sign_in").header(ContentType::Form).body(form)).0
    };
    let club = || send(client.get("/"));

    assert_eq!(club().0, Status::Unauthorized);
    let page = client.get("/").header(Accept::HTML).dispatch();
    let sign_in_page = page.headers().get_one("Location");
    assert_eq!(sign_in_page, Some("/sign_in?next=%2F"));
    for (nickname, password) in [
        ("ada", "wrong"),
        ("eve", "correct+horse+battery"),
        ("7", ""),
    ] {
        assert_eq!(sign_in(nickname, password), Status::Unauthorized);
        assert_eq!(club().0, Status::Unauthorized);
    }
    assert_eq!(sign_in("ada", "correct+horse+battery"), Status::SeeOther);
    assert_eq!(club(), (Status::Ok, "Welcome to the club, ada.".to_owned()));
    assert_eq!(
        sql::texts(&database, "SELECT user_id AS text FROM sessions"),
        ["7"]
    );

    assert_eq!(send(client.post("/sign_out")).0, Status::SeeOther);
    assert_eq!(club().0, Status::Unauthorized);
    assert_eq!(sql::count(&database, "sessions"), 0);

    sign_in("ada", "correct+horse+battery");
    sql::execute(&database, "UPDATE members SET is_closed = TRUE");
    assert_eq!(club().0, Status::Unauthorized);
    assert_eq!(sql::count(&database, "sessions"), 0);
    assert_eq!(
        sign_in("ada", "correct+horse+battery"),
        Status::Unauthorized
    );

    sql::execute(&database, "UPDATE members SET is_closed = FALSE");
    let form = client
        .post("/sign_in?next=%2F%3Fpage%3D2")
        .header(ContentType::Form);
    let form = form.body("nickname=ada&password=correct+horse+battery");
    let signed_in = form.dispatch();
    assert_eq!(signed_in.headers().get_one("Location"), Some("/?page=2"));
    sign_in("ada", "correct+horse+battery");
    sql::execute(&database, "DELETE FROM members");
    assert_eq!(club().0, Status::Unauthorized);
}
