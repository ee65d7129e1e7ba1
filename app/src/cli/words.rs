//! Times in plain words.

use chrono::TimeDelta;

pub(super) fn ago(past: TimeDelta) -> String {
    match past.num_seconds() {
        ..5 => "just now".to_owned(),
        seconds => format!("{} ago", rounded(seconds)),
    }
}

pub(super) fn ahead(future: TimeDelta) -> String {
    format!("in {}", rounded(future.num_seconds().max(0)))
}

/// Seconds in the largest unit of which there is a whole one: "3 min".
fn rounded(seconds: i64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min")];
    let fits = units.into_iter().find(|(length, _)| seconds >= *length);
    let (length, unit) = fits.unwrap_or((1, "s"));
    format!("{} {unit}", seconds / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_words() {
        let past = |seconds| ago(TimeDelta::seconds(seconds));
        assert_eq!(past(-3), "just now");
        assert_eq!(past(59), "59 s ago");
        assert_eq!(past(199), "3 min ago");
        assert_eq!(past(7_200), "2 h ago");
        assert_eq!(past(100 * 86_400), "100 d ago");
        assert_eq!(ahead(TimeDelta::seconds(3_599)), "in 59 min");
        assert_eq!(ahead(TimeDelta::seconds(-1)), "in 0 s");
    }
}
