//! The calls that configure `Sessions` before it is attached.

use std::error::Error as StdError;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel_migrations::EmbeddedMigrations;
use serde_json::{Map, Value};

use super::Sessions;
use crate::clock::Clock;
use crate::engine::database::UserTable;
use crate::error::Error;
use crate::events::Event;
use crate::state::Schema;
use crate::store::Store;
use crate::token::TokenSource;

impl Sessions {
    /// Reads `[default.session]` and its database from Rocket's configuration.
    ///
    /// The launch aborts, with one line that names the key and the remedy, when a setting is wrong
    /// or the database cannot be used.
    pub fn fairing() -> Self {
        Self {
            store: None,
            migrations: None,
            user: None,
            tokens: TokenSource::default(),
            schema: Schema::default(),
            clock: Arc::new(Clock::of_this_machine()),
            protects_from_csrf: false,
            csrf_exempt: Vec::new(),
            sign_in_page: None,
            confirmation_page: None,
            listeners: Vec::new(),
        }
    }

    /// Refuses cross-site requests with 403: every request that may change something and does not come
    /// from a page of this application, and every form without the token of its browser's session,
    /// [`Session::csrf_token`](crate::Session::csrf_token).
    ///
    /// The check runs before routing, whatever a form's `_method` is, and does not ask the store. It uses
    /// `Sec-Fetch-Site`, or `Origin` if the browser does not send that, and the token. A form without its
    /// token is refused, and so is a POST without a content type that has neither a token nor one of these
    /// headers. Other content, such as JSON, and a request with an `Upgrade` header, such as a WebSocket's,
    /// is refused only if another origin sent it.
    ///
    /// `session.trusted_origins` names other origins whose pages are trusted: their requests, forms
    /// included, need no token. A catcher finds the reason for a refusal in
    /// [`csrf::Refusal`](crate::csrf::Refusal), and the log has one line for it.
    ///
    /// ```no_run
    /// # use rocket_diesel_session::Sessions;
    /// #[rocket::launch]
    /// fn rocket() -> _ {
    ///     rocket::build().attach(Sessions::fairing().with_csrf_protection())
    /// }
    /// ```
    #[must_use]
    pub fn with_csrf_protection(mut self) -> Self {
        self.protects_from_csrf = true;
        self
    }

    /// Exempts POST requests to one path from the CSRF protection, for servers that send webhooks:
    /// they have no token.
    ///
    /// `path` is the whole path of a route, with the base of its mount, and is compared byte for byte.
    /// Other spellings of the path, other methods, also by `_method`, and each request with a session's
    /// cookie are checked as before, so a page of another site cannot use the exemption on behalf of a
    /// user. Verify the sender's signature in the route, and sign no user in.
    ///
    /// ```no_run
    /// # use rocket_diesel_session::Sessions;
    /// #[rocket::post("/webhooks/payments", data = "<event>")]
    /// fn payments(event: Vec<u8>) {
    ///     // Verifies the signature of the event first.
    /// }
    ///
    /// #[rocket::launch]
    /// fn rocket() -> _ {
    ///     let sessions = Sessions::fairing()
    ///         .with_csrf_protection()
    ///         .with_csrf_exemption("/webhooks/payments");
    ///     rocket::build().mount("/", rocket::routes![payments]).attach(sessions)
    /// }
    /// ```
    #[must_use]
    pub fn with_csrf_exemption(mut self, path: &'static str) -> Self {
        self.csrf_exempt.push(path);
        self
    }

    /// Stores the sessions in `store`, such as a [`DieselStore`](crate::store::DieselStore) on a pool that the
    /// application has; no database is opened.
    ///
    /// The launch aborts if a setting or [`with_user`](Sessions::with_user) is for a store that is opened
    /// from the configuration: `session.database`, `table`, `columns`, `create_table`, and
    /// `migrate` and `with_user` without `session.users`.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use rocket_diesel_session::store::MemoryStore;
    /// use rocket_diesel_session::Sessions;
    ///
    /// let store = Arc::new(MemoryStore::new());
    /// let sessions = Sessions::fairing().with_store(store);
    /// ```
    #[must_use]
    pub fn with_store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Runs these migrations at launch where `session.migrate` is true.
    ///
    /// Pass the application's, from `diesel_migrations::embed_migrations!` and with the one for the
    /// sessions among them, or [`MIGRATIONS`](crate::MIGRATIONS) alone.
    ///
    /// ```
    /// use rocket_diesel_session::{MIGRATIONS, Sessions};
    ///
    /// let sessions = Sessions::fairing().with_migrations(MIGRATIONS);
    /// ```
    #[must_use]
    pub fn with_migrations(mut self, migrations: EmbeddedMigrations) -> Self {
        self.migrations = Some(migrations);
        self
    }

