use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::Gcra;
use crate::Result;

/// Where the arrival times of limits are kept: in this process, or where several processes meet.
///
/// A key is asked about and written in one step that nothing comes between, by the one clock of
/// that place. Keys hold no secret.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// What keeps it, for people: `PostgreSQL`.
    fn place(&self) -> &'static str;

    /// Whether other processes see it too.
    fn is_shared(&self) -> bool {
        true
    }

    /// Takes a call for a key if [`Gcra::decide`] allows one that leaves `reserve` calls of the
    /// burst to others; else says how long to wait.
    ///
    /// A new key has its whole burst where the ledger forgets nothing, and begins as
    /// [`Gcra::unknown`] where it may have forgotten it. An error means that no call was taken, or
    /// that it is not known: none may be made.
    async fn take(&self, key: &str, gcra: Gcra, reserve: u32) -> Result<Taken>;

    /// Lets nothing through for this key before `wait` is over, as [`Gcra::held`] says. What was
    /// held for longer stays held for longer.
    async fn hold(&self, key: &str, gcra: Gcra, wait: Duration) -> Result<()>;

    /// Whether it answers. Takes nothing.
    async fn check(&self) -> Result<()>;
}

/// What a ledger says about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is counted: make it.
    Now,
    /// It is counted, but the answer took longer than [`Gcra::leeway`] since the ledger's clock was
    /// read: do not make it, and ask again.
    Late,
    /// It is not: ask again after so long.
    After(Duration),
}

impl Taken {
    /// A call that was counted, and whether it may still be made. `asked` is a time of this process
    /// before the ledger's clock was read.
    pub fn of(asked: Instant, gcra: Gcra) -> Self {
        match asked.elapsed() <= gcra.leeway() {
            true => Self::Now,
            false => Self::Late,
        }
    }
}

/// A time span as a ledger's statement takes it.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
pub(crate) fn nanos(span: Duration) -> i64 {
    i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limit::Quota;

    #[test]
    fn a_call_that_was_counted_too_long_ago_is_not_made() {
        let gcra = Gcra::new(Quota::new(200, Duration::from_secs(30)));
        let asked = |ago| Instant::now().checked_sub(ago).unwrap();
        let (soon, late) = (Duration::ZERO, Duration::from_millis(158));
        assert_eq!(Taken::of(asked(soon), gcra), Taken::Now);
        assert_eq!(Taken::of(asked(late), gcra), Taken::Late);
    }
}
