use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};

use super::{
    claims::claims,
    evidence::{Evidence, Sentence, Source, flat},
    figures::{Figure, readings},
    polarity::{Cost, Stance, stance},
    topic,
};
use crate::text;

/// Why a reply may not go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// A number, time, price, date, telephone number or address that no source has.
    Figure,
    /// It denies what a source affirms, or the other way round.
    Negation,
    /// It says free where a source says paid, or the other way round.
    Cost,
    /// No source speaks of it.
    Topic,
}

/// One claim without support.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// What is wrong with it.
    pub kind: ProblemKind,
    /// What was claimed: the figure, or the sentence.
    pub claim: String,
}

/// What the check found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Verdict {
    /// Claims without support; none means grounded.
    pub problems: Vec<Problem>,
}

impl Verdict {
    /// Whether the reply may go out.
    pub fn is_grounded(&self) -> bool {
        self.problems.is_empty()
    }
}

/// What a claim is about.
struct About {
    words: HashSet<String>,
    names: HashSet<String>,
    /// Whether the claim is in the language of most documents; if so its words are compared, and
    /// the wider concepts are not.
    english: bool,
}

impl About {
    fn of(claim: &str) -> Self {
        Self {
            words: topic::topics(claim),
            names: topic::names(claim),
            english: crate::router::detect_language(claim)
                .is_none_or(|language| language.language() == "en"),
        }
    }

    fn concepts(&self, other: &HashSet<String>) -> usize {
        if self.english {
            0
        } else {
            topic::shared_concepts(&self.words, other)
        }
    }

    fn names_concepts(&self) -> bool {
        self.words.iter().any(|word| word.starts_with('#'))
    }

    /// Whether the claim is about something: a thing of hotels, or three words at least. `We look
    /// forward to it` is not.
    fn is_telling(&self) -> bool {
        let count = self.count();
        count >= 3 || (count > 0 && (self.names_concepts() || topic::has_known(&self.words)))
    }

    fn count(&self) -> usize {
        topic::shared(&self.words, &self.names, &HashSet::new()).1
    }
}

/// Holds every claim of a reply against the evidence.
///
/// ```
/// use stayzr_agents::guard::{Evidence, check};
///
/// let mut evidence = Evidence::new();
/// evidence.add("Breakfast costs EUR 19 per adult and is served from 07:00 to 10:30.");
/// assert!(check("Breakfast is from 7 am to 10.30 am and costs 19 €.", &evidence).is_grounded());
/// assert!(!check("Breakfast costs EUR 15.", &evidence).is_grounded());
/// ```
pub fn check(reply: &str, evidence: &Evidence) -> Verdict {
    let mut problems = Vec::new();
    for claim in claims(reply) {
        check_claim(claim, evidence, &mut problems);
    }
    Verdict { problems }
}

/// Holds only the figures of a reply against the evidence, wherever they stand in it. For a reply
/// that is put together from the evidence itself, whose words need no comparison.
pub fn check_figures(reply: &str, evidence: &Evidence) -> Verdict {
    let problems = claims(reply)
        .into_iter()
        .flat_map(readings)
        .filter(|reading| {
            !evidence.sources.iter().any(|source| {
                reading
                    .figures
                    .iter()
                    .any(|figure| is_in(figure, &source.figures))
            })
        })
        .map(|reading| Problem {
            kind: ProblemKind::Figure,
            claim: reading
                .figures
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
        })
        .collect();
    Verdict { problems }
}

fn check_claim(claim: &str, evidence: &Evidence, problems: &mut Vec<Problem>) {
    // A quote is its own proof.
    let words = flat(claim);
    if words.split(' ').count() >= 4
        && evidence
            .sources
            .iter()
            .any(|source| source.folded.contains(&words))
    {
        return;
    }
    let topics = About::of(claim);
    let mut wrong = |kind, claim: String| {
        problems.push(Problem { kind, claim });
    };
    for reading in readings(claim) {
        let supported = evidence
            .sources
            .iter()
            .filter(|source| speaks_of(source, &topics))
            .any(|source| {
                reading
                    .figures
                    .iter()
                    .any(|figure| is_in(figure, &source.figures))
            });
        if !supported {
            let shown = reading.figures.first().map(ToString::to_string);
            wrong(ProblemKind::Figure, shown.unwrap_or_default());
        }
    }
    let stance = stance(claim);
    let hits = best_overlap(&topics, evidence);
    let concepts = evidence
        .sources
        .iter()
        .map(|source| topics.concepts(&source.topics))
        .max()
        .unwrap_or(0);
    let off_topic = if topics.english {
        topics.is_telling() && hits == 0
    } else {
        // A translation shares no words; what it names must be named there too.
        topics.names_concepts() && hits == 0 && concepts == 0
    };
    if off_topic {
        wrong(ProblemKind::Topic, claim.to_owned());
        return;
    }
    if let Some(kind) = contradiction(&stance, &topics, evidence) {
        wrong(kind, claim.to_owned());
    }
}

