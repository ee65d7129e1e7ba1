use super::*;
use crate::config::Config;
use crate::express::EXPRESS;
use crate::state::{Contents, Schema};
use crate::token::Key;

const NOW: i64 = 1_790_000_000_000;
const HOUR: i64 = 3_600_000;

fn format() -> Format {
    let mut limits = Config::default().limits(Schema::default());
    limits.shared_with = Some(&EXPRESS);
    let cookie = json!({ "path": "/", "httpOnly": true });
    Format {
        limits,
        cookie: cookie.as_object().unwrap().clone(),
        user_path: UserPath::default(),
    }
}

fn text(data: impl Into<String>) -> Record {
    Record {
        key: Key::from_stored("sid".into()),
        user_id: None,
        data: data.into(),
        version: 0,
        created_at: 0,
        seen_at: 0,
        expires_at: NOW + HOUR,
        deadline: 0,
        user_agent: None,
        ip: None,
    }
}

fn read(data: &Value) -> Record {
    format().read(text(data.to_string()), NOW).unwrap()
}

fn written(record: &Record) -> Value {
    serde_json::from_str(&format().write(record).unwrap().data).unwrap()
}

#[test]
fn all_that_express_keeps_comes_back_as_it_was() {
    let long = json!({ "originalMaxAge": 86_400_000, "expires": "2026-11-21T10:23:27.303Z", "httpOnly": true, "path": "/" });
    let browser = json!({ "originalMaxAge": null, "expires": null, "httpOnly": true, "path": "/" });
    let everything = json!({
        "originalMaxAge": 1000, "partitioned": true, "priority": "high", "expires": "2026-11-21T10:23:27.303Z",
        "secure": true, "httpOnly": false, "domain": "e.com", "path": "/shop", "sameSite": "lax", "mine": [1],
    });
    let odd =
        json!({ "originalMaxAge": false, "expires": false, "secure": "auto", "sameSite": true });
    for cookie in [long, browser, everything, odd, json!({})] {
        let values = json!({
            "cookie": cookie,
            "passport": { "user": { "id": 7, "name": "Zoë 😀" } },
            "flash": { "error": ["no"] },
            "csrfSecret": "x",
            "buffer": { "type": "Buffer", "data": [1, 2] },
            "numbers": [0.1, 1e21, -1, 9_007_199_254_740_991_u64, null],
        });
        let record = read(&values);
        assert_eq!(record.user_id.as_deref(), Some("7"));
        let mut back = written(&record);
        back.as_object_mut().unwrap().remove(OWN).unwrap();
        let mut expected = values.clone();
        if cookie.get("expires").is_some_and(Value::is_string) {
            expected["cookie"]["expires"] = iso(NOW + HOUR).into();
        }
        assert_eq!(back, expected);
    }
}

