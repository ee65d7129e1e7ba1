//! Checks the fields of forms and words the errors.

use std::borrow::Cow;

use email_address::{EmailAddress, Options};

use super::email;
use crate::db::users::Profile;
use crate::passwords::common;
use crate::settings::Settings;

/// The error to show beside the field.
pub(crate) type Check = Result<(), Cow<'static, str>>;

/// In bytes: 64 characters of 4 bytes, and at least as long as an e-mail address.
const LONGEST_NAME: usize = 64 * 4;

pub(crate) fn present(text: &str) -> Check {
    require(!text.trim().is_empty(), "Please fill this in.")
}

pub(crate) fn name(text: &str) -> Check {
    present(text)?;
    let text = text.trim();
    require(
        text.len() <= LONGEST_NAME && text.chars().count() <= 64,
        "Please use at most 64 characters.",
    )?;
    let plain = !text.contains(is_unseen);
    require(plain, "Please remove the control characters.")
}

pub(crate) fn email(text: &str) -> Check {
    present(text)?;
    let options = Options::default()
        .without_display_text()
        .without_domain_literal()
        .with_required_tld();
    let address = email::canonical(text);
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let valid = address.len() <= 254
        && domain.is_ascii()
        && !address.contains(is_unseen)
        && EmailAddress::parse_with_options(&address, options).is_ok();
    require(
        valid,
        "This is not an e-mail address. It looks like name@example.org.",
    )
}

/// Checks a new password of `owner`.
pub(crate) fn new_password(text: &str, owner: &Profile, settings: &Settings) -> Check {
    require(!text.is_empty(), "Please fill this in.")?;
    require(text.len() <= 1_024, "Please use at most 1024 bytes.")?;
    let min = settings.password_min;
    let long = text.chars().count() >= min as usize;
    require(
        long,
        format!("Please use at least {min} characters. A few words are fine."),
    )?;
    require(
        !text.ends_with('\0'),
        "A password must not end with the character NUL.",
    )?;
    require(
        !common::is_common(text),
        "This password is too common. Please choose another one.",
    )?;
    let email = email::written(&owner.email);
    let own = [&owner.first_name, &owner.last_name, &owner.email, &email];
    // Longer values fail in their own field and would make this check slow.
    let own = own.into_iter().filter(|text| text.len() <= LONGEST_NAME);
    let known = own.chain(&settings.words).map(String::as_str);
    require(
        !common::is_made_of(text, known),
        "This password consists of your name, your e-mail address or the name of this site. \
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
        "This is your current password. Please choose another one.",
    )
}

pub(crate) fn location(text: &str) -> Check {
    let text = text.trim();
    require(
        text.len() <= 128 * 4 && text.chars().count() <= 128,
        "Please use at most 128 characters.",
    )?;
    let plain = !text.contains(is_unseen);
    require(plain, "Please remove the control characters.")
}

/// Finds control characters, line ends and marks that reverse the direction of a text.
fn is_unseen(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn require(holds: bool, otherwise: impl Into<Cow<'static, str>>) -> Check {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the processor time of `work`, in nanoseconds.
    fn cost(work: impl FnOnce()) -> u64 {
        let worked = || {
            let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
            statistics
                .split(' ')
                .next()
                .unwrap()
                .parse::<u64>()
                .unwrap()
        };
        let before = worked();
        work();
        worked() - before
    }

    /// Without limits, a name of single letters and a long password took 4 seconds.
    #[test]
    fn no_field_costs_more_than_its_longest_value_however_long_it_is() {
        let settings = Settings::default();
        let letters: String = ('a'..='z')
            .cycle()
            .take(500_000)
            .flat_map(|c| [c, ' '])
            .collect();
        let owner = |name: &str| Profile {
            email: name.to_owned(),
            first_name: name.to_owned(),
            last_name: name.to_owned(),
        };
        let passwords = [
            "abcdefghijklmnop".repeat(64),
            "a".repeat(1_023) + "b",
            "İ".repeat(512),
            "x y".repeat(340_000),
        ];
        for name in [&letters, &letters[..128], &"ab".repeat(500_000)] {
            for password in &passwords {
                let spent = cost(|| {
                    let _ = new_password(password, &owner(name), &settings);
                });
                assert!(spent < 100_000_000, "{spent} ns: {name:.20} {password:.20}");
            }
            let spent = cost(|| {
                let _ = (self::name(name), email(name), location(name));
            });
            assert!(spent < 100_000_000, "{spent} ns: {name:.20}");
        }
    }
}
