//! Emits events to the subscribers of the crate `tracing`.

use serde_json::Value;
use tracing::Level;

use super::About;
use super::line::level;

const TARGET: &str = "rocket_diesel_session::events";

/// Returns `true` if a subscriber wants at least the critical events.
pub(super) fn is_on() -> bool {
    tracing::enabled!(target: TARGET, Level::ERROR)
}

/// Emits an event at the level of its name, with the members of its line as fields.
pub(super) fn emit(event: &str, session: Option<String>, about: About<'_>, details: &Value) {
    let (session, user) = (session.as_deref(), about.user_id);
    let client = about.client;
    let address = client.and_then(|it| it.shown_address.as_deref());
    let agent = client.and_then(|it| it.user_agent.as_deref());
    let route = client.and_then(|it| it.route.as_deref());
    let details = details.is_object().then(|| details.to_string());
    let details = details.as_deref();
    macro_rules! emit {
        ($level:ident) => {
            tracing::event!(
                target: TARGET,
                Level::$level,
                session,
                user,
                address,
                agent,
                route,
                details,
                "{event}"
            )
        };
    }
    match level(event) {
        "info" => emit!(INFO),
        "critical" => emit!(ERROR),
        _ => emit!(WARN),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::sync::{Arc, Mutex};

    use serde_json::json;
    use tracing::field::Field;
    use tracing::subscriber::{Interest, with_default};
    use tracing::{Metadata, Subscriber, span};

    use super::*;
    use crate::events::tests::silent;
    use crate::request::client::Client;
    use crate::token::Key;

    /// One line for each event of the target.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<String>>>);

    impl Subscriber for Lines {
        // Has the subscriber asked each time: the threads of other tests have none.
        fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
            Interest::sometimes()
        }
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target() == TARGET
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, event: &tracing::Event<'_>) {
            let mut line = event.metadata().level().to_string();
            event.record(&mut |field: &Field, value: &dyn Debug| {
                line += &format!(" {field}={value:?}");
            });
            self.0.lock().unwrap().push(line);
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    #[test]
    fn a_subscriber_gets_each_event_with_its_members_though_no_line_is_written() {
        let (events, lines) = (silent(), Lines::default());
        let client = Client {
            user_agent: Some("Firefox".into()),
            shown_address: Some("192.0.2.0".into()),
            route: Some("POST /orders/<id>".into()),
            ..Client::default()
        };
        let key = Key::from_stored("0".repeat(64));
        let about = About {
            key: Some(&key),
            user_id: Some("ada"),
            client: Some(&client),
        };
        events.emit("session_created", about, &Value::Null);
        with_default(lines.clone(), || {
            assert!(events.are_on());
            events.emit("session_logout", about, &Value::Null);
            events.emit("authz_fail", about, &json!({ "order": 7 }));
            events.emit("mark", About::default(), &Value::Null);
        });
        let members = concat!(
            r#"session="5d9002ee56ccdef8" user="ada" address="192.0.2.0" agent="Firefox" "#,
            r#"route="POST /orders/<id>""#
        );
        let expected = [
            format!("INFO message=session_logout {members}"),
            format!(r#"ERROR message=authz_fail {members} details="{{\"order\":7}}""#),
            "WARN message=mark".to_owned(),
        ];
        assert_eq!(*lines.0.lock().unwrap(), expected);
    }
}
