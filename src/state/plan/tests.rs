//! One test for each row of the table.

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
    begins_anew: false,
    touch_due: false,
    has_cookie: false,
    unknown_token: false,
    token_unsent: false,
    cookie_expires: false,
    rolling: false,
    save_uninitialized: false,
};

#[test]
fn new_and_clean_stores_nothing_and_sets_no_cookie() {
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
fn new_changed_and_empty_again_stores_nothing() {
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
fn new_and_changed_is_inserted() {
    row(false, Status::Changed, NONE, Verb::Insert, SetCookie::Set);
    row(false, Status::Renewed, NONE, Verb::Insert, SetCookie::Set);
}

#[test]
fn new_and_destroyed_removes_a_cookie_that_came() {
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
            has_cookie: true,
            ..NONE
        },
        Verb::Nothing,
        SetCookie::Remove,
    );
}

#[test]
fn unknown_and_destroyed_is_deleted_all_the_same() {
    row(
        false,
        Status::Destroyed,
        Facts {
            has_cookie: true,
            unknown_token: true,
            ..NONE
        },
        Verb::Delete,
        SetCookie::Remove,
    );
}

#[test]
fn loaded_and_clean_is_touched_when_due() {
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
fn rolling_sets_the_cookie_again() {
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
fn loaded_and_changed_is_updated() {
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
fn loaded_and_renewed_gets_a_new_key() {
    row(true, Status::Renewed, NONE, Verb::Renew, SetCookie::Set);
}

#[test]
fn loaded_and_destroyed_is_deleted() {
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
fn a_token_saved_in_mid_request_reaches_the_browser() {
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

#[test]
fn destroyed_with_something_left_is_replaced() {
    for (loaded, unknown_token) in [(true, false), (false, true), (false, false)] {
        let facts = Facts {
            begins_anew: true,
            has_cookie: loaded || unknown_token,
            unknown_token,
            ..NONE
        };
        let status = Status::Destroyed;
        row(loaded, status, facts, Verb::Replace, SetCookie::Set);
    }
}

#[test]
fn gone_says_nothing_to_the_browser() {
    for begins_anew in [false, true] {
        let facts = Facts {
            begins_anew,
            rolling: true,
            has_cookie: true,
            ..NONE
        };
        let (status, verb) = (Status::Gone, Verb::Nothing);
        row(false, status, facts, verb, SetCookie::Nothing);
    }
}
