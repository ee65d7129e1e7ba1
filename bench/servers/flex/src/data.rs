//! The session's data, and the texts in which the stores keep it.

use rocket::serde::json::serde_json;
use rocket::serde::{Deserialize, Serialize};
use rocket_flex_session::SessionIdentifier;
use rocket_flex_session::error::SessionError;
use rocket_flex_session::storage::redis::{RedisFormat, RedisValue, SessionRedis};
use rocket_flex_session::storage::sqlx::SessionSqlx;

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(crate = "rocket::serde")]
pub struct Data {
    pub user_id: Option<i32>,
    pub visits: i64,
    pub csrf: String,
    pub locale: String,
    pub theme: String,
    pub last: String,
    pub pad: String,
}

impl Data {
    fn to_text(&self) -> Result<String, SessionError> {
        serde_json::to_string(self).map_err(|cause| SessionError::Serialization(Box::new(cause)))
    }

    fn from_text(text: &str) -> Result<Self, SessionError> {
        serde_json::from_str(text).map_err(|cause| SessionError::Parsing(Box::new(cause)))
    }
}

impl SessionIdentifier for Data {
    type Id = String;

    fn identifier(&self) -> Option<String> {
        self.user_id.map(|id| id.to_string())
    }
}

impl SessionSqlx<sqlx::Sqlite> for Data {
    type Error = SessionError;
    type Data = String;

    fn into_sql(self) -> Result<String, SessionError> {
        self.to_text()
    }

    fn from_sql(text: String) -> Result<Self, SessionError> {
        Self::from_text(&text)
    }
}

impl SessionRedis for Data {
    const REDIS_FORMAT: RedisFormat = RedisFormat::String;
    type Error = SessionError;

    fn into_redis(self) -> Result<RedisValue, SessionError> {
        self.to_text().map(RedisValue::String)
    }

    fn from_redis(value: RedisValue) -> Result<Self, SessionError> {
        let text = value.into_string().map_err(|_| SessionError::InvalidData)?;
        Self::from_text(&text)
    }
}
