//! Fuzzed functions of the library, and the properties that hold for every input.

#![allow(
    clippy::unwrap_used,
    reason = "a target panics where something is not true"
)]

mod cookies;
mod durations;
mod express;
mod records;

pub use self::cookies::cookie_header;
pub use self::durations::duration;
pub use self::records::record;

#[cfg(test)]
mod tests {
    use testing::corpus;

    use super::*;

    #[test]
    fn the_corpus_of_cookie_header() {
        corpus::replay("cookie_header", cookie_header);
    }

    #[test]
    fn the_corpus_of_record() {
        corpus::replay("record", record);
    }

    #[test]
    fn the_corpus_of_duration() {
        corpus::replay("duration", duration);
    }

    /// Rows that were changed, each a little; an object of PHP is only text here.
    #[test]
    fn cve_2015_8566_a_row_with_anything_in_it_is_a_session_or_none() {
        let mut random = fastrand::Rng::with_seed(8566);
        corpus::replay("record", |good| {
            for _ in 0..50 {
                let mut bad = good.to_vec();
                for _ in 0..random.usize(1..4) {
                    let at = random.usize(..=bad.len());
                    match random.u8(..3) {
                        0 => bad.insert(at, random.u8(b' '..127)),
                        1 => bad.truncate(at),
                        _ => bad.splice(at.., good.iter().copied()).for_each(drop),
                    }
                }
                record(&bad);
            }
        });
    }
}
