//! Mews against the vendor's own examples, against laws, and against the sandbox.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "this is all test: what is not as it should be may panic, and a skip is said"
)]

mod against_sandbox;
mod bodies;
mod common;
mod desk;
mod engine;
mod faults;
mod laws;
mod notes;
mod portfolio;
mod requests;
mod sandbox_itself;
mod stays;
mod tolerance;
mod vendor_examples;
