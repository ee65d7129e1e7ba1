//! The end of a request as one table.

/// What happened to a session during a request, from least to most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    #[default]
    Clean,
    Changed,
    Renewed,
    Destroyed,
}

/// The one statement that brings the store up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Nothing,
    Insert,
    Touch,
    Update,
    /// An update that also changes the key.
    Renew,
    Delete,
}

/// What the response tells the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetCookie {
    Nothing,
    Set,
    Remove,
}

/// All that the decision depends on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) loaded: bool,
    pub(crate) status: Status,
    pub(crate) empty: bool,
    pub(crate) touch_due: bool,
    pub(crate) cookie_came: bool,
    pub(crate) token_unsent: bool,
    pub(crate) cookie_expires: bool,
    pub(crate) rolling: bool,
    pub(crate) save_uninitialized: bool,
}

/// One store verb and one word to the browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) verb: Verb,
    pub(crate) cookie: SetCookie,
}

impl Plan {
    /// Decides.
    ///
    /// | loaded | status | empty | verb | cookie |
    /// |---|---|---|---|---|
    /// | no | clean | – | – (insert with `save_uninitialized`) | – (set) |
    /// | no | changed, renewed | yes | – | – |
    /// | no | changed, renewed | no | insert | set |
    /// | no | destroyed | – | – | remove, if one came in |
    /// | yes | clean | – | touch, if due | again, if it expires and the touch was due |
    /// | yes | changed | – | update | again, if it expires |
    /// | yes | renewed | – | renew | set |
    /// | yes | destroyed | – | delete | remove |
    ///
    /// With `rolling`, or with a token saved in mid-request, a live session's cookie is set in any case.
    pub(crate) fn of(facts: &Facts) -> Self {
        let again = |when: bool| match facts.rolling || facts.token_unsent || when {
            true => SetCookie::Set,
            false => SetCookie::Nothing,
        };
        let (verb, cookie) = match (facts.loaded, facts.status) {
            (false, Status::Clean) if facts.save_uninitialized => (Verb::Insert, SetCookie::Set),
            (false, Status::Clean) => (Verb::Nothing, SetCookie::Nothing),
            (false, Status::Changed | Status::Renewed) if facts.empty => {
                (Verb::Nothing, SetCookie::Nothing)
            }
            (false, Status::Changed | Status::Renewed) => (Verb::Insert, SetCookie::Set),
            (false, Status::Destroyed) if facts.cookie_came => (Verb::Nothing, SetCookie::Remove),
            (false, Status::Destroyed) => (Verb::Nothing, SetCookie::Nothing),
            (true, Status::Clean) if facts.touch_due => (Verb::Touch, again(facts.cookie_expires)),
            (true, Status::Clean) => (Verb::Nothing, again(false)),
            (true, Status::Changed) => (Verb::Update, again(facts.cookie_expires)),
            (true, Status::Renewed) => (Verb::Renew, SetCookie::Set),
            (true, Status::Destroyed) => (Verb::Delete, SetCookie::Remove),
        };
        Self { verb, cookie }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(loaded: bool, status: Status, facts: Facts, verb: Verb, cookie: SetCookie) {
        let facts = Facts {
            loaded,
            status,
            ..facts
        };
        assert_eq!(Plan::of(&facts), Plan { verb, cookie }, "{facts:?}");
    }

    const NONE: Facts = Facts {
        loaded: false,
        status: Status::Clean,
        empty: false,
        touch_due: false,
        cookie_came: false,
        token_unsent: false,
        cookie_expires: false,
        rolling: false,
        save_uninitialized: false,
    };

    #[test]
    fn s4_new_and_clean_stores_nothing_and_sets_no_cookie() {
        row(
            false,
            Status::Clean,
            NONE,
            Verb::Nothing,
            SetCookie::Nothing,
        );
        row(
            false,
            Status::Clean,
            Facts {
                rolling: true,
                ..NONE
            },
            Verb::Nothing,
            SetCookie::Nothing,
        );
        row(
            false,
            Status::Clean,
            Facts {
                save_uninitialized: true,
                ..NONE
            },
            Verb::Insert,
            SetCookie::Set,
        );
    }

    #[test]
    fn s4_new_changed_and_empty_again_stores_nothing() {
        let empty = Facts {
            empty: true,
            ..NONE
        };
        row(
            false,
            Status::Changed,
            empty,
            Verb::Nothing,
            SetCookie::Nothing,
        );
        row(
            false,
            Status::Renewed,
            empty,
            Verb::Nothing,
            SetCookie::Nothing,
        );
    }

    #[test]
    fn s1_new_and_changed_is_inserted() {
        row(false, Status::Changed, NONE, Verb::Insert, SetCookie::Set);
        row(false, Status::Renewed, NONE, Verb::Insert, SetCookie::Set);
    }

    #[test]
    fn s8_new_and_destroyed_removes_a_cookie_that_came() {
        row(
            false,
            Status::Destroyed,
            NONE,
            Verb::Nothing,
            SetCookie::Nothing,
        );
        row(
            false,
            Status::Destroyed,
            Facts {
                cookie_came: true,
                ..NONE
            },
            Verb::Nothing,
            SetCookie::Remove,
        );
    }

    #[test]
    fn s13_loaded_and_clean_is_touched_when_due() {
        let due = Facts {
            touch_due: true,
            ..NONE
        };
        row(true, Status::Clean, NONE, Verb::Nothing, SetCookie::Nothing);
        row(true, Status::Clean, due, Verb::Touch, SetCookie::Nothing);
        row(
            true,
            Status::Clean,
            Facts {
                cookie_expires: true,
                ..due
            },
            Verb::Touch,
            SetCookie::Set,
        );
        row(
            true,
            Status::Clean,
            Facts {
                cookie_expires: true,
                ..NONE
            },
            Verb::Nothing,
            SetCookie::Nothing,
        );
    }

    #[test]
    fn s6_rolling_sets_the_cookie_again() {
        row(
            true,
            Status::Clean,
            Facts {
                rolling: true,
                ..NONE
            },
            Verb::Nothing,
            SetCookie::Set,
        );
        row(
            true,
            Status::Changed,
            Facts {
                rolling: true,
                ..NONE
            },
            Verb::Update,
            SetCookie::Set,
        );
    }

    #[test]
    fn s5_loaded_and_changed_is_updated() {
        row(
            true,
            Status::Changed,
            NONE,
            Verb::Update,
            SetCookie::Nothing,
        );
        row(
            true,
            Status::Changed,
            Facts {
                cookie_expires: true,
                ..NONE
            },
            Verb::Update,
            SetCookie::Set,
        );
    }

    #[test]
    fn s7_loaded_and_renewed_gets_a_new_key() {
        row(true, Status::Renewed, NONE, Verb::Renew, SetCookie::Set);
    }

    #[test]
    fn s8_loaded_and_destroyed_is_deleted() {
        row(
            true,
            Status::Destroyed,
            Facts {
                rolling: true,
                ..NONE
            },
            Verb::Delete,
            SetCookie::Remove,
        );
    }

    #[test]
    fn s9_a_token_saved_in_mid_request_reaches_the_browser() {
        row(
            true,
            Status::Clean,
            Facts {
                token_unsent: true,
                ..NONE
            },
            Verb::Nothing,
            SetCookie::Set,
        );
    }
}
