//! What the fields of the forms accept, and how that is said.

use std::collections::BTreeMap;

use email_address::{EmailAddress, Options};
use rocket::form::{self, Context, Error};

/// An address as it is stored and compared.
pub(crate) fn canonical_email(text: &str) -> String {
    text.trim().to_lowercase()
}

pub(crate) fn present<'v>(text: &&'v str) -> form::Result<'v, ()> {
    require(!text.trim().is_empty(), "Please fill this in.")
}

pub(crate) fn name<'v>(text: &&'v str) -> form::Result<'v, ()> {
    present(text)?;
    require(
        text.trim().chars().count() <= 64,
        "Please use at most 64 characters.",
    )?;
    require(
        !text.trim().contains(char::is_control),
        "Please use letters only, no control characters.",
    )
}

pub(crate) fn email<'v>(text: &&'v str) -> form::Result<'v, ()> {
    present(text)?;
    let options = Options::default()
        .without_display_text()
        .without_domain_literal()
        .with_required_tld();
    let address = canonical_email(text);
    let valid = address.len() <= 254 && EmailAddress::parse_with_options(&address, options).is_ok();
    require(
        valid,
        "This is not an e-mail address. It looks like name@example.org.",
    )
}

pub(crate) fn new_password<'v>(text: &&'v str) -> form::Result<'v, ()> {
    require(!text.is_empty(), "Please fill this in.")?;
    require(
        text.chars().count() >= 15,
        "Please use at least 15 characters. A few words are fine.",
    )?;
    require(text.len() <= 1_024, "Please use at most 1024 bytes.")
}

fn require<'v>(holds: bool, otherwise: &'static str) -> form::Result<'v, ()> {
    if holds {
        Ok(())
    } else {
        Err(Error::validation(otherwise).into())
    }
}

/// The first error of each field.
pub(crate) fn errors(context: &Context<'_>) -> BTreeMap<&'static str, String> {
    let fields = ["first_name", "last_name", "email", "password"];
    let first = |field| {
        context
            .field_errors(field)
            .next()
            .map(|error| (field, in_words(error)))
    };
    let mut errors: BTreeMap<_, _> = fields.into_iter().filter_map(first).collect();
    if errors.is_empty() {
        errors.insert(
            "form",
            "The form could not be read. Please send it again.".to_owned(),
        );
    }
    errors
}

fn in_words(error: &Error<'_>) -> String {
    match &error.kind {
        form::error::ErrorKind::Validation(message) => message.clone().into_owned(),
        form::error::ErrorKind::Missing => "Please fill this in.".to_owned(),
        _ => "This could not be read.".to_owned(),
    }
}
