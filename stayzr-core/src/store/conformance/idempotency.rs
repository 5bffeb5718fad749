//! [`crate::port::idempotency::Idempotency`].

use chrono::TimeDelta;

use super::{Report, sample};
use crate::{
    Result,
    clock::ManualClock,
    port::{
        idempotency::{Idempotency, IdempotencyCheck, StoredResponse},
        setup::Setup,
    },
};

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Setup + Idempotency + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "idempotency::a_key_is_answered_once",
        a_key_is_answered_once(store, clock),
    )
    .await;
    r.scenario(
        "idempotency::a_key_comes_free_again",
        a_key_comes_free_again(store, clock),
    )
    .await;
    report
}

/// A request is done once; its answer is given again, another request under its key is told apart,
/// and so is one that still runs.
pub async fn a_key_is_answered_once<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + Idempotency + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let stranger = sample::tenant(store, clock).await;
    let begin = |scope, route, fingerprint| store.begin(scope, route, "key", fingerprint);
    let answer = StoredResponse {
        status: 201,
        body: "{\"id\":\"1\"}".to_owned(),
    };
    assert_eq!(
        begin(scope, "POST /a", "f1").await?,
        IdempotencyCheck::Proceed
    );
    assert_eq!(
        begin(scope, "POST /a", "f1").await?,
        IdempotencyCheck::Running
    );
    assert_eq!(
        begin(scope, "POST /a", "f2").await?,
        IdempotencyCheck::Mismatch
    );
    store
        .complete(scope, "POST /a", "key", Some(answer.clone()))
        .await?;
    assert_eq!(
        begin(scope, "POST /a", "f1").await?,
        IdempotencyCheck::Replay(answer)
    );
    assert_eq!(
        begin(scope, "POST /a", "f2").await?,
        IdempotencyCheck::Mismatch
    );
    // Another route or tenant has keys of its own.
    assert_eq!(
        begin(scope, "POST /b", "f1").await?,
        IdempotencyCheck::Proceed
    );
    assert_eq!(
        begin(stranger, "POST /a", "f1").await?,
        IdempotencyCheck::Proceed
    );
    Ok(())
}

/// A request that failed gives its key free, one that ran for over a minute is taken for dead, and
/// an answer is forgotten after 24 hours.
pub async fn a_key_comes_free_again<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + Idempotency + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let begin = || store.begin(scope, "POST /a", "key", "f");
    let answer = StoredResponse {
        status: 200,
        body: "{}".to_owned(),
    };
    assert_eq!(begin().await?, IdempotencyCheck::Proceed);
    store.complete(scope, "POST /a", "key", None).await?;
    assert_eq!(begin().await?, IdempotencyCheck::Proceed);
    clock.advance(TimeDelta::seconds(60));
    assert_eq!(begin().await?, IdempotencyCheck::Running);
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(begin().await?, IdempotencyCheck::Proceed);
    store
        .complete(scope, "POST /a", "key", Some(answer.clone()))
        .await?;
    clock.advance(TimeDelta::hours(24));
    assert_eq!(begin().await?, IdempotencyCheck::Replay(answer));
    clock.advance(TimeDelta::seconds(1));
    assert_eq!(begin().await?, IdempotencyCheck::Proceed);
    Ok(())
}
