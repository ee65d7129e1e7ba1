//! The other sessions of whoever is signed in.

use super::Session;
use crate::device::Device;
use crate::error::Error;
use crate::store::Store;

impl Session {
    /// The live sessions of whoever is signed in, the one used last first.
    ///
    /// Fails as unavailable when the store does not answer.
    pub async fn devices(&self) -> Result<Vec<Device>, Error> {
        let Some(user_id) = self.user_id() else {
            return Ok(Vec::new());
        };
        let (now, current) = (self.context.now(), self.key());
        let list = move |store: &dyn Store| store.list(&user_id, now);
        let records = self.context.ask(&self.waited, list).await?;
        let device = |record| Device::of(record, &self.context, current.as_ref());
        Ok(records.into_iter().map(device).collect())
    }

    /// Ends the session of the signed-in user whose short key this is; whether there was one.
    ///
    /// Somebody else's session is never found. Ending the present one is signing out.
    ///
    /// Fails as unavailable when the store does not answer.
    pub async fn end_device(&self, short_key: &str) -> Result<bool, Error> {
        let devices = self.devices().await?;
        let Some(device) = devices.into_iter().find(|it| it.key.short() == short_key) else {
            return Ok(false);
        };
        if device.current {
            self.destroy();
            return Ok(true);
        }
        let delete = move |store: &dyn Store| store.delete(&device.key);
        self.context.ask(&self.waited, delete).await
    }
}
