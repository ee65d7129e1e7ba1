//! Sessions as an Express application can write them.

use serde_json::{Map, Value, from_str, json};

use super::records::{NOW, limits};
use crate::express::reserved::is_reserved;
use crate::express::{EXPRESS, Format, UserPath};
use crate::record::Record;
use crate::state::{Limits, Schema};

/// A session of Express that is read, written and read again is the same to both, even if another user
/// signs in meanwhile.
pub(super) fn of_express(text: Record) {
    let format = format();
    let given = text.user_id.clone();
    let Some(mut ours) = format.read(text, NOW) else {
        return;
    };
    let values: Map<String, Value> = from_str(&ours.data).unwrap();
    assert!(values.keys().all(|name| !is_reserved(name)));
    assert!(!values.contains_key("@session") && values["@cookie"].is_object());
    if ours.expires_at <= NOW {
        return;
    }
    is_the_same_again(&format, &ours);

    let usable = |id: &String| id.len() <= 64 && !id.contains(char::is_control);
    ours.user_id = given.filter(usable);
    is_the_same_again(&format, &ours);
}

fn format() -> Format {
    let cookie = json!({ "path": "/", "httpOnly": true });
    Format {
        limits: Limits {
            shared_with: Some(&EXPRESS),
            ..limits(Schema::default())
        },
        cookie: cookie.as_object().cloned().unwrap(),
        user_path: UserPath::default(),
    }
}

fn is_the_same_again(format: &Format, ours: &Record) {
    let written = format.write(ours).unwrap();
    let again = format.read(written.clone(), NOW).unwrap();
    let without_data = |record: &Record| Record {
        data: String::new(),
        ..record.clone()
    };
    assert_eq!(without_data(&again), without_data(ours));
    let values = |record: &Record| from_str::<Value>(&record.data).unwrap();
    assert_eq!(values(&format.write(&again).unwrap()), values(&written));
}
