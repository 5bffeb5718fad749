//! The router and the grounding guard on labelled cases, where those are at hand.
// The figures are what one runs this for.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

use std::{env, fs, path::PathBuf};

use stayzr_agents::eval::{grounding, router};
use stayzr_core::clock::SystemClock;

fn shared(file: &str) -> Option<String> {
    let Some(root) = env::var_os("STAYZR_SHARED") else {
        eprintln!("skipped: STAYZR_SHARED is not set");
        return None;
    };
    let path = PathBuf::from(root).join("eval").join(file);
    Some(fs::read_to_string(path).expect("the evaluation file is there"))
}

#[tokio::test]
async fn the_router_meets_its_floor() {
    let Some(text) = shared("router/cases.json") else {
        return;
    };
    let cases: Vec<router::RouterCase> = serde_json::from_str(&text).unwrap();
    let report = router::evaluate(&cases, None, &SystemClock).await;
    for mistake in &report.mistakes {
        println!(
            "{} -> {} escalate={}",
            mistake.text, mistake.specialist, mistake.escalate
        );
    }
    println!(
        "accuracy {:.3}, escalation precision {:.3} recall {:.3}, {:?}",
        report.accuracy, report.escalation_precision, report.escalation_recall, report.confusion
    );
    assert!(report.accuracy >= 0.9, "{}", report.accuracy);
    assert!(
        report.escalation_recall >= 0.9,
        "{}",
        report.escalation_recall
    );
    assert!(
        report.escalation_precision >= 0.75,
        "{}",
        report.escalation_precision
    );
}

#[test]
fn invariant_h_the_guard_meets_its_floor() {
    let Some(text) = shared("grounding/cases.json") else {
        return;
    };
    let cases: Vec<grounding::GroundingCase> = serde_json::from_str(&text).unwrap();
    let report = grounding::evaluate(&cases);
    for case in &report.mistakes {
        println!(
            "{} | {} => {}",
            case.kind,
            case.source.replace('\n', " // "),
            case.reply
        );
    }
    println!(
        "false blocks {:.3}, caught {:.3}, {:#?}",
        report.false_block_rate, report.catch_rate, report.by_kind
    );
    assert!(
        report.false_block_rate <= 0.1,
        "{}",
        report.false_block_rate
    );
    assert!(report.catch_rate >= 0.9, "{}", report.catch_rate);
}
