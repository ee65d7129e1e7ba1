//! Decides at the end of a request, in one table, what to store and what to send.

/// The most far-reaching thing that happened to a session during a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    #[default]
    Clean,
    Changed,
    Renewed,
    Destroyed,
    /// Another request ended it.
    Gone,
}

/// The verb that brings the store up to date: one statement, or two for a replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Nothing,
    Insert,
    Touch,
    Update,
    /// An update that also changes the key.
    Renew,
    Delete,
    /// A delete, and an insert for the messages and values that begin a new session.
    Replace,
}

/// What the response does with the browser's cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetCookie {
    Nothing,
    Set,
    Remove,
}

/// Everything that the decision depends on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) loaded: bool,
    pub(crate) status: Status,
    pub(crate) empty: bool,
    /// It is not empty, and a browser can get another token for it.
    pub(crate) begins_anew: bool,
    pub(crate) touch_due: bool,
    pub(crate) has_cookie: bool,
    /// The browser sent a token that the store had no record for.
    pub(crate) unknown_token: bool,
    pub(crate) token_unsent: bool,
    pub(crate) cookie_expires: bool,
    pub(crate) rolling: bool,
    pub(crate) save_uninitialized: bool,
}

/// The store's verb, and what happens to the browser's cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) verb: Verb,
    pub(crate) cookie: SetCookie,
}

impl Plan {
    /// Decides by this table.
    ///
    /// | loaded | status | empty | verb | cookie |
    /// |---|---|---|---|---|
    /// | no | clean | – | – (insert with `save_uninitialized`) | – (set) |
    /// | no | changed, renewed | yes | – | – |
    /// | no | changed, renewed | no | insert | set |
    /// | no | destroyed | yes | delete, if a token came in | remove, if a cookie came in |
    /// | yes | clean | – | touch, if due | again, if it expires and the touch was due |
    /// | yes | changed | – | update | again, if it expires |
    /// | yes | renewed | – | renew | set |
    /// | yes | destroyed | yes | delete | remove |
    /// | – | destroyed | no | replace | set |
    /// | – | gone | – | – | – |
    ///
    /// With `rolling`, or with a token that was saved during the request, a live session's cookie is
    /// always set.
    pub(crate) fn of(facts: &Facts) -> Self {
        let again = |when: bool| match facts.rolling || facts.token_unsent || when {
            true => SetCookie::Set,
            false => SetCookie::Nothing,
        };
        let (verb, cookie) = match (facts.loaded, facts.status) {
            (_, Status::Gone) => (Verb::Nothing, SetCookie::Nothing),
            (_, Status::Destroyed) if facts.begins_anew => (Verb::Replace, SetCookie::Set),
            (false, Status::Clean) if facts.save_uninitialized => (Verb::Insert, SetCookie::Set),
            (false, Status::Clean) => (Verb::Nothing, SetCookie::Nothing),
            (false, Status::Changed | Status::Renewed) if facts.empty => {
                (Verb::Nothing, SetCookie::Nothing)
            }
            (false, Status::Changed | Status::Renewed) => (Verb::Insert, SetCookie::Set),
            // Another node may have stored the session, and this node may not see it yet.
            (false, Status::Destroyed) if facts.unknown_token => (Verb::Delete, SetCookie::Remove),
            (false, Status::Destroyed) if facts.has_cookie => (Verb::Nothing, SetCookie::Remove),
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
mod tests;
