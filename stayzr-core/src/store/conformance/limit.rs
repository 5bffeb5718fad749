//! [`crate::limit::Ledger`].

use std::time::Duration;

use futures::future::{join_all, join4};

use super::{Report, ensure, ensure_eq};
use crate::{
    Result,
    limit::{Gcra, LONGEST_HOLD, Ledger, Priority, Quota, Taken},
};

/// One call each 526 ms, and a burst of three: slow enough that questions asked one after the other
/// come at the same time, as far as the limit can tell.
const QUOTA: Quota = Quota::new(60, Duration::from_secs(30));

/// Two processes that ask about one key nobody asked about before.
struct Key<'a, S> {
    one: &'a dyn Ledger,
    other: &'a dyn Ledger,
    name: String,
    gcra: Gcra,
    sleep: &'a S,
}

/// Runs every scenario. `one` and `other` are two connections to the same place, as two processes
/// have them; `sleep` waits on a clock that runs as the ledger's does.
pub async fn run<S, F>(one: &dyn Ledger, other: &dyn Ledger, sleep: S) -> Report
where
    S: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    let key = || Key {
        one,
        other,
        name: uuid::Uuid::now_v7().to_string(),
        gcra: Gcra::new(QUOTA),
        sleep: &sleep,
    };
    let mut report = Report::new();
    let r = &mut report;
    r.scenario("limit::it_answers", async {
        one.check().await?;
        other.check().await
    })
    .await;
    // These wait, and wait together.
    let (burst, urgent, named, held) = join4(
        after_silence_a_burst_may_be_made(key()),
        backfill_leaves_the_burst_to_urgent_calls(key()),
        the_wait_it_names_is_enough(key()),
        a_vendors_silence_holds_for_all(key()),
    )
    .await;
    r.scenario("limit::after_silence_a_burst_may_be_made", async { burst })
        .await;
    r.scenario("limit::backfill_leaves_the_burst_to_urgent_calls", async {
        urgent
    })
    .await;
    r.scenario("limit::the_wait_it_names_is_enough", async { named })
        .await;
    r.scenario("limit::a_vendors_silence_holds_for_all", async { held })
        .await;
    r.scenario(
        "limit::a_key_is_shared_and_keys_are_apart",
        a_key_is_shared_and_keys_are_apart(key(), key()),
    )
    .await;
    r.scenario(
        "limit::of_many_at_once_one_may_call",
        of_many_at_once_one_may_call(key()),
    )
    .await;
    r.scenario(
        "limit::no_silence_is_longer_than_the_longest",
        no_silence_is_longer_than_the_longest(key()),
    )
    .await;
    report
}

impl<S, F> Key<'_, S>
where
    S: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    async fn take(&self, ledger: &dyn Ledger, priority: Priority) -> Result<Taken> {
        let reserve = self.gcra.reserve(priority);
        let taken = ledger.take(&self.name, self.gcra, reserve).await?;
        // A slow machine's answer is counted as well.
        Ok(match taken {
            Taken::Late => Taken::Now,
            taken => taken,
        })
    }

    async fn one(&self, priority: Priority) -> Result<Taken> {
        self.take(self.one, priority).await
    }

    async fn other(&self, priority: Priority) -> Result<Taken> {
        self.take(self.other, priority).await
    }

    /// Makes the key known and lets the whole burst come back.
    async fn rest(&self) -> Result<()> {
        self.one(Priority::High).await?;
        (self.sleep)(self.gcra.reach(1, 0) + Duration::from_millis(20)).await;
        Ok(())
    }

    /// How long to wait, which must be within this.
    fn wait(&self, taken: Taken, most: Duration) -> Result<Duration> {
        match taken {
            Taken::After(wait) => {
                ensure(wait > Duration::ZERO, "a wait is some time")?;
                ensure(wait <= most, "a wait is no longer than it must be")?;
                Ok(wait)
            }
            Taken::Now | Taken::Late => {
                ensure(false, "no more than the limit is let through")?;
                Ok(Duration::ZERO)
            }
        }
    }
}

/// After silence a burst may be made at once, whoever makes its calls, and no call more.
async fn after_silence_a_burst_may_be_made<S, F>(key: Key<'_, S>) -> Result<()>
where
    S: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    key.rest().await?;
    for taken in [
        key.one(Priority::High).await?,
        key.other(Priority::High).await?,
        key.one(Priority::High).await?,
    ] {
        ensure_eq(taken, Taken::Now, "a burst is let through")?;
    }
    let taken = key.other(Priority::High).await?;
    key.wait(taken, key.gcra.interval()).map(drop)
}

