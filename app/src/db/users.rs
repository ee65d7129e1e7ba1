//! Reads and writes the table of users.

use diesel::prelude::*;
use diesel::result::DatabaseErrorKind::UniqueViolation;
use diesel::result::Error::{DatabaseError, RollbackTransaction};
use rocket::serde::{Deserialize, Serialize};
use rocket_diesel_session::{Database, Error, ErrorKind, Session};

use crate::db::schema::users;

/// The columns of [`User`], which a session loads with its own row.
pub(crate) const COLUMNS: &[&str] = &[
    "email",
    "first_name",
    "last_name",
    "location",
    "disabled_at",
];

/// The signed-in user.
#[derive(Debug, Deserialize, Serialize)]
#[serde(crate = "rocket::serde")]
pub(crate) struct User {
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) location: String,
    pub(crate) disabled_at: Option<i64>,
}

/// The public fields of an account.
#[derive(Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = users)]
#[serde(crate = "rocket::serde")]
pub(crate) struct Profile {
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
}

impl From<&User> for Profile {
    fn from(user: &User) -> Self {
        Self {
            email: user.email.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
        }
    }
}

/// The row of a new account.
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

/// The fields that a sign-in checks.
#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct Credentials {
    pub(crate) id: String,
    #[diesel(embed)]
    pub(crate) profile: Profile,
    pub(crate) password_hash: String,
    pub(crate) disabled_at: Option<i64>,
}

/// Returns the credentials of the account with this canonical e-mail address.
pub(crate) async fn credentials(
    database: &Database,
    email: String,
) -> Result<Option<Credentials>, Error> {
    on!(database, database.run, |connection| {
        users::table
            .filter(users::email.eq(&email))
            .select(Credentials::as_select())
            .first(connection)
            .optional()
    })
}

/// Returns the credentials of the account with this id.
pub(crate) async fn credentials_of(
    database: &Database,
    id: String,
) -> Result<Option<Credentials>, Error> {
    on!(database, database.run, |connection| {
        users::table
            .find(&id)
            .select(Credentials::as_select())
            .first(connection)
            .optional()
    })
}

/// Creates an account and saves the session in one transaction.
///
/// Returns `false` if another account has the e-mail address; the unique index decides.
pub(crate) async fn insert_and_save(
    database: &Database,
    session: &Session,
    user: NewUser,
) -> Result<bool, Error> {
    let saved = on!(database, session.save_with, |connection| {
        let insert = diesel::insert_into(users::table).values(&user);
        match insert.execute(connection) {
            Err(DatabaseError(UniqueViolation, _)) => Err(RollbackTransaction),
            other => other.map(drop),
        }
    });
    unless_rolled_back(saved)
}

/// Replaces the verified hash by `hash` and saves the session in one transaction.
///
/// Returns `false` if the stored hash has changed or the account is closed. The update locks
/// the row even if the hash stays the same, so that of a concurrent sign-in and change of the
/// password one sees the other.
pub(crate) async fn save_with_hash(
    database: &Database,
    session: &Session,
    verified: Credentials,
    hash: String,
) -> Result<bool, Error> {
    let updated_at = (hash != verified.password_hash).then(|| database.now().timestamp_millis());
    let saved = on!(database, session.save_with, |connection| {
        let unchanged = users::table
            .find(&verified.id)
            .filter(users::password_hash.eq(&verified.password_hash))
            .filter(users::disabled_at.is_null());
        let changes = (
            users::password_hash.eq(&hash),
            updated_at.map(|at| users::updated_at.eq(at)),
        );
        match diesel::update(unchanged).set(changes).execute(connection)? {
            0 => Err(RollbackTransaction),
            _ => Ok(()),
        }
    });
    unless_rolled_back(saved)
}

fn unless_rolled_back(saved: Result<(), Error>) -> Result<bool, Error> {
    match saved {
        Err(error) if error.kind() == ErrorKind::RolledBack => Ok(false),
        other => other.map(|()| true),
    }
}

/// Changes the location of a user.
pub(crate) async fn set_location(
    database: &Database,
    id: String,
    location: String,
    now: i64,
) -> Result<(), Error> {
    on!(database, database.run, |connection| {
        let changes = (users::location.eq(&location), users::updated_at.eq(now));
        diesel::update(users::table.find(&id))
            .set(changes)
            .execute(connection)
            .map(drop)
    })
}

/// Returns id and e-mail address of the accounts with these ids.
pub(crate) async fn emails(
    database: &Database,
    ids: Vec<String>,
) -> Result<Vec<(String, String)>, Error> {
    on!(database, database.run, |connection| {
        users::table
            .filter(users::id.eq_any(&ids))
            .select((users::id, users::email))
            .load(connection)
    })
}

/// Returns the id and address of each account whose address has characters beyond ASCII.
pub(crate) async fn emails_beyond_ascii(
    database: &Database,
) -> Result<Vec<(String, String)>, Error> {
    let beyond_ascii = match database.is::<SqliteConnection>() {
        true => "length(CAST(email AS BLOB)) <> length(email)",
        false => "octet_length(email) <> char_length(email)",
    };
    on!(database, database.run, |connection| {
        users::table
            .filter(diesel::dsl::sql::<diesel::sql_types::Bool>(beyond_ascii))
            .select((users::id, users::email))
            .load(connection)
    })
}

/// Changes an e-mail address; returns `false` if another account has it.
pub(crate) async fn set_email(
    database: &Database,
    id: String,
    before: String,
    email: String,
) -> Result<bool, Error> {
    on!(database, database.run, |connection| {
        let row = users::table.find(&id).filter(users::email.eq(&before));
        let update = diesel::update(row).set(users::email.eq(&email));
        match update.execute(connection) {
            Err(DatabaseError(UniqueViolation, _)) => Ok(false),
            other => other.map(|_| true),
        }
    })
}

/// Closes an account, or opens it if `disabled_at` is `None`. Returns `false` if nothing changed.
pub(crate) async fn set_disabled_at(
    database: &Database,
    id: String,
    disabled_at: Option<i64>,
    now: i64,
) -> Result<bool, Error> {
    on!(database, database.run, |connection| {
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

/// Fails if the users cannot be read.
pub(crate) async fn ping(database: &Database) -> Result<(), Error> {
    on!(database, database.run, |connection| {
        let one = users::table.select(users::id).limit(1);
        one.load::<String>(connection).map(drop)
    })
}
