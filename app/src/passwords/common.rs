//! Recognises passwords that attackers try first: common ones, and those made of known words.
//!
//! `common_passwords.md` names the source of `common_passwords.txt`.

use std::collections::{BTreeSet, HashSet};
use std::sync::LazyLock;

static LISTED: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// In bytes.
static LONGEST: LazyLock<usize> =
    LazyLock::new(|| LISTED.iter().map(|listed| listed.len()).max().unwrap_or(0));

/// Returns whether a password is a listed one, two of them, or one piece repeated.
///
/// Ignores case, and whatever is neither letter nor digit.
pub(crate) fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    let bare: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    [lower, bare]
        .iter()
        .any(|text| LISTED.contains(&**text) || is_repeated(text) || is_joined(text))
}

/// A repeated piece of at most this many characters is no password, whatever it is.
const SHORT: usize = 4;

fn is_repeated(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let repeats = |piece: &usize| {
        let (before, after) = (
            &characters[..characters.len() - piece],
            &characters[*piece..],
        );
        before == after
    };
    let piece = (1..=characters.len() / 2).find(repeats);
    piece.is_some_and(|piece| {
        piece <= SHORT || LISTED.contains(&*characters[..piece].iter().collect::<String>())
    })
}

fn is_joined(text: &str) -> bool {
    if text.len() > 2 * *LONGEST {
        return false;
    }
    let mut splits = text.char_indices().map(|(at, _)| text.split_at(at));
    splits.any(|(first, second)| LISTED.contains(first) && LISTED.contains(second))
}

/// Returns whether a password has no letters except those of `words`.
pub(crate) fn is_made_of<'a>(password: &str, words: impl Iterator<Item = &'a str>) -> bool {
    let words = words.flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    // Without duplicates, since a name can repeat a letter often.
    let words: BTreeSet<String> = words.map(letters).filter(|word| !word.is_empty()).collect();
    let text = letters(password);
    // Marks each position up to which words cover the text.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for at in 0..text.len() {
        if reached[at] {
            let next = words.iter().filter(|word| text[at..].starts_with(&***word));
            next.for_each(|word| reached[at + word.len()] = true);
        }
    }
    !text.is_empty() && reached[text.len()]
}

fn letters(text: &str) -> String {
    let lower = text.to_lowercase();
    lower.chars().filter(|c| c.is_alphabetic()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords_alone_twice_and_in_pairs_are_found() {
        for common in [
            "password",
            "PassWord",
            "123456",
            "1234567890123456",
            "qwertyuiopasdfgh",
            "passwordpassword",
            "password password",
            "password-Password!",
            "passwordpasswordpas",
            "password12345678",
            "Qwerty-Dragon.",
            "aaaaaaaaaaaaaaa",
            "               ",
            "abcdabcdabcdabcd",
            "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀",
        ] {
            assert!(is_common(common), "{common}");
        }
        for good in [
            "correct horse battery",
            "staple battery horse",
            "k9#xQ!2mZp k9#xQ!2mZp",
            "Пароль из пяти слов",
            "",
        ] {
            assert!(!is_common(good), "{good}");
        }
    }

    #[test]
    fn rounds_follow_the_standards() {
        assert!(LISTED.len() >= 10_000, "{}", LISTED.len());
        let long = LISTED.iter().filter(|one| one.chars().count() >= 15);
        assert!(long.count() >= 3_000);
        for listed in LISTED.iter() {
            assert!(
                is_common(listed) && is_common(&listed.to_uppercase()),
                "{listed}"
            );
        }
    }

    #[test]
    fn known_words_make_no_password() {
        let words = ["Ada", "King-Lovelace", "ada.l1815@example.org", "session"];
        for made in [
            "adalovelace1815",
            "Ada Lovelace 1815!",
            "session-session-session",
            "example.org/SESSION/ada",
            "1815...lovelace...1815",
            "l.l.l.l.l.l.l.l.l",
        ] {
            assert!(is_made_of(made, words.into_iter()), "{made}");
        }
        for good in [
            "ada counts to ten",
            "sessions are long",
            "181518151815181",
            "lovelac",
            "",
        ] {
            assert!(!is_made_of(good, words.into_iter()), "{good}");
        }
        assert!(!is_made_of("anything at all", [""].into_iter()));
    }
}
