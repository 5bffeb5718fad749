//! What several examples share: a hotel in a store, and a connection to Mews. On a server the
//! commands `stayzr init`, `property add` and `integration add` do the same.

mod hotel;
mod mews;

pub use hotel::open_hotel;
pub use mews::Mews;
