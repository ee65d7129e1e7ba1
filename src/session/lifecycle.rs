//! A request's way: load, plan, commit, cookie.

use std::sync::Arc;

use rocket::http::Status;
use rocket::{Request, Response};

use super::Session;
use super::form::FormSecrets;
use super::guard::Slot;
use super::response::{keep_private, redirect_to_sign_in, retry_later, show_error_page};
use super::tell::{client, store_unavailable};
use crate::config::OnGone;
use crate::csrf::token::FormCookie;
use crate::engine::context::Context;
use crate::error::Error;
use crate::request::{Incoming, reading};
use crate::state::{SetCookie, State, Stored, Verb};
use crate::token::{Key, Token};

impl Session {
    /// Loads the session that a request's cookie names, or begins an empty one.
    pub(super) async fn load(request: &Request<'_>, context: Arc<Context>) -> Result<Self, Error> {
        let cookie = &context.config.cookie;
        let incoming = Incoming::of(request, cookie, &context.tokens);
        let form = FormCookie::of(request, cookie).map(|cookie| cookie.secret);
        let forms = FormSecrets::of(incoming.token.clone(), form);
        let unknown = incoming.token.as_ref().map(Token::key);
        let state = State::new(incoming.came, unknown);
        let client = client(request, &context);
        let session = Self::new(context, state, client, forms);
        let Some(token) = incoming.token else {
            if incoming.came {
                session.tell_of_cookie("session_malformed", None);
            }
            return Ok(session);
        };
        let key = token.key();
        match session.read(key.clone(), Some(token)).await? {
            Some(fresh) => *session.state() = fresh,
            None => session.tell_of_cookie("session_use_after_expire", Some(&key)),
        }
        Ok(session)
    }

    /// Asks the store; `None` also when the session's time is over or its data is unreadable.
    pub(super) async fn read(
        &self,
        key: Key,
        token: Option<Token>,
    ) -> Result<Option<State>, Error> {
        let now = self.context.now();
        let Some(record) = self.context.load(&self.waited, key, now).await? else {
            return Ok(None);
        };
        let key = record.key.clone();
        let state = State::loaded(Stored { token, record }, self.limits(), now);
        Ok(state.unwrap_or_else(|cause| {
            log::warn!("the session {key:?} is dropped, its data is unreadable: {cause}");
            None
        }))
    }
}

/// Saves the session and completes the response; called after the handler and the catchers, before
/// the first byte.
pub(crate) async fn finish<'r>(
    request: &'r Request<'_>,
    response: &mut Response<'r>,
    sign_in_page: Option<&'static str>,
) {
    match Slot::of(request).get() {
        None => {}
        Some(Ok(session)) => {
            if let Some(page) = sign_in_page {
                redirect_to_sign_in(request, response, page);
            }
            save(session, request, response).await;
            keep_private(response);
        }
        Some(Err(error)) => {
            store_unavailable(request, error);
            // A guard such as `Option<&Session>` takes a user whose session could not be read for an
            // anonymous one.
            if response.status() != Status::ServiceUnavailable {
                show_error_page(request, response, Status::ServiceUnavailable).await;
            }
            keep_private(response);
        }
    }
    retry_later(response);
}

async fn save<'r>(session: &'r Session, request: &'r Request<'_>, response: &mut Response<'r>) {
    let config = &session.context().config;
    let shown = match reading::is_read(request, response.status()) {
        true => session.remove_taken_flashes(),
        false => Ok(()),
    };
    let saved = match shown {
        Ok(()) => session.commit().await,
        Err(error) => Err(error),
    };
    match saved {
        Ok((_, true)) if config.on_gone == OnGone::Unauthorized => {
            show_error_page(request, response, Status::Unauthorized).await;
        }
        Ok((cookie, _)) => {
            // Rocket has drained its cookie jar before response fairings run (`dispatch` in rocket
            // 0.5.2).
            if cookie == SetCookie::Remove {
                response.adjoin_header(config.cookie.remove(request));
            }
            set_cookies(session, cookie == SetCookie::Set, request, response);
        }
        Err(error) => {
            store_unavailable(request, &error);
            if !error.is_outage() {
                log::error!(
                    "a session was not saved, and {} is answered with 503: {error}",
                    request.uri().path()
                );
            }
            show_error_page(request, response, Status::ServiceUnavailable).await;
            // The token that the browser has opens nothing any more.
            if session.has_unsent_token() {
                set_cookies(session, true, request, response);
            }
        }
    }
}

impl Session {
    /// Brings the store up to date. Returns what the browser gets, and whether the session was ended
    /// meanwhile.
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
        let _turn = self.turn(&commit).await;
        let work = commit.clone();
        let committed = self.context.ask(&self.waited, move |store| {
            let mut committed = work.run(store)?;
            work.limit(store, &mut committed);
            Ok(committed)
        });
        let committed = committed.await;
        self.context.unsaved.note(&committed);
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

/// Sets the session's cookie if `sets`, and the second one if it changes.
fn set_cookies(session: &Session, sets: bool, request: &Request<'_>, response: &mut Response<'_>) {
    let config = &session.context().config.cookie;
    if let Some((token, max_age)) = session.cookie().filter(|_| sets) {
        response.adjoin_header(config.set(request, token, max_age));
    }
    match session.form_cookie(sets) {
        Some(Some(text)) => response.adjoin_header(config.set_form(request, text)),
        Some(None) => response.adjoin_header(config.remove_form(request)),
        None => {}
    }
}
