//! The refusal of a request, for the application's error page.

use std::fmt;
use std::sync::OnceLock;

use rocket::Request;
use rocket::data::{Data, ToByteUnit};
use rocket::http::Method;

/// The reason why the CSRF protection refused a request.
///
/// Its text is one line for a log. [`Refusal::reason`] returns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// A page of another origin sent it.
    OtherOrigin,
    /// It has no CSRF token in its first 512 bytes, nor in the header `X-CSRF-Token`.
    NoToken,
    /// Its CSRF token is of another session of the browser: its user signed in or out after the page
    /// was loaded, or another tab was loaded at the same time.
    StaleToken,
    /// It has a CSRF token, and the browser sent no cookie with it.
    NoCookie,
    /// The browser sent no cookie, because the request came over plain http and the cookies are `Secure`.
    PlainHttp,
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::OtherOrigin => "a page of another origin sent it",
            Self::NoToken => {
                "it has no CSRF token in its first 512 bytes, nor in the header X-CSRF-Token"
            }
            Self::StaleToken => "its CSRF token is of another session",
            Self::NoCookie => "the browser sent no cookie with its CSRF token",
            Self::PlainHttp => {
                "it came over plain http, and browsers keep back a Secure cookie there; use https, \
                 set session.trusted_proxies to the proxy that has TLS, or \
                 session.cookie.secure = false for development"
            }
        })
    }
}

/// A request that the CSRF protection refused, for the catcher of its 403.
///
/// The catcher can show the form again, with what the user typed and a valid token.
///
/// ```
/// use rocket::form::{Form, FromForm};
/// use rocket::http::RawStr;
/// use rocket::{Request, catch};
/// use rocket_diesel_session::csrf::Refusal;
///
/// #[derive(FromForm)]
/// struct Comment {
///     text: String,
/// }
///
/// #[catch(403)]
/// fn refused(request: &Request<'_>) -> String {
///     let form = Refusal::of(request).and_then(Refusal::form);
///     let comment = form.and_then(|form| Form::<Comment>::parse_encoded(RawStr::new(form)).ok());
///     match comment {
///         Some(comment) => format!("Not saved yet: {}", comment.text),
///         None => "Forbidden".to_owned(),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Refusal {
    method: Method,
    reason: Reason,
    form: OnceLock<String>,
}

impl Refusal {
    /// Returns why this request was refused; `None` if it was not.
    pub fn of<'r>(request: &'r Request<'_>) -> Option<&'r Self> {
        request.local_cache(|| None::<Self>).as_ref()
    }

    /// Returns the method with which the request came. [`Request::method`] returns another one, so
    /// that no route of the application takes the request.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Returns the reason.
    ///
    /// ```
    /// use rocket::{Request, catch};
    /// use rocket_diesel_session::csrf::{Reason, Refusal};
    ///
    /// #[catch(403)]
    /// fn refused(request: &Request<'_>) -> &'static str {
    ///     match Refusal::of(request).map(Refusal::reason) {
    ///         Some(Reason::StaleToken) => "You signed in or out in another tab. Send the form again.",
    ///         Some(Reason::PlainHttp) => "Open this page over https.",
    ///         Some(_) => "This form cannot be sent from here.",
    ///         None => "You may not see this page.",
    ///     }
    /// }
    /// ```
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns the form that was sent, URL-encoded. It may hold passwords, so show it only to the browser
    /// that sent it.
    ///
    /// Returns `None` if a page of another origin sent it, if it has another content type, or if it is larger
    /// than Rocket's limit `form`.
    pub fn form(&self) -> Option<&str> {
        self.form.get().map(String::as_str)
    }

    /// Stores the refusal for [`of`](Self::of).
    pub(super) fn note(request: &Request<'_>, method: Method, reason: Reason) {
        request.local_cache(|| {
            Some(Self {
                method,
                reason,
                form: OnceLock::new(),
            })
        });
    }

    /// Reads the form, unless another site may have sent it.
    pub(super) async fn read(&self, request: &Request<'_>, data: Data<'_>) {
        let is_form = request.content_type().is_some_and(|it| it.is_form());
        if !is_form || self.reason == Reason::OtherOrigin {
            return;
        }
        let limit = request.limits().get("form").unwrap_or(32.kibibytes());
        if let Ok(text) = data.open(limit).into_string().await
            && text.is_complete()
        {
            let _ = self.form.set(text.into_inner());
        }
    }
}
