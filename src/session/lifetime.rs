//! The key, the age and the end of a session.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use super::Session;
use crate::request::network::truncated;
use crate::state::Stored;
use crate::token::Key;

impl Session {
    /// Gives the session a new token, and changes nothing else. The old token becomes invalid.
    ///
    /// Call it when the user's rights change. [`log_in`](Self::log_in) does it by itself.
    ///
    /// ```
    /// # use rocket_diesel_session::{Error, Session};
    /// #[rocket::post("/admin")]
    /// fn become_admin(session: &Session) -> Result<(), Error> {
    ///     session.renew();
    ///     session.insert("admin", true)
    /// }
    /// ```
    pub fn renew(&self) {
        self.state().renew();
    }

    /// Ends the session, in the store and in the browser.
    ///
    /// Removes all that the session holds. Messages that this request adds with [`flash`](Self::flash),
    /// before or after, and values that it stores afterwards begin a new, anonymous session under another
    /// token.
    ///
    /// ```
    /// # use rocket_diesel_session::Session;
    /// #[rocket::delete("/cart")]
    /// fn forget_me(session: &Session) -> &'static str {
    ///     session.destroy();
    ///     "Nothing is stored about you."
    /// }
    /// ```
    pub fn destroy(&self) {
        self.state().destroy();
    }

    /// Records this request as use, even if `touch_interval` has not passed.
    ///
    /// ```
    /// # use rocket_diesel_session::Session;
    /// #[rocket::post("/still_here")]
    /// fn still_here(session: &Session) -> String {
    ///     session.touch();
    ///     format!("{} seconds more", session.idle_timeout().num_seconds())
    /// }
    /// ```
    pub fn touch(&self) {
        self.state().touch();
    }

    /// Returns `true` until the session has been saved for the first time.
    pub fn is_new(&self) -> bool {
        self.state().stored().is_none()
    }

    /// Returns `true` if the browser sent the token of a session that does not exist: it expired, was
    /// ended, or never existed. A page can then explain why the user has to sign in again.
    ///
    /// ```
    /// # use rocket_diesel_session::Session;
    /// #[rocket::get("/sign_in")]
    /// fn sign_in_page(session: &Session) -> &'static str {
    ///     match session.was_ended() {
    ///         true => "Your session has ended. Sign in again.",
    ///         false => "Sign in.",
    ///     }
    /// }
    /// ```
    pub fn was_ended(&self) -> bool {
        self.state().came_unknown()
    }

    /// Returns `true` after [`log_in_and_remember`](Self::log_in_and_remember).
    pub fn is_remembered(&self) -> bool {
        self.state().remembered()
    }

    /// Returns the key under which the store has the session, or `None` while it is new.
    ///
    /// [`LiveSessions::load`](crate::LiveSessions::load) finds the session by it after the request:
    ///
    /// ```
    /// use rocket_diesel_session::{Error, LiveSessions, Session};
    ///
    /// #[rocket::post("/report")]
    /// fn report(session: &Session, live: LiveSessions) {
    ///     if let Some(key) = session.key() {
    ///         rocket::tokio::spawn(async move {
    ///             if let Some(session) = live.load(&key).await? {
    ///                 session.insert("report", "ready")?;
    ///                 session.save().await?;
    ///             }
    ///             Ok::<_, Error>(())
    ///         });
    ///     }
    /// }
    /// ```
    pub fn key(&self) -> Option<Key> {
        let state = self.state();
        state.stored().map(|stored| stored.record.key.clone())
    }

    /// Returns the first 8 characters of the session's key, for a page or a log, or `None` while it is
    /// new.
    pub fn short_key(&self) -> Option<String> {
        self.key().map(|key| key.short().to_owned())
    }

    /// Returns when the user signed in, or when the session began if no user has signed in.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use rocket_diesel_session::Session;
    ///
    /// /// Returns `false` if the user has to enter the password again.
    /// fn is_fresh(session: &Session) -> bool {
    ///     session.now() - session.signed_in_at() < TimeDelta::minutes(15)
    /// }
    /// ```
    pub fn signed_in_at(&self) -> DateTime<Utc> {
        self.time(|stored| stored.record.created_at, |_| 0)
    }

    /// Returns the time by which sessions expire: the clock of the store's server, or of this machine
    /// if the store has none.
    pub fn now(&self) -> DateTime<Utc> {
        self.context.clock.now()
    }

    /// Returns how long the session may be idle before it expires.
    pub fn idle_timeout(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.state().timeouts(self.limits()).0)
    }

    /// Returns when the session expires if it is not used again.
    pub fn expires_at(&self) -> DateTime<Utc> {
        self.time(|stored| stored.record.expires_at, |(idle, _)| idle)
    }

    /// Returns when the session expires even if it is used.
    pub fn absolute_expiry(&self) -> DateTime<Utc> {
        self.time(|stored| stored.record.deadline, |(_, absolute)| absolute)
    }

    /// Returns the time from the request to [`expires_at`](Self::expires_at).
    ///
    /// ```
    /// # use rocket_diesel_session::Session;
    /// #[rocket::get("/remaining")]
    /// fn remaining(session: &Session) -> String {
    ///     format!("signed out in {} minutes", session.remaining().num_minutes())
    /// }
    /// ```
    pub fn remaining(&self) -> TimeDelta {
        self.expires_at() - self.context.time(self.now)
    }

    /// Returns the client's address: the peer of the connection, or the address that a proxy of
    /// `session.trusted_proxies` reports in `X-Forwarded-For`. Returns `None` outside a request.
    ///
    /// The address is complete; `session.client_address` decides how much of it is stored. To limit what
    /// one client does, count by its [network](Self::client_network).
    pub fn client_address(&self) -> Option<IpAddr> {
        self.client.address
    }

    /// Returns the client's address if it is IPv4, or the first address of its network of 64 bits if it is
    /// IPv6, since a client of IPv6 can choose among all addresses of such a network. Returns `None`
    /// outside a request.
    ///
    /// ```
    /// # use rocket_diesel_session::Session;
    /// #[rocket::get("/attempts")]
    /// fn counter(session: &Session) -> Option<String> {
    ///     session.client_network().map(|network| format!("attempts from {network}"))
    /// }
    /// ```
    pub fn client_network(&self) -> Option<IpAddr> {
        self.client
            .address
            .map(|address| truncated(address, 32, 64))
    }

    /// Returns a time of the stored record, or for a new session the request's and `later` of its timeouts.
    fn time(&self, stored: fn(&Stored) -> i64, later: fn((i64, i64)) -> i64) -> DateTime<Utc> {
        let state = self.state();
        let new = || {
            let timeouts = state.timeouts(self.limits());
            self.now.saturating_add(later(timeouts))
        };
        self.context.time(state.stored().map_or_else(new, stored))
    }
}
