use std::time::Duration;

use async_trait::async_trait;
use governor::{
    nanos::Nanos,
    state::{StateStore, keyed::DashMapStateStore},
};
use tokio::time::Instant;

use super::{Decision, Gcra, Limiter, Priority, Quota};
use crate::Result;

/// A limit that one process keeps, for each key such as a vendor's access token.
///
/// The state is governor's concurrent store; the decision is [`Gcra`], since governor's own has no
/// part of a burst that is kept for urgent calls.
#[derive(Debug)]
pub struct LocalLimiter {
    gcra: Gcra,
    start: Instant,
    state: DashMapStateStore<String>,
}

impl LocalLimiter {
    /// A limiter that keeps `quota` for each key.
    pub fn new(quota: Quota) -> Self {
        Self {
            gcra: Gcra::new(quota),
            start: Instant::now(),
            state: DashMapStateStore::default(),
        }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Takes a call if it may be made now, else says how long to wait.
    fn try_acquire(&self, key: &String, priority: Priority) -> Result<(), Duration> {
        let (gcra, now) = (self.gcra, self.now());
        self.state.measure_and_replace(key, |tat| {
            match gcra.decide(stored(tat), now, 1, gcra.reserve(priority)) {
                Decision::Allow { tat } => Ok(((), Nanos::from(tat))),
                Decision::Wait(wait) => Err(wait),
                // A call costs one, and a burst holds at least one.
                Decision::TooLarge => Err(gcra.interval()),
            }
        })
    }
}

fn stored(tat: Option<Nanos>) -> Duration {
    tat.map_or(Duration::ZERO, Duration::from)
}

#[async_trait]
impl Limiter for LocalLimiter {
    async fn acquire(&self, key: &str, priority: Priority) -> Result<()> {
        let key = key.to_owned();
        while let Err(wait) = self.try_acquire(&key, priority) {
            tokio::time::sleep(wait).await;
        }
        Ok(())
    }

    async fn hold(&self, key: &str, wait: Duration) -> Result<()> {
        let (gcra, now) = (self.gcra, self.now());
        let held: Result<(), ()> = self.state.measure_and_replace(&key.to_owned(), |tat| {
            Ok(((), Nanos::from(gcra.held(stored(tat), now, wait))))
        });
        debug_assert!(held.is_ok(), "the closure never refuses");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn mews() -> Arc<LocalLimiter> {
        Arc::new(LocalLimiter::new(Quota::new(200, Duration::from_secs(30))))
    }

    #[tokio::test(start_paused = true)]
    async fn invariant_g_parallel_callers_stay_under_the_limit_in_every_window() {
        let limiter = mews();
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
        let limiter = mews();
        let start = Instant::now();
        for key in ["a", "b", "c"] {
            for _ in 0..10 {
                limiter.acquire(key, Priority::High).await.unwrap();
            }
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn an_urgent_call_goes_before_backfill_that_waits() {
        let limiter = mews();
        let start = Instant::now();
        limiter.acquire("token", Priority::Low).await.unwrap();
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
        let limiter = mews();
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
