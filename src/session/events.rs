//! The events of sessions and requests.

use std::sync::Arc;

use rocket::Request;
use rocket::tokio::spawn;
use serde_json::{Value, json};

use super::{RequestSession, Session, client};
use crate::engine::commit::{Commit, Committed, Ended, Saved};
use crate::engine::context::Context;
use crate::engine::threads::Waited;
use crate::error::Error;
use crate::events::{About, EndReason};
use crate::metrics;
use crate::record::Record;
use crate::request::Incoming;
use crate::state::{State, Stored, Verb};
use crate::store::Store;
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
    pub(super) fn emit_for_ended(&self, key: &Key, user_id: Option<&str>) {
        let ended = self.context.events.name(key);
        let reason = EndReason::OtherSession;
        self.context.events.ended(key, user_id, reason);
        metrics::ended("other_session", 1);
        self.emit(
            "session_expired",
            &json!({ "why": "revoked", "ended": ended }),
        );
    }

    /// Emits the outcome of a plan.
    pub(super) fn emit_for_commit(&self, commit: &Commit, committed: &Committed) {
        let before = commit.pending.stored.as_ref().map(|it| &it.record);
        match committed {
            Committed::Saved(saved) => {
                if saved.replaces {
                    self.emit_for_sign_out(commit, before);
                }
                self.emit_for_saved(commit, saved);
            }
            Committed::Deleted(existed, others) => {
                if *existed {
                    self.emit_for_sign_out(commit, before);
                }
                self.emit_for_others(before, others);
            }
            Committed::Gone => {
                self.emit_for_record("session_conflict_resurrect_blocked", before, Value::Null);
            }
            Committed::Unchanged => {}
        }
    }

    fn emit_for_sign_out(&self, commit: &Commit, before: Option<&Record>) {
        self.emit_for_record("session_logout", before, Value::Null);
        let unknown = commit.pending.unknown.as_ref();
        let user_id = before.and_then(|record| record.user_id.as_deref());
        if let Some(key) = before.map(|record| &record.key).or(unknown) {
            let reason = EndReason::SignedOut;
            self.context.events.ended(key, user_id, reason);
            metrics::ended("signed_out", 1);
        }
    }

    fn emit_for_others(&self, record: Option<&Record>, others: &Ended) {
        if others.count > 0 {
            let details = json!({ "why": "revoked", "count": others.count });
            self.emit_for_record("session_expired", record, details);
        }
        let reason = EndReason::OtherSession;
        self.context.events.all_ended(&others.records, reason);
        metrics::ended("other_session", others.count);
    }

    fn emit_for_saved(&self, commit: &Commit, saved: &Saved) {
        let (record, events) = (&saved.stored.record, &self.context.events);
        let emit = |event, details| self.emit_for_record(event, Some(record), details);
        match &commit.pending.stored {
            _ if saved.is_new => {
                emit("session_created", Value::Null);
                events.begun(record);
            }
            Some(before) if commit.verb == Verb::Renew => {
                let before = &before.record.key;
                emit("session_renewed", json!({ "before": events.name(before) }));
                events.renewed(record, before);
            }
            _ => {}
        }
        self.emit_for_others(Some(record), &saved.others);
        if saved.oldest.count > 0 {
            let details = json!({ "count": saved.oldest.count });
            emit("excess_sessions_exceeded", details);
            events.all_ended(&saved.oldest.records, EndReason::Limit);
            metrics::ended("limit", saved.oldest.count);
        }
    }

    /// Looks up whether the session of a cookie has expired, for the listeners. The request does not wait for
    /// it.
    pub(super) fn notice_expired(&self, key: Key) {
        if self.context.events.may_look_up() {
            spawn(notice_expired(self.context.clone(), key));
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

async fn notice_expired(context: Arc<Context>, key: Key) {
    let load = move |store: &dyn Store| store.load(&key, i64::MIN);
    // A store that fails has no answer for the listeners.
    let Ok(Some(record)) = context.ask(&Waited::default(), load).await else {
        return;
    };
    let stored = Stored {
        token: None,
        record: record.clone(),
        user: None,
    };
    if let Ok(None) = State::loaded(stored, &context.limits, context.now()) {
        context.events.expired(&record);
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
