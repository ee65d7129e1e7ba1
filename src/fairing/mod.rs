//! The fairing: opens the store at launch, and saves each session before its response leaves.

mod builder;
mod given;
mod grace;
mod launch;
mod open;
mod protection;
mod sign_in;

use std::fmt;
use std::sync::Arc;

use diesel_migrations::EmbeddedMigrations;
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::tokio::spawn;
use rocket::{Build, Data, Orbit, Request, Response, Rocket};

use self::grace::with_grace;
use crate::clock::Clock;
use crate::csrf::{check, exemption};
use crate::engine::context::{self, Context};
use crate::engine::database::UserTable;
use crate::engine::streams;
use crate::events::Listen;
use crate::request::incoming;
use crate::session::{events, lifecycle};
use crate::state::Schema;
use crate::store::Store;
use crate::token::TokenSource;

/// Sessions for a Rocket application: attach it, and routes can take [`&Session`](crate::Session).
///
/// Attach it last, so that no other fairing changes the response after the session was saved.
///
/// ```no_run
/// use rocket_diesel_session::Sessions;
///
/// #[rocket::launch]
/// fn rocket() -> _ {
///     rocket::build().attach(Sessions::fairing())
/// }
/// ```
pub struct Sessions {
    store: Option<Arc<dyn Store>>,
    migrations: Option<EmbeddedMigrations>,
    user: Option<UserTable>,
    tokens: TokenSource,
    schema: Schema,
    clock: Arc<Clock>,
    protects_from_csrf: bool,
    csrf_exempt: Vec<&'static str>,
    sign_in_page: Option<&'static str>,
    confirmation_page: Option<&'static str>,
    listeners: Vec<Listen>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sessions(..)")
    }
}

#[rocket::async_trait]
impl Fairing for Sessions {
    fn info(&self) -> Info {
        Info {
            name: "Sessions",
            kind: Kind::Ignite
                | Kind::Liftoff
                | Kind::Request
                | Kind::Response
                | Kind::Shutdown
                | Kind::Singleton,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        match self.open(&rocket) {
            Ok(context) => {
                let figment = with_grace(rocket.figment(), context.threads.deadline());
                let rocket = rocket.configure(figment);
                let rocket = rocket.manage(Arc::new(context));
                Ok(match self.protects_from_csrf {
                    true => check::prepare(rocket),
                    false => rocket,
                })
            }
            Err(error) => {
                log::error!("{error}");
                Err(rocket)
            }
        }
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        if let Some(context) = rocket.state::<Arc<Context>>() {
            context.events.emit_startup();
            let cookie = &context.config.cookie;
            let cookie = cookie.warning(rocket.figment(), rocket.config());
            for line in context.origins.iter().chain(&cookie) {
                // Rocket prints this target at each level but "off".
                log::warn!(target: "rocket::launch", "{line}");
            }
            for path in exemption::unused(rocket, &self.csrf_exempt) {
                let line = "is exempt from the CSRF protection, but no route takes a POST there";
                log::warn!(target: "rocket::launch", "{path} {line}");
            }
            spawn(context::follow_clock(Arc::downgrade(context)));
            let interval = context.config.stream_check_interval();
            let watched = streams::watch(Arc::downgrade(context), interval, rocket.shutdown());
            spawn(watched);
        }
    }

    async fn on_request(&self, request: &mut Request<'_>, data: &mut Data<'_>) {
        incoming::note_method(request);
        if self.protects_from_csrf
            && let Some((event, details)) = check::refuse(request, data, &self.csrf_exempt).await
        {
            events::emit(request, event, &details);
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let pages = [self.sign_in_page, self.confirmation_page];
        lifecycle::finish(request, response, pages).await;
    }

    async fn on_shutdown(&self, rocket: &Rocket<Orbit>) {
        if let Some(context) = rocket.state::<Arc<Context>>() {
            context.events.emit_shutdown();
            context.cleanup.stop(context.threads.deadline()).await;
        }
    }
}
