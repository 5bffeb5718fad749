//! A text as terms and concepts: what both the offline embedder and the rescoring read.

use rust_stemmers::{Algorithm, Stemmer};
use whatlang::Lang;

use super::{
    concepts::{ConceptMatch, match_concepts},
    stopwords,
    words::words,
};

/// What a word is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Carries no topic: "the", "do", "por".
    Stop,
    /// Fits every hotel: "room", "stay", "Zimmer".
    Generic,
    /// Everything else.
    Content,
    /// Begins with a digit: a time, a price, a room.
    Figure,
}

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The folded word.
    pub word: String,
    /// Its stem in English.
    pub stem: String,
    /// Its stem in the text's own language, where that is another one.
    pub native_stem: Option<String>,
    /// What it is worth.
    pub class: Class,
}

/// Where a concept stands.
pub type ConceptSpan = ConceptMatch;

/// A text, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// Its words in order.
    pub terms: Vec<Term>,
    /// Its concepts in order of place.
    pub concepts: Vec<ConceptSpan>,
    /// Whether it is in another language than English, as far as one can tell.
    pub is_foreign: bool,
}

/// Reads a text. English stems are always taken, since the language of a short question is a
/// guess; the stems of the text's own language are added where it is recognised.
pub fn analyse(text: &str) -> Analysis {
    let list = words(text);
    let concepts = match_concepts(&list);
    let native = native_algorithm(text);
    let english = Stemmer::create(Algorithm::English);
    let native_stemmer = native.map(Stemmer::create);
    let terms = list
        .into_iter()
        .map(|word| {
            let class = stopwords::class(&word);
            let (stem, native_stem) = if matches!(class, Class::Figure | Class::Stop) {
                (word.clone(), None)
            } else {
                let stem = english.stem(&word).into_owned();
                let native = native_stemmer
                    .as_ref()
                    .map(|stemmer| stemmer.stem(&word).into_owned())
                    .filter(|native| *native != stem);
                (stem, native)
            };
            Term {
                word,
                stem,
                native_stem,
                class,
            }
        })
        .collect();
    Analysis {
        terms,
        concepts,
        is_foreign: native.is_some(),
    }
}

fn native_algorithm(text: &str) -> Option<Algorithm> {
    let guess = whatlang::detect(text)?;
    if guess.confidence() < 0.4 {
        return None;
    }
    Some(match guess.lang() {
        Lang::Por => Algorithm::Portuguese,
        Lang::Spa => Algorithm::Spanish,
        Lang::Fra => Algorithm::French,
        Lang::Deu => Algorithm::German,
        Lang::Ita => Algorithm::Italian,
        Lang::Nld => Algorithm::Dutch,
        Lang::Rus => Algorithm::Russian,
        Lang::Swe => Algorithm::Swedish,
        Lang::Dan => Algorithm::Danish,
        Lang::Nob => Algorithm::Norwegian,
        Lang::Fin => Algorithm::Finnish,
        Lang::Ron => Algorithm::Romanian,
        Lang::Hun => Algorithm::Hungarian,
        Lang::Tur => Algorithm::Turkish,
        Lang::Ara => Algorithm::Arabic,
        Lang::Ell => Algorithm::Greek,
        Lang::Tam => Algorithm::Tamil,
        _ => return None,
    })
}
