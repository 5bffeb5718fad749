//! Cloudbeds against the vendor's specification and examples, against laws, and against the sandbox.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "this is all test: what is not as it should be may panic, and a skip is said"
)]

mod against_sandbox;
mod common;
mod faults;
mod form;
mod laws;
mod oauth;
mod recorder;
mod requests;
mod reservations;
#[path = "../spec/mod.rs"]
mod spec;
mod tolerance;
mod vendor_examples;
mod vendor_spec;
