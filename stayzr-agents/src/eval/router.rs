//! How often a message goes to the right specialist, and to a person when it should.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use stayzr_core::{clock::Clock, model::LanguageTag};

use crate::{
    model::{ChatModel, TurnBrief},
    router::{Router, language_of},
    specialists::Specialist,
};

/// A message and where it may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouterCase {
    /// What the guest writes.
    pub text: String,
    /// Specialists that may take it; empty judges the escalation alone.
    pub accept: Vec<Specialist>,
    /// Whether a person must take over.
    pub escalate: bool,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouterReport {
    /// Cases.
    pub n: usize,
    /// Share of cases with accepted specialists that went to one of them.
    pub accuracy: f64,
    /// Share of escalated cases that should be; 1 where none was escalated.
    pub escalation_precision: f64,
    /// Share of cases to escalate that were; 1 where there is none.
    pub escalation_recall: f64,
    /// Accepted specialists (joined by `|`) → chosen specialist → cases.
    pub confusion: BTreeMap<String, BTreeMap<String, usize>>,
    /// Cases that went wrong, with the choice.
    pub mistakes: Vec<Mistake>,
}

/// A case that went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// The message.
    pub text: String,
    /// Where it went.
    pub specialist: Specialist,
    /// Whether it went to a person.
    pub escalate: bool,
}

/// Routes every case: offline, or by a model with the offline router behind it.
pub async fn evaluate(
    cases: &[RouterCase],
    model: Option<Arc<dyn ChatModel>>,
    clock: &dyn Clock,
) -> RouterReport {
    let router = model.map_or_else(Router::offline, Router::with_model);
    let mut confusion: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let mut mistakes = Vec::new();
    let (mut right, mut judged) = (0, 0);
    let (mut hits, mut escalated, mut due) = (0, 0, 0);
    for case in cases {
        let brief = TurnBrief {
            language: language_of(&case.text, [Some(&LanguageTag::english()), None, None]),
            today: clock.now().date_naive(),
            property: "the hotel".to_owned(),
            intent: String::new(),
            guest: None,
        };
        let (route, _) = router.route(&case.text, &brief).await;
        let accepted = case.accept.is_empty() || case.accept.contains(&route.specialist);
        if !case.accept.is_empty() {
            judged += 1;
            right += usize::from(accepted);
            let wanted: Vec<&str> = case.accept.iter().map(|one| one.as_str()).collect();
            *confusion
                .entry(wanted.join("|"))
                .or_default()
                .entry(route.specialist.as_str().to_owned())
                .or_default() += 1;
        }
        due += usize::from(case.escalate);
        escalated += usize::from(route.escalate);
        hits += usize::from(case.escalate && route.escalate);
        if !accepted || case.escalate != route.escalate {
            mistakes.push(Mistake {
                text: case.text.clone(),
                specialist: route.specialist,
                escalate: route.escalate,
            });
        }
    }
    RouterReport {
        n: cases.len(),
        accuracy: super::share(right, judged),
        escalation_precision: super::share(hits, escalated),
        escalation_recall: super::share(hits, due),
        confusion,
        mistakes,
    }
}
