//! The life of a request: load, plan, commit, cookie.

use std::sync::Arc;

use rocket::http::Status;
use rocket::{Request, Response};
use serde_json::Value;

use super::anonymous::{answer_anonymous, answer_stale};
use super::bearer::{Transport, name_scheme};
use super::events::{emit, emit_outage};
use super::form::FormSecrets;
use super::response::{keep_private, retry_later, set_cookies, show_error_page};
use super::{RequestSession, Session, client};
use crate::config::OnGone;
use crate::engine::commit::Committed;
use crate::engine::context::Context;
use crate::error::{Error, ErrorKind};
use crate::request::local_page::named_page;
use crate::request::{Incoming, cookie, reading};
use crate::state::{SetCookie, State, Stored, Verb};
use crate::token::{Key, Token};

impl Session {
    /// Loads the session that a request's token names, or begins an empty one.
    pub(super) async fn load(request: &Request<'_>, context: Arc<Context>) -> Result<Self, Error> {
        let config = &context.config.cookie;
        let incoming = Incoming::of(request, config, &context.tokens);
        if incoming.differs {
            emit(request, "session_malformed", &Value::Null);
            return Err(Error::new(
                ErrorKind::Ambiguous,
                "the request has the cookie of one session and the bearer token of another; send one of them",
            ));
        }
        let form = cookie(request, &config.form_name_in(request));
        let forms = FormSecrets {
            session: incoming.token.clone(),
            cookie: form.map(str::to_owned),
            ..FormSecrets::default()
        };
        let client = client(request, &context);
        let unknown = incoming.token.as_ref().map(Token::key);
        let state = State::new(incoming.has_cookie, unknown);
        let session = Self {
            named_page: named_page(request),
            transport: Transport::of(&incoming, config.token_from),
            ..Self::new(context, state, client, forms)
        };
        let Some(token) = incoming.token else {
            if incoming.has_cookie || incoming.has_bearer {
                session.emit_for_cookie("session_malformed", None);
            }
            return Ok(session);
        };
        let key = token.key();
        match session.read(key.clone(), Some(token)).await? {
            Some(fresh) => *session.state() = fresh,
            None => {
                session.emit_for_cookie("session_use_after_expire", Some(&key));
                session.notice_expired(key);
            }
        }
        Ok(session)
    }

    /// Loads the state under `key`. Returns `None` if there is none, if it has expired, or if its data is
    /// unreadable.
    pub(super) async fn read(
        &self,
        key: Key,
        token: Option<Token>,
    ) -> Result<Option<State>, Error> {
        let now = self.context.now();
        let Some((record, user)) = self.context.load(&self.waited, key, now).await? else {
            return Ok(None);
        };
        let key = record.key.clone();
        let state = State::loaded(
            Stored {
                token,
                record,
                user,
            },
            self.limits(),
            now,
        );
        Ok(state.unwrap_or_else(|cause| {
            log::warn!("the session {key:?} is dropped, its data is unreadable: {cause}");
            None
        }))
    }
}

/// Saves the session and completes the response. The fairing calls it after routes and catchers, before
/// the first byte leaves.
pub(crate) async fn finish<'r>(
    request: &'r Request<'_>,
    response: &mut Response<'r>,
    [sign_in_page, confirmation_page]: [Option<&'static str>; 2],
) {
    match RequestSession::of(request).get() {
        None => {}
        Some(Ok(session)) => {
            let to_page = |_: &&'static str| !session.transport.has_bearer;
            answer_anonymous(request, response, sign_in_page.filter(to_page));
            answer_stale(request, response, confirmation_page.filter(to_page));
            save(session, request, response).await;
            name_scheme(session, response);
            keep_private(request, response);
        }
        Some(Err(error)) => {
            let status = match error.kind() {
                ErrorKind::Ambiguous => Status::BadRequest,
                _ => {
                    emit_outage(request, error);
                    Status::ServiceUnavailable
                }
            };
            // For a guard such as `Option<&Session>`, a session that cannot be loaded looks like none.
            if response.status() != status {
                show_error_page(request, response, status).await;
            }
            keep_private(request, response);
        }
    }
    retry_later(response);
}

async fn save<'r>(session: &'r Session, request: &'r Request<'_>, response: &mut Response<'r>) {
    let on_gone = session.context.config.on_gone;
    let saved = match session.remove_shown(request, response.status()) {
        Ok(()) => session.commit().await,
        Err(error) => Err(error),
    };
    match saved {
        Ok((_, true)) if on_gone == OnGone::Unauthorized => {
            show_error_page(request, response, Status::Unauthorized).await;
        }
        Ok((cookie, _)) => set_cookies(session, cookie, request, response),
        Err(error) => {
            emit_outage(request, &error);
            if !error.is_outage() {
                log::error!(
                    "a session was not saved, and {} is answered with 503: {error}",
                    request.uri().path()
                );
            }
            show_error_page(request, response, Status::ServiceUnavailable).await;
            // The token that the browser has no longer opens a session.
            if session.state().has_unsent_token() {
                set_cookies(session, SetCookie::Set, request, response);
            }
        }
    }
}

impl Session {
    /// Removes the messages that the handler took, if the response with them is read.
    fn remove_shown(&self, request: &Request<'_>, status: Status) -> Result<(), Error> {
        let mut state = self.state();
        match state.has_taken() && reading::is_read(request, status) {
            true => state.remove_taken(self.limits()),
            false => Ok(()),
        }
    }

    /// Brings the store up to date. Returns what happens to the browser's cookie, and whether another
    /// request ended the session meanwhile.
    pub(crate) async fn commit(&self) -> Result<(SetCookie, bool), Error> {
        let now = self.context.now();
        let (cookie, commit) = {
            let mut state = self.state();
            let plan = state.plan(self.limits(), now);
            if plan.verb == Verb::Nothing {
                return Ok((plan.cookie, false));
            }
            (plan.cookie, self.begin_commit(&mut state, plan.verb, now)?)
        };
        let mut lock = self.lock(&commit).await;
        let is_stale = lock
            .as_ref()
            .is_some_and(|(last, waited)| *waited && commit.is_behind(last));
        let committed = self.context.commit(&self.waited, commit.clone(), is_stale);
        let committed = committed.await;
        if let (Some((last, _)), Ok(Committed::Saved(saved))) = (&mut lock, &committed) {
            let record = &saved.stored.record;
            **last = Some((record.key.clone(), record.version));
        }
        match committed {
            Ok(committed) => match self.finish_commit(&commit, committed)? {
                true => Ok((SetCookie::Nothing, true)),
                false => Ok((cookie, false)),
            },
            Err(error) => {
                self.state().save_failed(&commit.pending);
                Err(error)
            }
        }
    }
}
