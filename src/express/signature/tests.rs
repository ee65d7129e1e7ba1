use serde_json::Value;

use super::*;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../tests/vectors/express-cookies.json")).unwrap()
}

fn secrets(secrets: &[&str]) -> Secrets {
    Secrets(secrets.iter().map(|&secret| secret.to_owned()).collect())
}

#[test]
fn cookies_are_signed_and_verified_as_express_does() {
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
fn what_nobody_has_signed_is_no_session() {
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
fn the_first_secret_signs_and_all_verify() {
    let (old, both) = (secrets(&["old"]), secrets(&["new", "old"]));
    assert_eq!(both.verify(&old.sign("id")).as_deref(), Some("id"));
    assert_eq!(both.sign("id"), secrets(&["new"]).sign("id"));
    assert_eq!(old.verify(&both.sign("id")), None);
}

#[test]
fn secrets_are_not_shown() {
    assert_eq!(format!("{:?}", secrets(&["s3cr3t"])), "1 secrets");
}

/// What could not be verified was read all the same, as the format of an earlier release.
#[test]
fn cve_2026_39324_a_cookie_with_anything_changed_is_none() {
    let secrets = secrets(&["secret"]);
    let good = secrets.sign("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let decoded = |value: &str| percent_decode_str(value).collect::<Vec<u8>>();
    for at in 0..good.len() {
        for bit in 0..7 {
            let mut bytes = good.clone().into_bytes();
            bytes[at] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            let same = decoded(&changed) == decoded(&good);
            assert_eq!(secrets.verify(&changed).is_some(), same, "{changed}");
        }
        assert_eq!(secrets.verify(&good[..at]), None);
    }
    let (id, signature) = ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", &good[good.len() - 43..]);
    for other in [
        id,
        &format!("{id}.{signature}"),
        &format!("j:{id}.{signature}"),
        "s:.",
        "{}",
    ] {
        assert_eq!(secrets.verify(other), None, "{other}");
    }
}

/// Of two texts that were signed together, nobody could tell where the one ended.
#[test]
fn cve_2019_10911_the_end_of_an_id_cannot_be_moved() {
    let secrets = secrets(&["secret"]);
    let good = percent_decode_str(&secrets.sign("a.b.c"))
        .decode_utf8()
        .unwrap()
        .into_owned();
    assert_eq!(secrets.verify(&good).as_deref(), Some("a.b.c"));
    let signature = good.strip_prefix("s:a.b.c.").unwrap();
    for id in [
        "a", "a.b", "a.b.c.", ".a.b.c", "a.b.", "b.c", "ab.c", "a.bc", "s:a.b.c",
    ] {
        assert_eq!(secrets.verify(&format!("s:{id}.{signature}")), None, "{id}");
    }
}
