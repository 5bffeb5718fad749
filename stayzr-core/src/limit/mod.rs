//! Staying under a vendor's limit: one algorithm, GCRA, wherever its state is kept.
//!
//! A bucket of 200 that refills at 200 per 30 s lets 400 calls through in one window. Spacing calls
//! by `W / (0.95·L)` with a burst of `0.05·L` never shows any window more than `L`, and leaves 95 %
//! of it usable.

mod gcra;
mod limiter;
#[cfg(feature = "worker")]
mod local;

pub use gcra::{Decision, Gcra, Quota};
pub use limiter::{Limiter, Priority};
#[cfg(feature = "worker")]
pub use local::LocalLimiter;
