//! Guides: for people who come from Express, for applications that do, through the settings, and for
//! backups.

pub mod backup {
    #![doc = include_str!("guide/backup.md")]

    #[cfg(doc)]
    use crate::*;
}

pub mod coming_from_express {
    #![doc = include_str!("guide/coming_from_express.md")]

    #[cfg(doc)]
    use crate::*;
}

pub mod moving_from_express {
    #![doc = include_str!("guide/moving_from_express.md")]

    #[cfg(doc)]
    use crate::*;
}

pub mod settings {
    #![doc = include_str!("guide/settings.md")]

    #[cfg(doc)]
    use crate::*;
}

#[cfg(test)]
mod tests;
