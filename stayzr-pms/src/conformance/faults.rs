//! What goes wrong on the way: limits, retries, and the kind that says what the caller can do.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use stayzr_core::{Error, ErrorKind, transform::EntityKind};
use tokio::time::Instant;

use super::{
    Call, Case, Fault, Outcome, Stop,
    access::said,
    report::{ensure, fail},
};
use crate::provider::{PageQuery, PushOutcome, RecordPage};

/// Longer than that nobody waits within a call.
const PATIENCE: Duration = Duration::from_secs(20);

/// A limit that is reached for a moment is waited for, and nothing is missing.
pub async fn a_limit_is_waited_for(case: &Case<'_>) -> Outcome {
    survives(case, Fault::Limit(None), 1).await.map(drop)
}

/// `Retry-After` in seconds is waited for.
pub async fn retry_after_in_seconds_is_honoured(case: &Case<'_>) -> Outcome {
    let took = survives(case, Fault::Limit(Some("1".to_owned())), 1).await?;
    ensure(took >= Duration::from_millis(950), || {
        format!("Retry-After: 1, and the next call came after {took:?}")
    })
}

/// `Retry-After` as a date is waited for.
pub async fn retry_after_as_a_date_is_honoured(case: &Case<'_>) -> Outcome {
    // A date has whole seconds: of two at least one is left.
    let until = Utc::now() + TimeDelta::milliseconds(2000);
    let date = until.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let took = survives(case, Fault::Limit(Some(date.clone())), 1).await?;
    ensure(took >= Duration::from_millis(800), || {
        format!("Retry-After: {date}, and the next call came after {took:?}")
    })
}

/// A wait that is long is told to the caller, not slept through.
pub async fn a_long_wait_is_told(case: &Case<'_>) -> Outcome {
    let (error, took) = fails(case, Fault::Limit(Some("600".to_owned())), 50).await?;
    is(&error, ErrorKind::RateLimited)?;
    ensure(took < PATIENCE, || {
        format!("it was slept through for {took:?}")
    })?;
    let wait = error.retry_after().unwrap_or_default();
    ensure((550..=601).contains(&wait.as_secs()), || {
        format!("the vendor asks for 600 s, and the caller is told {wait:?}")
    })
}

/// A write that the limit did not let through certainly did not happen, and is repeated.
pub async fn a_write_that_was_not_let_through_is_repeated(case: &Case<'_>) -> Outcome {
    let kind = updated(case, &Fault::Limit(None)).await?;
    let push = case.any_change(kind).await?.push;
    case.vendor
        .fault(Fault::Limit(None), Call::Update(kind), 1)
        .await?;
    match case.provider.push(&push).await? {
        PushOutcome::Applied(_) => Ok(()),
        outcome => Err(fail(format!("{kind}: {}", said(&outcome)))),
    }
}

/// Reads survive what passes: faults of the vendor, connections that break, answers that are cut.
pub async fn reads_survive_faults_that_pass(case: &Case<'_>) -> Outcome {
    let mut seen = 0;
    for fault in [
        Fault::Status(500),
        Fault::Status(502),
        Fault::Status(503),
        Fault::Status(504),
        Fault::LostBefore,
        Fault::LostAfter,
        Fault::Garbled,
    ] {
        match survives(case, fault, 1).await {
            Ok(_) => seen += 1,
            Err(Stop::Skip(_)) => {}
            Err(stop) => return Err(stop),
        }
    }
    ensure(seen >= 4, || {
        "the bench lets almost nothing go wrong".to_owned()
    })
}

/// A fault that stays ends as unavailable after a few attempts, and may be tried later.
pub async fn a_fault_that_stays_is_unavailable(case: &Case<'_>) -> Outcome {
    for fault in [Fault::Status(500), Fault::Status(503), Fault::Garbled] {
        let (error, _) = match fails(case, fault, 50).await {
            Err(Stop::Skip(_)) => continue,
            other => other?,
        };
        is(&error, ErrorKind::Unavailable)?;
    }
    Ok(())
}

/// A read that is not answered in time can be tried again, with less.
pub async fn a_silent_vendor_is_a_timeout(case: &Case<'_>) -> Outcome {
    let (error, took) = fails(case, Fault::Silence, 50).await?;
    ensure(error.is_retryable(), || {
        format!("it is not tried later: {error}")
    })?;
    ensure(took < PATIENCE, || {
        format!("the vendor was waited for for {took:?}")
    })
}

/// What the vendor refuses has the kind that says what to do, and is asked once.
pub async fn what_is_refused_is_asked_once(case: &Case<'_>) -> Outcome {
    for (status, kinds) in [
        (400, &[ErrorKind::Invalid] as &[ErrorKind]),
        (403, &[ErrorKind::Forbidden, ErrorKind::Unauthorized]),
    ] {
        let readable = case.capabilities().read.clone();
        let fault = Fault::Status(status);
        let kind = case.first_fault(&readable, Call::Read, &fault, 50).await?;
        let before = case.vendor.calls(Call::Read(kind)).await?;
        let Err(error) = page(case, kind).await else {
            return Err(fail(format!("{kind}: a page with status {status}")));
        };
        ensure(kinds.contains(&error.kind()), || {
            format!("{kind}: status {status} is {}: {error}", error.kind())
        })?;
        let calls = case.vendor.calls(Call::Read(kind)).await? - before;
        ensure(calls == 1, || {
            format!("{kind}: refused with {status}, and asked {calls} times")
        })?;
        case.vendor.fault(fault, Call::Read(kind), 0).await?;
    }
    Ok(())
}

