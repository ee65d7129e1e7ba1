//! Ends sessions: revokes those of one browser, one user or all users, and deletes expired ones.

use std::time::{Duration, Instant};

use rocket::tokio::time::sleep;
use serde_json::json;

use super::LiveSessions;
use crate::engine::cleanup::Pace;
use crate::error::Error;
use crate::events::EndReason;
use crate::metrics;
use crate::store::Store;
use crate::token::Key;

impl LiveSessions {
    /// Revokes the session under this key, and returns `true` if there was one.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, LiveSessions};
    ///
    /// /// Revokes the sessions of an old browser.
    /// async fn revoke_old(live: &LiveSessions, user_id: &str) -> Result<(), Error> {
    ///     for device in live.list(user_id).await? {
    ///         if device.user_agent.is_some_and(|browser| browser.contains("MSIE")) {
    ///             live.revoke(&device.key).await?;
    ///         }
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub async fn revoke(&self, key: &Key) -> Result<bool, Error> {
        let (gone, now) = (key.clone(), self.0.now());
        let looks_up = self.0.events.have_listeners();
        let delete = move |store: &dyn Store| {
            let record = match looks_up {
                true => store.load(&gone, now)?,
                false => None,
            };
            Ok((store.delete(&gone)?, record))
        };
        let (ended, record) = self.ask(delete).await?;
        if ended {
            let user_id = record.as_ref().and_then(|it| it.user_id.as_deref());
            self.0.events.ended(key, user_id, EndReason::Revoked);
            metrics::ended("revoked", 1);
            let ended = self.0.events.name(key);
            self.event(
                "session_expired",
                json!({ "why": "revoked", "ended": ended }),
            );
        }
        Ok(ended)
    }

    /// Revokes all sessions of a user, and returns how many.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, LiveSessions};
    ///
    /// #[rocket::post("/admin/sign_out/<user_id>")]
    /// async fn sign_out_everywhere(live: LiveSessions, user_id: &str) -> Result<String, Error> {
    ///     let ended = live.revoke_all(user_id).await?;
    ///     Ok(format!("{ended} sessions ended"))
    /// }
    /// ```
    pub async fn revoke_all(&self, user_id: &str) -> Result<u64, Error> {
        let (id, now) = (user_id.to_owned(), self.0.now());
        let lists = self.0.events.want_records();
        let delete = move |store: &dyn Store| {
            let records = match lists {
                true => store.list(&id, now)?,
                false => Vec::new(),
            };
            Ok((store.delete_all(&id, None)?, records))
        };
        let (count, records) = self.ask(delete).await?;
        self.0.events.all_ended(&records, EndReason::Revoked);
        metrics::ended("revoked", count);
        if count > 0 {
            let details = json!({ "why": "revoked", "user": user_id, "count": count });
            self.event("session_expired", details);
        }
        Ok(count)
    }

    /// Revokes all sessions of all users, and returns how many.
    pub async fn clear(&self) -> Result<u64, Error> {
        let count = self.ask(|store| store.clear()).await?;
        if count > 0 {
            self.0.events.cleared(count);
            metrics::ended("revoked", count);
            self.event(
                "session_expired",
                json!({ "why": "revoked", "count": count }),
            );
        }
        Ok(count)
    }

    /// Deletes expired sessions in batches, and returns how many.
    ///
    /// `progress` is called after each batch with the number so far.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, LiveSessions};
    ///
    /// async fn clean_up(live: &LiveSessions) -> Result<u64, Error> {
    ///     live.delete_expired(|count| println!("{count} deleted")).await
    /// }
    /// ```
    pub async fn delete_expired(&self, mut progress: impl FnMut(u64) + Send) -> Result<u64, Error> {
        let batch = self.0.config.cleanup_batch;
        let mut pace = Pace::new(batch, Duration::from_secs(1));
        let mut count = 0;
        loop {
            let (start, now) = (Instant::now(), self.0.now());
            let deleted = self
                .ask(move |store| store.delete_expired(now, batch))
                .await?;
            if deleted == 0 {
                return Ok(count);
            }
            count += deleted;
            metrics::ended("expired", deleted);
            progress(count);
            // This process or another may serve requests.
            sleep(pace.after(deleted, start.elapsed(), true)).await;
        }
    }
}
