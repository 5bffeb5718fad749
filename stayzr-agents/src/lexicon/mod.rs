//! Words: folding, stemming, stop words, and the things guests ask hotels about in many languages.

mod analysis;
mod concepts;
mod fold;
mod stopwords;
mod words;

pub use analysis::{Analysis, Class, ConceptSpan, Term, analyse};
pub use concepts::{Concept, ConceptMatch, concepts, match_concepts, nearest_concept};
pub use fold::fold;
pub(crate) use words::is_unspaced;
pub use words::words;
