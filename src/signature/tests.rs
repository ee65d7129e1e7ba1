use serde_json::Value;

use super::*;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors/express-cookies.json")).unwrap()
}

fn secrets(secrets: &[&str]) -> Secrets {
    Secrets(secrets.iter().map(|&secret| secret.to_owned()).collect())
}

#[test]
fn b16_cookies_are_signed_and_verified_as_express_does() {
    for vector in vectors()["positive"].as_array().unwrap() {
        let text = |name: &str| vector[name].as_str().unwrap();
        let secrets = secrets(&[text("secret_utf8")]);
        assert_eq!(secrets.sign(text("sid")), text("cookie_value_on_wire"));
        for value in ["cookie_value_on_wire", "cookie_value_decoded"] {
            assert_eq!(secrets.verify(text(value)).as_deref(), Some(text("sid")));
        }
    }
}

#[test]
fn b16_what_nobody_has_signed_is_no_session() {
    let vectors = vectors();
    let secrets = secrets(&[vectors["negative_secret"].as_str().unwrap()]);
    for (name, vector) in vectors["negative"].as_object().unwrap() {
        let value = vector["value_after_s_colon"].as_str().unwrap();
        assert_eq!(secrets.verify(&format!("s:{value}")), None, "{name}");
        assert_eq!(secrets.verify(&format!("s%3A{value}")), None, "{name}");
    }
    let good = secrets.sign("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let twice = good.replace('%', "%25");
    let unsigned = good.replace("s%3A", "");
    let longer = secrets.sign(&"A".repeat(129));
    for bad in [
        "", "s:", "s%3A", "s:.", "%", "%ff", "s:a.b", &twice, &unsigned, &longer,
    ] {
        assert_eq!(secrets.verify(bad), None, "{bad}");
    }
}

#[test]
fn b16_the_first_secret_signs_and_all_verify() {
    let (old, both) = (secrets(&["old"]), secrets(&["new", "old"]));
    assert_eq!(both.verify(&old.sign("id")).as_deref(), Some("id"));
    assert_eq!(both.sign("id"), secrets(&["new"]).sign("id"));
    assert_eq!(old.verify(&both.sign("id")), None);
}

#[test]
fn secrets_are_not_shown() {
    assert_eq!(format!("{:?}", secrets(&["s3cr3t"])), "1 secrets");
}