fn speaks_of(source: &Source, topics: &About) -> bool {
    topics.words.is_empty()
        || (!topics.english && !topics.names_concepts())
        || topic::shared(&topics.words, &topics.names, &source.topics).0 > 0
        || topics.concepts(&source.topics) > 0
        || topic::shared(&topics.words, &topics.names, &source.topics).1 == 0
}

fn best_overlap(topics: &About, evidence: &Evidence) -> usize {
    evidence
        .sources
        .iter()
        .map(|source| topic::shared(&topics.words, &topics.names, &source.topics).0)
        .max()
        .unwrap_or(0)
}

/// Whether a figure stands among others. An amount may stand without its currency there, never
/// with another.
fn is_in(figure: &Figure, figures: &BTreeSet<Figure>) -> bool {
    if figures.contains(figure) {
        return true;
    }
    match figure {
        Figure::Amount(number, _) => figures.contains(&Figure::Number(*number)),
        Figure::Number(number) => figures.iter().any(|other| match other {
            Figure::Amount(amount, _) => amount == number,
            // `from 7 to 10:30`: the hour alone.
            Figure::Time(minutes) => {
                minutes % 60 == 0 && rust_decimal::Decimal::from(minutes / 60) == *number
            }
            Figure::Date(_, day) => rust_decimal::Decimal::from(*day) == *number,
            _ => false,
        }),
        // `8 am` of a source that says `8 - 10 am`.
        Figure::Time(minutes) => {
            let hour = rust_decimal::Decimal::from(minutes / 60);
            let short = rust_decimal::Decimal::from(minutes / 60 % 12);
            minutes % 60 == 0
                && (figures.contains(&Figure::Number(hour))
                    || figures.contains(&Figure::Number(short)))
        }
        Figure::Digits(digits) => figures.iter().any(|other| match other {
            Figure::Digits(known) => known.ends_with(digits.as_str()) || digits.ends_with(known),
            _ => false,
        }),
        Figure::Address(address) => figures.iter().any(|other| match other {
            Figure::Address(known) => known.starts_with(address.as_str()),
            _ => false,
        }),
        Figure::Date(..) => false,
    }
}

/// Whether the sentences of the evidence that speak of the same thing say the opposite.
fn contradiction(claim: &Stance, topics: &About, evidence: &Evidence) -> Option<ProblemKind> {
    let mut best = 0;
    let mut same: Vec<&Sentence> = Vec::new();
    for sentence in evidence.sources.iter().flat_map(|source| &source.sentences) {
        let score = topic::shared(&topics.words, &topics.names, &sentence.topics).0 * 2
            + topics.concepts(&sentence.topics);
        if score > best {
            best = score;
            same.clear();
        }
        if score == best {
            same.push(sentence);
        }
    }
    if same.is_empty() || (best == 0 && !topics.english) {
        return None;
    }
    let whole = best / 2 >= topics.count();
    let affirmed = same.iter().any(|sentence| !sentence.stance.denies);
    let denied = same.iter().any(|sentence| sentence.stance.denies);
    let limited = same.iter().any(|sentence| sentence.stance.limits);
    let about_cost = evidence.question.as_deref().is_some_and(asks_cost);
    let costs: Vec<Cost> = same.iter().map(|sentence| sentence.stance.cost).collect();
    if claim.cost == Cost::Paid && costs.contains(&Cost::Free) && !costs.contains(&Cost::Paid) {
        return Some(ProblemKind::Cost);
    }
    if claim.cost == Cost::Free && !claim.denies && !costs.contains(&Cost::Free) {
        return Some(ProblemKind::Cost);
    }
    let free_of = claim.cost == Cost::Free && about_cost;
    if claim.denies && !denied && affirmed && (whole || !limited) && !claim.limits {
        return Some(ProblemKind::Negation);
    }
    if !claim.denies && !affirmed && denied && claim.particle != Some(false) {
        return Some(ProblemKind::Negation);
    }
    let open = evidence.question.as_deref().is_some_and(is_open);
    match claim.particle {
        Some(true) if claim.denies => Some(ProblemKind::Negation),
        Some(false)
            if !open
                && !claim.denies
                && !free_of
                && !limited
                && !claim.limits
                && affirmed
                && !denied =>
        {
            Some(ProblemKind::Negation)
        }
        _ => None,
    }
}

/// Whether a question asks for more than yes or no.
fn is_open(question: &str) -> bool {
    text::words(question).first().is_some_and(|word| {
        matches!(
            word.as_str(),
            "what" | "what's" | "when" | "where" | "which" | "who" | "how" | "why"
        )
    })
}

fn asks_cost(question: &str) -> bool {
    text::words(question).iter().any(|word| {
        matches!(
            word.as_str(),
            "charge"
                | "cost"
                | "costs"
                | "pay"
                | "fee"
                | "fees"
                | "price"
                | "much"
                | "extra"
                | "kostet"
                | "custa"
                | "cuesta"
                | "coute"
                | "costa"
                | "kost"
                | "pagar"
                | "zahlen"
                | "bezahlen"
                | "payer"
                | "pagare"
        )
    })
}
