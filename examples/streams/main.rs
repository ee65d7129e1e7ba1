//! A chat on an event stream and a WebSocket, which end with their session and say why.
//!
//! ```sh
//! cargo run --example streams              # then open http://127.0.0.1:8000 in two windows, and sign out in one
//! ```

use rocket::figment::Figment;
use rocket::form::{Form, FromForm};
use rocket::futures::{SinkExt, StreamExt};
use rocket::response::Redirect;
use rocket::response::content::RawHtml;
use rocket::response::stream::{Event, EventStream};
use rocket::tokio::select;
use rocket::tokio::sync::broadcast::{Receiver, Sender, channel};
use rocket::tokio::time::{Duration, interval, timeout};
use rocket::{Build, Config, Rocket, State, get, post, routes};
use rocket_diesel_session::events::{EndReason, StreamEnd};
use rocket_diesel_session::{Error, Session, Sessions};
use rocket_ws::frame::{CloseCode, CloseFrame};
use rocket_ws::stream::DuplexStream;
use rocket_ws::{Channel, Message, WebSocket};

/// The longest message of a client, in bytes. Without a limit of the application it is 64 MiB.
const LONGEST: usize = 4096;

/// The last words of a stream. A page connects again unless its session is gone.
struct Farewell {
    reason: &'static str,
    is_gone: bool,
}

impl Farewell {
    const NOT_SIGNED_IN: Self = Self::gone("You are not signed in.");

    const fn gone(reason: &'static str) -> Self {
        let is_gone = true;
        Self { reason, is_gone }
    }

    const fn again(reason: &'static str) -> Self {
        let is_gone = false;
        Self { reason, is_gone }
    }
}

impl From<StreamEnd> for Farewell {
    fn from(end: StreamEnd) -> Self {
        match end {
            StreamEnd::Ended(EndReason::SignedOut) => {
                Self::gone("You signed out in another window.")
            }
            StreamEnd::Ended(EndReason::Expired) => Self::gone("Your session has expired."),
            StreamEnd::Ended(_) => Self::gone("Your session was ended from another device."),
            StreamEnd::Shutdown => Self::again("The server stops."),
            // A new cookie. If the session ended elsewhere instead, the next stream says so.
            _ => Self::again("The page connects again."),
        }
    }
}

#[get("/messages")]
fn messages(session: &Session, chat: &State<Sender<String>>) -> EventStream![] {
    let (user, mut ended, mut said) = (session.user_id(), session.ended(), chat.subscribe());
    EventStream! {
        let farewell = match user {
            None => Farewell::NOT_SIGNED_IN,
            Some(_) => loop {
                let next = select! {
                    biased; // what is said after the end is not sent, however slowly the client reads
                    end = &mut ended => Err(end),
                    text = said.recv() => Ok(text),
                };
                match next {
                    Ok(Ok(text)) => yield Event::data(text),
                    // A client that reads too slowly misses messages.
                    Ok(Err(_)) => {}
                    Err(end) => break end.into(),
                }
            },
        };
        let name = if farewell.is_gone { "gone" } else { "again" };
        yield Event::data(farewell.reason).event(name);
    }
}

/// The CSRF protection has refused pages of other sites.
#[get("/chat")]
fn talk(socket: WebSocket, session: &Session, chat: &State<Sender<String>>) -> Channel<'static> {
    let (user, ended) = (session.user_id(), session.ended());
    let (chat, said) = (chat.inner().clone(), chat.subscribe());
    let limits = rocket_ws::Config {
        max_message_size: Some(LONGEST),
        max_frame_size: Some(LONGEST),
        ..Default::default()
    };
    socket.config(limits).channel(move |mut socket| {
        Box::pin(async move {
            let farewell = match user {
                None => Farewell::NOT_SIGNED_IN,
                // Also if the client does not read, and a message cannot leave.
                Some(name) => select! {
                    end = ended => end.into(),
                    left = pass_on(&mut socket, &name, &chat, said) => return left,
                },
            };
            let _ = timeout(Duration::from_secs(1), close(&mut socket, farewell)).await;
            Ok(())
        })
    })
}

/// Passes messages on in both directions until the client leaves.
async fn pass_on(
    socket: &mut DuplexStream,
    name: &str,
    chat: &Sender<String>,
    mut said: Receiver<String>,
) -> rocket_ws::result::Result<()> {
    // Finds clients that have gone without a word, and keeps proxies from closing a silent socket.
    let mut pings = interval(Duration::from_secs(30));
    loop {
        select! {
            text = said.recv() => if let Ok(text) = text {
                socket.send(text.into()).await?;
            },
            message = socket.next() => match message.transpose()? {
                Some(Message::Text(text)) => drop(chat.send(format!("{name}: {text}"))),
                Some(_) => {}
                None => return Ok(()),
            },
            _ = pings.tick() => socket.send(Message::Ping(Vec::new())).await?,
        }
    }
}

/// Closes the socket with a reason, and waits until the client has closed it, too.
async fn close(socket: &mut DuplexStream, farewell: Farewell) -> rocket_ws::result::Result<()> {
    let code = match farewell.is_gone {
        true => CloseCode::Policy,
        false => CloseCode::Restart,
    };
    let reason = farewell.reason.into();
    socket.close(Some(CloseFrame { code, reason })).await?;
    while socket.next().await.transpose()?.is_some() {}
    Ok(())
}

#[derive(FromForm)]
struct SignIn {
    #[field(validate = len(1..=20))]
    name: String,
}

#[get("/")]
fn page(session: &Session) -> Result<RawHtml<String>, Error> {
    let page = match session.user_id() {
        Some(_) => include_str!("chat.html"),
        None => include_str!("sign_in.html"),
    };
    Ok(RawHtml(page.replace("{token}", &session.csrf_token()?)))
}

#[post("/sign_in", data = "<form>")]
fn sign_in(session: &Session, form: Form<SignIn>) -> Result<Redirect, Error> {
    session.log_in(&form.name)?; // yours compares a password first
    Ok(Redirect::to("/"))
}

#[post("/sign_out")]
fn sign_out(session: &Session) -> Redirect {
    session.log_out();
    Redirect::to("/")
}

fn application(figment: Figment) -> Rocket<Build> {
    rocket::custom(figment)
        .manage(channel::<String>(100).0)
        .mount("/", routes![messages, talk, page, sign_in, sign_out])
        .attach(Sessions::fairing().with_csrf_protection())
}

#[rocket::launch]
fn rocket() -> _ {
    application(Config::figment())
}

#[cfg(test)]
mod tests;
