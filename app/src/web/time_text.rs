//! Points in time as people speak of them.

use chrono::{DateTime, SecondsFormat, Utc};
use rocket::serde::Serialize;

/// A time that is over, for a `<time>` element.
#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
pub(crate) struct Moment {
    ago: String,
    /// To the second, for those who want to know.
    exact: String,
    /// As HTML has it.
    datetime: String,
}

impl Moment {
    pub(crate) fn new(time: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            ago: ago((now - time).num_seconds()),
            exact: time.format("%-d %B %Y, %H:%M:%S UTC").to_string(),
            datetime: time.to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }
}

fn ago(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..60 => return "just now".to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn times_in_words() {
        for (seconds, words) in [
            (-5, "just now"),
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_599, "59 minutes ago"),
            (3_600, "1 hour ago"),
            (86_399, "23 hours ago"),
            (86_400, "1 day ago"),
            (30 * 86_400, "30 days ago"),
        ] {
            assert_eq!(ago(seconds), words, "{seconds}");
        }
        let time = DateTime::UNIX_EPOCH + TimeDelta::milliseconds(1_790_000_000_999);
        let moment = Moment::new(time, time + TimeDelta::minutes(3));
        assert_eq!(moment.ago, "3 minutes ago");
        assert_eq!(moment.exact, "21 September 2026, 14:13:20 UTC");
        assert_eq!(moment.datetime, "2026-09-21T14:13:20Z");
    }
}
