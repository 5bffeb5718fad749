//! The sync engine against a vendor that does what a test tells it.

#![allow(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "this is all test: what is not as it should be may panic, and nothing imports it"
)]

mod hotel;
mod racing;
mod vendor;
mod wide;

mod braking;
mod coalescing;
mod creating;
mod deciding;
mod disputes;
mod dry_running;
mod guard;
mod layering;
mod linking;
mod merging;
mod missing;
mod overtaking;
mod parking;
mod planning;
mod pushing;
mod queueing;
mod reading;
mod recognising;
mod reconciling;
mod simulation;
mod untouched;
