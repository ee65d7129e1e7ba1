//! Words times for people: "3 minutes ago", "3 min ago", "1 h 59 min 12 s".

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rocket::serde::Serialize;

/// A past time, for a `<time>` element.
#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
pub(crate) struct PastTime {
    ago: String,
    /// To the second, shown as the element's tooltip.
    exact: String,
    datetime: String,
}

impl PastTime {
    pub(crate) fn new(time: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            ago: minutes_ago(now - time),
            exact: time.format("%-d %B %Y, %H:%M:%S UTC").to_string(),
            datetime: time.to_rfc3339_opts(SecondsFormat::Secs, true),
        }
    }
}

const UNITS: [(i64, &str, &str); 4] = [
    (86_400, "d", "day"),
    (3_600, "h", "hour"),
    (60, "min", "minute"),
    (1, "s", "second"),
];

/// Returns the number of whole units, and the short and long name of the unit.
fn in_largest_unit(seconds: i64) -> (i64, &'static str, &'static str) {
    let fits = UNITS.into_iter().find(|(length, ..)| seconds >= *length);
    let (length, short, long) = fits.unwrap_or((1, "s", "second"));
    (seconds / length, short, long)
}

/// Words a past time for a page: "3 minutes ago".
fn minutes_ago(past: TimeDelta) -> String {
    match past.num_seconds() {
        ..60 => "just now".to_owned(),
        seconds => {
            let (count, _, unit) = in_largest_unit(seconds);
            let plural = if count == 1 { "" } else { "s" };
            format!("{count} {unit}{plural} ago")
        }
    }
}

/// Words a past time for a table: "3 min ago".
pub(crate) fn ago(past: TimeDelta) -> String {
    match past.num_seconds() {
        ..5 => "just now".to_owned(),
        seconds => {
            let (count, unit, _) = in_largest_unit(seconds);
            format!("{count} {unit} ago")
        }
    }
}

/// Words a future time for a table: "in 3 min".
pub(crate) fn ahead(future: TimeDelta) -> String {
    let (count, unit, _) = in_largest_unit(future.num_seconds().max(0));
    format!("in {count} {unit}")
}

/// Words a number of seconds as the countdown on a page: "1 h 59 min 12 s".
pub(crate) fn countdown(mut seconds: i64) -> String {
    let mut parts: Vec<String> = Vec::new();
    for (length, unit, _) in UNITS {
        let count = seconds / length;
        seconds %= length;
        if count > 0 || !parts.is_empty() || length == 1 {
            parts.push(format!("{count} {unit}"));
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_times_on_pages_have_one_unit() {
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
            assert_eq!(minutes_ago(TimeDelta::seconds(seconds)), words, "{seconds}");
        }
        let time = DateTime::UNIX_EPOCH + TimeDelta::milliseconds(1_790_000_000_999);
        let past = PastTime::new(time, time + TimeDelta::minutes(3));
        assert_eq!(past.ago, "3 minutes ago");
        assert_eq!(past.exact, "21 September 2026, 14:13:20 UTC");
        assert_eq!(past.datetime, "2026-09-21T14:13:20Z");
    }

    #[test]
    fn times_in_tables_have_one_short_unit() {
        let past = |seconds| ago(TimeDelta::seconds(seconds));
        assert_eq!(past(-3), "just now");
        assert_eq!(past(59), "59 s ago");
        assert_eq!(past(199), "3 min ago");
        assert_eq!(past(7_200), "2 h ago");
        assert_eq!(past(100 * 86_400), "100 d ago");
        assert_eq!(ahead(TimeDelta::seconds(3_599)), "in 59 min");
        assert_eq!(ahead(TimeDelta::seconds(-1)), "in 0 s");
    }

    #[test]
    fn a_countdown_has_all_units_down_to_seconds() {
        assert_eq!(countdown(7_199), "1 h 59 min 59 s");
        assert_eq!(countdown(86_400), "1 d 0 h 0 min 0 s");
        assert_eq!(countdown(61), "1 min 1 s");
        assert_eq!(countdown(0), "0 s");
    }
}
