use std::time::{Duration, Instant};

use super::{Decision, Gcra, Taken};
use crate::{Error, Result};

/// What a ledger outside this process saw and did, in nanoseconds of its clock since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// When it was asked, by our clock: its own was read after that.
    pub(crate) asked: Instant,
    /// Its time.
    pub(crate) now: i128,
    /// The arrival time before.
    pub(crate) before: i128,
    /// The arrival time after.
    pub(crate) after: i128,
}

impl Entry {
    /// What that means. The arithmetic was done where the state is; it must be ours, or a limit
    /// could be overrun unseen, so that a call under another arithmetic is not made.
    pub(crate) fn settle(self, operation: &'static str, gcra: Gcra, reserve: u32) -> Result<Taken> {
        let time =
            |nanos: i128| Duration::from_nanos(u64::try_from(nanos.max(0)).unwrap_or(u64::MAX));
        match gcra.decide(time(self.before), time(self.now), 1, reserve) {
            Decision::Allow { tat } if tat == time(self.after) => Ok(Taken::of(self.asked, gcra)),
            Decision::Wait(wait) if self.before == self.after => Ok(Taken::After(wait)),
            _ => Err(Error::internal(
                operation,
                "the limit is not counted as this program counts it: is another version at work?",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, limit::Quota};

    const NOW: i128 = 1_772_366_400_000_000_000;

    fn settle(before: i128, after: i128) -> Result<Taken> {
        let gcra = Gcra::new(Quota::new(200, Duration::from_secs(30)));
        let entry = Entry {
            asked: Instant::now(),
            now: NOW,
            before,
            after,
        };
        entry.settle("test", gcra, 0)
    }

    #[test]
    fn a_call_is_made_only_where_both_arithmetics_agree() {
        let interval = 157_894_737;
        assert_eq!(settle(NOW - 5, NOW + interval).unwrap(), Taken::Now);
        let (ten, nine) = (NOW + 10 * interval, NOW + 9 * interval);
        assert_eq!(settle(nine, ten).unwrap(), Taken::Now);
        let wait = Duration::from_nanos(157_894_737);
        assert_eq!(settle(ten, ten).unwrap(), Taken::After(wait));
        for (before, after) in [(ten, ten + interval), (NOW, NOW), (NOW, NOW + interval - 1)] {
            let kind = settle(before, after).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::Internal, "{before} {after}");
        }
    }
}
