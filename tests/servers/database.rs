//! Errors of the database during `Database::run`.

use std::error::Error as _;

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind::UniqueViolation, Error as DieselError};
use diesel::sql_query;
use rocket::local::asynchronous::Client;
use rocket::request::FromRequest;
use rocket_diesel_session::{Database, Error, ErrorKind, Sessions};

use testing::database::{TestDatabase, with_connection};
use testing::on_every_backend;

on_every_backend!(diesels_error_is_the_source_or_becomes_a_value);

const INSERT: &str = "INSERT INTO names VALUES ('ada')";

fn source(error: &Error) -> Option<&DieselError> {
    error.source()?.downcast_ref()
}

fn diesels_error_is_the_source_or_becomes_a_value(test: &TestDatabase) {
    test.run("CREATE TABLE names (name VARCHAR(9) PRIMARY KEY)");
    let figment = rocket::Config::figment()
        .merge(("log_level", "off"))
        .merge(("databases.app.url", &test.url));
    let rocket = rocket::custom(figment).attach(Sessions::fairing());
    rocket::execute(async {
        let client = Client::untracked(rocket).await.unwrap();
        let request = client.get("/");
        let database = <&Database>::from_request(request.inner()).await.unwrap();
        with_connection!(test, C => {
            let insert = |connection: &mut C| sql_query(INSERT).execute(connection);
            let inserted = move |connection: &mut C| match insert(connection) {
                Err(DieselError::DatabaseError(UniqueViolation, _)) => Ok(None),
                inserted => inserted.map(Some),
            };
            assert_eq!(database.run(inserted).await.unwrap(), Some(1));
            assert_eq!(database.run(inserted).await.unwrap(), None);

            let error = database.run(insert).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            let is_taken = matches!(source(&error), Some(DieselError::DatabaseError(UniqueViolation, _)));
            assert!(is_taken, "{error:?}");

            let missing = |_: &mut C| Err::<(), _>(DieselError::NotFound);
            let error = database.run(missing).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            assert_eq!(source(&error), Some(&DieselError::NotFound));

            let called_off = |_: &mut C| Err::<(), _>(DieselError::RollbackTransaction);
            let error = database.run(called_off).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RolledBack);
            assert!(error.source().is_none(), "{error:?}");
        });
    });
}
