//! The end of a request: save, cookie, headers, or the application's own error page.
use std::panic::AssertUnwindSafe;

use rocket::futures::FutureExt;
use rocket::http::{Header, Status};
use rocket::response::Responder;
use rocket::{Request, Response};

use crate::config::OnGone;
use crate::error::{Error, ErrorKind};
use crate::request::catcher::catcher;
use crate::request::reading;
use crate::session::Session;
use crate::session::load::Slot;
use crate::session::replace::{lists, replace};
use crate::session::tell::store_unavailable;
use crate::state::SetCookie;

/// Seconds after which a browser or a proxy may try again when the store did not answer.
const RETRY_AFTER: &str = "2";

/// Saves the session and completes the response; called after the handler and the catchers, before
/// the first byte.
pub(crate) async fn finish<'r>(request: &'r Request<'_>, response: &mut Response<'r>) {
    match Slot::of(request).get() {
        None => {}
        Some(Ok(session)) => {
            save(session, request, response).await;
            keep_private(response);
        }
        Some(Err(error)) => {
            store_unavailable(request, error);
            // A guard such as `Option<&Session>` makes a stranger of somebody whose session could
            // not be read.
            if response.status() != Status::ServiceUnavailable {
                replace(
                    response,
                    error_page(request, Status::ServiceUnavailable).await,
                );
            }
            keep_private(response);
        }
    }
    if response.status() == Status::ServiceUnavailable
        && response.headers().get_one("Retry-After").is_none()
    {
        response.set_raw_header("Retry-After", RETRY_AFTER);
    }
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
    let cookie = match saved {
        Ok((_, true)) if config.on_gone == OnGone::Unauthorized => {
            replace(response, error_page(request, Status::Unauthorized).await);
            return;
        }
        Ok((cookie, _)) => cookie,
        Err(error) => {
            store_unavailable(request, &error);
            log::error!(
                "a session was not saved, and {} is answered with 503: {error}",
                request.uri().path()
            );
            replace(
                response,
                error_page(request, Status::ServiceUnavailable).await,
            );
            // The token that the browser has opens nothing any more.
            if session.has_unsent_token() {
                set_cookies(session, true, request, response);
            }
            return;
        }
    };
    // Rocket has drained its cookie jar before response fairings run (`dispatch` in rocket 0.5.2).
    if let SetCookie::Remove = cookie {
        response.adjoin_header(config.cookie.remove(request));
    }
    let sets = matches!(cookie, SetCookie::Set);
    set_cookies(session, sets, request, response);
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

/// Keeps caches from giving one visitor's page to another (CVE-2023-30861 was that in Flask).
fn keep_private(response: &mut Response<'_>) {
    if response.headers().get_one("Cache-Control").is_none() {
        response.set_header(Header::new("Cache-Control", "no-store"));
    }
    if !lists(response, "Vary", "Cookie") {
        response.adjoin_header(Header::new("Vary", "Cookie"));
    }
}

/// The page that the application's catchers make for `status`.
///
/// A response fairing cannot fail, so the choice that Rocket's private `invoke_catcher` makes is
/// made here again.
async fn error_page<'r>(request: &'r Request<'_>, status: Status) -> Response<'r> {
    if let Some(catcher) = catcher(request, status) {
        let page = AssertUnwindSafe(catcher.handler.handle(status, request))
            .catch_unwind()
            .await;
        if let Ok(Ok(page)) = page {
            return page;
        }
        log::error!("the catcher for {status} failed");
    }
    let plain = format!("{status}\n");
    Response::build()
        .status(status)
        .sized_body(plain.len(), std::io::Cursor::new(plain))
        .finalize()
}

impl<'r> Responder<'r, 'static> for Error {
    /// Fails with the status that fits, so that the application's catchers make the page.
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
        if self.tells_of_outage() {
            store_unavailable(request, &self);
        }
        match self.status() {
            status if status.code >= 500 => log::error!("{self}"),
            _ => log::info!("{self}"),
        }
        Err(self.status())
    }
}

impl Error {
    /// The status with which a request fails that cannot go on after this error.
    pub(crate) fn status(&self) -> Status {
        match self.kind() {
            ErrorKind::Unavailable => Status::ServiceUnavailable,
            ErrorKind::Gone => Status::Unauthorized,
            ErrorKind::TooLarge => Status::PayloadTooLarge,
            ErrorKind::Value | ErrorKind::RolledBack | ErrorKind::Configuration => {
                Status::InternalServerError
            }
        }
    }
}
