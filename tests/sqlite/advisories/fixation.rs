//! Advisories about session fixation.

use rocket_diesel_session::store::Store;

use testing::site::{START, Site, key};

#[test]
fn cve_2022_25896_the_token_from_before_a_sign_in_is_worthless() {
    let mut site = Site::new();
    site.post("/set/blue");
    let (planted, planted_key) = (site.cookie.clone(), key(&site));
    site.post("/log_in/ada");
    assert_ne!(site.cookie, planted);
    assert_eq!(site.get("/who").body, "ada");
    let record = site.store.memory.load(&planted_key, START).unwrap();
    assert_eq!(record, None);
    site.cookie = planted;
    assert_eq!(site.get("/who").body, "nobody");
}