/// Errors name their operation and say what happened in a sentence.
pub async fn errors_say_what_happened(case: &Case<'_>) -> Outcome {
    for status in [400, 403, 500] {
        let (error, _) = match fails(case, Fault::Status(status), 50).await {
            Err(Stop::Skip(_)) => continue,
            other => other?,
        };
        let (operation, message) = (error.operation(), error.message());
        ensure(operation.starts_with(case.provider.name()), || {
            format!("{status}: the operation {operation:?} does not begin with the provider's name")
        })?;
        ensure(message.split_whitespace().count() >= 3, || {
            format!("{status}: {message:?} is no sentence")
        })?;
    }
    Ok(())
}

/// A write whose answer is lost is ambiguous and was sent once.
pub async fn a_write_whose_answer_is_lost_is_ambiguous(case: &Case<'_>) -> Outcome {
    for fault in [Fault::LostAfter, Fault::Garbled, Fault::Silence] {
        unclear(case, fault).await?;
    }
    Ok(())
}

/// So is one that met a fault of the vendor: behind a gateway it may have gone on.
pub async fn a_write_that_met_a_fault_is_ambiguous(case: &Case<'_>) -> Outcome {
    for status in [500, 503] {
        unclear(case, Fault::Status(status)).await?;
    }
    Ok(())
}

async fn unclear(case: &Case<'_>, fault: Fault) -> Outcome {
    let kind = match updated(case, &fault).await {
        Err(Stop::Skip(_)) => return Ok(()),
        other => other?,
    };
    let push = case.any_change(kind).await?.push;
    let call = Call::Update(kind);
    let before = case.vendor.calls(call).await?;
    case.vendor.fault(fault.clone(), call, 1).await?;
    match case.provider.push(&push).await {
        Ok(PushOutcome::Ambiguous(_)) => {}
        Ok(outcome) => {
            return Err(fail(format!("{kind}, {fault:?}: {}", said(&outcome))));
        }
        Err(error) => return Err(fail(format!("{kind}, {fault:?}: not ambiguous: {error}"))),
    }
    let sent = case.vendor.calls(call).await? - before;
    ensure(sent == 1, || {
        format!("{kind}, {fault:?}: the write was sent {sent} times")
    })
}

/// What the vendor refused is an error, never ambiguous and never done.
pub async fn a_refused_write_is_not_ambiguous(case: &Case<'_>) -> Outcome {
    for status in [400, 403] {
        let fault = Fault::Status(status);
        let kind = updated(case, &fault).await?;
        let push = case.any_change(kind).await?.push;
        case.vendor.fault(fault, Call::Update(kind), 1).await?;
        match case.provider.push(&push).await {
            Err(error) if error.kind() != ErrorKind::Ambiguous && !error.is_retryable() => {}
            Err(error) => return Err(fail(format!("{kind}, {status}: {error}"))),
            Ok(outcome) => return Err(fail(format!("{kind}, {status}: {}", said(&outcome)))),
        }
    }
    Ok(())
}

/// The first kind whose writes can go wrong in this way.
async fn updated(case: &Case<'_>, fault: &Fault) -> Result<EntityKind, Stop> {
    for kind in case.capabilities().update.clone() {
        if case
            .vendor
            .fault(fault.clone(), Call::Update(kind), 0)
            .await?
        {
            return Ok(kind);
        }
    }
    Err(Stop::Skip(format!(
        "{fault:?} cannot happen to a write at this vendor"
    )))
}

async fn page(case: &Case<'_>, kind: EntityKind) -> Result<RecordPage, Error> {
    let query = PageQuery {
        kind,
        changed: None,
        position: None,
    };
    case.provider.fetch_page(&query).await
}

/// Reads a page while this happens, and gives how long that took. It is the same page as before.
async fn survives(case: &Case<'_>, fault: Fault, times: u32) -> Result<Duration, Stop> {
    let kinds = case.capabilities().read.clone();
    let kind = case.first_fault(&kinds, Call::Read, &fault, 0).await?;
    let before = page(case, kind).await?;
    case.vendor
        .fault(fault.clone(), Call::Read(kind), times)
        .await?;
    let started = Instant::now();
    let after = page(case, kind).await;
    let took = started.elapsed();
    let after = after.map_err(|error| fail(format!("{kind}, {fault:?}: {error}")))?;
    ensure(after.records == before.records, || {
        format!(
            "{kind}, {fault:?}: {} records where there were {}",
            after.records.len(),
            before.records.len()
        )
    })?;
    Ok(took)
}

/// Reads a page while this goes on, and gives the error and how long it took.
async fn fails(case: &Case<'_>, fault: Fault, times: u32) -> Result<(Error, Duration), Stop> {
    let kinds = case.capabilities().read.clone();
    let kind = case.first_fault(&kinds, Call::Read, &fault, times).await?;
    let started = Instant::now();
    let read = page(case, kind).await;
    let took = started.elapsed();
    case.vendor
        .fault(fault.clone(), Call::Read(kind), 0)
        .await?;
    match read {
        Ok(page) => Err(fail(format!(
            "{kind}, {fault:?}: a page of {} records",
            page.records.len()
        ))),
        Err(error) => Ok((error, took)),
    }
}

#[track_caller]
fn is(error: &Error, kind: ErrorKind) -> Outcome {
    ensure(error.kind() == kind, || {
        format!("{} where it should be {kind}: {error}", error.kind())
    })
}
