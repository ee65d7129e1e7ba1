//! Compares the key of the users' table with the exact text of a user id. Databases take '07' for the
//! number 7, and MySQL takes 'guest' for 0.
//!
//! The first comparison of each condition uses the index, the second one is exact.

#[cfg(any(feature = "sqlite", feature = "mysql", feature = "postgres"))]
use super::USER_ID;

/// Stands for a type that the catalog does not have, such as that of a view's column.
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
    let mut exact = column.to_owned();
    let equal = match kind.split(' ').collect::<Vec<_>>()[..] {
        [UNKNOWN] => format!("{column} = {USER_ID}"),
        ["tinyint" | "smallint" | "mediumint" | "int" | "bigint"] => {
            // The text of a sum has no zeros of ZEROFILL.
            exact = format!("{column} + 0");
            format!("{column} = {USER_ID}")
        }
        ["uuid"] => format!("{column} = {text}"),
        [_, set, collation] => {
            format!("{column} = CONVERT({text} USING {set}) COLLATE {collation}")
        }
        _ => return None,
    };
    Some(format!(
        "{equal} AND CAST(CONVERT({exact} USING utf8mb4) AS BINARY) = CAST({USER_ID} AS BINARY)"
    ))
}

/// `kind` is the type and the collation. PostgreSQL compares no number with a text, and an id that is
/// no value of the type fails the whole statement, so such an id becomes NULL.
#[cfg(feature = "postgres")]
pub(super) fn of_postgresql(column: &str, kind: &str) -> Option<String> {
    let (kind, collation) = kind.split_once('|').unwrap_or((kind, ""));
    let text = |kind| format!("CAST({USER_ID} AS {kind}) COLLATE {collation}");
    let id = match kind {
        UNKNOWN => USER_ID.to_owned(),
        "smallint" | "integer" | "bigint" => format!(
            "CASE WHEN {USER_ID} ~ '^(-|)[0-9]{{1,19}}$' AND LPAD(LTRIM({USER_ID}, '-'), 19, '0') \
             COLLATE \"C\" <= '{}' THEN CAST({USER_ID} AS BIGINT) END",
            i64::MAX
        ),
        "uuid" => format!(
            "CASE WHEN {USER_ID} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' \
             THEN CAST({USER_ID} AS UUID) END"
        ),
        // CHARACTER without a length is one letter.
        "character" => text("BPCHAR"),
        "text" | "character varying" => text("TEXT"),
        citext if citext.ends_with("citext") => text(citext),
        _ => return None,
    };
    Some(format!(
        "{column} = {id} AND CAST({column} AS TEXT) COLLATE \"C\" = {USER_ID}"
    ))
}
