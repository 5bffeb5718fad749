//! Passages judged by their words: how much of the question they cover, counting rare words more.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

use stayzr_core::{ids::ChunkId, model::Chunk};

use super::{enrich::searchable_text, offline::hash};
use crate::lexicon::{Analysis, Class, analyse, concepts, is_unspaced, nearest_concept};

/// How soon more of the same word stops counting, and how much long passages pay for their length:
/// the constants of BM25, set for short passages that mostly say a thing once.
const SATURATION: f64 = 0.4;
const LENGTH_PENALTY: f64 = 0.2;

/// What a word of the question is worth where only its concept is met ("noise" for "quiet"); the
/// rest is for the word itself.
const SYNONYM_SHARE: f64 = 0.95;
/// The same in a family of words, where lunch only hints at dinner.
const FAMILY_SHARE: f64 = 0.6;
/// The same where the concept was only guessed from a misspelt word.
const GUESSED_SHARE: f64 = 0.55;

/// What counts for how much: a word that tells something, one that fits every hotel, a figure, and
/// two words next to each other as in the question.
const CONTENT_WEIGHT: f64 = 1.0;
const GENERIC_WEIGHT: f64 = 0.2;
const FIGURE_WEIGHT: f64 = 1.2;
const PAIR_WEIGHT: f64 = 0.2;

/// A word or concept that no passage has counts this much more than the rarest that one has.
const MISSING_WEIGHT: f64 = 1.4;

/// A pair of characters of a script without spaces is often only part of a word.
const UNSPACED_WEIGHT: f64 = 0.25;

/// The kind of answer counts at least so much even where most passages have it.
const ANSWER_RARITY: f64 = 0.2;

/// How many passages' words are kept. A passage of a thousand characters takes about 5 kB.
const KEPT_PASSAGES: usize = 10_000;

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
        for pair in pairs(&analysis) {
            count(pair);
        }
        for shape in shapes(text, &analysis) {
            count(hash("shape", shape));
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

/// Neighbours, across words that carry no topic: "rooftop bar", "Haar for two".
fn pairs(analysis: &Analysis) -> Vec<u64> {
    let telling: Vec<_> = analysis
        .terms
        .iter()
        .filter(|term| term.class != Class::Stop)
        .collect();
    telling
        .windows(2)
        .filter(|pair| pair.iter().any(|term| term.class != Class::Generic))
        .map(|pair| hash("pair", &format!("{} {}", pair[0].stem, pair[1].stem)))
        .collect()
}

/// What kinds of answer a passage holds: a question for a time is answered by `7:30`, one for a
/// price by `18 EUR`, whether or not the passage says "hours" or "costs".
fn shapes(text: &str, analysis: &Analysis) -> Vec<&'static str> {
    const MONEY: [char; 5] = ['€', '$', '£', '¥', '₹'];
    const CURRENCIES: [&str; 10] = [
        "eur", "euro", "euros", "gbp", "usd", "chf", "dollars", "pounds", "pln", "free",
    ];
    let mut found = Vec::new();
    for (at, term) in analysis.terms.iter().enumerate() {
        let follows_figure = at > 0 && analysis.terms[at - 1].class == Class::Figure;
        let is_time = term.class == Class::Figure
            && (term.word.contains(':') || term.word.ends_with("am") || term.word.ends_with("pm"))
            || follows_figure && matches!(term.word.as_str(), "am" | "pm" | "uhr" | "hours");
        if is_time {
            found.push("time");
        }
        if CURRENCIES.contains(&term.word.as_str()) {
            found.push("money");
        }
    }
    found.extend(text.chars().filter(|c| MONEY.contains(c)).map(|_| "money"));
    found
}

/// The kind of answer that satisfies a concept by itself.
fn shape_of(concept: usize) -> Option<&'static str> {
    match concepts()[concept].name.as_str() {
        "hours" => Some("time"),
        "price" => Some("money"),
        _ => None,
    }
}

/// How a thing that is asked for counts.
enum Kind {
    /// What the question is about.
    Topic,
    /// The kind of answer it wants, which most passages of a hotel have.
    Answer,
    /// Neighbours: good to find, nothing to miss.
    Pair,
}

/// One thing a question asks for.
struct Wanted {
    weight: f64,
    /// The concept, or the kind of answer, and its share.
    broad: Vec<u64>,
    share: f64,
    kind: Kind,
    /// The words themselves, each in its forms; empty for a concept of several words.
    exact: Vec<Vec<u64>>,
    /// The word, for a guess if no passage has it.
    word: Option<String>,
}

