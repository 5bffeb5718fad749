//! Picks the sentences and rows of passages that answer a question.

use std::collections::{HashMap, HashSet};

use stayzr_core::model::Tier;

use super::{
    title::{self, Subject},
    unit::{is_row, overlaps, readable, row_name, shorten, units},
    wanted::{Wanted, has_span, looks_like, wanted},
};
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
    "hotel",
    "hotels",
    "house",
    "property",
    "guest",
    "guests",
    "cost",
    "costs",
    "price",
    "prices",
    "kostet",
    "kosten",
    "open",
    "opens",
    "opening",
    "close",
    "closes",
    "closed",
    "hours",
    "time",
    "times",
    "geoffnet",
    "offnet",
    "schliesst",
    "uhr",
    "abre",
    "aberta",
    "aberto",
    "fecha",
    "abierta",
    "abierto",
    "cierra",
    "hora",
    "horas",
    "ouvre",
    "ouvert",
    "ouverte",
    "ferme",
    "fermee",
    "heure",
    "heures",
    "apre",
    "aperta",
    "aperto",
    "chiude",
    "ora",
    "orari",
    "gaat",
    "sluit",
    "trova",
    "trouve",
    "befindet",
    "located",
    "fica",
    "situado",
    "si",
    "se",
    "sich",
    "pls",
    "please",
    "thanks",
];

/// Whether a word fits every hotel and tells nothing of the topic.
pub(super) fn is_of_every_house(word: &str) -> bool {
    const GENERIC: &[&str] = &["hotel", "hotels", "house", "property", "guest", "guests"];
    GENERIC.contains(&word)
}

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
    terms.extend(measures(&words));
    for gloss in glosses(question) {
        terms.extend(text::words(gloss).iter().map(|word| text::stem(word)));
    }
    terms.extend(concepts(question));
    let mut seen = HashSet::new();
    terms.retain(|term| seen.insert(term.clone()));
    terms
}

fn measures(words: &[String]) -> impl Iterator<Item = String> {
    MEASURES
        .iter()
        .filter(|(asked, _)| words.iter().any(|word| word == asked))
        .flat_map(|(_, answers)| answers.iter())
        .map(|word| text::stem(word))
}

/// English names of the concepts that a text names.
pub(super) fn glosses(question: &str) -> Vec<&'static str> {
    lexicon::named(question)
        .into_iter()
        .map(|(concept, _)| concept.gloss)
        .filter(|gloss| !gloss.is_empty())
        .collect()
}

/// The question without the English names that the search was given beside it.
pub(super) fn own_words(query: &str) -> &str {
    match query.rsplit_once(" (") {
        Some((question, added)) if added == format!("{})", glosses(question).join(", ")) => {
            question
        }
        _ => query,
    }
}

/// A sentence or row, with what it needs to be compared.
struct Unit<'a> {
    text: &'a str,
    passage: usize,
    /// Its place in the passage.
    place: usize,
    words: HashSet<String>,
}

/// Where and after what a question is asked.
pub(super) struct Setting<'a> {
    /// The guest's language.
    pub(super) language: &'a str,
    /// The name of the property.
    pub(super) property: &'a str,
    /// What the guest asked before.
    pub(super) background: Option<&'a str>,
}

