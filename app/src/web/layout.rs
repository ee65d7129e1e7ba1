//! Renders what all pages share: the menu of the user, and the flash messages.

use rocket::Either::{self, Left, Right};
use rocket::http::Status;
use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::Redirect;
use rocket::serde::Serialize;
use rocket_diesel_session::{Error, Flash, Session};
use rocket_dyn_templates::Template;

use crate::accounts::User;
use crate::accounts::authenticated::SUCCESS;
use crate::web::current_user::CurrentUser;

/// The kind of flash messages that report a state.
pub(crate) const INFO: &str = "info";

/// Renders a page for users and anonymous clients. Routes that take it show all flash messages.
pub(crate) struct Page<'r> {
    pub(crate) user: Option<CurrentUser>,
    session: &'r Session,
}

/// The answer to a form: a redirect, or the form with its errors.
pub(crate) type FormAnswer = Either<Redirect, (Status, Template)>;

/// A page, or a redirect for clients that do not need it.
pub(crate) type PageOrRedirect = Either<Redirect, Template>;

#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
struct LayoutContext<'a, T> {
    user: Option<&'a User>,
    flashes: Vec<Flash>,
    csrf_token: Option<String>,
    #[serde(flatten)]
    context: T,
}

impl Page<'_> {
    /// Renders a template and consumes the flash messages.
    pub(crate) fn show(
        &self,
        template: &'static str,
        context: impl Serialize,
    ) -> Result<Template, Error> {
        self.render(template, self.csrf_token()?, context)
    }

    /// Renders a template that has a form for anonymous users.
    pub(crate) fn show_form(
        &self,
        template: &'static str,
        context: impl Serialize,
    ) -> Result<Template, Error> {
        self.render(template, Some(self.session.csrf_token()?), context)
    }

    /// Returns the CSRF token of the forms on users' pages.
    pub(crate) fn csrf_token(&self) -> Result<Option<String>, Error> {
        let csrf_token = self.user.as_ref().map(|_| self.session.csrf_token());
        csrf_token.transpose()
    }

    fn render(
        &self,
        template: &'static str,
        csrf_token: Option<String>,
        context: impl Serialize,
    ) -> Result<Template, Error> {
        let layout = LayoutContext {
            user: self.user.as_deref(),
            flashes: self.session.flashes()?,
            csrf_token,
            context,
        };
        Ok(Template::render(format!("{template}.html"), layout))
    }

    /// Renders the form again, with its values except passwords, and an error beside each wrong
    /// field.
    pub(crate) fn show_errors(
        &self,
        template: &'static str,
        status: Status,
        context: impl Serialize,
    ) -> Result<FormAnswer, Error> {
        Ok(Right((status, self.show_form(template, context)?)))
    }

    /// Redirects to another page, which reports a success.
    pub(crate) fn redirect_with_success(
        &self,
        to: String,
        done: &str,
    ) -> Result<FormAnswer, Error> {
        self.redirect(SUCCESS, to, done)
    }

    /// Redirects to another page with a flash message of this kind.
    pub(crate) fn redirect(
        &self,
        kind: &str,
        to: String,
        message: &str,
    ) -> Result<FormAnswer, Error> {
        self.session.flash(kind, message)?;
        Ok(Left(Redirect::to(to)))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Page<'r> {
    type Error = String;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, String> {
        let session = request.guard::<&Session>().await;
        let session = try_outcome!(session.map_error(|(status, why)| (status, why.to_string())));
        let user = match request.guard::<CurrentUser>().await {
            Outcome::Error((Status::Unauthorized, _)) => None,
            other => Some(try_outcome!(
                other.map_error(|(status, why)| (status, why.to_string()))
            )),
        };
        Outcome::Success(Self { user, session })
    }
}
