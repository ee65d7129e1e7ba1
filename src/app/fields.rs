//! What the fields of the forms accept, and how that is said.

use email_address::{EmailAddress, Options};

/// Nothing, or what is to be mended.
pub(crate) type Check = Result<(), &'static str>;

/// An address as it is stored and compared.
pub(crate) fn canonical_email(text: &str) -> String {
    text.trim().to_lowercase()
}

pub(crate) fn present(text: &str) -> Check {
    require(!text.trim().is_empty(), "Please fill this in.")
}

pub(crate) fn name(text: &str) -> Check {
    present(text)?;
    require(
        text.trim().chars().count() <= 64,
        "Please use at most 64 characters.",
    )?;
    let plain = !text.trim().contains(char::is_control);
    require(plain, "Please use letters only, no control characters.")
}

pub(crate) fn email(text: &str) -> Check {
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

pub(crate) fn new_password(text: &str) -> Check {
    require(!text.is_empty(), "Please fill this in.")?;
    let long = text.chars().count() >= 15;
    require(
        long,
        "Please use at least 15 characters. A few words are fine.",
    )?;
    require(text.len() <= 1_024, "Please use at most 1024 bytes.")
}

pub(crate) fn other_password(text: &str, present: &str) -> Check {
    new_password(text)?;
    require(
        text != present,
        "This is your present password. Please choose another one.",
    )
}

pub(crate) fn location(text: &str) -> Check {
    require(
        text.trim().chars().count() <= 128,
        "Please use at most 128 characters.",
    )?;
    let plain = !text.contains(char::is_control);
    require(plain, "Please use letters only, no control characters.")
}

fn require(holds: bool, otherwise: &'static str) -> Check {
    if holds { Ok(()) } else { Err(otherwise) }
}
