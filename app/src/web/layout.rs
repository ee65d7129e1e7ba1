//! What all pages have in common: who is signed in, and the messages that wait to be shown.

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

/// The kind of the messages that only say how things are.
pub(crate) const INFO: &str = "info";

/// The frame of a page, for everybody. A route that takes it cannot forget the messages.
pub(crate) struct Page<'r> {
    pub(crate) user: Option<&'r User>,
    session: &'r Session,
}

/// A form is answered with a page to go to, or with itself and its errors.
pub(crate) type FormAnswer = Either<Redirect, (Status, Template)>;

/// A page, or where to go for whom it has nothing to do.
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
    /// Fills a template; the messages that it shows are shown no more.
    pub(crate) fn show(
        &self,
        template: &'static str,
        context: impl Serialize,
    ) -> Result<Template, Error> {
        self.render(template, self.csrf_token()?, context)
    }

    /// Fills a template that has a form for anonymous users, too.
    pub(crate) fn show_form(
        &self,
        template: &'static str,
        context: impl Serialize,
    ) -> Result<Template, Error> {
        self.render(template, Some(self.session.csrf_token()?), context)
    }

    /// What the forms need that all pages of users have.
    pub(crate) fn csrf_token(&self) -> Result<Option<String>, Error> {
        let csrf_token = self.user.map(|_| self.session.csrf_token());
        csrf_token.transpose()
    }

    fn render(
        &self,
        template: &'static str,
        csrf_token: Option<String>,
        context: impl Serialize,
    ) -> Result<Template, Error> {
        let layout = LayoutContext {
            user: self.user,
            flashes: self.session.flashes()?,
            csrf_token,
            context,
        };
        Ok(Template::render(template, layout))
    }

    /// The form again, with what was typed but the passwords, and what is wrong beside each field.
    pub(crate) fn show_errors(
        &self,
        template: &'static str,
        status: Status,
        context: impl Serialize,
    ) -> Result<FormAnswer, Error> {
        Ok(Right((status, self.show_form(template, context)?)))
    }

    /// Sends to another page, which tells what was done.
    pub(crate) fn redirect_with_success(
        &self,
        to: String,
        done: &str,
    ) -> Result<FormAnswer, Error> {
        self.redirect(SUCCESS, to, done)
    }

    /// Sends to another page with a message of this kind.
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
        let user = match request.guard::<&User>().await {
            Outcome::Error((Status::Unauthorized, _)) => None,
            other => Some(try_outcome!(other)),
        };
        Outcome::Success(Self { user, session })
    }
}
