//! The calls that configure `Sessions` before it is attached.

use std::error::Error as StdError;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel_migrations::EmbeddedMigrations;
use serde_json::{Map, Value};

use super::Sessions;
use crate::clock::Clock;
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
