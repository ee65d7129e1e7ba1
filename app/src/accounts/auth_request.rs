//! Guards the requests that need a password: address, browser and counters of the client.

use std::sync::OnceLock;

use rocket::fairing::AdHoc;
use rocket::http::{CookieJar, Status};
use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::serde::json::json;
use rocket_diesel_session::{Database, Error, Session};

use crate::accounts::device_cookie::{self, KnownDevice};
use crate::accounts::failure::Failure;
use crate::accounts::throttling::{Attempt, Counter, Throttled};
use crate::metrics;
use crate::passwords::{Busy, Slot};
use crate::settings::Settings;

pub(crate) struct AuthRequest<'r> {
    pub(crate) session: &'r Session,
    pub(crate) database: &'r Database,
    pub(crate) settings: &'r Settings,
    cookies: &'r CookieJar<'r>,
    device_cookie: Option<&'r str>,
    retry_later: &'r OnceLock<RetryLater>,
}

/// The reason for which the client is to retry later.
enum RetryLater {
    After { seconds: i64 },
    Busy,
}

/// Adds `Retry-After` to a response after too many attempts.
pub(crate) fn stage() -> AdHoc {
    AdHoc::on_response("Retry-After", |request, response| {
        Box::pin(async move {
            if let Some(RetryLater::After { seconds }) = retry_later(request).get()
                && response.status() == Status::TooManyRequests
            {
                response.set_raw_header("Retry-After", seconds.to_string());
            }
        })
    })
}

/// Returns whether the request failed because too many passwords are being hashed.
pub(crate) fn is_too_busy(request: &Request<'_>) -> bool {
    matches!(retry_later(request).get(), Some(RetryLater::Busy))
}

fn retry_later<'r>(request: &'r Request<'_>) -> &'r OnceLock<RetryLater> {
    request.local_cache(OnceLock::new)
}

impl AuthRequest<'_> {
    /// Returns the browser if the account's owner has signed in with it before.
    pub(crate) async fn known_device(&self, email: &str) -> Result<Option<KnownDevice>, Error> {
        let now = self.database.now().timestamp_millis();
        KnownDevice::find(self.database, self.device_cookie, email, now).await
    }

    /// Marks the browser as known. The user is signed in by now, so an error is only logged.
    pub(crate) async fn remember_device(&self, known: Option<KnownDevice>, user_id: &str) {
        let (cookies, now) = (self.cookies, self.database.now().timestamp_millis());
        let remembered =
            device_cookie::remember(self.database, cookies, self.settings, known, user_id, now);
        if let Err(error) = remembered.await {
            rocket::error!("cannot store a browser as known: {error}");
        }
    }

    /// Forgets the user's other browsers.
    ///
    /// Call it before their sessions end, so that a failing store leaves both in place.
    pub(crate) async fn forget_other_devices(&self) -> Result<(), Error> {
        match self.session.user_id() {
            Some(user_id) => {
                device_cookie::forget_others(self.database, &user_id, self.device_cookie).await
            }
            None => Ok(()),
        }
    }

    /// Returns the counters of an attempt to sign in.
    pub(crate) fn counters(&self, email: &str, device: Option<&KnownDevice>) -> Vec<Counter> {
        if let Some(device) = device {
            return vec![Counter::device(&device.id, self.settings)];
        }
        let network = self.session.client_network();
        let address = network.map(|network| Counter::address(network, self.settings));
        let account = Counter::account(email, self.settings);
        address.into_iter().chain([account]).collect()
    }

    /// Takes a slot for hashing a password of this account.
    pub(crate) fn slot(&self, account: &str) -> Result<Slot, Error> {
        let network = self.session.client_network().map(|it| it.to_string());
        Slot::take(account, network.as_deref()).map_err(|busy| self.too_busy(busy))
    }

    /// Begins an attempt on an account. Every hashed password needs one.
    ///
    /// Looks at the counters before anything is written, so that a refusal is cheap. Awaits
    /// `read`, the data to compare the password with, before the attempt counts, so that a
    /// failing store leaves no attempt.
    pub(crate) async fn attempt<T>(
        &self,
        account: &str,
        counters: Vec<Counter>,
        read: impl Future<Output = Result<T, Error>>,
    ) -> Result<Result<(Attempt, T), Failure>, Error> {
        if let Some(none) = Throttled::find(self.database, &counters).await? {
            return self.refuse(&none).map(Err);
        }
        let slot = self.slot(account)?;
        let read = read.await?;
        match Attempt::begin(self.database, slot, counters).await? {
            Ok(attempt) => Ok(Ok((attempt, read))),
            Err(none) => self.refuse(&none).map(Err),
        }
    }

    fn refuse(&self, none: &Throttled) -> Result<Failure, Error> {
        let Throttled::TooOften { what, limit, wait } = none else {
            return Err(self.too_busy(Busy));
        };
        metrics::refused("limit");
        let seconds = (wait + 999) / 1_000;
        let details = json!({ "what": what, "max": limit, "seconds": seconds });
        self.session.event("excess_rate_limit_exceeded", details);
        let _ = self.retry_later.set(RetryLater::After { seconds });
        Ok(Failure::TooOften { seconds })
    }

    /// Returns the result of hashing. If there was no free slot, cancels the attempt.
    pub(crate) async fn hashed<T>(
        &self,
        attempt: Attempt,
        done: Result<T, Busy>,
    ) -> Result<(T, Attempt), Error> {
        match done {
            Ok(done) => Ok((done, attempt)),
            Err(busy) => {
                attempt.cancel(self.database).await?;
                Err(self.too_busy(busy))
            }
        }
    }

    pub(crate) fn too_busy(&self, Busy: Busy) -> Error {
        metrics::refused("busy");
        self.session
            .event("excess_rate_limit_exceeded", json!({ "what": "passwords" }));
        let _ = self.retry_later.set(RetryLater::Busy);
        Error::unavailable("a password was not checked: too many others are being checked")
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for AuthRequest<'r> {
    type Error = String;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, String> {
        let session = request.guard::<&Session>().await;
        let session = try_outcome!(session.map_error(|(status, why)| (status, why.to_string())));
        let database = request.guard::<&Database>().await;
        let database = try_outcome!(database.map_error(|(status, why)| (status, why.to_string())));
        let Some(settings) = request.rocket().state::<Settings>() else {
            return Outcome::Error((Status::InternalServerError, "no settings".into()));
        };
        Outcome::Success(Self {
            session,
            database,
            settings,
            cookies: request.cookies(),
            device_cookie: device_cookie::sent(request, settings),
            retry_later: retry_later(request),
        })
    }
}
