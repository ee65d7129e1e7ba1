//! What tells browsers to protect the pages: the same on every answer, whatever that says.

use rocket::fairing::{AdHoc, Fairing};
use rocket::figment::Profile;
use rocket::http::{Header, Status};
use rocket::response::{self, Responder};
use rocket::shield::{Feature, Frame, Hsts, NoSniff, Permission, Policy, Referrer, Shield};
use rocket::time::Duration;
use rocket::{Request, Response};

use crate::web::api::origins;

pub(crate) fn stage() -> AdHoc {
    AdHoc::on_ignite("Page headers", |rocket| async {
        let shield = shield(rocket.figment().profile());
        rocket.attach(shield)
    })
}

/// Whether Rocket could not read a request, such as one of an unknown method. No fairing sees the
/// answer, which lacks the headers of all others.
pub(crate) fn is_unreadable(status: Status, request: &Request<'_>) -> bool {
    status == Status::BadRequest && request.route().is_none()
}

/// An answer with the headers that the fairings would have added.
pub(crate) struct WithHeaders<R> {
    answer: R,
    headers: Vec<Header<'static>>,
}

impl<R> WithHeaders<R> {
    pub(crate) async fn new(status: Status, request: &Request<'_>, answer: R) -> Self {
        let mut empty = Response::new();
        if is_unreadable(status, request) {
            let shield = shield(request.rocket().figment().profile());
            shield.on_response(request, &mut empty).await;
            origins::allow(request, &mut empty);
        }
        let headers = empty.headers().iter();
        let owned = headers.map(|it| Header::new(it.name().to_string(), it.value().to_owned()));
        let headers = owned.collect();
        Self { answer, headers }
    }
}

impl<'r, 'o: 'r, R: Responder<'r, 'o>> Responder<'r, 'o> for WithHeaders<R> {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'o> {
        let mut response = self.answer.respond_to(request)?;
        for header in self.headers {
            response.adjoin_header(header);
        }
        Ok(response)
    }
}

/// Takes the place of Rocket's own.
fn shield(profile: &Profile) -> Shield {
    let shield = Shield::new()
        .enable(Content)
        .enable(Opener)
        .enable(Resource)
        .enable(Frame::Deny)
        .enable(NoSniff::Enable)
        .enable(unused())
        // The pages learn from it where somebody comes from; no other site does.
        .enable(Referrer::SameOrigin);
    // Browsers heed it over TLS alone, and then ask this host for nothing without TLS for a year.
    match profile == "dev" {
        true => shield,
        false => shield.enable(Hsts::IncludeSubDomains(Duration::days(365))),
    }
}

/// Denies the pages, and whatever might get into them, what no page here asks for.
fn unused() -> Permission {
    let features = [
        Feature::Camera,
        Feature::Displaycapture,
        Feature::Geolocation,
        Feature::Gyroscope,
        Feature::Magnetometer,
        Feature::Microphone,
        Feature::Midi,
        Feature::Payment,
        Feature::Usb,
    ];
    let none = Permission::blocked(Feature::Accelerometer);
    features.into_iter().fold(none, Permission::block)
}

macro_rules! policies {
    ($($(#[$meta:meta])* $Policy:ident: $name:literal = $value:literal;)+) => {$(
        $(#[$meta])*
        #[derive(Default)]
        struct $Policy;

        impl Policy for $Policy {
            const NAME: &'static str = $name;

            fn header(&self) -> Header<'static> {
                Header::new(Self::NAME, $value)
            }
        }
    )+};
}

policies! {
    /// Only what lies in `static`, forms that come back and calls of the API; nothing that stands in a page itself.
    Content: "Content-Security-Policy" = "default-src 'none'; script-src 'self'; style-src 'self'; \
        img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; \
        frame-ancestors 'none'";
    /// Windows of other sites cannot hold on to one of these pages.
    Opener: "Cross-Origin-Opener-Policy" = "same-origin";
    /// Pages of other sites cannot load anything from here into themselves.
    Resource: "Cross-Origin-Resource-Policy" = "same-origin";
}

/// The answer to a sign-out.
#[derive(Responder)]
pub(crate) struct SignedOut<R> {
    answer: R,
    forget: Header<'static>,
}

impl<R> SignedOut<R> {
    /// Has the browser forget what it keeps of the pages, which Chromium may do for its button Back
    /// though they say no-store; not the cookies, of which the one for a known device has to stay.
    pub(crate) fn with(answer: R) -> Self {
        let forget = Header::new("Clear-Site-Data", "\"cache\", \"storage\"");
        Self { answer, forget }
    }
}