    /// Loads columns of the signed-in user's row together with the session, for
    /// [`SignedIn`](crate::sign_in::SignedIn) and [`Session::user`](crate::Session::user).
    ///
    /// The row is the one whose column `key`, a text or a number, has the id that was passed to
    /// [`Session::log_in`](crate::Session::log_in); it takes no further statement. Write the names exactly
    /// as in the database and without quotes; the table may be `schema.table`. A name that does not exist
    /// aborts the launch.
    ///
    /// ```
    /// # use rocket_diesel_session::Sessions;
    /// // A table of Prisma or Sequelize: "User" ("id", "firstName").
    /// let sessions = Sessions::fairing().with_user("User", "id", &["firstName"]);
    /// ```
    #[must_use]
    pub fn with_user(
        mut self,
        table: &'static str,
        key: &'static str,
        columns: &'static [&'static str],
    ) -> Self {
        self.user = Some(UserTable {
            table,
            key,
            columns,
        });
        self
    }

    /// Redirects browsers to a path of this application where [`SignedIn`](crate::sign_in::SignedIn)
    /// finds no signed-in user.
    ///
    /// A request that loads a page (GET or HEAD, HTML preferred in `Accept`, and `navigate` in
    /// `Sec-Fetch-Mode` where a browser sends that header) gets 303 in place of the 401. The field `next` of
    /// the query names its path, so that [`Session::return_to`](crate::Session::return_to) leads back.
    /// Other requests, such as a script's `fetch` and a form's POST, get the 401, so a script does not take
    /// the sign-in page for success.
    ///
    /// A path that is not local aborts the launch.
    ///
    /// ```no_run
    /// # use rocket_diesel_session::Sessions;
    /// use rocket_diesel_session::sign_in::{Account, SignedIn};
    ///
    /// #[derive(rocket::serde::Deserialize)]
    /// #[serde(crate = "rocket::serde")]
    /// struct User {
    ///     name: String,
    /// }
    ///
    /// impl Account for User {}
    ///
    /// #[rocket::get("/")]
    /// fn home(user: SignedIn<User>) -> String {
    ///     format!("Hello {}", user.name)
    /// }
    ///
    /// #[rocket::get("/sign_in")]
    /// fn sign_in() -> &'static str {
    ///     "Sign in."
    /// }
    ///
    /// #[rocket::launch]
    /// fn rocket() -> _ {
    ///     let sessions = Sessions::fairing()
    ///         .with_user("users", "id", &["name"])
    ///         .with_sign_in_page("/sign_in");
    ///     rocket::build().mount("/", rocket::routes![home, sign_in]).attach(sessions)
    /// }
    /// ```
    #[must_use]
    pub fn with_sign_in_page(mut self, path: &'static str) -> Self {
        self.sign_in_page = Some(path);
        self
    }

    /// Redirects browsers to a path of this application where [`Fresh`](crate::sign_in::Fresh) finds no
    /// fresh proof of a signed-in user.
    ///
    /// A request that loads a page gets 303 in place of the 403, as with
    /// [`with_sign_in_page`](Self::with_sign_in_page), also with the way back in the field `next`. Other
    /// requests get the 403: problem details (RFC 9457) if the client prefers no HTML and no catcher
    /// answers. A catcher of 403 asks
    /// [`needs_confirmation`](crate::sign_in::needs_confirmation) for the reason.
    ///
    /// A path that is not local aborts the launch.
    ///
    /// ```no_run
    /// use rocket::form::{Form, FromForm};
    /// use rocket::response::Redirect;
    /// use rocket_diesel_session::{Error, Session, Sessions};
    /// use rocket_diesel_session::sign_in::{Factor, Fresh};
    ///
    /// #[rocket::get("/password")]
    /// fn password_page(_fresh: Fresh<10>) -> &'static str {
    ///     "Choose a new password."
    /// }
    ///
    /// #[rocket::get("/confirm")]
    /// fn confirmation_page() -> &'static str {
    ///     "Enter your password."
    /// }
    ///
    /// #[derive(FromForm)]
    /// struct Confirmation {
    ///     password: String,
    /// }
    ///
    /// #[rocket::post("/confirm", data = "<form>")]
    /// async fn confirm(session: &Session, form: Form<Confirmation>) -> Result<Redirect, Error> {
    ///     if is_right(session.user_id(), &form.password).await {
    ///         session.add_proof(Factor::Password)?;
    ///     }
    ///     Ok(Redirect::to(session.return_to("/")))
    /// }
    /// # async fn is_right(_: Option<String>, _: &str) -> bool { false }
    ///
    /// #[rocket::launch]
    /// fn rocket() -> _ {
    ///     rocket::build()
    ///         .mount("/", rocket::routes![password_page, confirmation_page, confirm])
    ///         .attach(Sessions::fairing().with_confirmation_page("/confirm"))
    /// }
    /// ```
    #[must_use]
    pub fn with_confirmation_page(mut self, path: &'static str) -> Self {
        self.confirmation_page = Some(path);
        self
    }

    /// Calls `listen` when a session begins, gets a new token or ends.
    ///
    /// Each listener has a thread, so one that is slow or panics neither delays nor fails a request. 1,024
    /// events can wait for it. Further ones are dropped, and the log has their number. A shutdown waits up to
    /// one second for the last events.
    ///
    /// A listener gets the events of its process, once they are stored. What another node or a command line
    /// does is an event there. While there is a listener, ending several sessions of a user takes one more
    /// statement, which lists them, and so does a cookie whose session is unknown, up to 100 times per second.
    ///
    /// ```
    /// use rocket_diesel_session::Sessions;
    /// use rocket_diesel_session::events::Event;
    ///
    /// let sessions = Sessions::fairing().on_event(|event| match event {
    ///     Event::Begun { key, .. } => println!("{} began", key.short()),
    ///     Event::Ended { key, reason, .. } => println!("{} ended: {reason:?}", key.short()),
    ///     _ => {}
    /// });
    /// ```
    #[must_use]
    pub fn on_event(mut self, listen: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.listeners.push(Arc::new(listen));
        self
    }

    /// Sets the generator of the tokens' bytes, which must be secret and random.
    ///
    /// Fewer than 16 bytes (128 bits) or more than 64 do not compile. A generator that returns the same
    /// bytes twice aborts the launch.
    ///
    /// ```
    /// # use rocket_diesel_session::{Error, Sessions};
    /// let sessions = Sessions::fairing().with_token_generator(|| {
    ///     let mut bytes = [0; 24];
    ///     let drawn = getrandom::fill(&mut bytes);
    ///     drawn.map_err(|cause| Error::unavailable("no random bytes").with_source(cause))?;
    ///     Ok(bytes)
    /// });
    /// ```
    ///
    /// ```compile_fail,E0080
    /// # use rocket_diesel_session::Sessions;
    /// let sessions = Sessions::fairing().with_token_generator(|| Ok([0; 15]));
    /// ```
    #[must_use]
    pub fn with_token_generator<const N: usize>(
        mut self,
        generate: impl Fn() -> Result<[u8; N], Error> + Send + Sync + 'static,
    ) -> Self {
        const { assert!(N >= 16 && N <= 64, "a token has from 16 to 64 bytes") };
        self.tokens = TokenSource::of(generate);
        self
    }

    /// Sets the version of the application's session data, and the upgrade of older data.
    ///
    /// Stored data has the version under which it was written, 0 without `with_schema`. When a session of
    /// an older version is loaded, `upgrade` gets that version and the values, and its result is stored
    /// with the next change. If it fails, the values are dropped and a warning is logged; the user stays
    /// signed in. Data of a newer version stays as it is.
    ///
    /// ```
    /// # use rocket_diesel_session::Sessions;
    /// let sessions = Sessions::fairing().with_schema(1, |_from, data| {
    ///     if let Some(cart) = data.remove("basket") {
    ///         data.insert("cart".into(), cart);
    ///     }
    ///     Ok(())
    /// });
    /// ```
    #[must_use]
    pub fn with_schema(
        mut self,
        version: u32,
        upgrade: impl Fn(u32, &mut Map<String, Value>) -> Result<(), Box<dyn StdError + Send + Sync>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.schema = Schema::new(version, Arc::new(upgrade));
        self
    }

    /// Takes the time from `clock` instead of the store's, so that a test can let hours pass.
    ///
    /// ```
    /// use chrono::{TimeDelta, Utc};
    /// use rocket_diesel_session::Sessions;
    ///
    /// let tomorrow = Sessions::fairing().with_clock(|| Utc::now() + TimeDelta::days(1));
    /// ```
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(Clock::given(clock));
        self
    }
}
