//! Guides: for people who come from Express, for applications that do, and through the settings.

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
