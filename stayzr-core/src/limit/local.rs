use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use governor::{
    nanos::Nanos,
    state::{StateStore, keyed::DashMapStateStore},
};
use tokio::time::Instant;

use super::{Decision, Gcra, Ledger, Limiter, Pacer, Priority, Quota, Taken};
use crate::Result;

/// Arrival times that one process keeps, on its monotonic clock.
///
/// The state is governor's concurrent store; the decision is [`Gcra`], since governor's own has no
/// part of a burst that is kept for urgent calls. What was called before the process began is not
/// known: see [`Gcra::unknown`].
#[derive(Debug)]
pub struct LocalLedger {
    start: Instant,
    state: DashMapStateStore<String>,
}

impl Default for LocalLedger {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            state: DashMapStateStore::default(),
        }
    }
}

/// The arrival time of a key; the process began at zero.
fn arrival(tat: Option<Nanos>, gcra: Gcra) -> Duration {
    tat.map_or_else(|| gcra.unknown(Duration::ZERO), Duration::from)
}

#[async_trait]
impl Ledger for LocalLedger {
    fn place(&self) -> &'static str {
        "this process"
    }

    fn is_shared(&self) -> bool {
        false
    }

    async fn take(&self, key: &str, gcra: Gcra, reserve: u32) -> Result<Taken> {
        let now = self.start.elapsed();
        let taken = self.state.measure_and_replace(&key.to_owned(), |tat| {
            match gcra.decide(arrival(tat, gcra), now, 1, reserve) {
                Decision::Allow { tat } => Ok((Taken::Now, Nanos::from(tat))),
                Decision::Wait(wait) => Err(Taken::After(wait)),
                // A call costs one, and a burst holds at least one.
                Decision::TooLarge => Err(Taken::After(gcra.interval())),
            }
        });
        Ok(taken.unwrap_or_else(|refused| refused))
    }

    async fn hold(&self, key: &str, gcra: Gcra, wait: Duration) -> Result<()> {
        let now = self.start.elapsed();
        let held: Result<(), ()> = self.state.measure_and_replace(&key.to_owned(), |tat| {
            let held = gcra.held(arrival(tat, gcra), now, wait);
            Ok(((), Nanos::from(held)))
        });
        debug_assert!(held.is_ok(), "the closure never refuses");
        Ok(())
    }

    async fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A limit that one process keeps, for each key such as a vendor's access token: a [`Pacer`] with
/// a [`LocalLedger`] of its own.
#[derive(Debug)]
pub struct LocalLimiter(Pacer);

impl LocalLimiter {
    /// A limiter that keeps `quota` for each key.
    pub fn new(quota: Quota) -> Self {
        Self(Pacer::new(Arc::new(LocalLedger::default()), quota))
    }
}

#[async_trait]
impl Limiter for LocalLimiter {
    async fn acquire(&self, key: &str, priority: Priority) -> Result<()> {
        self.0.acquire(key, priority).await
    }

    async fn hold(&self, key: &str, wait: Duration) -> Result<()> {
        self.0.hold(key, wait).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A limiter whose process was silent long enough for a burst.
    async fn mews() -> Arc<LocalLimiter> {
        let limiter = LocalLimiter::new(Quota::new(200, Duration::from_secs(30)));
        tokio::time::sleep(Duration::from_secs(2)).await;
        Arc::new(limiter)
    }

    #[cfg(feature = "conformance")]
    #[tokio::test(start_paused = true)]
    async fn it_keeps_what_every_ledger_promises() {
        let ledger = LocalLedger::default();
        let run = crate::store::conformance::limit::run;
        run(&ledger, &ledger, tokio::time::sleep).await.assert();
    }

    #[tokio::test(start_paused = true)]
    async fn invariant_g_parallel_callers_stay_under_the_limit_in_every_window() {
        let limiter = mews().await;
        let start = Instant::now();
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..8 {
            let limiter = Arc::clone(&limiter);
            callers.spawn(async move {
                let priority = if caller % 2 == 0 {
                    Priority::High
                } else {
                    Priority::Low
                };
                let mut made = Vec::new();
                while start.elapsed() < Duration::from_secs(120) {
                    limiter.acquire("token", priority).await.unwrap();
                    made.push(start.elapsed());
                }
                made
            });
        }
        let mut made: Vec<Duration> = callers.join_all().await.into_iter().flatten().collect();
        made.sort();
        let window = Duration::from_secs(30);
        for (index, first) in made.iter().enumerate() {
            let seen = made[index..]
                .iter()
                .take_while(|at| **at < *first + window)
                .count();
            assert!(seen <= 200, "{seen} calls in the window from {first:?}");
        }
        assert!(made.len() >= 190 * 4, "only {} of 760", made.len());
    }

    #[tokio::test(start_paused = true)]
    async fn keys_have_limits_of_their_own() {
        let limiter = mews().await;
        let start = Instant::now();
        for key in ["a", "b", "c"] {
            for _ in 0..10 {
                limiter.acquire(key, Priority::High).await.unwrap();
            }
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn invariant_g_a_process_that_just_began_has_no_burst() {
        let limiter = LocalLimiter::new(Quota::new(200, Duration::from_secs(30)));
        let start = Instant::now();
        for _ in 0..11 {
            limiter.acquire("token", Priority::High).await.unwrap();
        }
        assert!(start.elapsed() >= Duration::from_millis(1578));
    }

    #[tokio::test(start_paused = true)]
    async fn an_urgent_call_goes_before_backfill_that_waits() {
        let limiter = mews().await;
        let start = Instant::now();
        for _ in 0..2 {
            limiter.acquire("token", Priority::Low).await.unwrap();
        }
        let backfill = {
            let limiter = Arc::clone(&limiter);
            tokio::spawn(async move {
                limiter.acquire("token", Priority::Low).await.unwrap();
                start.elapsed()
            })
        };
        tokio::task::yield_now().await;
        limiter.acquire("token", Priority::High).await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(backfill.await.unwrap() > Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_calls_before_the_time_the_vendor_named() {
        let limiter = mews().await;
        let start = Instant::now();
        limiter
            .hold("token", Duration::from_secs(12))
            .await
            .unwrap();
        limiter.acquire("token", Priority::High).await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(12));
        assert!(start.elapsed() < Duration::from_secs(13));
    }
}
