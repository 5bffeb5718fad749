//! The conformance kit against the providers of this crate and their sandboxes, and against
//! providers that are wrong on purpose.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "this is all test: what is not as it should be may panic, and a report is shown"
)]

mod acme;
mod cloudbeds;
mod desk;
mod mews;
mod opera;

use stayzr_pms::conformance::{Bench, run};
use tokio::task::JoinSet;

use crate::acme::{AcmeBench, Flaw};

/// Holds a provider to the kit and shows the report, skips and their reasons with it.
async fn conforms(bench: &dyn Bench) {
    let report = run(bench).await;
    println!("{report}");
    report.assert();
}

#[tokio::test]
async fn mews_conforms() {
    conforms(&mews::MewsBench).await;
}

#[tokio::test]
async fn opera_conforms() {
    conforms(&opera::OperaBench).await;
}

#[tokio::test]
async fn cloudbeds_conforms() {
    conforms(&cloudbeds::CloudbedsBench).await;
}

#[tokio::test]
async fn a_provider_that_is_right_conforms() {
    conforms(&AcmeBench(None)).await;
}

/// Each flaw is a provider that is right but for one thing. The kit is as good as what it catches.
#[tokio::test]
async fn the_kit_catches_providers_that_are_wrong() {
    let mut runs = JoinSet::new();
    for flaw in Flaw::ALL.iter().copied() {
        runs.spawn(async move { (flaw, run(&AcmeBench(Some(flaw))).await.failed()) });
    }
    let mut missed = Vec::new();
    for (flaw, caught) in runs.join_all().await {
        match caught.is_empty() {
            true => missed.push(flaw),
            false => println!("{flaw:?}: caught by {}", caught.join(", ")),
        }
    }
    assert!(Flaw::ALL.len() >= 40, "{}", Flaw::ALL.len());
    assert!(missed.is_empty(), "nobody catches {missed:?}");
}
