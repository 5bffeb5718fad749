//! Picks the sentences and rows of passages that answer a question.

use std::collections::{HashMap, HashSet};

use stayzr_core::model::Tier;

use super::wanted::{Wanted, has_span, looks_like, wanted};
use crate::{router::lexicon, text, tool::FoundPassage};

/// A quote with its source.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quote {
    pub(super) text: String,
    pub(super) file_name: String,
}

/// What a question calls by one word, answers call by another.
const MEASURES: &[(&str, &[&str])] = &[
    ("fast", &["speed", "mbit"]),
    ("warm", &["heated", "degrees", "temperature"]),
    ("hot", &["heated", "degrees", "temperature"]),
    ("cold", &["heated", "degrees", "temperature"]),
    ("deep", &["depth"]),
    ("heavy", &["weighing", "weight", "kg"]),
    ("big", &["size"]),
    ("large", &["size"]),
    ("high", &["height"]),
    ("old", &["age", "years"]),
    ("called", &["called", "name"]),
    ("name", &["called", "name"]),
    ("adapters", &["adapter", "adapters"]),
    ("phone", &["telephone"]),
    ("telephone", &["phone"]),
    ("card", &["card"]),
    ("visitor", &["tax", "levy"]),
];

/// Words that every document of a hotel holds, or that only tell what kind of answer is wanted.
const HOUSE: &[&str] = &[
    "hotel", "hotels", "house", "property", "guest", "guests", "cost", "costs", "price", "prices",
    "kostet", "kosten",
];

/// The topic words of a question as stems, with the English gloss of concepts it names in another
/// language.
pub(super) fn terms(question: &str) -> Vec<String> {
    let words = text::words(&text::join_compounds(question));
    let mut terms: Vec<String> = words
        .iter()
        .filter(|word| {
            !text::is_stop_word(word)
                && !HOUSE.contains(&word.as_str())
                && (word.len() > 1 || word.parse::<u8>().is_ok())
        })
        .map(|word| text::stem(word))
        .collect();
    for (asked, answers) in MEASURES {
        if words.iter().any(|word| word == asked) {
            terms.extend(answers.iter().map(|word| text::stem(word)));
        }
    }
    for gloss in glosses(question) {
        terms.extend(text::words(gloss).iter().map(|word| text::stem(word)));
    }
    terms.extend(concepts(question));
    let mut seen = HashSet::new();
    terms.retain(|term| seen.insert(term.clone()));
    terms
}

/// English names of the concepts that a text names.
pub(super) fn glosses(question: &str) -> Vec<&'static str> {
    lexicon::named(question)
        .into_iter()
        .map(|(concept, _)| concept.gloss)
        .filter(|gloss| !gloss.is_empty())
        .collect()
}

/// A sentence or row, with what it needs to be compared.
struct Unit<'a> {
    text: &'a str,
    passage: usize,
    words: HashSet<String>,
}

