use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stayzr_core::{Result, model::Tier};

use super::{PassageSearch, Tool, ToolContext, ToolOutput, arguments};
use crate::model::ToolSpec;

/// `search_knowledge`: passages of the property's documents.
pub struct SearchKnowledge {
    search: Arc<dyn PassageSearch>,
}

impl SearchKnowledge {
    /// Looks here.
    pub fn new(search: Arc<dyn PassageSearch>) -> Self {
        Self { search }
    }
}

/// What `search_knowledge` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundPassages {
    /// What was looked for.
    pub query: String,
    /// The best first.
    pub passages: Vec<FoundPassage>,
}

/// A passage as a model reads it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundPassage {
    /// The document's file name: the source to name.
    pub file_name: String,
    /// The headings above it.
    pub heading: String,
    /// The passage.
    pub text: String,
    /// How well it matched.
    pub match_tier: Tier,
    /// From 0 to 1.
    pub score: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    query: String,
}

const NAME: &str = "search_knowledge";
const LIMIT: usize = 12;

#[async_trait]
impl Tool for SearchKnowledge {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: NAME.to_owned(),
            description: "Searches the property's own documents: meals, wifi, parking, spa, pets, \
                rules, prices, transport, tips. One question at a time, in English where \
                possible; call it again for the next one."
                .to_owned(),
            parameters: json!({
                "type": "object",
                "properties": {
                    "query": {"type": "string", "description": "One question in plain words"}
                },
                "required": ["query"]
            }),
        }
    }

    async fn call(
        &self,
        context: &ToolContext,
        arguments: &Value,
        _index: u32,
    ) -> Result<ToolOutput> {
        let Arguments { query } = arguments::read(NAME, arguments)?;
        let query = arguments::text(NAME, "query", &query, 1_000)?;
        let passages = self
            .search
            .search(context.scope, &query, &context.history, LIMIT)
            .await?;
        let found = passages
            .iter()
            .map(|passage| FoundPassage {
                file_name: passage.file_name.clone(),
                heading: passage.heading.clone(),
                text: passage.text.clone(),
                match_tier: passage.match_tier,
                score: passage.score,
            })
            .collect();
        Ok(ToolOutput {
            value: super::to_value(&FoundPassages {
                query,
                passages: found,
            })?,
            passages,
            handoff: None,
        })
    }
}
