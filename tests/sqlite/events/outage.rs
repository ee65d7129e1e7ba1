//! Events during an outage of the store.

use super::site::*;
use testing::database;

#[test]
fn an_outage_is_one_event_per_request() {
    let database = database::sqlite();
    let site = Site::on(&database.url, "", "off");
    let mut ada = site.browser();
    ada.post("/log_in/ada");
    let mut anonymous = site.browser();
    database.run("ALTER TABLE sessions RENAME TO elsewhere");
    for path in ["/devices", "/address"] {
        let emitted = site.emitted_by(|| assert_eq!(ada.get(path).0, 503));
        assert_eq!(names(&emitted), ["store_unavailable"], "{path}");
        assert_eq!(emitted[0]["level"], "critical");
        let cause = emitted[0]["cause"].as_str().unwrap();
        assert!(cause.contains("no such table"), "{cause}");
        assert_eq!(emitted[0]["session"].as_str().unwrap().len(), 16);
    }
    let emitted = site.emitted_by(|| assert_eq!(anonymous.post("/log_in/grace"), 503));
    assert_eq!(
        names(&emitted),
        ["store_unavailable"],
        "it could not be saved"
    );
    let emitted = site.emitted_by(|| assert_eq!(anonymous.get("/count").0, 503));
    assert_eq!(names(&emitted), ["store_unavailable"]);
    let emitted = site.emitted_by(|| assert_eq!(anonymous.get("/busy").0, 503));
    assert!(emitted.is_empty(), "the store was not asked: {emitted:?}");
    let emitted = site.emitted_by(|| assert_eq!(anonymous.get("/address").0, 200));
    assert!(
        emitted.is_empty(),
        "who has no session needs no store: {emitted:?}"
    );
    database.run("ALTER TABLE elsewhere RENAME TO sessions");
    let emitted = site.emitted_by(|| assert_eq!(ada.get("/devices").0, 200));
    assert!(emitted.is_empty(), "{emitted:?}");
}
