use std::collections::{BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::model::Passage;

use super::{
    claims::claims,
    figures::{Figure, readings},
    polarity::{Cost, Stance, stance},
    topic,
};
use crate::{run::CallRecord, text};

/// What a reply may rest on: the passages and tool results of one turn, and nothing else. The
/// guest's own words are no support.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    sources: Vec<Source>,
    question: Option<String>,
}

#[derive(Debug, Clone)]
struct Source {
    folded: String,
    topics: HashSet<String>,
    figures: BTreeSet<Figure>,
    sentences: Vec<Sentence>,
}

#[derive(Debug, Clone)]
struct Sentence {
    topics: HashSet<String>,
    stance: Stance,
}

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

impl Evidence {
    /// No evidence.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text as one source. A line that ends in a question mark is the question which the
    /// rest answers.
    pub fn add(&mut self, source: &str) {
        self.add_under("", source);
    }

    /// Adds a text under a heading, which tells what it is about and states nothing.
    fn add_under(&mut self, heading: &str, source: &str) {
        let question: Vec<&str> = source
            .lines()
            .map(str::trim)
            .filter(|line| line.ends_with('?'))
            .collect();
        if !question.is_empty() && self.question.is_none() {
            self.question = Some(question.join(" "));
        }
        let sentences = text::sentences(source)
            .into_iter()
            .filter(|sentence| !sentence.ends_with('?'))
            .map(|sentence| Sentence {
                topics: topic::topics(sentence),
                stance: stance(sentence),
            })
            .collect();
        self.sources.push(Source {
            folded: flat(source),
            topics: topic::topics(&format!("{heading}. {source}")),
            figures: readings(source)
                .into_iter()
                .chain(readings(heading))
                .flat_map(|reading| reading.figures)
                .collect(),
            sentences,
        });
    }

    /// The question that the reply answers. It supports nothing; it only tells what a `no` at the
    /// beginning denies.
    #[must_use]
    pub fn with_question(mut self, question: &str) -> Self {
        self.question = Some(question.to_owned());
        self
    }

    /// The evidence of a turn: passages with their headings, and tool results as text. A row of a
    /// table is a source of its own, so that no row lends its price to another.
    pub fn of(records: &[CallRecord]) -> Self {
        let mut evidence = Self::new();
        for record in records.iter().filter(|record| record.ok) {
            if record.passages.is_empty() {
                for text in rendered(&record.value) {
                    evidence.add(&text);
                }
            }
            for passage in &record.passages {
                evidence.add_passage(passage);
            }
        }
        evidence.question = None;
        evidence
    }

    /// Adds a passage with its heading.
    pub fn add_passage(&mut self, passage: &Passage) {
        let is_table = passage
            .text
            .lines()
            .filter(|line| line.matches(": ").count() >= 2)
            .count()
            > 1;
        if is_table {
            for row in passage.text.lines() {
                self.add_under(&passage.heading, row);
            }
        }
        self.add_under(&passage.heading, &passage.text);
    }
}

/// One text for each object of a result: `key: value` for its plain fields.
fn rendered(value: &Value) -> Vec<String> {
    fn plain(value: &Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }
    fn walk(value: &Value, above: &str, texts: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                let own: Vec<String> = fields
                    .iter()
                    .filter_map(|(key, value)| {
                        plain(value).map(|value| format!("{}: {value}", key.replace('_', " ")))
                    })
                    .collect();
                let line = [above.to_owned(), own.join("; ")]
                    .iter()
                    .filter(|part| !part.is_empty())
                    .cloned()
                    .collect::<Vec<_>>()
                    .join("; ");
                let nested: Vec<&Value> = fields
                    .values()
                    .filter(|value| value.is_object() || value.is_array())
                    .collect();
                if nested.is_empty() || !own.is_empty() {
                    texts.push(line.clone());
                }
                for value in nested {
                    walk(value, &line, texts);
                }
            }
            Value::Array(values) => {
                if values.is_empty() {
                    texts.push(format!("{above}; none, not found, no result"));
                }
                for value in values {
                    walk(value, above, texts);
                }
            }
            other => texts.extend(plain(other)),
        }
    }
    let mut texts = Vec::new();
    walk(value, "", &mut texts);
    texts
}

fn flat(source: &str) -> String {
    text::words(source).join(" ")
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
    let (hits, count) = best_overlap(&topics, evidence);
    let concepts = evidence
        .sources
        .iter()
        .map(|source| topics.concepts(&source.topics))
        .max()
        .unwrap_or(0);
    if count > 0 && hits == 0 && concepts == 0 {
        wrong(ProblemKind::Topic, claim.to_owned());
        return;
    }
    if let Some(kind) = contradiction(&stance, &topics, evidence) {
        wrong(kind, claim.to_owned());
    }
}

fn speaks_of(source: &Source, topics: &About) -> bool {
    topics.words.is_empty()
        || topic::shared(&topics.words, &topics.names, &source.topics).0 > 0
        || topics.concepts(&source.topics) > 0
        || topic::shared(&topics.words, &topics.names, &source.topics).1 == 0
}

fn best_overlap(topics: &About, evidence: &Evidence) -> (usize, usize) {
    evidence
        .sources
        .iter()
        .map(|source| topic::shared(&topics.words, &topics.names, &source.topics))
        .max_by_key(|(hits, _)| *hits)
        .unwrap_or((0, topics.count()))
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
    if same.is_empty() {
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
