//! Shared by the tests that cross crates: servers to test against, and the built command as a
//! process.

pub mod client;
pub mod command;
pub mod process;
pub mod servers;
