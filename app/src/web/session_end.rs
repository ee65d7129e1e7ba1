//! Streams the end of a session to the user's open pages.

use rocket::Either::{self, Left, Right};
use rocket::fairing::AdHoc;
use rocket::http::{Header, Status};
use rocket::response::Responder;
use rocket::response::stream::{Event, EventStream};
use rocket::tokio::select;
use rocket::tokio::sync::watch::Sender;
use rocket::{State, get, routes};
use rocket_diesel_session::Session;
use rocket_diesel_session::events::{EndReason, StreamEnd};

use crate::web::current_user::CurrentUser;
use crate::web::problem::Problem;

pub(crate) fn stage() -> AdHoc {
    AdHoc::on_ignite("Session end", |rocket| async {
        rocket
            .manage(OpenPages(Sender::new(false)))
            .mount("/account", routes![events])
    })
}

/// The streams of all open pages.
#[derive(Clone)]
pub(crate) struct OpenPages(Sender<bool>);

impl OpenPages {
    /// Ends the streams, also those that begin later. The pages connect again, without a notice.
    pub(crate) fn disconnect(&self) {
        self.0.send_replace(true);
    }

    fn disconnected(&self) -> impl Future<Output = ()> + use<> {
        let mut changes = self.0.subscribe();
        async move {
            let _ = changes.wait_for(|disconnected| *disconnected).await;
        }
    }
}

/// Sends events at once, and keeps them out of caches.
#[derive(Responder)]
struct Unbuffered<S> {
    stream: S,
    caching: Header<'static>,
    /// For nginx, which would collect several events.
    buffering: Header<'static>,
}

/// Says who is signed in, and why that ends.
///
/// After a new token, or an end elsewhere, the stream ends without a reason. The page then connects again
/// with the cookie that the browser has by then.
#[get("/events")]
fn events(
    user: Option<CurrentUser>,
    session: &Session,
    pages: &State<OpenPages>,
) -> Either<Unbuffered<EventStream![]>, Problem> {
    let Some(user) = user else {
        return Right(Problem::new(Status::Unauthorized, "Sign in first."));
    };
    let (ended, disconnected) = (session.ended(), pages.disconnected());
    let email = user.into_inner().email;
    // Rocket sends a heartbeat each 30 seconds, since many proxies close a stream that is silent for a minute.
    let stream = EventStream! {
        yield Event::data(email).event("user");
        let end = select! {
            end = ended => Some(end),
            () = disconnected => None,
        };
        if let Some(StreamEnd::Ended(reason)) = end {
            yield Event::data(in_words(reason)).event("ended");
        }
    };
    Left(Unbuffered {
        stream,
        caching: Header::new("Cache-Control", "no-store"),
        buffering: Header::new("X-Accel-Buffering", "no"),
    })
}

fn in_words(reason: EndReason) -> &'static str {
    match reason {
        EndReason::SignedOut => "You signed out in this browser.",
        EndReason::OtherSession => {
            "You signed this device out from another one, or changed your password there."
        }
        EndReason::Limit => {
            "You signed in on more devices than this site allows, so the oldest sign-in ended."
        }
        EndReason::Revoked => "This site ended your session.",
        EndReason::Expired => "Your session has expired.",
        _ => "Your session has ended.",
    }
}
