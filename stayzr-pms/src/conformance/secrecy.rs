//! No secret is shown to anybody.

use std::error::Error as _;

use stayzr_core::Error;

use super::{
    Access, Call, Case, Fault, Outcome, Vendor,
    report::{ensure, fail},
};
use crate::provider::PageQuery;

/// Printing a provider prints no credentials.
pub async fn a_provider_does_not_print_its_secrets(case: &Case<'_>) -> Outcome {
    for access in [Access::Granted, Access::Refused] {
        let provider = case.vendor.provider(access)?;
        // Once it has been used it may hold a session.
        drop(provider.check().await);
        hides(
            &*case.vendor,
            &format!("{provider:?} {provider:#?}"),
            "the provider's Debug",
        )?;
    }
    Ok(())
}

/// Refused credentials are explained without being shown.
pub async fn refused_credentials_are_not_shown(case: &Case<'_>) -> Outcome {
    match case.vendor.provider(Access::Refused)?.check().await {
        Err(error) => hides(
            &*case.vendor,
            &shown(&error),
            "the error of refused credentials",
        ),
        Ok(_) => Err(fail("refused credentials pass the check")),
    }
}

/// No error of a fault shows them either, whatever is in the request or the answer.
pub async fn no_error_shows_a_secret(case: &Case<'_>) -> Outcome {
    let kinds = case.capabilities().read.clone();
    for fault in [
        Fault::Status(400),
        Fault::Status(401),
        Fault::Status(403),
        Fault::Status(500),
        Fault::Limit(Some("600".to_owned())),
        Fault::LostBefore,
        Fault::Garbled,
    ] {
        let Ok(kind) = case.first_fault(&kinds, Call::Read, &fault, 50).await else {
            continue;
        };
        let query = PageQuery {
            kind,
            changed: None,
            position: None,
        };
        if let Err(error) = case.provider.fetch_page(&query).await {
            hides(
                &*case.vendor,
                &shown(&error),
                &format!("the error of {fault:?}"),
            )?;
        }
        case.vendor.fault(fault, Call::Read(kind), 0).await?;
    }
    Ok(())
}

fn shown(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(" {inner} {inner:?}"));
        cause = inner.source();
    }
    text
}

/// Fails if a secret of the vendor's providers stands in a text. The secret is not repeated.
#[track_caller]
pub(super) fn hides(vendor: &dyn Vendor, text: &str, what: &str) -> Outcome {
    let secrets = vendor.secrets();
    ensure(!secrets.is_empty(), || {
        "the bench names no secrets".to_owned()
    })?;
    let found = secrets
        .iter()
        .position(|secret| text.contains(secret.as_str()));
    ensure(found.is_none(), || {
        format!(
            "{what} shows secret number {}",
            found.unwrap_or_default() + 1
        )
    })
}