/// At most `most` quotes that answer the question, in the order of their worth; none if nothing
/// in the passages is about it.
pub(super) fn select(
    question: &str,
    passages: &[FoundPassage],
    most: usize,
    setting: &Setting<'_>,
) -> Vec<Quote> {
    let question = own_words(question);
    let mut terms = terms(question);
    // `And how much is it?` leans on what was asked before, `And on Sundays?` too.
    let leans = terms.len() <= 1 && glosses(question).is_empty();
    let background = setting.background.filter(|_| leans);
    let own_terms = terms.len();
    if let Some(background) = background {
        terms.extend(self::terms(background));
        let mut seen = HashSet::new();
        terms.retain(|term| seen.insert(term.clone()));
    }
    let terms = terms;
    // What was asked now must be met, if it says anything.
    let pressing = match own_terms {
        0 => &terms[..],
        own => &terms[..own],
    };
    let words = text::words(question);
    let wanted = wanted(&words);
    let units: Vec<Unit<'_>> = passages
        .iter()
        .enumerate()
        .flat_map(|(at, passage)| {
            let texts = units(&passage.text).into_iter().enumerate();
            texts.map(move |(place, text)| (at, place, text))
        })
        .map(|(passage, place, text)| Unit {
            text,
            passage,
            place,
            words: stems(text),
        })
        .collect();
    if units.is_empty() {
        return Vec::new();
    }
    let tongues: Vec<f64> = passages
        .iter()
        .map(|passage| tongue(&passage.text, setting.language))
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
    let is_foreign =
        crate::router::detect_language(question).is_some_and(|found| found.language() != "en");
    let measures: HashSet<String> = measures(&words).collect();
    // A rare word of the question says more than one that stands everywhere.
    let total = units.len() as f64;
    let weight: HashMap<&str, f64> = terms
        .iter()
        .map(|term| {
            let seen = units.iter().filter(|unit| has(&unit.words, term)).count() as f64;
            let own = match term {
                // Words of another language stand in few documents and are not missed in others.
                _ if is_foreign && seen == 0.0 => 0.0,
                term if term.starts_with('#') => 0.35,
                term if is_rule(term) => 0.3,
                term if measures.contains(term) => 0.8,
                term if added.contains(term) && !is_foreign => 0.5,
                _ => 1.0,
            };
            (term.as_str(), own * (1.0 + total / (1.0 + seen)).ln())
        })
        .collect();
    let property: HashSet<String> = text::words(setting.property).into_iter().collect();
    let concepts_of_question: HashSet<&'static str> = lexicon::named(question)
        .into_iter()
        .map(|(concept, _)| concept.name)
        .collect();
    let subject = Subject {
        stems: &asked,
        concepts: &concepts_of_question,
        wanted: &wanted,
        // What the other words of another language say is not known.
        is_plain: (is_foreign && !glosses(question).is_empty())
            || words
                .iter()
                .filter(|word| !text::is_stop_word(word) && !HOUSE.contains(&word.as_str()))
                .all(|word| !lexicon::named(word).is_empty()),
        property: &property,
    };
    let mut scored: Vec<(f64, f64, usize)> = units
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
            let titled = titled(unit, &passage.heading, &subject);
            let score = base * form * tier * about * titled * tongues[unit.passage];
            (score, topical, at)
        })
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.2.cmp(&b.2)));
    let (best, topic_of_best, first) = scored[0];
    let first = &units[first];
    if !is_about(first, pressing, &weight, &headings, passages) {
        return Vec::new();
    }
    let answers = |unit: &Unit<'_>| wanted.iter().any(|kind| looks_like(unit.text, *kind));
    let title_of = |unit: &Unit<'_>| titled(unit, &passages[unit.passage].heading, &subject);
    let is_named = !wanted.contains(&Wanted::Way)
        && fit_of(first, &passages[first.passage].heading, &subject) >= 0.78;
    let mut chosen: Vec<(f64, &Unit<'_>, Quote)> = Vec::new();
    let mut length = 0;
    for (score, topical, at) in scored {
        let unit = &units[at];
        let strange = passages[unit.passage].file_name != passages[first.passage].file_name;
        let evades = answers(first) && !answers(unit);
        // Where a thing is asked for as such, its details under other titles are not.
        let aside = subject.is_plain
            && is_named
            && unit.passage != first.passage
            && title_of(unit) < 0.9 * title_of(first);
        let needed = match (strange, evades) {
            _ if aside => 0.9,
            (false, false) => 0.55,
            (true, false) => 0.7,
            (_, true) => 0.8,
        };
        if chosen.len() >= most || score < 0.55 * best || length > BUDGET {
            break;
        }
        // A sentence that shares a place with the answer and no word with the question is left out.
        if score < needed * best || topical < 0.4 * topic_of_best {
            continue;
        }
        let quote = Quote {
            text: shorten(&readable(unit.text)),
            file_name: passages[unit.passage].file_name.clone(),
        };
        if !chosen
            .iter()
            .any(|(_, _, other)| overlaps(&other.text, &quote.text))
        {
            length += quote.text.chars().count();
            chosen.push((score, unit, quote));
        }
    }
    // Neighbours that answer about as well as the best are told in the order of the document,
    // which gives the rule before what depends on it.
    chosen.sort_by_key(|(score, unit, _)| {
        let near = unit.passage == first.passage
            && answers(unit) == answers(first)
            && *score >= 0.7 * best;
        (!near, if near { unit.place } else { 0 })
    });
    chosen.into_iter().map(|(_, _, quote)| quote).collect()
}

/// A row called by just what is asked is worth most, a section called so somewhat more than
/// others, and the first sentence of a section says what it is about.
fn titled(unit: &Unit<'_>, heading: &str, subject: &Subject<'_>) -> f64 {
    let fit = fit_of(unit, heading, subject);
    if is_row(unit.text) {
        return title::house(row_name(unit.text), subject, 1.3) * (0.45 + 0.55 * fit);
    }
    let opening = if unit.place == 0 { 1.08 } else { 1.0 };
    let lead = title::lead(unit.text, subject);
    let house = title::house(unit.text, subject, 1.15);
    house * opening * lead * (0.7 + 0.3 * fit)
}

/// How well the row's name, or the heading above a sentence, fits.
fn fit_of(unit: &Unit<'_>, heading: &str, subject: &Subject<'_>) -> f64 {
    if is_row(unit.text) {
        return title::fit(row_name(unit.text), subject).unwrap_or(0.5);
    }
    let heading = heading.rsplit(" › ").next().unwrap_or(heading);
    title::fit(heading, subject).unwrap_or(0.6)
}

/// Words for rules as such: what is asked is the rule about something.
fn is_rule(term: &str) -> bool {
    matches!(
        term,
        "polici" | "rule" | "term" | "condit" | "inform" | "detail"
    )
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
        Some(found) if found.language() == language => 1.5,
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

/// Whether a term stands among words, or shares a long beginning with one of them.
pub(super) fn has(words: &HashSet<String>, term: &str) -> bool {
    words.contains(term)
        || (term.len() >= 5
            && words.iter().any(|word| {
                word.len() >= 5 && (word.starts_with(term) || term.starts_with(word.as_str()))
            }))
}
