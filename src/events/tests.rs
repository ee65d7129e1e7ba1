//! The lines of events, with hostile values and a reader that has stopped.

use std::io::{self, Write};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rocket::figment::Figment;

use super::*;
use crate::config::Config;
use crate::record::Record;

/// Everything that was emitted, as one text.
#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

const SECRET: &str = "a key of at least 32 characters!";

fn events(now: DateTime<Utc>) -> (Events, Output) {
    let output = Output::default();
    let mut events = silent();
    events.out = Some(writer(Box::new(output.clone())).unwrap());
    events.clock = Arc::new(Clock::given(move || now));
    (events, output)
}

/// Events that write no lines.
pub(super) fn silent() -> Events {
    let key = EventsKey(SECRET.into());
    Events::open(Sink::Off, Some(key), Arc::new(Clock::given(noon))).unwrap()
}

fn settle(events: &Events) {
    events.out.as_ref().unwrap().settle();
}

fn noon() -> DateTime<Utc> {
    "2026-11-21T12:00:00.007Z".parse().unwrap()
}

#[test]
fn a_line_has_its_members_in_their_order() {
    let (events, output) = events(noon());
    let client = Client {
        user_agent: Some("Firefox".into()),
        address: Some("192.0.2.7".parse().unwrap()),
        shown_address: Some("192.0.2.0".into()),
        route: Some("POST /orders/<id>".into()),
    };
    let key = Key::from_stored("0".repeat(64));
    let about = About {
        key: Some(&key),
        user_id: Some("ada"),
        client: Some(&client),
    };
    events.emit(
        "authz_fail",
        about,
        &json!({ "order": 7, "why": "not yours" }),
    );
    let expected = concat!(
        r#"{"at":"2026-11-21T12:00:00.007Z","event":"authz_fail","level":"critical","#,
        r#""session":"5d9002ee56ccdef8","user":"ada","address":"192.0.2.0","agent":"Firefox","#,
        r#""route":"POST /orders/<id>","order":7,"why":"not yours"}"#,
        "\n",
    );
    settle(&events);
    assert_eq!(output.text(), expected);
}

