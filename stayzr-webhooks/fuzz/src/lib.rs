//! What `cargo fuzz` runs.

mod targets;

pub use targets::*;
