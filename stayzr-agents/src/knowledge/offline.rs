//! An embedder that needs no model: words, concepts and spelling, hashed into a vector.

use std::{collections::BTreeMap, sync::LazyLock};

use async_trait::async_trait;
use stayzr_core::{Result, port::knowledge::EmbedderMark};

use crate::{
    lexicon::{Analysis, Class, analyse, concepts},
    model::embedder::{Calibration, Curve, Embedder, normalise},
};

const DIMENSION: usize = 2048;

/// The embedded default: deterministic, without downloads, in any language that it has words for.
///
/// Each stem, each concept ("breakfast" in eight languages) and the three-letter pieces of each
/// word, which forgive typing mistakes, add to a place of the vector that a hash chooses. Repeated
/// words count by their logarithm; words that say little count little.
#[derive(Debug, Clone, Copy, Default)]
pub struct OfflineEmbedder;

/// Drawn from hotel questions against passages that answer them and passages that do not.
static CALIBRATION: LazyLock<Calibration> = LazyLock::new(|| Calibration {
    curve: Curve::new(vec![
        (0.03, 0.0),
        (0.12, 0.15),
        (0.22, 0.3),
        (0.45, 0.7),
        (1.0, 1.0),
    ])
    .expect("the points rise"),
    vector_weight: 0.3,
    words_weight: 0.9,
});

impl OfflineEmbedder {
    /// The vector of a text, of length one; all zeros for a text without words.
    pub fn embed(text: &str) -> Vec<f32> {
        let analysis = analyse(text);
        let mut features = Features::default();
        features.add_terms(&analysis);
        features.add_concepts(&analysis);
        features.into_vector()
    }
}

#[async_trait]
impl Embedder for OfflineEmbedder {
    fn mark(&self) -> EmbedderMark {
        EmbedderMark {
            embedder: "offline-lexical-1".to_owned(),
            dimension: DIMENSION as u32,
        }
    }

    fn calibration(&self) -> &Calibration {
        &CALIBRATION
    }

    async fn embed_documents(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        Ok(texts.iter().map(|text| Self::embed(text)).collect())
    }

    async fn embed_queries(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        self.embed_documents(texts).await
    }
}

/// Weights by hashed feature, in an order that does not change between runs, since sums of
/// floating-point numbers depend on it.
#[derive(Default)]
struct Features(BTreeMap<u64, (f32, f32)>);

impl Features {
    fn add(&mut self, kind: &str, name: &str, weight: f32) {
        let (sum, count) = self.0.entry(hash(kind, name)).or_default();
        *sum = sum.max(weight);
        *count += 1.0;
    }

    fn add_terms(&mut self, analysis: &Analysis) {
        for term in &analysis.terms {
            let weight = match term.class {
                Class::Stop => 0.04,
                Class::Generic => 0.3,
                Class::Content | Class::Figure => 1.0,
            };
            self.add("stem", &term.stem, weight);
            if let Some(native) = &term.native_stem {
                self.add("stem", native, weight);
            }
            if term.class == Class::Content {
                self.add_pieces(&term.word);
            }
        }
    }

    /// Three-letter pieces of a word with its ends marked. Together they weigh about half a word.
    fn add_pieces(&mut self, word: &str) {
        let letters: Vec<char> = std::iter::once('^')
            .chain(word.chars())
            .chain(std::iter::once('$'))
            .collect();
        if letters.len() < 6 {
            return;
        }
        let weight = 0.5 / ((letters.len() - 2) as f32).sqrt();
        for piece in letters.windows(3) {
            self.add("piece", &piece.iter().collect::<String>(), weight);
        }
    }

    fn add_concepts(&mut self, analysis: &Analysis) {
        for found in &analysis.concepts {
            let concept = &concepts()[found.concept];
            self.add("concept", &concept.name, 1.6 * concept.weight);
        }
    }

    fn into_vector(self) -> Vec<f32> {
        let mut vector = vec![0.0_f32; DIMENSION];
        for (hash, (weight, count)) in self.0 {
            // The sign from another bit lets colliding features cancel instead of adding up.
            let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
            vector[(hash % DIMENSION as u64) as usize] += sign * weight * (1.0 + count.ln());
        }
        normalise(&mut vector);
        vector
    }
}

/// FNV-1a with a finishing mix. Written out because stored vectors depend on it for good.
pub(super) fn hash(kind: &str, name: &str) -> u64 {
    let bytes = kind.bytes().chain(std::iter::once(0)).chain(name.bytes());
    let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(a: &str, b: &str) -> f32 {
        let (a, b) = (OfflineEmbedder::embed(a), OfflineEmbedder::embed(b));
        a.iter().zip(&b).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn vectors_repeat_and_have_length_one() {
        let text = "Breakfast is served from 7:00 to 10:30 in the Garden Room.";
        assert_eq!(OfflineEmbedder::embed(text), OfflineEmbedder::embed(text));
        assert!((cosine(text, text) - 1.0).abs() < 1e-5);
        assert!(OfflineEmbedder::embed(" \n").iter().all(|x| *x == 0.0));
    }

    #[test]
    fn the_answer_is_nearer_than_anything_else_across_languages() {
        let breakfast = "Breakfast is served from 7:00 to 10:30 in the Garden Room.";
        let parking = "The car park below the building costs 18 EUR a day.";
        for question in [
            "A que horas é o pequeno-almoço?",
            "Wann gibt es Frühstück?",
            "when is brekfast served",
        ] {
            assert!(
                cosine(question, breakfast) > 2.0 * cosine(question, parking).max(0.02),
                "{question}"
            );
        }
    }

    /// Stored vectors are only comparable with vectors of the same words, stems, concepts and hash.
    /// If this fails because one of them was changed, give the embedder's mark a new number.
    #[test]
    fn stored_vectors_stay_comparable() {
        let vocabulary: Vec<&str> = concepts().iter().map(|it| it.name.as_str()).collect();
        let text = format!(
            "Breakfast 7:30, Frühstück, pequeno-almoço, petit déjeuner, colazione, desayuno. {}",
            vocabulary.join(". ")
        );
        let fingerprint = OfflineEmbedder::embed(&text)
            .into_iter()
            .map(|x| (x * 1e3).round() as i64)
            .fold(0_u64, |sum, x| sum.wrapping_mul(31).wrapping_add(x as u64));
        assert_eq!(
            (OfflineEmbedder.mark().embedder.as_str(), fingerprint),
            MARKED
        );
    }

    const MARKED: (&str, u64) = ("offline-lexical-1", 15232300590929525463);
}