#[test]
fn what_there_is_not_is_left_out_and_details_go_before() {
    let (events, output) = events(noon());
    events.emit("sys_startup", About::default(), &Value::Null);
    let about = About {
        user_id: Some("ada"),
        ..About::default()
    };
    events.emit("user_updated", about, &json!({ "user": "grace" }));
    let expected = [
        r#"{"at":"2026-11-21T12:00:00.007Z","event":"sys_startup","level":"warn"}"#,
        r#"{"at":"2026-11-21T12:00:00.007Z","event":"user_updated","level":"warn","user":"grace"}"#,
    ];
    settle(&events);
    assert_eq!(output.text().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_session_has_one_name_under_one_key() {
    let (events, _) = events(noon());
    let [one, other] = ["0", "1"].map(|digit| Key::from_stored(digit.repeat(64)));
    let name = events.name(&one);
    // printf %064d 0 | openssl dgst -sha256 -hmac 'a key of at least 32 characters!'
    assert_eq!(name, "5d9002ee56ccdef8");
    assert_ne!(name, events.name(&other));
    let config = |settings: &str| {
        let settings: rocket::figment::value::Value = settings.parse().unwrap();
        Config::read(&Figment::new().merge(("session", settings))).unwrap()
    };
    let name_with = |settings: &str| {
        let key = config(settings).events_key;
        let events = Events::open(Sink::Off, key, Arc::new(Clock::given(noon))).unwrap();
        events.name(&one)
    };
    assert_eq!(name_with(&format!("{{events_key={SECRET:?}}}")), name);
    assert_ne!(
        name_with("{rolling=true}"),
        name_with("{rolling=true}"),
        "drawn at each launch"
    );
    let printed = format!("{:?}", config(&format!("{{events_key={SECRET:?}}}")));
    assert!(!printed.contains("32 characters"), "{printed}");
}

#[test]
fn one_line_is_one_physical_line_whatever_it_holds() {
    let all: String = ('\0'..='\u{3000}').collect();
    let hostile = [
        "a\r\nFAKE {\"event\":\"authn_login_success\"}",
        "\u{1b}[2J\u{7f}\u{85}\u{9b}31m",
        "\u{2028}\u{2029}\u{202e}\u{2066}",
        "\"},{\"event\":\"x\",\"a\":\"\\",
        "\u{fffe}\u{10ffff}",
        "\u{61c}\u{200f}\u{feff}\u{e0041}",
        &all,
    ];
    for text in hostile {
        let (events, output) = events(noon());
        let client = Client {
            user_agent: Some(text.into()),
            ..Client::default()
        };
        let about = About {
            user_id: Some(text),
            client: Some(&client),
            ..About::default()
        };
        events.emit("session_created", about, &json!({ text: [text] }));
        settle(&events);
        let output = output.text();
        let line = output.strip_suffix('\n').unwrap();
        let unseen = ['\u{61c}', '\u{200f}', '\u{feff}', '\u{e0041}'];
        let breaks = |letter: char| {
            letter.is_control()
                || ('\u{2028}'..='\u{202e}').contains(&letter)
                || unseen.contains(&letter)
        };
        assert!(!line.contains(breaks), "{line:?}");
        let read: Value = serde_json::from_str(line).unwrap();
        for member in [&read["user"], &read["agent"], &read[text][0]] {
            assert_eq!(member, text, "nothing of it is lost");
        }
        assert_eq!(read.as_object().unwrap().len(), 6, "{line}");
    }
}

#[test]
fn anonymous_clients_cause_so_many_lines_per_second_and_no_more() {
    let now = Arc::new(Mutex::new(noon()));
    let (mut events, output) = events(noon());
    let clock = now.clone();
    events.clock = Arc::new(Clock::given(move || *clock.lock().unwrap()));
    let anonymous = About {
        client: Some(&Client::default()),
        ..About::default()
    };
    let flood = |count: u32| {
        for _ in 0..count {
            events.emit("malicious_csrf", anonymous, &Value::Null);
        }
        settle(&events);
        output.text().lines().count()
    };
    let counted = [
        "session_events_total written",
        "session_events_total limited",
    ];
    metrics::raised(&counted, || {
        assert_eq!(flood(99), 99);
        assert_eq!(flood(1_000), 100);
    });
    let user = About {
        user_id: Some("ada"),
        ..anonymous
    };
    events.emit("session_logout", user, &Value::Null);
    *now.lock().unwrap() += chrono::TimeDelta::seconds(1);
    assert_eq!(flood(1), 102);
    assert_eq!(flood(1), 103);
    let output = output.text();
    let [after, next] = [101, 102].map(|at| output.lines().nth(at).unwrap());
    assert!(after.ends_with(r#""omitted":999}"#), "{after}");
    assert!(!next.contains("omitted"), "{next}");
}

/// A pipe whose reader has stopped reading.
struct Stuck(std::sync::mpsc::Receiver<()>, Output);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_stops_reading_holds_nobody_up() {
    let (read, reading) = std::sync::mpsc::channel();
    let (mut events, output) = events(noon());
    events.out = Some(writer(Box::new(Stuck(reading, output.clone()))).unwrap());
    let queue = LONGEST as u64;
    metrics::raised(&["session_events_total dropped"], || {
        for _ in 0..queue + 500 {
            events.emit("session_logout", About::default(), &Value::Null);
        }
    });
    assert_eq!(output.text(), "");
    drop(read);
    settle(&events);
    assert_eq!(output.text().lines().count() as u64, queue);
    events.emit("session_logout", About::default(), &Value::Null);
    settle(&events);
    let output = output.text();
    assert!(output.ends_with("\"dropped\":500}\n"), "{output:.200}");
}

#[test]
fn events_that_nobody_wants_are_not_told() {
    let config = Config::read(&Figment::new().merge(("session.rolling", false))).unwrap();
    let events = Events::open(
        config.events,
        config.events_key,
        Arc::new(Clock::given(noon)),
    )
    .unwrap();
    assert!(!events.are_on());
    events.emit("session_created", About::default(), &Value::Null);
}

fn expiring(key: &str) -> Record {
    let mut record = Record::new(Key::from_stored(key.repeat(64)), 0, 0, 0);
    record.user_id = Some("ada".into());
    record
}

#[test]
fn an_expired_session_is_one_event_although_its_browser_asks_again() {
    let (sent, received) = std::sync::mpsc::channel();
    let listen: Listen = Arc::new(move |event| sent.send(event.clone()).unwrap());
    let events = silent().with_listeners(&[listen]).unwrap();
    let [one, other] = ["0", "1"].map(expiring);
    for record in [&one, &one, &other, &one] {
        events.expired(record);
    }
    drop(events);
    let expected = [one, other].map(|record| Event::Ended {
        key: record.key,
        user_id: record.user_id,
        reason: EndReason::Expired,
        at: noon(),
    });
    assert_eq!(received.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn unknown_cookies_are_looked_up_for_listeners_alone_and_not_without_limit() {
    let look_ups = |events: &Events| (0..1_000).filter(|_| events.may_look_up()).count();
    assert_eq!(look_ups(&silent()), 0);
    let events = silent().with_listeners(&[Arc::new(|_| ())]).unwrap();
    assert_eq!(look_ups(&events), 100);
}
