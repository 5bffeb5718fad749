//! OPERA Cloud against the vendor's specification and examples, and against the sandbox.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "this is all test: what is not as it should be may panic, and a skip is said"
)]

mod against_sandbox;
mod bad_input;
mod common;
mod desk;
mod events;
mod faults;
mod laws;
mod recorder;
mod requests;
#[path = "../spec/mod.rs"]
mod spec;
mod stream;
mod token;
mod tolerance;
mod vendor_examples;
mod vendor_spec;
mod writes;
