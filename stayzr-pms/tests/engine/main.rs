//! The sync engine against a vendor that does what a test tells it.

#![allow(
    unreachable_pub,
    reason = "modules of a test are reached from nowhere else"
)]

mod hotel;
mod racing;
mod vendor;

mod guard;
mod planning;
mod queueing;
mod reading;
mod simulation;
