use std::time::Duration;

use super::Priority;

/// The longest silence that a vendor's `Retry-After` is taken at its word for. A longer one is
/// asked again after this time.
pub const LONGEST_HOLD: Duration = Duration::from_secs(3600);

/// A vendor's limit: so many calls in any window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Quota {
    /// Calls, at least 1.
    pub limit: u32,
    /// The length of the window.
    pub per: Duration,
}

impl Quota {
    /// So many calls in any window of this length.
    pub const fn new(limit: u32, per: Duration) -> Self {
        Self { limit, per }
    }
}

/// What to do about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Make it, and keep this as the new arrival time of the key.
    Allow {
        /// When the next call would arrive if calls came evenly spaced.
        tat: Duration,
    },
    /// Ask again after so long.
    Wait(Duration),
    /// It costs more than a burst holds: it can never be allowed.
    TooLarge,
}

/// The generic cell rate algorithm for one quota. Pure: the caller keeps one time for each key
/// and says what time it is, both as the time since an epoch of its own.
///
/// ```
/// use std::time::Duration;
/// use stayzr_core::limit::{Gcra, Quota};
///
/// let mews = Gcra::new(Quota::new(200, Duration::from_secs(30)));
/// assert_eq!(mews.burst(), 10);
/// assert_eq!(mews.interval().as_micros(), 157_894);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gcra {
    interval: Duration,
    burst: u32,
    leeway: Duration,
}

impl Gcra {
    /// Calls `W / (0.95·L)` apart with a burst of `0.05·L`, at least 1.
    ///
    /// A window of `W` then sees at most `0.95·L + burst` calls: `L` where the burst is more than
    /// one, and fewer for limits under 20.
    pub fn new(quota: Quota) -> Self {
        let limit = u128::from(quota.limit.max(1));
        // Rounded up, so that rounding never lets a call more through.
        let nanos = (quota.per.as_nanos() * 100).div_ceil(limit * 95);
        let interval = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        let burst = (quota.limit / 20).max(1);
        let after_burst = quota.limit.max(1) - burst + 1;
        Self {
            interval,
            burst,
            leeway: interval
                .saturating_mul(after_burst)
                .saturating_sub(quota.per),
        }
    }

    /// The time between calls that come evenly spaced.
    pub const fn interval(&self) -> Duration {
        self.interval
    }

    /// How many calls may come at once after silence.
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// How late a call may be made after it was allowed, without any window seeing more calls than
    /// the limit: one interval for limits of 20 and more, less below.
    ///
    /// A burst whose calls are made late ends up closer to the calls after it. Windows seen `d` late
    /// are those of `W + d`, which hold at most the limit as long as `d` is within this.
    pub const fn leeway(&self) -> Duration {
        self.leeway
    }

    /// How much of the burst a call of this priority leaves to others: none, or all but two calls.
    /// With one alone a paced caller could not make up for a call that came late, and would never
    /// reach the 95 %.
    pub const fn reserve(&self, priority: Priority) -> u32 {
        match priority {
            Priority::High => 0,
            Priority::Low => self.burst.saturating_sub(2),
        }
    }

    /// The arrival time of a key of which nothing is known from before `since`: a call may be made
    /// then, and no burst. Whoever kept the limit before that, such as the same process before it
    /// was restarted, may have spent the burst.
    pub fn unknown(&self, since: Duration) -> Duration {
        since.saturating_add(self.interval.saturating_mul(self.burst - 1))
    }

    /// Decides about a call now that counts as `cost` calls and leaves `reserve` calls of the
    /// burst to others. `tat` is what the last allowed call left behind; see [`Gcra::unknown`] for
    /// a new key.
    pub fn decide(&self, tat: Duration, now: Duration, cost: u32, reserve: u32) -> Decision {
        if cost > self.burst {
            return Decision::TooLarge;
        }
        let next = tat
            .max(now)
            .saturating_add(self.interval.saturating_mul(cost));
        let ahead = next.saturating_sub(now);
        match ahead.checked_sub(self.reach(cost, reserve)) {
            None | Some(Duration::ZERO) => Decision::Allow { tat: next },
            Some(wait) => Decision::Wait(wait),
        }
    }

    /// How far ahead of now the arrival time may lie after a call that counts as `cost` calls and
    /// leaves `reserve` calls of the burst to others.
    pub fn reach(&self, cost: u32, reserve: u32) -> Duration {
        let usable = self.burst.saturating_sub(reserve).max(cost);
        self.interval.saturating_mul(usable)
    }

