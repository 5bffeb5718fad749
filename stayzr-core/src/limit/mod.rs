//! Staying under a vendor's limit: one algorithm, GCRA, wherever its state is kept.
//!
//! A bucket of 200 that refills at 200 per 30 s lets 400 calls through in one window. Spacing calls
//! by `W / (0.95·L)` with a burst of `0.05·L` never shows any window more than `L`, and leaves 95 %
//! of it usable.
//!
//! [`Gcra`] decides, purely. A [`Ledger`] keeps one time for each key: in a process
//! ([`LocalLedger`]), in a row of a store by its clock
//! ([`PostgresStore`](crate::store::postgres::PostgresStore),
//! [`SqliteStore`](crate::store::sqlite::SqliteStore)), or in Redis by Redis' clock
//! ([`RedisLedger`]). A [`Pacer`] waits for its turn. Processes that share a ledger share the limit.

#[cfg(any(feature = "postgres", feature = "redis"))]
mod entry;
mod gcra;
mod ledger;
mod limiter;
#[cfg(feature = "worker")]
mod local;
#[cfg(feature = "worker")]
mod pacer;
#[cfg(feature = "redis")]
mod redis;

#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) use entry::Entry;
pub use gcra::{Decision, Gcra, LONGEST_HOLD, Quota};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
pub(crate) use ledger::nanos;
pub use ledger::{Ledger, Taken};
pub use limiter::{Limiter, Priority};
#[cfg(feature = "worker")]
pub use local::{LocalLedger, LocalLimiter};
#[cfg(feature = "worker")]
pub use pacer::Pacer;
#[cfg(feature = "redis")]
pub use redis::RedisLedger;