/// A call of low priority takes two of the burst at most; what it leaves is there for urgent ones.
async fn backfill_leaves_the_burst_to_urgent_calls<S, F>(key: Key<'_, S>) -> Result<()>
where
    S: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    key.rest().await?;
    for _ in 0..2 {
        let taken = key.one(Priority::Low).await?;
        ensure_eq(taken, Taken::Now, "backfill goes on")?;
    }
    let taken = key.other(Priority::Low).await?;
    key.wait(taken, key.gcra.interval())?;
    let taken = key.other(Priority::High).await?;
    ensure_eq(taken, Taken::Now, "an urgent call goes before backfill")?;
    let taken = key.one(Priority::High).await?;
    key.wait(taken, key.gcra.interval()).map(drop)
}

/// Who waits as long as he was told may call then, also where nobody called before. Being refused
/// costs nothing.
async fn the_wait_it_names_is_enough<S, F>(key: Key<'_, S>) -> Result<()>
where
    S: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    if let Taken::After(wait) = key.one(Priority::Low).await? {
        (key.sleep)(wait).await;
        let taken = key.other(Priority::Low).await?;
        ensure_eq(taken, Taken::Now, "the named wait is enough")?;
    }
    key.rest().await?;
    for _ in 0..3 {
        key.one(Priority::High).await?;
    }
    for _ in 0..2 {
        let taken = key.other(Priority::High).await?;
        let wait = key.wait(taken, key.gcra.interval())?;
        (key.sleep)(wait).await;
        let taken = key.one(Priority::High).await?;
        ensure_eq(taken, Taken::Now, "the named wait is enough")?;
    }
    Ok(())
}

/// What one was told by the vendor holds for the other; a shorter silence does not end a longer
/// one; and no burst follows it.
async fn a_vendors_silence_holds_for_all<S, F>(key: Key<'_, S>) -> Result<()>
where
    S: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    key.rest().await?;
    let silence = 2 * key.gcra.interval();
    key.one.hold(&key.name, key.gcra, silence).await?;
    key.other
        .hold(&key.name, key.gcra, Duration::from_millis(1))
        .await?;
    let taken = key.other(Priority::High).await?;
    let wait = key.wait(taken, silence)?;
    ensure(wait > silence / 2, "the silence is kept")?;
    (key.sleep)(wait).await;
    let taken = key.other(Priority::High).await?;
    ensure_eq(taken, Taken::Now, "the silence is over")?;
    let taken = key.one(Priority::High).await?;
    key.wait(taken, key.gcra.interval()).map(drop)
}

/// What one process takes the other does not have. Another key has a limit of its own.
async fn a_key_is_shared_and_keys_are_apart<S, F>(key: Key<'_, S>, apart: Key<'_, S>) -> Result<()>
where
    S: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    while key.one(Priority::High).await? == Taken::Now {}
    let taken = key.other(Priority::High).await?;
    key.wait(taken, key.gcra.interval())?;
    let taken = apart.other(Priority::High).await?;
    ensure_eq(taken, Taken::Now, "another key is another limit")
}

/// A key of which nothing is known begins without a burst, and of those who ask at once for the
/// only call one gets it.
async fn of_many_at_once_one_may_call<S, F>(key: Key<'_, S>) -> Result<()>
where
    S: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    // A ledger in a process knows that nothing was called since it began.
    key.one.hold(&key.name, key.gcra, Duration::ZERO).await?;
    let asked = (0..20).map(|asker| match asker % 2 {
        0 => key.take(key.one, Priority::High),
        _ => key.take(key.other, Priority::High),
    });
    let mut through = 0;
    for taken in join_all(asked).await {
        through += u32::from(taken? == Taken::Now);
    }
    ensure_eq(through, 1, "one of many is let through")
}

/// A vendor that asks for a year is asked again after an hour.
async fn no_silence_is_longer_than_the_longest<S, F>(key: Key<'_, S>) -> Result<()>
where
    S: Fn(Duration) -> F,
    F: Future<Output = ()>,
{
    let year = Duration::from_secs(365 * 24 * 3600);
    key.one.hold(&key.name, key.gcra, year).await?;
    let taken = key.other(Priority::High).await?;
    let wait = key.wait(taken, LONGEST_HOLD)?;
    ensure(wait > LONGEST_HOLD / 2, "an hour is waited")
}
