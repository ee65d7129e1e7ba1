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
        let told = site.told_of(|| assert_eq!(ada.get(path).0, 503));
        assert_eq!(names(&told), ["store_unavailable"], "{path}");
        assert_eq!(told[0]["level"], "critical");
        let cause = told[0]["cause"].as_str().unwrap();
        assert!(cause.contains("no such table"), "{cause}");
        assert_eq!(told[0]["session"].as_str().unwrap().len(), 16);
    }
    let told = site.told_of(|| assert_eq!(anonymous.post("/log_in/grace"), 503));
    assert_eq!(names(&told), ["store_unavailable"], "it could not be saved");
    let told = site.told_of(|| assert_eq!(anonymous.get("/count").0, 503));
    assert_eq!(names(&told), ["store_unavailable"]);
    let told = site.told_of(|| assert_eq!(anonymous.get("/busy").0, 503));
    assert!(told.is_empty(), "the store was not asked: {told:?}");
    let told = site.told_of(|| assert_eq!(anonymous.get("/address").0, 200));
    assert!(
        told.is_empty(),
        "who has no session needs no store: {told:?}"
    );
    database.run("ALTER TABLE elsewhere RENAME TO sessions");
    let told = site.told_of(|| assert_eq!(ada.get("/devices").0, 200));
    assert!(told.is_empty(), "{told:?}");
}
