use std::collections::{BTreeSet, HashSet};

use serde_json::Value;
use stayzr_core::model::Passage;

use super::{
    figures::{Figure, readings},
    polarity::{Stance, stance},
    topic,
};
use crate::{run::CallRecord, text};

/// What a reply may rest on: the passages and tool results of one turn, and nothing else. The
/// guest's own words are no support.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    pub(super) sources: Vec<Source>,
    pub(super) question: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) folded: String,
    pub(super) topics: HashSet<String>,
    pub(super) figures: BTreeSet<Figure>,
    pub(super) sentences: Vec<Sentence>,
}

#[derive(Debug, Clone)]
pub(super) struct Sentence {
    pub(super) topics: HashSet<String>,
    pub(super) stance: Stance,
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

pub(super) fn flat(source: &str) -> String {
    text::words(source).join(" ")
}
