//! The key, the age and the end of a session.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use super::Session;
use crate::state::Stored;
use crate::token::Key;

impl Session {
    /// Gives the session a new token and leaves all else as it is. The old token opens nothing then.
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
    /// The messages that this request leaves with [`flash`](Self::flash), before or after, and the
    /// values that it stores afterwards begin a new, anonymous session under another token. All else
    /// that the session held is removed.
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

    /// Counts this request as use, whether or not the touch interval has passed.
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
    /// ended, or never existed. A page can say so to a user who has to sign in again.
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

    /// Returns when the user signed in, or when the session began if nobody did.
    ///
    /// ```
    /// use chrono::TimeDelta;
    /// use rocket_diesel_session::Session;
    ///
    /// /// Whether the password has to be asked for again.
    /// fn is_fresh(session: &Session) -> bool {
    ///     session.now() - session.signed_in_at() < TimeDelta::minutes(15)
    /// }
    /// ```
    pub fn signed_in_at(&self) -> DateTime<Utc> {
        self.time(|stored| stored.record.created_at, self.now)
    }

    /// Returns the time of the server that keeps the sessions, which all nodes share.
    pub fn now(&self) -> DateTime<Utc> {
        self.context.clock.now()
    }

    /// Returns how long the session may be idle: what [`remaining`](Self::remaining) starts from.
    pub fn idle_timeout(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.state().idle_timeout(self.limits()))
    }

    /// Returns when the session ends unless it is used before.
    pub fn expires_at(&self) -> DateTime<Utc> {
        let new = self.now.saturating_add(self.limits().idle);
        self.time(|stored| stored.record.expires_at, new)
    }

    /// Returns when the session ends however much it is used.
    pub fn deadline(&self) -> DateTime<Utc> {
        let new = self.now.saturating_add(self.limits().absolute);
        self.time(|stored| stored.record.deadline, new)
    }

    /// Returns how long it is until [`expires_at`](Self::expires_at), seen from the request.
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

    /// Returns the client's address: the other end of the connection, or what a proxy of
    /// `session.trusted_proxies` says in `X-Forwarded-For`; `None` outside a request.
    ///
    /// It is the whole address, for counting attempts. `session.client_address` decides what is
    /// stored of it.
    pub fn client_address(&self) -> Option<IpAddr> {
        self.client.address
    }

    fn time(&self, of: impl Fn(&Stored) -> i64, new: i64) -> DateTime<Utc> {
        self.context.time(self.state().stored().map_or(new, of))
    }
}