/// At most `most` quotes that answer the question, in the order of their worth; none if nothing
/// in the passages is about it.
pub(super) fn select(
    question: &str,
    passages: &[FoundPassage],
    most: usize,
    language: &str,
    background: Option<&str>,
) -> Vec<Quote> {
    let mut terms = terms(question);
    // `And how much is it?` leans on what was asked before.
    if terms.is_empty()
        && let Some(background) = background
    {
        terms = self::terms(background);
    }
    let terms = terms;
    let words = text::words(question);
    let wanted = wanted(&words);
    let units: Vec<Unit<'_>> = passages
        .iter()
        .enumerate()
        .flat_map(|(at, passage)| units(&passage.text).into_iter().map(move |text| (at, text)))
        .map(|(passage, text)| Unit {
            text,
            passage,
            words: stems(text),
        })
        .collect();
    if units.is_empty() {
        return Vec::new();
    }
    let tongues: Vec<f64> = passages
        .iter()
        .map(|passage| tongue(&passage.text, language))
        .collect();
    let headings: Vec<HashSet<String>> = passages
        .iter()
        .map(|passage| {
            text::words(&passage.heading)
                .iter()
                .chain(&text::words(
                    &passage.file_name.replace(['-', '_', '.'], " "),
                ))
                .map(|word| text::stem(word))
                .collect()
        })
        .collect();
    // What was added to the question is worth less than what was asked.
    let asked: HashSet<String> = stems(question);
    let added: HashSet<&String> = terms.iter().filter(|term| !asked.contains(*term)).collect();
    // A rare word of the question says more than one that stands everywhere.
    let total = units.len() as f64;
    let weight: HashMap<&str, f64> = terms
        .iter()
        .map(|term| {
            let seen = units.iter().filter(|unit| has(&unit.words, term)).count() as f64;
            let own = if term.starts_with('#') {
                0.35
            } else if added.contains(term) {
                0.5
            } else {
                1.0
            };
            (term.as_str(), own * (1.0 + total / (1.0 + seen)).ln())
        })
        .collect();
    let mut scored: Vec<(f64, usize)> = units
        .iter()
        .enumerate()
        .map(|(at, unit)| {
            let mut topical: f64 = 0.0;
            for term in &terms {
                if has(&unit.words, term) {
                    topical += weight[term.as_str()];
                } else if has(&headings[unit.passage], term) {
                    topical += 0.45 * weight[term.as_str()];
                }
            }
            let passage = &passages[unit.passage];
            let fits = wanted
                .iter()
                .filter(|kind| looks_like(unit.text, **kind))
                .count() as f64;
            let asked = wanted.len() as f64;
            // The order of the search knows more than its rounded scores.
            let rank = 0.9 / (1.0 + unit.passage as f64);
            let base = topical + 2.2 * passage.score + rank;
            let span = wanted.contains(&Wanted::Time) && has_span(unit.text);
            let fits = if span { fits + 0.6 } else { fits };
            let form = if asked > 0.0 {
                1.0 + 0.55 * (fits / asked)
            } else {
                1.0
            };
            let tier = match passage.match_tier {
                Tier::Strict => 1.0,
                Tier::Relaxed => 0.9,
                Tier::Fallback => 0.7,
            };
            let about = if topical > 0.0 || terms.is_empty() {
                1.0
            } else {
                0.25
            };
            (base * form * tier * about * tongues[unit.passage], at)
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let best = scored[0].0;
    if !is_about(&units[scored[0].1], &terms, &weight, &headings, passages) {
        return Vec::new();
    }
    let mut quotes: Vec<Quote> = Vec::new();
    let mut length = 0;
    for (score, at) in scored {
        if quotes.len() >= most || score < 0.55 * best || length > BUDGET {
            break;
        }
        let unit = &units[at];
        let quote = Quote {
            text: shorten(&readable(unit.text)),
            file_name: passages[unit.passage].file_name.clone(),
        };
        if !quotes
            .iter()
            .any(|other| overlaps(&other.text, &quote.text))
        {
            length += quote.text.chars().count();
            quotes.push(quote);
        }
    }
    quotes
}

/// Quotes to one question stop behind so many characters.
const BUDGET: usize = 420;

/// The stems of a text, and `#name` for each concept that it names in whatever words.
fn stems(text: &str) -> HashSet<String> {
    text::words(&text::join_compounds(text))
        .iter()
        .map(|word| text::stem(word))
        .chain(concepts(text))
        .collect()
}

fn concepts(text: &str) -> impl Iterator<Item = String> {
    lexicon::named(text)
        .into_iter()
        .map(|(concept, _)| concept)
        .filter(|concept| !concept.gloss.is_empty())
        .map(|concept| format!("#{}", concept.name))
}

/// A passage in the guest's language is worth most, one in a third language least.
fn tongue(passage: &str, language: &str) -> f64 {
    match crate::router::detect_language(passage) {
        Some(found) if found.language() == language => 1.2,
        Some(found) if found.language() != "en" => 0.6,
        _ => 1.0,
    }
}

/// Whether a unit speaks of what is asked: of a third of it by weight, or the search is sure.
fn is_about(
    unit: &Unit<'_>,
    terms: &[String],
    weight: &HashMap<&str, f64>,
    headings: &[HashSet<String>],
    passages: &[FoundPassage],
) -> bool {
    let all: f64 = terms.iter().map(|term| weight[term.as_str()]).sum();
    let met: f64 = terms
        .iter()
        .filter(|term| has(&unit.words, term) || has(&headings[unit.passage], term))
        .map(|term| weight[term.as_str()])
        .sum();
    // That a figure stands in both says nothing.
    let named = terms.iter().any(|term| {
        term.chars().any(char::is_alphabetic)
            && (has(&unit.words, term) || has(&headings[unit.passage], term))
    });
    let passage = &passages[unit.passage];
    let needed = match passage.match_tier {
        Tier::Strict => 0.0,
        Tier::Relaxed => 0.25,
        Tier::Fallback => 0.5,
    };
    named && met >= needed * all
}

/// A row of a table as a person would say it: `Garage – underground; open 24 hours; EUR 24 a night`.
/// Names of columns stay where a value says nothing without them.
fn readable(unit: &str) -> String {
    const PLAIN: &[&str] = &[
        "detail",
        "description",
        "price",
        "hours",
        "kind",
        "distance",
        "distance or time",
        "served",
        "duration",
        "opening hours",
    ];
    if !is_row(unit) {
        return unit.to_owned();
    }
    let rest = unit.split_once(" — ").map_or(unit, |(_, rest)| rest);
    let mut said: Vec<String> = Vec::new();
    for (at, cell) in rest.split("; ").enumerate() {
        match cell.split_once(": ") {
            Some((label, value)) if at == 0 && !label.contains(' ') => {
                said.push(value.to_owned());
            }
            Some((label, value)) if PLAIN.contains(&label) => said.push(value.to_owned()),
            _ => said.push(cell.to_owned()),
        }
    }
    match said.split_first() {
        Some((first, rest)) if !rest.is_empty() => format!("{first} – {}.", rest.join("; ")),
        _ => unit.to_owned(),
    }
}

/// Whether a term stands among words, or shares a long beginning with one of them.
fn has(words: &HashSet<String>, term: &str) -> bool {
    words.contains(term)
        || (term.len() >= 5
            && words.iter().any(|word| {
                word.len() >= 5 && (word.starts_with(term) || term.starts_with(word.as_str()))
            }))
}

/// Sentences of prose; lines of tables and lists stay whole.
fn units(passage: &str) -> Vec<&str> {
    passage
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#') && line.chars().any(char::is_lowercase))
        .flat_map(|line| {
            if is_row(line) {
                vec![line]
            } else {
                text::sentences(line)
            }
        })
        .collect()
}

/// `item: Super Bock; price: EUR 4.20`, `a | b | c`: a row.
fn is_row(line: &str) -> bool {
    line.contains(" | ")
        || line.matches(": ").count() >= 2
        || (line.contains(" — ") && line.contains(": "))
}

fn shorten(unit: &str) -> String {
    const LIMIT: usize = 320;
    let unit = unit.trim_start_matches(['-', '*', '•', ' ']).trim();
    if unit.chars().count() <= LIMIT {
        return unit.to_owned();
    }
    let cut: String = unit.chars().take(LIMIT).collect();
    match cut.rfind(' ') {
        Some(at) => format!("{}…", &cut[..at]),
        None => cut,
    }
}

fn overlaps(a: &str, b: &str) -> bool {
    let a: HashSet<String> = text::words(a).into_iter().collect();
    let b: HashSet<String> = text::words(b).into_iter().collect();
    let shared = a.intersection(&b).count();
    let smaller = a.len().min(b.len()).max(1);
    shared * 10 >= smaller * 9
}
