//! Guides: sessions in an application that you have, tests of its routes, the way from Express, applications
//! that share their sessions with it, the settings, and backups.

pub mod backup {
    #![doc = include_str!("backup.md")]

    #[cfg(doc)]
    use crate::*;
}

pub mod coming_from_express {
    #![doc = include_str!("coming_from_express.md")]

    #[cfg(doc)]
    use crate::*;
}

#[allow(
    clippy::test_attr_in_doctest,
    reason = "a test of the repository pastes them into a package and runs them there"
)]
pub mod in_your_application {
    #![doc = include_str!("in_your_application.md")]

    #[cfg(doc)]
    use crate::*;
}

pub mod moving_from_express {
    #![doc = include_str!("moving_from_express.md")]

    #[cfg(doc)]
    use crate::*;
}

pub mod settings {
    #![doc = include_str!("settings.md")]

    #[cfg(doc)]
    use crate::*;
}

pub mod testing_your_routes {
    #![doc = include_str!("testing_your_routes.md")]

    #[cfg(doc)]
    use crate::*;
}

#[cfg(test)]
mod tests;
