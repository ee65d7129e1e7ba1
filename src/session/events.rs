//! The events of sessions and requests.

use std::sync::Arc;

use rocket::Request;
use serde_json::{Value, json};

use super::{RequestSession, Session, client};
use crate::engine::commit::{Commit, Committed, Saved};
use crate::engine::context::Context;
use crate::error::Error;
use crate::events::About;
use crate::record::Record;
use crate::request::Incoming;
use crate::state::Verb;
use crate::token::Key;

impl Session {
    /// Emits an event, one line of JSON, where `session.events` asks for events.
    ///
    /// Take `name` from OWASP's Logging Vocabulary, such as `authn_login_fail`. The line also has the
    /// time, a pseudonym of the session, the user's id, and the request's route and browser. `details` is
    /// an object; its members are added, and replace those of the same name. Put no secret into it, and no
    /// text that a user typed, which may be a password in the wrong field.
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
        self.emit(name, &details);
    }

    pub(crate) fn emit(&self, event: &str, details: &Value) {
        if self.context.events.are_on() {
            let (key, user_id) = (self.key(), self.user_id());
            let about = self.about(key.as_ref(), user_id.as_deref());
            self.context.events.emit(event, about, details);
        }
    }

    /// Emits the event of a cookie that opens no session.
    pub(super) fn emit_for_cookie(&self, event: &str, key: Option<&Key>) {
        let about = self.about(key, None);
        self.context.events.emit(event, about, &Value::Null);
    }

    /// Emits that another session of the user was ended.
    pub(super) fn emit_for_ended(&self, key: &Key) {
        let ended = self.context.events.name(key);
        self.emit(
            "session_expired",
            &json!({ "why": "revoked", "ended": ended }),
        );
    }

    /// Emits the outcome of a plan.
    pub(super) fn emit_for_commit(&self, commit: &Commit, committed: &Committed) {
        if !self.context.events.are_on() {
            return;
        }
        let before = commit.pending.stored.as_ref().map(|it| &it.record);
        let emit = |event, details| self.emit_for_record(event, before, details);
        match committed {
            Committed::Saved(saved) => {
                if saved.replaces {
                    emit("session_logout", Value::Null);
                }
                self.emit_for_saved(commit, saved);
            }
            Committed::Deleted(true) => emit("session_logout", Value::Null),
            Committed::Gone => emit("session_conflict_resurrect_blocked", Value::Null),
            Committed::Deleted(false) | Committed::Unchanged => {}
        }
    }

    fn emit_for_saved(&self, commit: &Commit, saved: &Saved) {
        let record = Some(&saved.stored.record);
        let emit = |event, details| self.emit_for_record(event, record, details);
        match &commit.pending.stored {
            _ if saved.is_new => emit("session_created", Value::Null),
            Some(before) if commit.verb == Verb::Renew => {
                let before = self.context.events.name(&before.record.key);
                emit("session_renewed", json!({ "before": before }));
            }
            _ => {}
        }
        if saved.others_ended > 0 {
            let details = json!({ "why": "revoked", "count": saved.others_ended });
            emit("session_expired", details);
        }
        if saved.oldest_ended > 0 {
            emit(
                "excess_sessions_exceeded",
                json!({ "count": saved.oldest_ended }),
            );
        }
    }

    fn emit_for_record(&self, event: &str, record: Option<&Record>, details: Value) {
        let key = record.map(|record| &record.key);
        let user_id = record.and_then(|record| record.user_id.as_deref());
        let about = self.about(key, user_id);
        self.context.events.emit(event, about, &details);
    }

    fn about<'a>(&'a self, key: Option<&'a Key>, user_id: Option<&'a str>) -> About<'a> {
        About {
            key,
            user_id,
            client: Some(&self.client),
        }
    }
}

/// Emits an event of a request, whether or not its session was loaded.
pub(crate) fn emit(request: &Request<'_>, event: &'static str, details: &Value) {
    let Some(context) = request.rocket().state::<Arc<Context>>() else {
        return;
    };
    if !context.events.are_on() {
        return;
    }
    if let Some(Ok(session)) = RequestSession::of(request).get() {
        return session.emit(event, details);
    }
    let incoming = Incoming::of(request, &context.config.cookie, &context.tokens);
    let key = incoming.token.map(|token| token.key());
    let about = About {
        key: key.as_ref(),
        user_id: None,
        client: Some(&client(request, context)),
    };
    context.events.emit(event, about, details);
}

/// Emits once for each request that the store did not answer it.
pub(crate) fn emit_outage(request: &Request<'_>, cause: &Error) {
    struct Emitted;
    request.local_cache(|| {
        let details = json!({ "cause": cause.to_string() });
        emit(request, "store_unavailable", &details);
        Emitted
    });
}
