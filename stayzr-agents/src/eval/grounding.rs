//! How often the guard stops what it should stop, and what it should not.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::guard::{Evidence, check};

/// A reply with what it may rest on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroundingCase {
    /// What kind of case it is.
    pub kind: String,
    /// All that the reply may rest on.
    pub source: String,
    /// The reply.
    pub reply: String,
    /// Whether the source supports it.
    pub grounded: bool,
}

/// Cases of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct KindReport {
    /// Cases.
    pub n: usize,
    /// Cases that were blocked.
    pub blocked: usize,
    /// Share of cases that were blocked.
    pub block_rate: f64,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroundingReport {
    /// Cases.
    pub n: usize,
    /// Share of grounded replies that were blocked.
    pub false_block_rate: f64,
    /// Share of ungrounded replies that were blocked.
    pub catch_rate: f64,
    /// Figures by kind of case.
    pub by_kind: BTreeMap<String, KindReport>,
    /// Cases that were judged wrongly.
    pub mistakes: Vec<GroundingCase>,
}

/// Checks every case.
pub fn evaluate(cases: &[GroundingCase]) -> GroundingReport {
    let mut by_kind: BTreeMap<String, KindReport> = BTreeMap::new();
    let mut mistakes = Vec::new();
    let (mut grounded, mut false_blocks, mut ungrounded, mut caught) = (0, 0, 0, 0);
    for case in cases {
        let mut evidence = Evidence::new();
        evidence.add(&case.source);
        let blocked = !check(&case.reply, &evidence).is_grounded();
        let kind = by_kind.entry(case.kind.clone()).or_default();
        kind.n += 1;
        kind.blocked += usize::from(blocked);
        if case.grounded {
            grounded += 1;
            false_blocks += usize::from(blocked);
        } else {
            ungrounded += 1;
            caught += usize::from(blocked);
        }
        if blocked == case.grounded {
            mistakes.push(case.clone());
        }
    }
    for kind in by_kind.values_mut() {
        kind.block_rate = super::share(kind.blocked, kind.n);
    }
    GroundingReport {
        n: cases.len(),
        false_block_rate: if grounded == 0 {
            0.0
        } else {
            super::share(false_blocks, grounded)
        },
        catch_rate: super::share(caught, ungrounded),
        by_kind,
        mistakes,
    }
}
