use std::time::Duration;

use rand::Rng;

/// Exponential waits with full jitter between half and the whole of each step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait.
    pub base: Duration,
    /// No wait is longer.
    pub cap: Duration,
}

impl Default for Backoff {
    /// 5 s, doubling, at most 15 minutes.
    fn default() -> Self {
        Self {
            base: Duration::from_secs(5),
            cap: Duration::from_secs(900),
        }
    }
}

impl Backoff {
    /// The longest wait after the attempt with this number, counted from 1.
    pub fn ceiling(&self, attempt: u32) -> Duration {
        let doublings = attempt.saturating_sub(1).min(30);
        self.base.saturating_mul(1_u32 << doublings).min(self.cap)
    }

    /// A wait after the attempt with this number, counted from 1.
    pub fn wait(&self, attempt: u32, rng: &mut impl Rng) -> Duration {
        let ceiling = self.ceiling(attempt);
        ceiling.mul_f64(rng.random_range(0.5..=1.0))
    }
}
