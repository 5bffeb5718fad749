//! Finding passages: several readings of the question, one merged and graded answer.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use stayzr_core::{
    Error, Result,
    ids::{ChunkId, PropertyId},
    model::{Chunk, Passage, Tier},
    tenant::TenantScope,
};

use super::{
    index::KnowledgeIndex,
    plan::{Pass, Turn, plan},
    rescore::WordScorer,
};
use crate::model::embedder::{Calibration, Embedder};

/// From this score on a passage is probably about the question.
const STRICT: f64 = 0.3;
/// From this score on it may be.
const RELAXED: f64 = 0.15;
/// How many passages each reading takes from the index, to be judged by their words.
const CANDIDATES: usize = 120;
/// The most passages that one search gives.
const MAX_LIMIT: usize = 50;
/// The longest question, in characters. Longer ones are cut: their beginning is searched.
const MAX_QUESTION: usize = 2_000;

fn default_limit() -> usize {
    5
}

/// A question to a property's knowledge.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchRequest {
    /// The property that is asked about; none where the scope already says it.
    #[serde(default)]
    pub property_id: Option<PropertyId>,
    /// The question.
    pub query: String,
    /// At most so many passages, from 1 to 50.
    #[serde(default = "default_limit")]
    pub limit: usize,
    /// What was said before, oldest first.
    #[serde(default)]
    pub history: Vec<Turn>,
}

impl SearchRequest {
    /// A question about a property, for five passages, without history.
    pub fn new(property_id: Option<PropertyId>, query: impl Into<String>) -> Self {
        Self {
            property_id,
            query: query.into(),
            limit: default_limit(),
            history: Vec::new(),
        }
    }
}

/// Finds passages in any index.
///
/// Each reading of the question (see [`plan`]) brings its nearest passages, which are scored by
/// vector and by words. First those of at least 0.3 are taken ([`Tier::Strict`]); where they do not
/// fill the limit, those of at least 0.15 ([`Tier::Relaxed`]); and where there are none at all, the
/// best there are ([`Tier::Fallback`]). Each part of a question that asks several things has its
/// best passage among the first.
pub struct Retriever {
    index: Arc<dyn KnowledgeIndex>,
    embedder: Arc<dyn Embedder>,
    words: WordScorer,
}

impl Retriever {
    /// A retriever over this index, whose vectors come from this embedder.
    pub fn new(index: Arc<dyn KnowledgeIndex>, embedder: Arc<dyn Embedder>) -> Self {
        Self {
            index,
            embedder,
            words: WordScorer::default(),
        }
    }

    /// The passages that this scope sees and that fit the question, best first.
    /// [`stayzr_core::ErrorKind::Invalid`] for an empty question or a limit outside 1 to 50.
    pub async fn search(
        &self,
        scope: TenantScope,
        question: &str,
        history: &[Turn],
        limit: usize,
    ) -> Result<Vec<Passage>> {
        if question.trim().is_empty() {
            return Err(Error::invalid("knowledge.search", "the question is empty"));
        }
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(
                Error::invalid("knowledge.search", "the limit must be from 1 to 50")
                    .with("limit", limit),
            );
        }
        let cut = question
            .char_indices()
            .nth(MAX_QUESTION)
            .map_or(question, |(end, _)| &question[..end]);
        let passes = plan(cut, history);
        let texts: Vec<String> = passes.iter().map(|pass| pass.text.clone()).collect();
        let vectors = self.embedder.embed_queries(&texts).await?;
        if vectors.len() != passes.len() {
            return Err(Error::corrupt(
                "knowledge.search",
                "the embedder gave another number of vectors than texts",
            ));
        }
        let mark = self.embedder.mark();
        let mut pool = Pool::default();
        for vector in &vectors {
            let hits = self.index.search(scope, vector, &mark, CANDIDATES).await?;
            pool.begin_reading();
            for hit in hits {
                // The index has filtered by scope; a passage that it let through by mistake must
                // still never reach a guest of another property.
                let owned = hit.chunk.organization_id == scope.organization_id;
                if owned && scope.sees(hit.chunk.property_id) {
                    pool.add(hit.chunk, hit.cosine);
                } else {
                    tracing::error!(chunk_id = %hit.chunk.id, "index returned a foreign passage");
                }
            }
        }
        let calibration = self.embedder.calibration();
        Ok(pool.graded(&passes, &self.words, calibration, limit))
    }
}

/// Candidates of all readings together, so that each is judged by every reading.
#[derive(Default)]
struct Pool {
    chunks: Vec<Arc<Chunk>>,
    places: HashMap<ChunkId, usize>,
    /// For each reading the cosines of the candidates that it found.
    cosines: Vec<HashMap<usize, f32>>,
}

impl Pool {
    fn begin_reading(&mut self) {
        self.cosines.push(HashMap::new());
    }

    fn add(&mut self, chunk: Arc<Chunk>, cosine: f32) {
        let at = *self.places.entry(chunk.id).or_insert_with(|| {
            self.chunks.push(chunk);
            self.chunks.len() - 1
        });
        if let Some(reading) = self.cosines.last_mut() {
            reading.insert(at, cosine);
        }
    }

    fn graded(
        &self,
        passes: &[Pass],
        words: &WordScorer,
        calibration: &Calibration,
        limit: usize,
    ) -> Vec<Passage> {
        let mut best = vec![0.0_f64; self.chunks.len()];
        let mut best_of_part: BTreeMap<usize, (f64, usize)> = BTreeMap::new();
        for (pass, cosines) in passes.iter().zip(&self.cosines) {
            let covered = words.score(&pass.text, &self.chunks);
            for (at, covered) in covered.into_iter().enumerate() {
                let vector = cosines
                    .get(&at)
                    .map_or(0.0, |cosine| calibration.curve.score(*cosine));
                let score = pass.weight * calibration.join(vector, covered);
                best[at] = best[at].max(score);
                if let Some(part) = pass.part {
                    let of_part = best_of_part.entry(part).or_insert((score, at));
                    if score > of_part.0 {
                        *of_part = (score, at);
                    }
                }
            }
        }
        let first: BTreeSet<usize> = best_of_part
            .values()
            .filter(|(score, _)| *score >= RELAXED)
            .map(|(_, at)| *at)
            .collect();
        let mut order: Vec<usize> = (0..self.chunks.len()).collect();
        order.sort_by(|a, b| {
            let by_part = first.contains(b).cmp(&first.contains(a));
            by_part.then(best[*b].total_cmp(&best[*a])).then(a.cmp(b))
        });
        let any_related = best.iter().any(|score| *score >= RELAXED);
        let mut seen = BTreeSet::new();
        order
            .into_iter()
            .filter(|at| !any_related || best[*at] >= RELAXED)
            .filter(|at| {
                let chunk = &self.chunks[*at];
                seen.insert((chunk.heading.as_str(), chunk.text.as_str()))
            })
            .take(limit)
            .map(|at| passage(&self.chunks[at], best[at]))
            .collect()
    }
}

fn passage(chunk: &Chunk, score: f64) -> Passage {
    Passage {
        document_id: chunk.document_id,
        chunk_id: chunk.id,
        file_name: chunk.file_name.clone(),
        category: chunk.category.clone(),
        heading: chunk.heading.clone(),
        text: chunk.text.clone(),
        score,
        match_tier: match score {
            score if score >= STRICT => Tier::Strict,
            score if score >= RELAXED => Tier::Relaxed,
            _ => Tier::Fallback,
        },
    }
}
