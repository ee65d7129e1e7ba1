//! Lets running requests finish when the server stops.

use std::time::Duration;

use rocket::figment::Figment;
use rocket::figment::providers::Serialized;

/// The time that a request may need beside one wait for the store.
const REST: Duration = Duration::from_secs(2);

/// Sets `shutdown.grace` to more than the store's timeout, unless it is configured.
pub(super) fn with_grace(figment: &Figment, timeout: Duration) -> Figment {
    let figment = figment.clone();
    let default = figment.find_metadata("shutdown.grace");
    if !default.is_some_and(|metadata| metadata.name.starts_with("rocket::Config")) {
        return figment;
    }
    let seconds = (timeout + REST).as_secs_f64().ceil();
    figment.merge(Serialized::global("shutdown.grace", seconds as u32))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use super::*;

    #[test]
    fn a_grace_that_is_configured_stays() {
        let grace = |figment| {
            let figment = with_grace(&figment, Duration::from_millis(2_500));
            let grace: u32 = figment.extract_inner("shutdown.grace").unwrap();
            grace
        };
        let figment = Figment::from(rocket::Config::default());
        assert_eq!(grace(figment.clone()), 5);
        assert_eq!(grace(figment.merge(("shutdown.grace", 1))), 1);
    }
}