impl Wanted {
    /// How well a passage meets it, from 0 to 1; `spread` says how many mentions are half enough.
    fn met(&self, bag: &Bag, spread: f64) -> f64 {
        let saturated = |feature: &u64| {
            let count = bag.count(*feature);
            count / (count + spread)
        };
        let broad = self.broad.iter().map(saturated).fold(0.0, f64::max);
        // Each word counts, in whichever of its forms.
        let exact = self
            .exact
            .iter()
            .map(|forms| forms.iter().map(saturated).fold(0.0, f64::max))
            .sum::<f64>()
            / self.exact.len().max(1) as f64;
        match (self.broad.is_empty(), self.exact.is_empty()) {
            (true, _) => exact,
            (false, true) => broad,
            (false, false) => self.share * broad + (1.0 - self.share) * exact,
        }
    }
}

impl WordScorer {
    /// How well each passage covers the question, in their order, from 0 to 1. Rarity is measured
    /// among these passages: a word that all of them have, such as the hotel's name, tells nothing.
    pub fn score(&self, question: &str, passages: &[Arc<Chunk>]) -> Vec<f64> {
        let bags: Vec<Arc<Bag>> = passages.iter().map(|chunk| self.bag(chunk)).collect();
        let mut wanted = wanted(&analyse(question));
        for want in &mut wanted {
            let missing = bags.iter().all(|bag| want.met(bag, 1.0) == 0.0);
            if let Some(concept) = want
                .word
                .as_deref()
                .filter(|_| missing)
                .and_then(nearest_concept)
            {
                want.broad.push(concept_feature(concept));
                want.share = GUESSED_SHARE;
                want.weight = want.weight.max(topic_weight(concept));
            }
        }
        let average = bags.iter().map(|bag| bag.length).sum::<f64>() / bags.len().max(1) as f64;
        let weights: Vec<f64> = wanted
            .iter()
            .map(|want| {
                let having = bags.iter().filter(|bag| want.met(bag, 1.0) > 0.0).count();
                let rarity = rarity(having, bags.len());
                want.weight
                    * match want.kind {
                        // What no passage speaks of shows best that this is about something else.
                        Kind::Topic if having == 0 => MISSING_WEIGHT,
                        Kind::Topic => rarity,
                        Kind::Answer => rarity.max(ANSWER_RARITY),
                        Kind::Pair if having == 0 => 0.0,
                        Kind::Pair => rarity,
                    }
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
                    .map(|(want, weight)| weight * want.met(bag, SATURATION * length))
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
            broad: std::iter::once(concept_feature(found.concept))
                .chain(shape_of(found.concept).map(|shape| hash("shape", shape)))
                .collect(),
            share: if concepts()[found.concept].is_family {
                FAMILY_SHARE
            } else {
                SYNONYM_SHARE
            },
            kind: match shape_of(found.concept) {
                Some(_) => Kind::Answer,
                None => Kind::Topic,
            },
            exact: Vec::new(),
            word: None,
        });
        let span = found.start..found.start + found.len;
        taken[span.clone()].fill(true);
        if let [term] = &analysis.terms[span]
            && term.class != Class::Stop
            && shape_of(found.concept).is_none()
        {
            let word = vec![hash("stem", &term.stem)];
            if !want.exact.contains(&word) {
                want.exact.push(word);
            }
        }
    }
    let mut by_stem: BTreeMap<&str, Wanted> = BTreeMap::new();
    for (term, taken) in analysis.terms.iter().zip(taken) {
        let weight = match term.class {
            _ if taken => continue,
            Class::Stop => continue,
            _ if is_unspaced_pair(&term.word) => UNSPACED_WEIGHT,
            Class::Generic => GENERIC_WEIGHT,
            Class::Content => CONTENT_WEIGHT,
            Class::Figure => FIGURE_WEIGHT,
        };
        let mut forms = vec![hash("stem", &term.stem)];
        forms.extend(term.native_stem.iter().map(|stem| hash("stem", stem)));
        by_stem.entry(&term.stem).or_insert(Wanted {
            weight,
            broad: Vec::new(),
            share: 0.0,
            kind: Kind::Topic,
            exact: vec![forms],
            word: (term.class == Class::Content).then(|| term.word.clone()),
        });
    }
    let pairs = pairs(analysis).into_iter().map(|pair| Wanted {
        weight: PAIR_WEIGHT,
        broad: Vec::new(),
        share: 0.0,
        kind: Kind::Pair,
        exact: vec![vec![pair]],
        word: None,
    });
    by_concept
        .into_values()
        .chain(by_stem.into_values())
        .chain(pairs)
        .collect()
}

fn is_unspaced_pair(word: &str) -> bool {
    word.chars().next().is_some_and(is_unspaced)
}
