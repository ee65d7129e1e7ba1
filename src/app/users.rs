//! The table of users, on whichever database the configuration chose.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use rocket_diesel_session::{Database, Error};

use crate::app::schema::users;

/// The body of a function: Diesel code that fits every backend, run on the one that is configured.
macro_rules! run {
    ($database:expr, |$connection:ident| $work:expr) => {{
        #[cfg(feature = "mysql")]
        if $database.speaks::<diesel::MysqlConnection>() {
            return $database
                .run(move |$connection: &mut diesel::MysqlConnection| $work)
                .await;
        }
        #[cfg(feature = "postgres")]
        if $database.speaks::<diesel::PgConnection>() {
            return $database
                .run(move |$connection: &mut diesel::PgConnection| $work)
                .await;
        }
        $database
            .run(move |$connection: &mut diesel::SqliteConnection| $work)
            .await
    }};
}

/// An account to be made.
#[derive(Clone, Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub(crate) struct NewUser {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) password_hash: String,
    pub(crate) created_at: i64,
    pub(crate) updated_at: i64,
}

/// What a sign-in is checked against.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) password_hash: String,
    pub(crate) disabled_at: Option<i64>,
}

/// Makes an account; `false` when the e-mail address has one already, which the unique index
/// decides.
pub(crate) async fn insert(database: &Database, user: NewUser) -> Result<bool, Error> {
    run!(database, |connection| {
        match diesel::insert_into(users::table)
            .values(&user)
            .execute(connection)
        {
            Err(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => Ok(false),
            other => other.map(|_| true),
        }
    })
}

/// The credentials of the account with this canonical e-mail address.
pub(crate) async fn credentials(
    database: &Database,
    email: String,
) -> Result<Option<Credentials>, Error> {
    run!(database, |connection| {
        users::table
            .filter(users::email.eq(&email))
            .select(Credentials::as_select())
            .first(connection)
            .optional()
    })
}

/// Replaces a hash that was made with fewer rounds than today's.
pub(crate) async fn set_password_hash(
    database: &Database,
    id: String,
    hash: String,
    now: i64,
) -> Result<(), Error> {
    run!(database, |connection| {
        let changes = (users::password_hash.eq(&hash), users::updated_at.eq(now));
        diesel::update(users::table.find(&id))
            .set(changes)
            .execute(connection)
            .map(drop)
    })
}

/// Where a user is, in their own words.
pub(crate) async fn set_location(
    database: &Database,
    id: String,
    location: String,
    now: i64,
) -> Result<(), Error> {
    run!(database, |connection| {
        let changes = (users::location.eq(&location), users::updated_at.eq(now));
        diesel::update(users::table.find(&id))
            .set(changes)
            .execute(connection)
            .map(drop)
    })
}

/// The e-mail addresses of the accounts with these ids, each with its id.
pub(crate) async fn emails(
    database: &Database,
    ids: Vec<String>,
) -> Result<Vec<(String, String)>, Error> {
    run!(database, |connection| {
        users::table
            .filter(users::id.eq_any(&ids))
            .select((users::id, users::email))
            .load(connection)
    })
}

/// Closes an account, or opens it again when there is no time to close it at; `false` when that is
/// how it was.
pub(crate) async fn set_disabled_at(
    database: &Database,
    id: String,
    disabled_at: Option<i64>,
    now: i64,
) -> Result<bool, Error> {
    run!(database, |connection| {
        let other = users::disabled_at.is_null().eq(disabled_at.is_some());
        let changes = (
            users::disabled_at.eq(disabled_at),
            users::updated_at.eq(now),
        );
        diesel::update(users::table.find(&id).filter(other))
            .set(changes)
            .execute(connection)
            .map(|changed| changed > 0)
    })
}

/// Whether the database answers.
pub(crate) async fn ping(database: &Database) -> Result<(), Error> {
    run!(database, |connection| {
        let one = diesel::dsl::sql::<diesel::sql_types::Integer>("1");
        diesel::select(one).execute(connection).map(drop)
    })
}
