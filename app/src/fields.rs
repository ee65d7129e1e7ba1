//! What the fields of the forms accept, and how that is said.

use std::borrow::Cow;

use email_address::{EmailAddress, Options};

use crate::common_passwords;
use crate::settings::Settings;
use crate::user::Profile;

/// Nothing, or what is to be mended.
pub(crate) type Check = Result<(), Cow<'static, str>>;

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
    let plain = !text.trim().contains(is_unseen);
    require(plain, "Please use letters only, no control characters.")
}

pub(crate) fn email(text: &str) -> Check {
    present(text)?;
    let options = Options::default()
        .without_display_text()
        .without_domain_literal()
        .with_required_tld();
    let address = canonical_email(text);
    let valid = address.len() <= 254
        && !address.contains(is_unseen)
        && EmailAddress::parse_with_options(&address, options).is_ok();
    require(
        valid,
        "This is not an e-mail address. It looks like name@example.org.",
    )
}

/// A password that `owner` may choose.
pub(crate) fn new_password(text: &str, owner: &Profile, settings: &Settings) -> Check {
    require(!text.is_empty(), "Please fill this in.")?;
    let min = settings.password_min;
    let long = text.chars().count() >= min as usize;
    require(
        long,
        format!("Please use at least {min} characters. A few words are fine."),
    )?;
    require(text.len() <= 1_024, "Please use at most 1024 bytes.")?;
    require(
        !text.ends_with('\0'),
        "Please end it with another character.",
    )?;
    require(
        !common_passwords::is_common(text),
        "This is one of the passwords that are tried first. Please choose another one.",
    )?;
    let own = [&owner.first_name, &owner.last_name, &owner.email];
    let known = own.into_iter().chain(&settings.words).map(String::as_str);
    require(
        !common_passwords::is_made_of(text, known),
        "This has nothing but your name, your e-mail address or the name of this site in it. \
         Please choose another one.",
    )
}

pub(crate) fn other_password(
    text: &str,
    present: &str,
    owner: &Profile,
    settings: &Settings,
) -> Check {
    new_password(text, owner, settings)?;
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
    let plain = !text.contains(is_unseen);
    require(plain, "Please use letters only, no control characters.")
}

/// Control characters, line ends, and what turns a text around, so that it reads as another one.
fn is_unseen(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn require(holds: bool, otherwise: impl Into<Cow<'static, str>>) -> Check {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