#[test]
fn what_is_no_session_is_dropped() {
    let cookie = |expires: Value| json!({ "cookie": { "expires": expires } }).to_string();
    for bad in [
        String::new(),
        "{".into(),
        "null".into(),
        "[]".into(),
        "[{\"cookie\":{}}]".into(),
        "7".into(),
        "{}".into(),
        r#"{"cookie":null}"#.into(),
        r#"{"cookie":[]}"#.into(),
        r#"{"cookie":"{}"}"#.into(),
        r#"{"cookie":{}}{}"#.into(),
        cookie(json!("tomorrow")),
        cookie(json!("")),
        cookie(json!("+275760-09-13T00:00:00.000Z")),
        cookie(json!("2100-01-02T00:00:00.000Z")),
        cookie(json!(1e300)),
        cookie(json!(true)),
        cookie(json!({})),
    ] {
        assert_eq!(format().read(text(bad.clone()), NOW), None, "{bad}");
    }
    let mut late = text(r#"{"cookie":{}}"#);
    assert!(format().read(late.clone(), NOW).is_some());
    late.expires_at = ABSURD + 1;
    assert_eq!(format().read(late, NOW), None);
}

#[test]
fn passport_s_user_is_the_session_s() {
    for (user, user_id) in [
        (json!("ada"), Some("ada")),
        (json!(7), Some("7")),
        (json!("7"), Some("7")),
        (json!({ "id": 7, "username": "ada" }), Some("7")),
        (json!({ "id": "a-1" }), Some("a-1")),
        (json!({ "username": "ada" }), None),
        (json!(7.5), None),
        (json!(true), None),
        (json!(""), None),
        (json!("x".repeat(65)), None),
        (Value::Null, None),
    ] {
        let values = json!({ "cookie": {}, "passport": { "user": user } });
        let record = read(&values);
        assert_eq!(record.user_id.as_deref(), user_id, "{user}");
        assert_eq!(written(&record)["passport"], values["passport"]);
        assert_eq!(
            UserPath::default().user_of(&values.to_string()).as_deref(),
            user_id
        );
    }
    for passport in [json!(null), json!("ada"), json!([]), json!({})] {
        let values = json!({ "cookie": {}, "passport": passport });
        assert_eq!(read(&values).user_id, None);
    }
}

#[test]
fn a_sign_in_of_ours_is_passport_s() {
    for (user_id, user) in [
        ("7", json!(7)),
        ("9007199254740991", json!(9_007_199_254_740_991_u64)),
        ("9007199254740992", json!("9007199254740992")),
        ("07", json!("07")),
        ("+7", json!("+7")),
        ("-7", json!("-7")),
        ("ada", json!("ada")),
    ] {
        let mut record = read(&json!({ "cookie": {}, "passport": { "user": "x", "more": 1 } }));
        record.user_id = Some(user_id.into());
        let expected = json!({ "user": user, "more": 1 });
        assert_eq!(written(&record)["passport"], expected);
        record.user_id = None;
        assert_eq!(written(&record)["passport"], json!({ "more": 1 }));
    }
}

#[test]
fn a_session_of_ours_has_the_cookie_that_node_needs() {
    let mut format = format();
    let own = Record {
        data: r#"{"n":1}"#.into(),
        ..text("")
    };
    let cookie = |format: &Format, record: &Record| -> Value {
        let text = format.write(record).unwrap().data;
        serde_json::from_str::<Value>(&text).unwrap()["cookie"].take()
    };
    let expected =
        json!({ "originalMaxAge": null, "expires": null, "path": "/", "httpOnly": true });
    assert_eq!(cookie(&format, &own), expected);
    let remembered = Record {
        data: r#"{"@remembered":true}"#.into(),
        ..own.clone()
    };
    let month = format.limits.remember;
    assert_eq!(cookie(&format, &remembered)["originalMaxAge"], json!(month));
    format.limits.persistent = true;
    let idle = format.limits.idle;
    let persistent = cookie(&format, &own);
    assert_eq!(persistent["originalMaxAge"], json!(idle));
    assert_eq!(persistent["expires"], json!(iso(NOW + HOUR)));
}

#[test]
fn what_express_does_not_write_down_is_kept_with_the_values() {
    let format = format();
    let record = read(&json!({ "cookie": { "originalMaxAge": HOUR } }));
    assert_eq!((record.created_at, record.seen_at), (0, NOW));
    assert_eq!(record.deadline, NOW + format.limits.absolute);
    let record = Record {
        created_at: NOW - 5,
        deadline: NOW + 5,
        user_agent: Some("Firefox".into()),
        ..record
    };
    let text = format.write(&record).unwrap();
    assert_eq!(format.read(text, NOW + 1), Some(record));
}

#[test]
fn names_that_express_drops_are_dropped() {
    let record = read(&json!({ "cookie": {}, "touch": 1, "id": 2, "kept": 3 }));
    let text = written(&record);
    let mut names: Vec<_> = text.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, [OWN, "cookie", "kept"]);
}

#[test]
fn half_a_character_ends_no_session() {
    let data = r#"{"cookie":{},"\ude00":"\ud83d","b":"\ud83d\ud83d\ude00\u00e9","c":"\\ud83d\\"}"#;
    let record = format().read(text(data), NOW).unwrap();
    let mut values = written(&record);
    values.as_object_mut().unwrap().remove("@session");
    let whole =
        json!({ "cookie": {}, "\u{fffd}": "\u{fffd}", "b": "\u{fffd}😀é", "c": "\\ud83d\\" });
    assert_eq!(values, whole);
    for broken in ["\\", "{\\ud83", "{\\é\\", "\\ud83d\\ude"] {
        assert!(format().read(text(broken), NOW).is_none());
    }
}

#[test]
fn the_idle_timeout_of_one_session_is_the_max_age_of_its_cookie() {
    let format = format();
    let browser = json!({ "originalMaxAge": null, "expires": null, "mine": 1 });
    let long = json!({ "originalMaxAge": HOUR, "expires": "2026-11-21T10:23:27.303Z" });
    for before in [
        json!({}),
        json!({ "@remembered": true }),
        json!({ "@cookie": browser }),
        json!({ "@cookie": long, "@remembered": true }),
    ] {
        let mut data = before.clone();
        data["@idle_timeout"] = 300_000.into();
        let back = written(&text(data.to_string()));
        assert_eq!(back["cookie"]["originalMaxAge"], 300_000, "{before}");
        assert_eq!(back["cookie"]["expires"], iso(NOW + HOUR), "{before}");
        assert_eq!(back.get("@idle_timeout"), None, "{before}");
        let contents = Contents::decode(&read(&back), &format.limits.schema).unwrap();
        let (idle, _) = format.limits.timeouts(&contents);
        assert_eq!(idle, 300_000, "{before}");
    }
}