    /// The arrival time to keep where nothing may be let through for `wait`, at most
    /// [`LONGEST_HOLD`], nor a burst after it.
    pub fn held(&self, tat: Duration, now: Duration, wait: Duration) -> Duration {
        tat.max(self.unknown(now.saturating_add(wait.min(LONGEST_HOLD))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MEWS: Quota = Quota::new(200, Duration::from_secs(30));

    /// After so many nanoseconds, so many calls at once; whether they are of low priority.
    type Arrivals = Vec<(u64, u32, bool)>;

    /// Runs callers that call as soon as they may, after idle times, and returns when they called.
    fn calls(gcra: Gcra, steps: &[(u64, u32, bool)]) -> Vec<Duration> {
        let (mut now, mut tat) = (Duration::from_secs(1000), Duration::ZERO);
        let mut made = Vec::new();
        for &(idle, count, low) in steps {
            now += Duration::from_nanos(idle);
            let priority = if low { Priority::Low } else { Priority::High };
            for _ in 0..count {
                loop {
                    match gcra.decide(tat, now, 1, gcra.reserve(priority)) {
                        Decision::Allow { tat: next } => {
                            tat = next;
                            made.push(now);
                            break;
                        }
                        Decision::Wait(wait) => now += wait,
                        Decision::TooLarge => unreachable!("a cost of one fits every burst"),
                    }
                }
            }
        }
        made
    }

    /// Four processes ask one state in whatever order their waits end, as one row or key is asked.
    /// Each has its own part of the arrivals: after so long, so many calls at once.
    fn four_processes(gcra: Gcra, arrivals: &[(u64, u32, bool)]) -> Vec<Duration> {
        let start = Duration::from_secs(1000);
        let mut tat = gcra.unknown(start);
        // When each asks next, what it still has to do now, and what comes later.
        let mut processes: Vec<(Duration, Arrivals)> = (0..4)
            .map(|process| {
                let own: Arrivals = arrivals.iter().skip(process).step_by(4).copied().collect();
                let first = own.first().map_or(0, |(idle, ..)| *idle);
                (start + Duration::from_nanos(first), own)
            })
            .collect();
        let mut made = Vec::new();
        while let Some((at, work)) = processes
            .iter_mut()
            .filter(|(_, work)| !work.is_empty())
            .min_by_key(|(at, _)| *at)
        {
            let (_, left, low) = &mut work[0];
            if *left == 0 {
                work.remove(0);
                *at += Duration::from_nanos(work.first().map_or(0, |(idle, ..)| *idle));
                continue;
            }
            let priority = if *low { Priority::Low } else { Priority::High };
            match gcra.decide(tat, *at, 1, gcra.reserve(priority)) {
                Decision::Allow { tat: next } => {
                    tat = next;
                    made.push(*at);
                    *left -= 1;
                }
                Decision::Wait(wait) => *at += wait,
                Decision::TooLarge => unreachable!("a cost of one fits every burst"),
            }
        }
        made
    }

    /// The most calls that any window of this length sees, its start included, its end not.
    fn fullest(made: &[Duration], window: Duration) -> usize {
        let mut end = 0;
        (0..made.len())
            .map(|start| {
                while end < made.len() && made[end] < made[start] + window {
                    end += 1;
                }
                end - start
            })
            .max()
            .unwrap_or_default()
    }

    proptest! {
        #[test]
        fn invariant_g_no_window_sees_more_than_the_limit(
            limit in 1_u32..400,
            seconds in 1_u64..120,
            steps in prop::collection::vec(
                (0_u64..60_000_000_000, 0_u32..300, any::<bool>()), 1..12),
        ) {
            let quota = Quota::new(limit, Duration::from_secs(seconds));
            let made = calls(Gcra::new(quota), &steps);
            let seen = fullest(&made, quota.per);
            prop_assert!(seen <= limit as usize, "{seen} of {limit}");
        }

        #[test]
        fn invariant_g_four_processes_that_send_late_stay_under_the_limit(
            limit in 1_u32..400,
            seconds in 1_u64..120,
            arrivals in prop::collection::vec(
                (0_u64..40_000_000_000, 0_u32..250, any::<bool>()), 4..16),
            lateness in prop::collection::vec(0.0..=1.0, 64),
        ) {
            let quota = Quota::new(limit, Duration::from_secs(seconds));
            let gcra = Gcra::new(quota);
            let mut sent: Vec<Duration> = four_processes(gcra, &arrivals)
                .into_iter()
                .enumerate()
                .map(|(index, at)| at + gcra.leeway().mul_f64(lateness[index % lateness.len()]))
                .collect();
            sent.sort();
            let seen = fullest(&sent, quota.per);
            prop_assert!(seen <= limit as usize, "{seen} of {limit}");
        }

        #[test]
        fn invariant_g_four_processes_with_enough_to_do_use_95_percent(
            limit in 20_u32..400,
            seconds in 1_u64..120,
            low in any::<bool>(),
        ) {
            let quota = Quota::new(limit, Duration::from_secs(seconds));
            let each = limit * 5;
            let made = four_processes(Gcra::new(quota), &[(0, each, low); 4]);
            let span = (made[made.len() - 1] - made[0]).as_secs_f64();
            let rate = (made.len() - 1) as f64 / span * quota.per.as_secs_f64();
            prop_assert!(rate >= 0.95 * f64::from(limit) * (1.0 - 1e-6), "{rate} of {limit}");
        }

        #[test]
        fn invariant_g_at_least_95_percent_of_the_limit_is_usable(
            limit in 1_u32..400,
            seconds in 1_u64..120,
            low in any::<bool>(),
        ) {
            let quota = Quota::new(limit, Duration::from_secs(seconds));
            let windows = 20;
            let count = limit * windows;
            let made = calls(Gcra::new(quota), &[(0, count, low)]);
            let span = (made[made.len() - 1] - made[0]).as_secs_f64();
            let rate = f64::from(count - 1) / span * quota.per.as_secs_f64();
            prop_assert!(rate >= 0.95 * f64::from(limit) * (1.0 - 1e-6), "{rate} of {limit}");
        }
    }

    #[test]
    fn a_key_that_is_not_known_begins_without_a_burst() {
        let gcra = Gcra::new(MEWS);
        let now = Duration::from_secs(1000);
        let Decision::Allow { tat } = gcra.decide(gcra.unknown(now), now, 1, 0) else {
            panic!("one call may be made at once");
        };
        let wait = Decision::Wait(gcra.interval());
        assert_eq!(gcra.decide(tat, now, 1, 0), wait);
    }

    #[test]
    fn a_vendor_that_asks_for_a_year_is_asked_again_after_an_hour() {
        let gcra = Gcra::new(MEWS);
        let now = Duration::from_secs(1000);
        let tat = gcra.held(Duration::ZERO, now, Duration::from_secs(u64::MAX));
        assert_eq!(
            gcra.decide(tat, now, 1, 0),
            Decision::Wait(Duration::from_secs(3600))
        );
    }

    #[test]
    fn mews_gets_one_call_each_158_ms_and_a_burst_of_ten() {
        let gcra = Gcra::new(MEWS);
        assert_eq!(gcra.interval(), Duration::from_nanos(157_894_737));
        let made = calls(gcra, &[(0, 11, false)]);
        assert_eq!(made[9], made[0]);
        assert_eq!(made[10], made[0] + gcra.interval());
    }

    #[test]
    fn backfill_is_paced_and_leaves_the_burst_to_urgent_calls() {
        let gcra = Gcra::new(MEWS);
        let now = Duration::from_secs(1000);
        let mut tat = Duration::ZERO;
        let mut allowed = |priority| match gcra.decide(tat, now, 1, gcra.reserve(priority)) {
            Decision::Allow { tat: next } => {
                tat = next;
                true
            }
            _ => false,
        };
        assert!(allowed(Priority::Low));
        assert!(allowed(Priority::Low), "one ahead, for one that came late");
        assert!(!allowed(Priority::Low), "backfill takes no burst");
        for _ in 0..8 {
            assert!(allowed(Priority::High), "the rest of the burst is there");
        }
        assert!(!allowed(Priority::High));
    }

    #[test]
    fn a_call_that_costs_more_than_a_burst_is_refused_at_once() {
        let gcra = Gcra::new(MEWS);
        let now = Duration::from_secs(1);
        assert_eq!(gcra.decide(Duration::ZERO, now, 11, 0), Decision::TooLarge);
        assert!(matches!(
            gcra.decide(Duration::ZERO, now, 10, 0),
            Decision::Allow { .. }
        ));
    }

    #[test]
    fn silence_holds_everybody_back_and_allows_no_burst_after_it() {
        let gcra = Gcra::new(MEWS);
        let (now, wait) = (Duration::from_secs(1000), Duration::from_secs(20));
        let tat = gcra.held(Duration::ZERO, now, wait);
        assert_eq!(gcra.decide(tat, now, 1, 0), Decision::Wait(wait));
        let Decision::Allow { tat } = gcra.decide(tat, now + wait, 1, 0) else {
            panic!("silence is over");
        };
        assert_eq!(
            gcra.decide(tat, now + wait, 1, 0),
            Decision::Wait(gcra.interval())
        );
    }
}
