//! Times and browsers in plain words.

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

/// What browsers call themselves, and their names. Each claims to be the ones below it, too.
const BROWSERS: [(&str, &str); 9] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Version/", "Safari"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 7] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
];

/// "Firefox on Linux"; of other programs the name that they give, as far as it is harmless.
pub(super) fn browser(user_agent: &str) -> String {
    let first = |known: &[(&str, &'static str)]| {
        let known = known.iter().find(|(mark, _)| user_agent.contains(mark));
        known.map(|(_, name)| *name)
    };
    match (first(&BROWSERS), first(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        (None, _) => {
            let plain = |letter: &char| letter.is_ascii_alphanumeric() || "-._/".contains(*letter);
            let name: String = user_agent.chars().take_while(plain).take(18).collect();
            if name.is_empty() { "-".into() } else { name }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn o5_times_in_words() {
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
    fn o5_browsers_in_words() {
        for (agent, name) in [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
                "Firefox on Linux",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/129.0.0.0 Safari/537.36 Edg/129.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/129.0.0.0 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6 like Mac OS X) AppleWebKit/605.1.15 \
                 (KHTML, like Gecko) Version/17.6 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            ("curl/8.5.0", "curl/8.5.0"),
            ("\u{1b}[2Jevil", "-"),
            ("evil\u{1b}[2J", "evil"),
            ("", "-"),
        ] {
            assert_eq!(browser(agent), name);
        }
    }
}
