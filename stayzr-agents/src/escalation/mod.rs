//! How much a conversation needs a person: a score of named signals, so that staff can see why.

mod score;

pub use score::{ESCALATE_AT, MONITOR_AT, Situation, assess};
