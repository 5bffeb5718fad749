//! Tools: what a specialist may look up or do in the hotel. Arguments are checked here, never
//! trusted; the tenant, the property and the guest come from the turn, never from a model.

mod arguments;
mod knowledge;
mod property;
mod registry;
mod request;
mod reservation;
mod stay;

use async_trait::async_trait;
use chrono::NaiveDate;
use serde_json::Value;
use stayzr_core::{
    Result,
    ids::{ConversationId, GuestId},
    model::{LanguageTag, Passage, PropertyBrief},
    tenant::TenantScope,
};

pub use knowledge::{FoundPassage, FoundPassages, SearchKnowledge};
pub use property::{Fact, PropertyFacts, PropertyFactsFound};
pub use registry::Registry;
pub use request::{CreateServiceRequest, HandOff, RequestMade};
pub use reservation::{FindReservation, FoundReservation, FoundReservations};
pub use stay::{CheckAvailability, FreeRoom, FreeRooms, PricedRoom, Prices, QuoteStay};

use crate::{
    knowledge::{KnowledgeBase, Retriever, SearchRequest, Turn},
    model::ToolSpec,
};

/// For whom and where tools run. None of it can be set by a model or a guest.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolContext {
    /// Organization and property.
    pub scope: TenantScope,
    /// The property.
    pub property: PropertyBrief,
    /// The guest who asks; tools see no other guest's data.
    pub guest_id: Option<GuestId>,
    /// The conversation.
    pub conversation_id: Option<ConversationId>,
    /// The turn; part of idempotency keys.
    pub trace_id: String,
    /// The guest's language.
    pub language: LanguageTag,
    /// Today at the property.
    pub today: NaiveDate,
    /// What was said before, the oldest first, for questions that lean on it.
    pub history: Vec<Turn>,
}

/// What a tool found or did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ToolOutput {
    /// What the model reads: an object.
    pub value: Value,
    /// Passages it rests on.
    pub passages: Vec<Passage>,
    /// Why a person must take over, where the tool says so.
    pub handoff: Option<String>,
}

/// Something a specialist can use.
#[async_trait]
pub trait Tool: Send + Sync {
    /// How a model sees it.
    fn spec(&self) -> ToolSpec;

    /// Runs it. `index` counts the calls of this tool in this turn from 0: with the turn it makes
    /// the key that keeps an effect from happening twice. Wrong arguments are Invalid, with a
    /// message that tells the model what to mend.
    async fn call(
        &self,
        context: &ToolContext,
        arguments: &Value,
        index: u32,
    ) -> Result<ToolOutput>;
}

/// A typed result as the model reads it.
fn to_value<T: serde::Serialize>(result: &T) -> Result<Value> {
    serde_json::to_value(result).map_err(|error| {
        stayzr_core::Error::internal("tool.result", "a result cannot be written as JSON")
            .with_source(error)
    })
}

/// Where `search_knowledge` looks.
#[async_trait]
pub trait PassageSearch: Send + Sync {
    /// The best passages for a question, the best first; only of this property and of the
    /// organization's own documents.
    async fn search(
        &self,
        scope: TenantScope,
        query: &str,
        history: &[Turn],
        limit: usize,
    ) -> Result<Vec<Passage>>;
}

#[async_trait]
impl PassageSearch for Retriever {
    async fn search(
        &self,
        scope: TenantScope,
        query: &str,
        history: &[Turn],
        limit: usize,
    ) -> Result<Vec<Passage>> {
        Self::search(self, scope, query, history, limit).await
    }
}

#[async_trait]
impl PassageSearch for KnowledgeBase {
    async fn search(
        &self,
        scope: TenantScope,
        query: &str,
        history: &[Turn],
        limit: usize,
    ) -> Result<Vec<Passage>> {
        let request = SearchRequest {
            property_id: None,
            query: query.to_owned(),
            limit,
            history: history.to_vec(),
        };
        Self::search(self, scope, &request).await
    }
}
