//! Gives requests under way their answer when the server stops.

use std::time::Duration;

use rocket::figment::providers::Serialized;
use rocket::{Build, Rocket};

/// What a request may need besides one wait for the store.
const REST: Duration = Duration::from_secs(2);

/// Sets `shutdown.grace` to more than the store's timeout, unless it is configured.
pub(super) fn prepare(rocket: Rocket<Build>, timeout: Duration) -> Rocket<Build> {
    let figment = rocket.figment();
    let default = figment.find_metadata("shutdown.grace");
    if !default.is_some_and(|metadata| metadata.name.starts_with("rocket::Config")) {
        return rocket;
    }
    let seconds = (timeout + REST).as_secs_f64().ceil();
    let grace = Serialized::global("shutdown.grace", seconds as u32);
    let figment = figment.clone().merge(grace);
    rocket.configure(figment)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use rocket::Config;

    use super::*;

    #[test]
    fn a_grace_that_is_configured_stays() {
        let grace = |figment| {
            let rocket = prepare(rocket::custom(figment), Duration::from_millis(2_500));
            let grace: u32 = rocket.figment().extract_inner("shutdown.grace").unwrap();
            grace
        };
        let figment = rocket::figment::Figment::from(Config::default());
        assert_eq!(grace(figment.clone()), 5);
        assert_eq!(grace(figment.merge(("shutdown.grace", 1))), 1);
    }
}
