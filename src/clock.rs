//! Where the time comes from, so that a test can let hours pass.

use std::sync::Arc;

use chrono::{DateTime, Utc};

pub(crate) type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;
