//! What several examples share: a hotel in a store, and a connection to Mews. On a server the
//! commands `stayzr init`, `property add` and `integration add` do the same.

mod hotel;
mod mews;

pub use hotel::open_hotel;
pub use mews::Mews;

/// The code of the guides, compiled and run with the documentation tests.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../README.md")]
    mod readme {}
    #[doc = include_str!("../../docs/use-the-crates.md")]
    mod use_the_crates {}
    #[doc = include_str!("../../docs/write-a-provider.md")]
    mod write_a_provider {}
}
