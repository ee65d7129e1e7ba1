//! The stores that Express shares keep the part of the contract on which correctness depends:
//! nothing is lost, and nothing comes back.
//!
//! They cannot keep the rest. Express stores expiry in whole seconds and no time of last use, adds
//! its cookie to the data, which must be a JSON object, and has no version: a digest of the text
//! stands for it.

#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

use serde_json::json;

use super::*;
use crate::config::Config;
use crate::express::{EXPRESS, UserPath, table};
use crate::state::Schema;
use crate::store::contract;
use crate::store::redis::RedisStore;
use crate::store::redis::string_store::StringStore;
use crate::store::sql::DieselStore;

const KEPT: [&str; 6] = [
    "a_missing_record_is_not_found",
    "update_never_brings_back_a_record",
    "one_of_many_inserts_wins",
    "two_writers_lose_no_update",
    "a_writer_never_outlives_a_delete",
    "a_writer_never_undoes_a_renewal",
];

fn keeps_its_part_of_the_contract(texts: impl Store + 'static) {
    let store = shared(texts);
    for name in KEPT {
        let mut properties = contract::PROPERTIES.iter();
        let property = properties.find(|property| property.name() == name);
        property.unwrap().check(&store);
    }
    finds_users_by_the_exact_text(&store);
}

fn finds_users_by_the_exact_text(store: &dyn Store) {
    let [ada, other, padded] = ["ada", "Ada", "ada "].map(|user| {
        let record = Record {
            user_id: Some(user.to_owned()),
            ..contract::record()
        };
        store.insert(&record).unwrap();
        record.key
    });
    let listed = store.list("ada", 0).unwrap();
    let listed: Vec<_> = listed.iter().map(|record| &record.key).collect();
    assert_eq!(listed, [&ada]);
    assert_eq!(store.delete_all("ada", None).unwrap(), 1);
    for key in [other, padded] {
        assert!(store.load(&key, 0).unwrap().is_some());
    }
}

fn shared(texts: impl Store + 'static) -> ExpressStore<Box<dyn Store>> {
    let mut limits = Config::default().limits(Schema::default());
    limits.shared_with = Some(&EXPRESS);
    let cookie = json!({ "path": "/", "httpOnly": true });
    let cookie = cookie.as_object().unwrap().clone();
    let user_path = UserPath::default();
    ExpressStore {
        texts: Box::new(texts),
        format: Arc::new(Format {
            limits,
            cookie,
            user_path,
        }),
    }
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_table_of_express_keeps_its_part_of_the_contract() {
    let url = testing::provided("mariadb", "TEST_MYSQL_URL");
    let name = format!("express_{:08x}", fastrand::u32(..));
    let store = DieselStore::<diesel::MysqlConnection>::connect(&url, 8);
    let store = store.on_table(table(&name, [], &UserPath::default()).unwrap());
    store.create_table().unwrap();
    keeps_its_part_of_the_contract(store);
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn redis_texts_keep_their_part_of_the_contract() {
    let url = testing::provided("redis", "TEST_REDIS_URL");
    let prefix = format!("test_{:08x}", fastrand::u32(..));
    let store = RedisStore::connect(&url, 8).unwrap().with_prefix(prefix);
    keeps_its_part_of_the_contract(StringStore(
        store,
        Box::new(|text| UserPath::default().user_of(text)),
    ));
}
