//! The format of express-session: its session text, signed cookie, table and texts in Redis.

pub(crate) mod reserved;
pub(crate) mod settings;
pub(crate) mod signature;
pub(crate) mod store;
mod table;
pub(crate) mod text;
mod user;

pub(crate) use self::reserved::EXPRESS;
pub(crate) use self::table::{FOREIGN_TABLES, table};
pub(crate) use self::text::Format;
pub(crate) use self::user::UserPath;
