//! Adds the security headers, the same ones to every response.

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

/// Returns whether Rocket could not parse the request, for example because of an unknown method.
///
/// No fairing sees the response to such a request.
pub(crate) fn is_unreadable(status: Status, request: &Request<'_>) -> bool {
    status == Status::BadRequest && request.route().is_none()
}

/// A response with the headers that the fairings would have added.
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

/// Replaces Rocket's default shield.
fn shield(profile: &Profile) -> Shield {
    let shield = Shield::new()
        .enable(Content)
        .enable(Opener)
        .enable(Resource)
        .enable(Frame::Deny)
        .enable(NoSniff::Enable)
        .enable(unused())
        // `return_to` reads the referrer of this site's forms. Other sites get none.
        .enable(Referrer::SameOrigin);
    // Browsers obey it over TLS only, and then use TLS for this host for a year.
    match profile == "dev" {
        true => shield,
        false => shield.enable(Hsts::IncludeSubDomains(Duration::days(365))),
    }
}

/// Denies the browser features that the pages do not use.
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
    /// Allows files of `static`, forms of this site, and the API; nothing inline.
    Content: "Content-Security-Policy" = "default-src 'none'; script-src 'self'; style-src 'self'; \
        img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; \
        frame-ancestors 'none'";
    /// Keeps windows of other sites from holding a reference to a page.
    Opener: "Cross-Origin-Opener-Policy" = "same-origin";
    /// Keeps pages of other sites from embedding responses.
    Resource: "Cross-Origin-Resource-Policy" = "same-origin";
}

/// The response to a sign-out.
#[derive(Responder)]
pub(crate) struct SignedOut<R> {
    answer: R,
    forget: Header<'static>,
}

impl<R> SignedOut<R> {
    /// Clears what the browser stores of the pages, which Chromium otherwise shows on Back
    /// despite no-store. Keeps the cookies, so that the device stays known.
    pub(crate) fn with(answer: R) -> Self {
        let forget = Header::new("Clear-Site-Data", "\"cache\", \"storage\"");
        Self { answer, forget }
    }
}
