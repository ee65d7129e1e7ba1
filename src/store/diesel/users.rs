//! The users' table, whose columns the statements that read records bring along.

use diesel::result::Error::NotFound;

use super::DieselStore;
use super::sql::Sql;
use super::statement::{Execute, Statement};
use crate::backend::Backend;
use crate::backend::user_key::UNKNOWN;
use crate::error::Error;
use crate::pool::Connections;

/// The names are as SQL takes them.
#[derive(Clone)]
pub(super) struct Users {
    pub(super) table: String,
    pub(super) key: String,
    pub(super) columns: Vec<String>,
}

impl Users {
    /// A subquery for the row of the user whose id is [`USER_ID`](crate::backend::USER_ID); `None`
    /// where the key is of a type whose values are not texts.
    fn row<C: Backend>(&self, kind: &str) -> Option<String> {
        let Self { table, key, .. } = self;
        let pair = |column| format!("'{column}', {table}.{column}");
        let pairs: Vec<String> = self.columns.iter().map(pair).collect();
        let [open, close] = C::JSON_OBJECT;
        let object = format!("{open}{}{close}", pairs.join(", "));
        let is_user = C::is_user(table, key, kind)?;
        Some(format!("(SELECT {object} FROM {table} WHERE {is_user})"))
    }

    /// The names of the table, its schema and the key in the database's catalog.
    fn in_catalog<C: Backend>(&self) -> [String; 3] {
        let name = |name: &str| match name.trim_matches(['"', '`']) {
            plain if plain == name && C::QUOTE == '"' => name.to_lowercase(),
            plain => plain.to_owned(),
        };
        let (schema, table) = self.table.rsplit_once('.').unwrap_or(("", &self.table));
        [table, schema, &self.key].map(name)
    }
}

/// The statements that read, once the type of the users' key is known.
pub(super) fn reading<C: Execute, P: Connections<C>>(
    store: &DieselStore<C, P>,
) -> Result<&Sql, Error> {
    let Some(known) = &store.user else {
        return Ok(&store.sql);
    };
    let (users, sql) = &**known;
    if let Some(sql) = sql.get() {
        return Ok(sql);
    }
    let names = users.in_catalog::<C>();
    let names = names.iter().map(|name| name.as_str().into());
    let select = Statement::new(C::TYPE_OF, names);
    // A name that is not there is left to the statement, whose error has it.
    let kind = store.read(|connection| match connection.text(&select) {
        Err(NotFound) => Ok(None),
        other => other,
    })?;
    let kind = kind.as_deref().unwrap_or(UNKNOWN);
    let Some(row) = users.row::<C>(kind) else {
        let Users { table, key, .. } = users;
        return Err(Error::configuration(format!(
            "the users' key {table}.{key} has the type {kind}, whose values are no texts of a user id; \
             Sessions::with_user takes integers, texts and UUIDs"
        )));
    };
    Ok(sql.get_or_init(|| Sql::new::<C>(&store.table, Some(&row))))
}
