//! The reason-and-act loop: a state machine without I/O that can be written down in the middle and
//! taken up again, and a driver that does the I/O with a deadline.

mod driver;
mod machine;

pub use driver::Driver;
pub use machine::{CallOutcome, CallRecord, Draft, End, Run, RunLimits, Step};
