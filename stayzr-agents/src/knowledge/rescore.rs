//! Passages judged by their words: how much of the question they cover, counting rare words more.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use stayzr_core::{ids::ChunkId, model::Chunk};

use super::{enrich::searchable_text, offline::hash};
use crate::lexicon::{Analysis, Class, analyse, concepts, nearest_concept};

/// How soon more of the same word stops counting, and how much long passages pay for their length:
/// the constants of BM25, set for short passages that mostly say a thing once.
const SATURATION: f64 = 0.5;
const LENGTH_PENALTY: f64 = 0.25;

/// A match by concept is worth this much of a match by the word itself.
const CONCEPT_MATCH: f64 = 0.85;
/// So much where the concept was only guessed from a misspelt word.
const GUESSED_MATCH: f64 = 0.7;

/// How many passages' words are kept. A passage of a thousand characters takes about 2 kB.
const KEPT_PASSAGES: usize = 20_000;

/// Judges passages by their words. It keeps what it read of a passage, since a passage's text never
/// changes under its id.
#[derive(Default)]
pub struct WordScorer {
    kept: Mutex<Kept>,
}

/// Two generations: when the young one is full it becomes the old one, and what was not asked for
/// since is forgotten.
#[derive(Default)]
struct Kept {
    young: HashMap<ChunkId, Arc<Bag>>,
    old: HashMap<ChunkId, Arc<Bag>>,
}

/// How often each feature occurs in a passage, sorted by feature.
struct Bag {
    counts: Vec<(u64, u16)>,
    length: f64,
}

impl Bag {
    fn read(text: &str) -> Self {
        let analysis = analyse(text);
        let mut counts: BTreeMap<u64, u16> = BTreeMap::new();
        let mut length = 0.0;
        let mut count = |feature| {
            let count = counts.entry(feature).or_default();
            *count = count.saturating_add(1);
        };
        for term in &analysis.terms {
            if term.class == Class::Stop {
                continue;
            }
            length += 1.0;
            count(hash("stem", &term.stem));
            if let Some(native) = &term.native_stem {
                count(hash("stem", native));
            }
        }
        for found in &analysis.concepts {
            count(concept_feature(found.concept));
        }
        Self {
            counts: counts.into_iter().collect(),
            length,
        }
    }

    fn count(&self, feature: u64) -> f64 {
        self.counts
            .binary_search_by_key(&feature, |(known, _)| *known)
            .map_or(0.0, |at| f64::from(self.counts[at].1))
    }
}

fn concept_feature(concept: usize) -> u64 {
    hash("concept", &concepts()[concept].name)
}

/// One thing a question asks for, and the features that answer it with their worth.
struct Wanted {
    weight: f64,
    features: Vec<(u64, f64)>,
    /// The word itself, for a guess if no passage has it.
    word: Option<String>,
}

impl Wanted {
    fn count(&self, bag: &Bag) -> f64 {
        self.features
            .iter()
            .map(|(feature, worth)| worth * bag.count(*feature))
            .fold(0.0, f64::max)
    }
}

impl WordScorer {
    /// How well each passage covers the question, in their order, from 0 to 1. Rarity is measured
    /// among these passages: a word that all of them have, such as the hotel's name, tells nothing.
    pub fn score(&self, question: &str, passages: &[Arc<Chunk>]) -> Vec<f64> {
        let bags: Vec<Arc<Bag>> = passages.iter().map(|chunk| self.bag(chunk)).collect();
        let mut wanted = wanted(&analyse(question));
        for want in &mut wanted {
            let missing = bags.iter().all(|bag| want.count(bag) == 0.0);
            if let Some(concept) = want
                .word
                .as_deref()
                .filter(|_| missing)
                .and_then(nearest_concept)
            {
                want.features
                    .push((concept_feature(concept), GUESSED_MATCH));
                want.weight = want.weight.max(topic_weight(concept));
            }
        }
        let average = bags.iter().map(|bag| bag.length).sum::<f64>() / bags.len().max(1) as f64;
        let weights: Vec<f64> = wanted
            .iter()
            .map(|want| {
                let having = bags.iter().filter(|bag| want.count(bag) > 0.0).count();
                want.weight * rarity(having, bags.len())
            })
            .collect();
        let total: f64 = weights.iter().sum();
        if total <= 0.0 {
            return vec![0.0; passages.len()];
        }
        bags.iter()
            .map(|bag| {
                let length = 1.0 - LENGTH_PENALTY + LENGTH_PENALTY * bag.length / average.max(1.0);
                let covered: f64 = wanted
                    .iter()
                    .zip(&weights)
                    .map(|(want, weight)| {
                        let count = want.count(bag);
                        weight * count / (count + SATURATION * length)
                    })
                    .sum();
                covered / total
            })
            .collect()
    }

    fn bag(&self, chunk: &Chunk) -> Arc<Bag> {
        {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(bag) = kept.young.get(&chunk.id) {
                return Arc::clone(bag);
            }
            if let Some(bag) = kept.old.remove(&chunk.id) {
                kept.young.insert(chunk.id, Arc::clone(&bag));
                return bag;
            }
        }
        let bag = Arc::new(Bag::read(&searchable_text(chunk)));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.young.len() >= KEPT_PASSAGES / 2 {
            kept.old = std::mem::take(&mut kept.young);
        }
        kept.young.insert(chunk.id, Arc::clone(&bag));
        bag
    }
}

/// From 0 where every passage has it to 1 where none or one has.
fn rarity(having: usize, all: usize) -> f64 {
    let (having, all) = (having.max(1) as f64, all.max(1) as f64);
    let most = (1.0 + (all - 0.5) / 1.5).ln();
    if all < 4.0 {
        return 1.0;
    }
    (1.0 + (all - having + 0.5) / (having + 0.5)).ln() / most
}

fn topic_weight(concept: usize) -> f64 {
    0.2 + 1.4 * f64::from(concepts()[concept].weight)
}

/// What a question asks for: its concepts, each once, and its words that belong to none.
fn wanted(analysis: &Analysis) -> Vec<Wanted> {
    let mut by_concept: BTreeMap<usize, Wanted> = BTreeMap::new();
    let mut taken = vec![false; analysis.terms.len()];
    for found in &analysis.concepts {
        let want = by_concept.entry(found.concept).or_insert_with(|| Wanted {
            weight: topic_weight(found.concept),
            features: vec![(concept_feature(found.concept), CONCEPT_MATCH)],
            word: None,
        });
        let span = found.start..found.start + found.len;
        for at in span.clone() {
            taken[at] = true;
            let term = &analysis.terms[at];
            if found.len == 1 && term.class != Class::Stop {
                want.features.push((hash("stem", &term.stem), 1.0));
            }
        }
    }
    let mut by_stem: BTreeMap<&str, Wanted> = BTreeMap::new();
    for (term, taken) in analysis.terms.iter().zip(taken) {
        let weight = match term.class {
            _ if taken => continue,
            Class::Stop => continue,
            Class::Generic => 0.2,
            Class::Content => 1.0,
            Class::Figure => 1.2,
        };
        let mut features = vec![(hash("stem", &term.stem), 1.0)];
        features.extend(
            term.native_stem
                .iter()
                .map(|stem| (hash("stem", stem), 1.0)),
        );
        by_stem.entry(&term.stem).or_insert(Wanted {
            weight,
            features,
            word: (term.class == Class::Content).then(|| term.word.clone()),
        });
    }
    by_concept
        .into_values()
        .chain(by_stem.into_values())
        .collect()
}
