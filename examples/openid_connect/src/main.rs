//! A club whose members sign in at a provider of OpenID Connect.
//!
//! The guide `openid_connect` has it step by step.

mod attempt;
mod provider;

use diesel::prelude::*;
use rocket::http::{RawStr, Status};
use rocket::response::{Redirect, content::RawHtml};
use rocket::serde::Deserialize;
use rocket::{State, get, post, routes};
use rocket_diesel_session::sign_in::{Account, Factor, SignedIn};
use rocket_diesel_session::{Database, Error, Session, Sessions};

use crate::attempt::Attempt;
use crate::provider::{Identity, Provider};
use crate::schema::members;

mod schema {
    diesel::table! {
        members (number) {
            number -> BigInt,
            issuer -> Text,
            subject -> Text,
            name -> Text,
        }
    }
}

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Member {
    name: String,
}

impl Account for Member {}

#[get("/")]
fn club(member: SignedIn<Member>, session: &Session) -> Result<RawHtml<String>, Error> {
    Ok(RawHtml(format!(
        r#"<h1>Welcome to the club, {}.</h1>
           <form method="post" action="/sign_out">
           <input type="hidden" name="_token" value="{}"><button>Sign out</button></form>"#,
        RawStr::new(&member.name).html_escape(),
        session.csrf_token()?
    )))
}

#[get("/minutes?<page>")]
fn minutes(_member: SignedIn<Member>, page: Option<u32>) -> String {
    format!("page {} of the minutes", page.unwrap_or(1))
}

/// The way to the provider. The page behind the sign-in waits in the session.
#[get("/sign_in")]
async fn sign_in(session: &Session, provider: &State<Provider>) -> Result<Redirect, Error> {
    let (page, attempt) = provider.begin(session.return_to("/")).await?;
    attempt.keep(session)?;
    Ok(Redirect::to(page))
}

type Refusal = (Status, RawHtml<&'static str>);

const REFUSED: Result<Redirect, Refusal> = Err((
    Status::Unauthorized,
    RawHtml(r#"This sign-in failed. <a href="/sign_in">Try again</a>"#),
));

/// The way back, with a code, or without one if the provider or the user refused.
#[get("/sign_in/callback?<state>&<code>")]
async fn callback(
    state: Option<&str>,
    code: Option<&str>,
    session: &Session,
    provider: &State<Provider>,
    database: &Database,
) -> Result<Result<Redirect, Refusal>, Error> {
    let Some(attempt) = Attempt::take(session, state.unwrap_or_default())? else {
        return Ok(REFUSED);
    };
    let Some(code) = code else {
        return Ok(REFUSED);
    };
    let next = attempt.next.clone();
    let Some(identity) = provider.identity(code, attempt).await? else {
        return Ok(REFUSED);
    };
    let find = move |connection: &mut SqliteConnection| number(&identity, connection);
    session.log_in(database.run(find).await?)?;
    session.add_proof(Factor::Provider)?;
    Ok(Ok(Redirect::to(next)))
}

/// Returns the number of the member with this issuer and subject, who may be a new one.
fn number(identity: &Identity, connection: &mut SqliteConnection) -> QueryResult<i64> {
    let Identity {
        issuer,
        subject,
        name,
    } = identity;
    let is_member = members::issuer.eq(issuer).and(members::subject.eq(subject));
    let row = (
        members::issuer.eq(issuer),
        members::subject.eq(subject),
        members::name.eq(name),
    );
    diesel::insert_into(members::table)
        .values(row)
        .on_conflict((members::issuer, members::subject))
        .do_update()
        .set(members::name.eq(name))
        .execute(connection)?;
    let member = members::table.filter(is_member);
    member.select(members::number).first(connection)
}

#[post("/sign_out")]
fn sign_out(session: &Session) -> RawHtml<&'static str> {
    session.log_out();
    RawHtml(r#"You are signed out here. <a href="/sign_in">Sign in</a>"#)
}

#[rocket::launch]
fn rocket() -> _ {
    rocket::build()
        .mount("/", routes![club, minutes, sign_in, callback, sign_out])
        .attach(Provider::fairing())
        .attach(
            Sessions::fairing()
                .with_user("members", "number", &["name"])
                .with_sign_in_page("/sign_in")
                .with_csrf_protection(),
        )
}
