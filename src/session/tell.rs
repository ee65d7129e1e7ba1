//! What a session tells of itself, and a request without one.

use std::sync::Arc;

use rocket::Request;
use serde_json::{Value, json};

use super::Session;
use super::guard::Slot;
use crate::engine::commit::{Commit, Committed, Saved};
use crate::engine::context::Context;
use crate::error::Error;
use crate::events::About;
use crate::record::Record;
use crate::request::Incoming;
use crate::request::client::Client;
use crate::state::Verb;
use crate::token::Key;

impl Session {
    /// Emits an event, one line of JSON, where `session.events` asks for events.
    ///
    /// Take `name` from OWASP's Logging Vocabulary, such as `authn_login_fail`. The line has it with
    /// the time, a name of the session that reveals nothing else of it, the user's id, and the
    /// request's route and browser. The members of `details`, an object, come after these, and take
    /// the place of those that have the same name. Put no secret into it, and no text that a user
    /// typed: it may be a password in the wrong field.
    ///
    /// ```
    /// use rocket_diesel_session::Session;
    /// use rocket::serde::json::json;
    ///
    /// #[rocket::get("/orders/<id>")]
    /// fn order(session: &Session, id: u64) -> Option<String> {
    ///     session.event("authz_fail", json!({ "order": id }));
    ///     None
    /// }
    /// ```
    pub fn event(&self, name: &'static str, details: Value) {
        self.tell(name, &details);
    }

    pub(crate) fn tell(&self, event: &str, details: &Value) {
        if self.context.events.are_told() {
            let (key, user_id) = (self.key(), self.user_id());
            let about = self.about(key.as_ref(), user_id.as_deref());
            self.context.events.tell(event, about, details);
        }
    }

    /// Tells of a cookie that opens no session.
    pub(super) fn tell_of_cookie(&self, event: &str, key: Option<&Key>) {
        let about = self.about(key, None);
        self.context.events.tell(event, about, &Value::Null);
    }

    /// Tells that another session of the user was ended.
    pub(super) fn tell_of_ended(&self, key: &Key) {
        let ended = self.context.events.name(key);
        self.tell(
            "session_expired",
            &json!({ "why": "revoked", "ended": ended }),
        );
    }

    /// Tells what became of a plan.
    pub(super) fn tell_of(&self, commit: &Commit, committed: &Committed) {
        if !self.context.events.are_told() {
            return;
        }
        let before = commit.pending.stored.as_ref().map(|it| &it.record);
        let tell = |event, details| self.tell_of_record(event, before, details);
        match committed {
            Committed::Saved(saved) => {
                if saved.replaces {
                    tell("session_logout", Value::Null);
                }
                self.tell_of_saved(commit, saved);
            }
            Committed::Deleted(true) => tell("session_logout", Value::Null),
            Committed::Gone => tell("session_conflict_resurrect_blocked", Value::Null),
            Committed::Deleted(false) | Committed::Unchanged => {}
        }
    }

    fn tell_of_saved(&self, commit: &Commit, saved: &Saved) {
        let record = Some(&saved.stored.record);
        let tell = |event, details| self.tell_of_record(event, record, details);
        match &commit.pending.stored {
            _ if saved.is_new => tell("session_created", Value::Null),
            Some(before) if commit.verb == Verb::Renew => {
                let before = self.context.events.name(&before.record.key);
                tell("session_renewed", json!({ "before": before }));
            }
            _ => {}
        }
        if saved.others_ended > 0 {
            let details = json!({ "why": "revoked", "count": saved.others_ended });
            tell("session_expired", details);
        }
        if saved.oldest_ended > 0 {
            tell(
                "excess_sessions_exceeded",
                json!({ "count": saved.oldest_ended }),
            );
        }
    }

    fn tell_of_record(&self, event: &str, record: Option<&Record>, details: Value) {
        let key = record.map(|record| &record.key);
        let user_id = record.and_then(|record| record.user_id.as_deref());
        let about = self.about(key, user_id);
        self.context.events.tell(event, about, &details);
    }

    fn about<'a>(&'a self, key: Option<&'a Key>, user_id: Option<&'a str>) -> About<'a> {
        About {
            key,
            user_id,
            client: Some(&self.client),
        }
    }
}

impl Context {
    /// Tells of a request, whether or not its session was asked for.
    pub(crate) fn tell(&self, request: &Request<'_>, event: &'static str, details: &Value) {
        if !self.events.are_told() {
            return;
        }
        if let Some(Ok(session)) = Slot::of(request).get() {
            return session.tell(event, details);
        }
        let incoming = Incoming::of(request, &self.config.cookie, &self.tokens);
        let key = incoming.token.map(|token| token.key());
        let about = About {
            key: key.as_ref(),
            user_id: None,
            client: Some(&client(request, self)),
        };
        self.events.tell(event, about, details);
    }
}

/// The client of a request, with its route where events are written.
pub(super) fn client(request: &Request<'_>, context: &Context) -> Client {
    let config = &context.config;
    let client = Client::of(request, &config.trusted_proxies, config.client_address);
    match context.events.are_told() {
        true => client.with_route(request),
        false => client,
    }
}

/// Tells, once for each request, that the store did not answer it.
pub(crate) fn store_unavailable(request: &Request<'_>, cause: &Error) {
    struct Told;
    request.local_cache(|| {
        if let Some(context) = request.rocket().state::<Arc<Context>>() {
            let details = json!({ "cause": cause.to_string() });
            context.tell(request, "store_unavailable", &details);
        }
        Told
    });
}
