//! The end of a session, for streams that outlive the request.

use rocket::futures::FutureExt;

use super::Session;
use crate::events::StreamEnd;

impl Session {
    /// Returns a future for event streams and web sockets, which resolves when the session ends, and says why.
    ///
    /// An end or a new token in this process resolves it at once; one by another process or node, and an
    /// expiry, within `session.stream_check_interval`. It resolves when the server stops, too. Before the
    /// session is stored, nothing else resolves it. A store that fails does not.
    ///
    /// Proxies close a stream that is silent for too long. Send something more often, for example by
    /// [`EventStream::heartbeat`](rocket::response::stream::EventStream::heartbeat). The
    /// [guide](crate::guide::streams) has the rest: WebSockets, scripts of the page, and settings of proxies.
    ///
    /// Neither an open stream nor the request that opens it is a use of the session, so the session can expire
    /// meanwhile. Otherwise a page on an unattended screen would keep it alive, since it connects again after each
    /// lost connection. To use the session, load it by its key with
    /// [`LiveSessions::load`](crate::LiveSessions::load), and [`touch`](Self::touch) and [`save`](Self::save) it.
    ///
    /// ```
    /// use rocket::response::stream::{Event, EventStream};
    /// use rocket::tokio::select;
    /// use rocket::tokio::time::{Duration, interval};
    /// use rocket_diesel_session::Session;
    ///
    /// #[rocket::get("/ticks")]
    /// fn ticks(session: &Session) -> EventStream![] {
    ///     let mut ended = session.ended();
    ///     EventStream! {
    ///         let mut ticks = interval(Duration::from_secs(1));
    ///         loop {
    ///             let end = select! {
    ///                 _ = ticks.tick() => None,
    ///                 end = &mut ended => Some(end),
    ///             };
    ///             match end {
    ///                 None => yield Event::data("tick"),
    ///                 Some(end) => {
    ///                     yield Event::data(format!("{end:?}")).event("ended");
    ///                     break;
    ///                 }
    ///             }
    ///         }
    ///     }
    /// }
    /// ```
    pub fn ended(&self) -> impl Future<Output = StreamEnd> + Send + Unpin + use<> {
        let mut state = self.state();
        state.open_stream();
        let record = state.stored().map(|stored| &stored.record);
        let session = record.map(|record| (record.key.clone(), record.expires_at));
        let ended = self.context.events.streams.open(session);
        ended.map(|end| end.unwrap_or(StreamEnd::Shutdown))
    }
}
