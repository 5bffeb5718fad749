use super::{
    lexicon,
    route::{Reason, Route},
    sentiment::sentiment,
    signals::{DISPUTE, EMERGENCY, HUMAN, PEOPLE, SPEAK},
};
use crate::{specialists::Specialist, text};

/// Questions begin so, or end with a question mark.
const QUESTION: &[&str] = &[
    "what", "what's", "when", "where", "which", "who", "how", "why", "is", "are", "do", "does",
    "can", "could", "may", "will", "any", "wann", "wo", "wie", "was", "welche", "gibt", "kann",
    "qual", "quando", "onde", "como", "quanto", "tem", "ha", "cual", "cuando", "donde", "cuanto",
    "hay", "quel", "quelle", "quand", "combien", "comment", "est", "quale", "dove", "c", "che",
    "wat", "wanneer", "waar", "hoe", "is", "zijn",
];

/// Routes a message by its words alone. Deterministic, without I/O.
///
/// ```
/// use stayzr_agents::router::classify;
///
/// let route = classify("Can I bring my dog?");
/// assert_eq!(route.specialist.as_str(), "property_info");
/// assert!(!route.escalate);
/// ```
pub fn classify(message: &str) -> Route {
    let words = text::words(message);
    let mut scores = [0.0_f64; Specialist::ALL.len()];
    let mut reasons = Vec::new();
    let mut top_concept: Option<(&str, f64)> = None;
    for (concept, form) in lexicon::named(message) {
        for (specialist, weight) in &concept.weight {
            scores[specialist.index()] += weight;
        }
        let strongest = concept.weight.iter().map(|(_, w)| *w).fold(0.0, f64::max);
        if top_concept.is_none_or(|(_, weight)| strongest > weight) {
            top_concept = Some((concept.name, strongest));
        }
        reasons.push(Reason {
            feature: format!("{}: {form}", concept.name),
            weight: strongest,
        });
    }
    let is_question = message.contains('?')
        || words
            .first()
            .is_some_and(|word| QUESTION.contains(&word.as_str()));
    if has_stay_dates(message, &words) {
        scores[Specialist::Booking.index()] += 1.0;
        reasons.push(Reason {
            feature: "dates of a stay".to_owned(),
            weight: 1.0,
        });
    }
    // Without any topic: a question goes to the documents, talk goes to the concierge.
    scores[Specialist::Knowledge.index()] += if is_question { 0.6 } else { 0.1 };
    scores[Specialist::Concierge.index()] += if is_question { 0.2 } else { 0.5 };

    let human = asks_for_person(&words);
    let emergency = EMERGENCY.is_in(&words);
    let dispute = DISPUTE.is_in(&words);
    for (set, feature) in [
        (human, "asks for a person"),
        (emergency, "emergency"),
        (dispute, "legal or payment dispute"),
    ] {
        if set {
            reasons.push(Reason {
                feature: feature.to_owned(),
                weight: 5.0,
            });
        }
    }
    if human && top_concept.is_none_or(|(_, weight)| weight <= 1.2) || emergency {
        scores[Specialist::Concierge.index()] += 4.0;
    }

    let (winner, confidence) = decide(&scores);
    let intent = if emergency {
        "emergency"
    } else if human {
        "human"
    } else if dispute {
        "dispute"
    } else {
        intent_of(winner, top_concept.map(|(name, _)| name), is_question)
    };
    Route {
        specialist: winner,
        intent: intent.replace(' ', "_"),
        confidence,
        escalate: human || emergency || dispute,
        human,
        emergency,
        dispute,
        sentiment: sentiment(message),
        reasons,
    }
}

fn intent_of(winner: Specialist, concept: Option<&str>, is_question: bool) -> &str {
    match concept {
        Some(name) => name,
        None if winner == Specialist::Concierge => "small talk",
        None if is_question => "question",
        None => "other",
    }
}

/// `speak to room service` asks for a department, which can be served; `speak to someone at the
/// pool` asks for a person.
fn asks_for_person(words: &[String]) -> bool {
    if HUMAN.is_in(words) {
        return true;
    }
    let Some(verb) = words.iter().position(|word| SPEAK.contains(&word.as_str())) else {
        return false;
    };
    words
        .iter()
        .skip(verb + 1)
        .take(5)
        .any(|word| PEOPLE.contains(&word.as_str()))
}

/// Two dates, or a date with the word for a room: somebody plans a stay.
fn has_stay_dates(message: &str, words: &[String]) -> bool {
    let today = chrono::NaiveDate::default();
    let dates = crate::model::offline_dates(message, today);
    dates >= 2
        || (dates == 1
            && words
                .iter()
                .any(|word| matches!(word.as_str(), "room" | "rooms" | "zimmer" | "quarto")))
}

/// The best specialist, and how clearly it won.
fn decide(scores: &[f64; Specialist::ALL.len()]) -> (Specialist, f64) {
    let mut order: Vec<(Specialist, f64)> = Specialist::ALL
        .iter()
        .map(|specialist| (*specialist, scores[specialist.index()]))
        .collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let total: f64 = order.iter().map(|(_, score)| score.exp()).sum();
    let (winner, best) = order[0];
    // Few words give little certainty, however alone they stand.
    let strength = (best / 3.0).min(1.0);
    let share = best.exp() / total;
    (winner, (share * (0.4 + 0.6 * strength)).clamp(0.0, 1.0))
}
