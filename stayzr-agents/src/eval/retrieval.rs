//! How well the right passages are found, how fast, and whether any came from elsewhere.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use serde::{Deserialize, Serialize};
use stayzr_core::{
    Error, Result,
    clock::SystemClock,
    ids::{DocumentId, OrganizationId, PropertyId},
    tenant::TenantScope,
};

use crate::{
    knowledge::{
        EmbeddedIndex, InProcessKnowledge, KnowledgeBase, NewDocument, SearchRequest, Turn,
    },
    model::embedder::Embedder,
};

/// A document of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvalDocument {
    /// Whose it is.
    pub property: String,
    /// The property's name.
    #[serde(default)]
    pub name: String,
    /// Unique within the property.
    pub id: String,
    /// Its title; put above the text where the text does not begin with it.
    #[serde(default)]
    pub title: String,
    /// Its text.
    pub text: String,
}

/// A question of an evaluation, with the documents that answer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvalQuery {
    /// A name for reports.
    pub id: String,
    /// Whose documents it may see.
    pub property: String,
    /// The question.
    pub text: String,
    /// What was said before, oldest first.
    #[serde(default)]
    pub history: Vec<Turn>,
    /// The ids of the documents that answer it; at least one.
    pub gold: Vec<String>,
}

/// The figures. Ranks are of documents: a document counts where its best passage stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetrievalReport {
    /// How many questions.
    pub n: usize,
    /// The share of questions whose first document is a right one.
    pub hit_at_1: f64,
    /// The share with a right one among the first five.
    pub hit_at_5: f64,
    /// The mean of 1/rank of the first right one, 0 where it is not among the first five.
    pub mrr_at_5: f64,
    /// The mean share of the right ones that are among the first five.
    pub recall_at_5: f64,
    /// How many passages came from another property. Anything but 0 is a defect.
    pub foreign_results: usize,
    /// Half of the questions took at most so many milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 took at most so many.
    pub p99_ms: f64,
}

/// How many documents count.
const DEPTH: usize = 5;

/// More passages than documents are asked for, since a document may give several.
const PASSAGES: usize = 20;

/// Takes the documents in, asks the questions one after the other, and counts.
///
/// [`stayzr_core::ErrorKind::Invalid`] where there are no questions, a question has no right
/// document, or names a property that has none.
pub async fn evaluate(
    documents: &[EvalDocument],
    queries: &[EvalQuery],
    embedder: Arc<dyn Embedder>,
) -> Result<RetrievalReport> {
    let shelf = Shelf::fill(documents, embedder).await?;
    let mut ranks = Vec::with_capacity(queries.len());
    let mut millis = Vec::with_capacity(queries.len());
    let mut recall = 0.0;
    let mut foreign_results = 0;
    for query in queries {
        let gold: HashSet<&str> = query.gold.iter().map(String::as_str).collect();
        if gold.is_empty() {
            return Err(invalid("a question has no right document").with("query", &query.id));
        }
        let start = Instant::now();
        let found = shelf.ask(query).await?;
        millis.push(start.elapsed().as_secs_f64() * 1e3);
        foreign_results += found.foreign;
        let right: Vec<usize> = found
            .documents
            .iter()
            .take(DEPTH)
            .enumerate()
            .filter(|(_, id)| gold.contains(*id))
            .map(|(at, _)| at + 1)
            .collect();
        recall += right.len() as f64 / gold.len() as f64;
        ranks.push(right.first().copied());
    }
    if ranks.is_empty() {
        return Err(invalid("there are no questions"));
    }
    let n = ranks.len();
    let share = |deepest: usize| {
        let hits = ranks
            .iter()
            .flatten()
            .filter(|rank| **rank <= deepest)
            .count();
        hits as f64 / n as f64
    };
    millis.sort_by(f64::total_cmp);
    Ok(RetrievalReport {
        n,
        hit_at_1: share(1),
        hit_at_5: share(DEPTH),
        mrr_at_5: ranks
            .iter()
            .flatten()
            .map(|rank| 1.0 / *rank as f64)
            .sum::<f64>()
            / n as f64,
        recall_at_5: recall / n as f64,
        foreign_results,
        p50_ms: percentile(&millis, 0.5),
        p99_ms: percentile(&millis, 0.99),
    })
}

fn invalid(message: &'static str) -> Error {
    Error::invalid("eval.retrieval", message)
}

/// The value that this share of the sorted values does not exceed.
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let at = (share * sorted.len() as f64).ceil() as usize;
    sorted[at.clamp(1, sorted.len()) - 1]
}

struct Shelf<'a> {
    knowledge: KnowledgeBase,
    scope: TenantScope,
    properties: BTreeMap<&'a str, PropertyId>,
    sources: HashMap<DocumentId, &'a EvalDocument>,
}

struct Found<'a> {
    /// Ids of documents by rank, each once.
    documents: Vec<&'a str>,
    foreign: usize,
}

impl<'a> Shelf<'a> {
    async fn fill(documents: &'a [EvalDocument], embedder: Arc<dyn Embedder>) -> Result<Self> {
        let store = Arc::new(InProcessKnowledge::default());
        let index = Arc::new(EmbeddedIndex::new(store.clone()));
        let knowledge = KnowledgeBase::new(store, index, embedder, Arc::new(SystemClock));
        let mut shelf = Self {
            knowledge,
            scope: TenantScope::organization(OrganizationId::generate(&SystemClock)),
            properties: BTreeMap::new(),
            sources: HashMap::new(),
        };
        for document in documents {
            let property = *shelf
                .properties
                .entry(&document.property)
                .or_insert_with(|| PropertyId::generate(&SystemClock));
            let content = if document.text.starts_with(&document.title) {
                document.text.clone()
            } else {
                format!("{}\n{}", document.title, document.text)
            };
            let stored = shelf
                .knowledge
                .put(
                    shelf.scope,
                    NewDocument {
                        property_id: Some(property),
                        category: "general".to_owned(),
                        file_name: format!("{}.txt", document.id),
                        content_type: "text/plain".to_owned(),
                        content: content.into_bytes(),
                    },
                )
                .await?;
            shelf.sources.insert(stored.id, document);
        }
        Ok(shelf)
    }

    async fn ask(&self, query: &EvalQuery) -> Result<Found<'a>> {
        let property = self
            .properties
            .get(query.property.as_str())
            .ok_or_else(|| {
                invalid("a question names a property without documents").with("query", &query.id)
            })?;
        let request = SearchRequest {
            property_id: Some(*property),
            query: query.text.clone(),
            limit: PASSAGES,
            history: query.history.clone(),
        };
        let mut documents = Vec::new();
        let mut foreign = 0;
        for passage in self.knowledge.search(self.scope, &request).await? {
            match self.sources.get(&passage.document_id) {
                Some(source) if source.property == query.property => {
                    if !documents.contains(&source.id.as_str()) {
                        documents.push(source.id.as_str());
                    }
                }
                _ => foreign += 1,
            }
        }
        Ok(Found { documents, foreign })
    }
}
