//! Who may read and write: [`check`](crate::PmsProvider::check) and what becomes of refused credentials.

use stayzr_core::ErrorKind;

use super::{
    Access, Call, Case, Fault, Outcome,
    report::{ensure, fail},
};
use crate::provider::{PageQuery, PushOutcome};

/// The property has an id, a name and a time zone that exists.
pub async fn check_says_who_we_are(case: &Case<'_>) -> Outcome {
    let property = case.provider.check().await?;
    ensure(!property.id.is_empty() && !property.name.is_empty(), || {
        format!("a property without id or name: {property:?}")
    })?;
    ensure(property.time_zone.parse::<chrono_tz::Tz>().is_ok(), || {
        format!("{:?} is no IANA time zone", property.time_zone)
    })?;
    let currency = property.currency.as_deref();
    ensure(currency.is_none_or(|code| code.len() == 3), || {
        format!("{currency:?} is no currency of ISO 4217")
    })
}

/// The name is one word in lower case, which configurations and URLs are made of.
pub async fn the_name_can_stand_in_a_url(case: &Case<'_>) -> Outcome {
    let name = case.provider.name();
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    ensure(
        !name.is_empty() && name.chars().all(|letter| is_plain(letter) || letter == '-'),
        || format!("{name:?} is not lower case letters, digits and hyphens"),
    )
}

/// Refused credentials are told as such, with a sentence.
pub async fn refused_credentials_fail_the_check(case: &Case<'_>) -> Outcome {
    let provider = case.vendor.provider(Access::Refused)?;
    match provider.check().await {
        Ok(property) => Err(fail(format!("the check passed as {}", property.name))),
        Err(error) => is_unauthorized(&error, "check"),
    }
}

/// Refused credentials are an error of every read, never an empty page.
pub async fn refused_credentials_fail_every_read(case: &Case<'_>) -> Outcome {
    let provider = case.vendor.provider(Access::Refused)?;
    for kind in case.capabilities().read.iter().copied() {
        let query = PageQuery {
            kind,
            changed: None,
            position: None,
        };
        match provider.fetch_page(&query).await {
            Ok(page) => {
                let count = page.records.len();
                return Err(fail(format!("{kind}: a page of {count} records")));
            }
            Err(error) => is_unauthorized(&error, kind.as_str())?,
        }
    }
    for kind in case.capabilities().by_id.keys() {
        let ids: Vec<String> = case.ids(*kind).await?.into_iter().take(1).collect();
        match provider.fetch_ids(*kind, &ids).await {
            Ok(_) => return Err(fail(format!("{kind}: read by id"))),
            Err(error) => is_unauthorized(&error, kind.as_str())?,
        }
    }
    Ok(())
}

/// Refused credentials are an error of a write, which is then neither done nor ambiguous.
pub async fn refused_credentials_fail_a_write(case: &Case<'_>) -> Outcome {
    let provider = case.vendor.provider(Access::Refused)?;
    for kind in case.capabilities().update.clone() {
        let taken = case.any_change(kind).await?;
        match provider.push(&taken.push).await {
            Ok(PushOutcome::Unsupported(_)) => {}
            Ok(outcome) => return Err(fail(format!("{kind}: {}", said(&outcome)))),
            Err(error) => is_unauthorized(&error, kind.as_str())?,
        }
    }
    Ok(())
}

/// Credentials that expire on the way are renewed or told, never read as an empty hotel.
pub async fn credentials_that_expire_are_renewed_or_told(case: &Case<'_>) -> Outcome {
    let kinds = case.capabilities().read.clone();
    for times in [1, 20] {
        let fault = Fault::Status(401);
        let kind = case.first_fault(&kinds, Call::Read, &fault, times).await?;
        let before = case.vendor.calls(Call::Read(kind)).await?;
        let query = PageQuery {
            kind,
            changed: None,
            position: None,
        };
        match case.provider.fetch_page(&query).await {
            Ok(page) => ensure(times == 1 && !page.records.is_empty(), || {
                format!("{kind}: {} records after 401", page.records.len())
            })?,
            Err(error) => is_unauthorized(&error, kind.as_str())?,
        }
        let calls = case.vendor.calls(Call::Read(kind)).await? - before;
        ensure(times == 1 || calls <= 2, || {
            format!("{kind}: refused credentials were shown {calls} times")
        })?;
    }
    Ok(())
}

#[track_caller]
fn is_unauthorized(error: &stayzr_core::Error, what: &str) -> Outcome {
    let (kind, message) = (error.kind(), error.message());
    ensure(kind == ErrorKind::Unauthorized, || {
        format!("{what}: {kind} where it should be unauthorized: {error}")
    })?;
    ensure(message.contains(' '), || {
        format!("{what}: {message:?} does not say what to do")
    })
}

/// An outcome without the record in it.
pub(super) fn said(outcome: &PushOutcome) -> String {
    match outcome {
        PushOutcome::Applied(record) => format!("applied to {}", record.external_id),
        PushOutcome::Unsupported(fields) => format!("unsupported: {fields:?}"),
        PushOutcome::Ambiguous(why) => format!("ambiguous: {why}"),
    }
}
