//! The concierge: one turn from the guest's message to what he is told.
//!
//! A turn masks card numbers, finds the language, routes, runs the specialist, holds the reply
//! against what was looked up, looks for repetition and weighs whether a person is needed. Any hard
//! failure ends in an answer of quotes alone, and where that is not possible in the line that
//! hands over to a person. A guest never sees an error.

mod agent;
mod citation;
mod exchange;
mod work;

pub use agent::{AgentConcierge, ConciergeLimits};
