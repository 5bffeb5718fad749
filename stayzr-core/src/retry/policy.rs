use std::time::Duration;

use rand::Rng;

use crate::{Error, queue::Backoff};

/// How often and after which waits a failed call is tried again.
///
/// The decision reads only the error's kind and its `Retry-After`. What is tried again is what an
/// adapter maps from 429, 500, 502, 503, 504 and a connection that could not be made; a call that
/// may have happened ([`crate::ErrorKind::Ambiguous`]) never is.
///
/// ```
/// use std::time::Duration;
/// use stayzr_core::{Error, retry::RetryPolicy};
///
/// let policy = RetryPolicy::default();
/// let mut rng = rand::rng();
/// let down = Error::unavailable("mews.customers.getAll", "connection refused");
/// let wait = policy.next(1, &down, &mut rng).unwrap();
/// assert!(wait >= Duration::from_millis(500) && wait <= Duration::from_secs(1));
/// assert!(policy.next(4, &down, &mut rng).is_none());
/// assert!(policy.next(1, &Error::invalid("x", "no such field"), &mut rng).is_none());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many more attempts follow the first.
    pub retries: u32,
    /// The waits between them.
    pub backoff: Backoff,
    /// The longest `Retry-After` that is waited for here; a longer one ends the retries, since a
    /// queue waits better than a worker that holds a lease.
    pub patience: Duration,
}

impl Default for RetryPolicy {
    /// Three retries after 1, 2 and 4 s less jitter; at most 30 s where the other side names a time.
    fn default() -> Self {
        Self {
            retries: 3,
            backoff: Backoff {
                base: Duration::from_secs(1),
                cap: Duration::from_secs(4),
            },
            patience: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// A policy that never tries again.
    pub const fn never() -> Self {
        Self {
            retries: 0,
            backoff: Backoff {
                base: Duration::ZERO,
                cap: Duration::ZERO,
            },
            patience: Duration::ZERO,
        }
    }

    /// How long to wait after the attempt with this number (counted from 1) failed; none if it is
    /// not to be tried again. Never shorter than what the other side asked for.
    pub fn next(&self, attempt: u32, error: &Error, rng: &mut impl Rng) -> Option<Duration> {
        if attempt > self.retries || !error.is_retryable() {
            return None;
        }
        let wait = self.backoff.wait(attempt, rng);
        match error.retry_after() {
            Some(asked) if asked > self.patience => None,
            Some(asked) => Some(wait.max(asked)),
            None => Some(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::ErrorKind;

    fn error(kind: ErrorKind) -> Error {
        Error::new(kind, "vendor.call", "failed")
    }

    #[test]
    fn waits_one_two_four_seconds_with_jitter_and_then_stops() {
        let policy = RetryPolicy::default();
        let mut rng = StdRng::seed_from_u64(7);
        let down = error(ErrorKind::Unavailable);
        for (attempt, ceiling) in [(1, 1000), (2, 2000), (3, 4000)] {
            for _ in 0..100 {
                let wait = policy.next(attempt, &down, &mut rng).unwrap().as_millis();
                assert!((ceiling / 2..=ceiling).contains(&wait), "{attempt}: {wait}");
            }
        }
        assert_eq!(policy.next(4, &down, &mut rng), None);
    }

    #[test]
    fn only_kinds_that_had_no_effect_are_tried_again() {
        let policy = RetryPolicy::default();
        let mut rng = StdRng::seed_from_u64(7);
        for (kind, again) in [
            (ErrorKind::RateLimited, true),
            (ErrorKind::Unavailable, true),
            (ErrorKind::Timeout, true),
            (ErrorKind::Ambiguous, false),
            (ErrorKind::Unauthorized, false),
            (ErrorKind::Forbidden, false),
            (ErrorKind::Invalid, false),
            (ErrorKind::Conflict, false),
            (ErrorKind::NotFound, false),
            (ErrorKind::Unsupported, false),
            (ErrorKind::Corrupt, false),
            (ErrorKind::Internal, false),
        ] {
            assert_eq!(
                policy.next(1, &error(kind), &mut rng).is_some(),
                again,
                "{kind}"
            );
        }
    }

    #[test]
    fn waits_at_least_as_long_as_asked_and_gives_up_beyond_its_patience() {
        let policy = RetryPolicy::default();
        let mut rng = StdRng::seed_from_u64(7);
        let asked =
            |seconds| error(ErrorKind::RateLimited).with_retry_after(Duration::from_secs(seconds));
        assert_eq!(
            policy.next(1, &asked(20), &mut rng),
            Some(Duration::from_secs(20))
        );
        let short = policy.next(3, &asked(1), &mut rng).unwrap();
        assert!(short >= Duration::from_secs(2), "{short:?}");
        assert_eq!(policy.next(1, &asked(31), &mut rng), None);
    }

    #[test]
    fn never_means_never() {
        let mut rng = StdRng::seed_from_u64(7);
        let down = error(ErrorKind::Unavailable);
        assert_eq!(RetryPolicy::never().next(1, &down, &mut rng), None);
    }
}
