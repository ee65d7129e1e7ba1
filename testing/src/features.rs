//! Routes that use values, messages and users.

use std::collections::BTreeMap;

use rocket::serde::{Deserialize, Serialize};
use rocket::{Route, delete, get, post, routes};
use rocket_diesel_session::{Error, Session};

pub(crate) fn routes() -> Vec<Route> {
    routes![
        add_to_cart,
        cart,
        name,
        flash,
        flashes,
        remember,
        ages,
        devices,
        end_device,
        reserved,
        start_afresh
    ]
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(crate = "rocket::serde", default)]
pub(crate) struct Shop {
    cart: Vec<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voucher: Option<String>,
    prices: BTreeMap<u32, u32>,
}

#[post("/cart/<article>?<voucher>")]
fn add_to_cart(session: &Session, article: u32, voucher: Option<String>) -> Result<String, Error> {
    let shop = session.modify(move |shop: &mut Shop| {
        shop.cart.push(article);
        shop.prices.insert(article, 2 * article);
        shop.voucher = voucher.clone();
    })?;
    Ok(format!("{:?}", shop.cart))
}

#[get("/cart")]
fn cart(session: &Session) -> Result<String, Error> {
    let shop: Shop = session.data()?;
    Ok(format!(
        "{:?} {:?} {:?}",
        shop.cart, shop.prices, shop.voucher
    ))
}

/// The kind of error that a value of this name meets.
#[post("/name/<name>")]
fn name(session: &Session, name: &str) -> String {
    let outcome = session.insert(name, 1).map_err(|error| error.kind());
    format!("{outcome:?}")
}

#[post("/flash/<message>")]
fn flash(session: &Session, message: &str) -> Result<(), Error> {
    session.flash("success", message)
}

#[get("/flashes")]
fn flashes(session: &Session) -> Result<String, Error> {
    let flashes = session.flashes()?;
    Ok(flashes
        .iter()
        .map(|flash| format!("{}: {}\n", flash.kind, flash.message))
        .collect())
}

#[post("/remember/<user>")]
fn remember(session: &Session, user: &str) -> Result<(), Error> {
    session.log_in_and_remember(user)
}

/// Milliseconds: since the sign-in, and how long it may be idle, and how long it has left.
#[get("/ages")]
fn ages(session: &Session) -> String {
    format!(
        "{} {} {}",
        session.signed_in_at().timestamp_millis() - crate::site::START,
        session.idle_timeout().num_milliseconds(),
        session.remaining().num_milliseconds()
    )
}

#[get("/devices")]
async fn devices(session: &Session) -> Result<String, Error> {
    let devices = session.devices().await?;
    Ok(devices
        .iter()
        .map(|device| {
            let agent = device.user_agent.as_deref().unwrap_or("unknown");
            let here = if device.current { " (here)" } else { "" };
            format!("{} {agent}{here}\n", device.key.short())
        })
        .collect())
}

#[delete("/devices/<key>")]
async fn end_device(session: &Session, key: &str) -> Result<String, Error> {
    Ok(session.end_device(key).await?.to_string())
}

#[post("/reserved")]
fn reserved(session: &Session) -> String {
    let refused = [
        session.insert("@flash", 1),
        session.remove("@schema"),
        session.update("@remembered", |yes: bool| !yes).map(drop),
    ];
    format!("{refused:?}")
}

#[post("/start_afresh/<user>")]
fn start_afresh(session: &Session, user: &str) -> Result<(), Error> {
    session.destroy();
    session.log_in(user)
}
