use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    sync::OwnedMutexGuard,
    time::{sleep, timeout},
};

use super::{Gcra, Ledger, Limiter, Priority, Quota, Taken};
use crate::{Error, ErrorKind, Result};

/// The longest wait for a call that is waited out here. A queue waits better for a longer one than
/// a worker that holds a lease.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a ledger may take to answer.
const ANSWER: Duration = Duration::from_secs(3);

/// How many calls in a row may be let through too late to be made.
const LATE: u32 = 3;

const OPERATION: &str = "limit.acquire";

/// Waits until a ledger lets a call through: the limiter wherever its state is kept.
///
/// Calls of one key and priority wait in the order they came, so that each process asks the ledger
/// for one of them at a time. A call whose permission took longer to arrive than
/// [`Gcra::leeway`] is not made, since it would be counted at the vendor later than in the ledger:
/// however slow the way to the ledger is, no window sees more calls than the limit.
///
/// Where the ledger does not answer no call is made: the caller gets
/// [`crate::ErrorKind::Unavailable`], says so once in the log, and goes on when the ledger is back.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> stayzr_core::Result<()> {
/// use std::{sync::Arc, time::Duration};
/// use stayzr_core::limit::{Limiter, LocalLedger, Pacer, Priority, Quota};
///
/// let ledger = Arc::new(LocalLedger::default());
/// let mews = Pacer::new(ledger, Quota::new(200, Duration::from_secs(30)));
/// mews.acquire("mews:8f2c", Priority::Low).await?; // now make the call
/// # Ok(())
/// # }
/// ```
pub struct Pacer {
    ledger: Arc<dyn Ledger>,
    quota: Quota,
    gcra: Gcra,
    turns: Mutex<HashMap<(String, Priority), Turn>>,
    silent: AtomicBool,
}

type Turn = Arc<tokio::sync::Mutex<()>>;

impl fmt::Debug for Pacer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pacer")
            .field("place", &self.ledger.place())
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}

impl Pacer {
    /// Keeps `quota` for each key in this ledger. Limits of one ledger with other quotas stand
    /// beside it, each with times of its own.
    pub fn new(ledger: Arc<dyn Ledger>, quota: Quota) -> Self {
        Self {
            ledger,
            quota,
            gcra: Gcra::new(quota),
            turns: Mutex::default(),
            silent: AtomicBool::new(false),
        }
    }

    /// A key in the ledger: of `200` calls in `30 s` for `mews:8f2c` it is `200/30s:mews:8f2c`.
    fn key(&self, key: &str) -> String {
        format!("{}/{:?}:{key}", self.quota.limit, self.quota.per)
    }

    /// Waits for those who came before.
    async fn turn(&self, key: &str, priority: Priority) -> OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            let turn = turns.entry((key.to_owned(), priority)).or_default();
            Arc::clone(turn)
        };
        turn.lock_owned().await
    }

    /// What the ledger answers. That it stopped or began to answer again is logged here, once.
    async fn answer<T>(&self, asked: impl Future<Output = Result<T>>) -> Result<T> {
        let place = self.ledger.place();
        let error = match timeout(ANSWER, asked).await {
            Ok(Ok(answer)) => {
                if self.silent.swap(false, Ordering::Relaxed) {
                    tracing::info!(place, "the limit of vendor calls is counted again");
                }
                return Ok(answer);
            }
            Ok(Err(error)) => error,
            Err(_) => Error::unavailable(OPERATION, "no answer in time"),
        };
        if !self.silent.swap(true, Ordering::Relaxed) {
            tracing::error!(place, %error, "vendor calls wait: their limit cannot be counted");
        }
        if error.kind() == ErrorKind::Internal {
            return Err(error);
        }
        Err(Error::unavailable(
            OPERATION,
            "the limit of vendor calls cannot be counted, and none is made uncounted",
        )
        .with("place", place)
        .with_source(error))
    }
}

#[async_trait]
impl Limiter for Pacer {
    async fn acquire(&self, key: &str, priority: Priority) -> Result<()> {
        let key = self.key(key);
        let _turn = self.turn(&key, priority).await;
        let reserve = self.gcra.reserve(priority);
        let mut late = 0;
        loop {
            match self
                .answer(self.ledger.take(&key, self.gcra, reserve))
                .await?
            {
                Taken::After(wait) if wait > PATIENCE => {
                    return Err(Error::new(
                        ErrorKind::RateLimited,
                        OPERATION,
                        "the vendor's limit lets no call through for a while",
                    )
                    .with_retry_after(wait));
                }
                Taken::After(wait) => sleep(wait).await,
                Taken::Now => return Ok(()),
                Taken::Late => late += 1,
            }
            if late == LATE {
                return Err(Error::unavailable(
                    OPERATION,
                    "the limit of vendor calls is counted too slowly to keep to it: the way to its \
                     place must be faster",
                )
                .with("place", self.ledger.place())
                .with("may_take_ms", self.gcra.leeway().as_millis()));
            }
        }
    }

    async fn hold(&self, key: &str, wait: Duration) -> Result<()> {
        let key = self.key(key);
        self.answer(self.ledger.hold(&key, self.gcra, wait)).await
    }
}
