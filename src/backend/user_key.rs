//! Compares the key of the users' table with the exact text of a user id: databases take '07' for
//! the number 7, and MySQL 'guest' for 0.
//!
//! The first comparison of each condition is for the index, the second one is exact.

#[cfg(any(feature = "sqlite", feature = "mysql", feature = "postgres"))]
use super::USER_ID;

/// What stands in for a type that the catalog does not tell, as that of a view's column may be.
pub(crate) const UNKNOWN: &str = "";

#[cfg(feature = "sqlite")]
pub(super) fn of_sqlite(column: &str, kind: &str) -> Option<String> {
    let kind = kind.to_lowercase();
    let refused = ["blob", "binary", "real", "floa", "doub"];
    (!refused.iter().any(|refused| kind.contains(refused))).then(|| {
        format!("{column} = {USER_ID} AND CAST({column} AS TEXT) = {USER_ID} COLLATE BINARY")
    })
}

/// `kind` is the type, and for a text its character set and collation. Comparing with another
/// collation fails, or does without the index.
#[cfg(feature = "mysql")]
pub(super) fn of_mysql(column: &str, kind: &str) -> Option<String> {
    let text = format!("CONVERT({USER_ID} USING utf8mb4)");
    let equal = match kind.split(' ').collect::<Vec<_>>()[..] {
        [UNKNOWN | "tinyint" | "smallint" | "mediumint" | "int" | "bigint"] => {
            format!("{column} = {USER_ID}")
        }
        ["uuid"] => format!("{column} = {text}"),
        [_, set, collation] => {
            format!("{column} = CONVERT({text} USING {set}) COLLATE {collation}")
        }
        _ => return None,
    };
    Some(format!(
        "{equal} AND CAST(CONVERT({column} USING utf8mb4) AS BINARY) = CAST({USER_ID} AS BINARY)"
    ))
}

/// PostgreSQL compares no number with a text. A row that is made of JSON has the column's own type,
/// whichever that is; a cast of the column would do without its index.
#[cfg(feature = "postgres")]
pub(super) fn of_postgresql(table: &str, key: &str, kind: &str) -> Option<String> {
    let accepted = [
        UNKNOWN,
        "smallint",
        "integer",
        "bigint",
        "text",
        "character varying",
        "character",
        "uuid",
        "USER-DEFINED",
    ];
    let name = key.trim_matches('"');
    accepted.contains(&kind).then(|| {
        format!(
            "{table}.{key} = \
             (json_populate_record(NULL::{table}, json_build_object('{name}', {USER_ID}))).{key} \
             AND CAST({table}.{key} AS TEXT) = {USER_ID}"
        )
    })
}
