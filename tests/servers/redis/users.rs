//! Sessions in Redis with users in an SQL database.

use testing::database;
use testing::server::{example, refusal_of};

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn users_that_are_in_no_database_are_refused() {
    let database = database::redis();
    let url = &database.url;
    let mut command = example("busy");
    command.env("USERS", "people,id,name");
    let line = refusal_of(&mut command, &format!("app={{url={url:?}}}"), "");
    for words in ["Sessions::with_user", "session.users", "leave the call out"] {
        assert!(line.contains(words), "{words}: {line}");
    }
}
