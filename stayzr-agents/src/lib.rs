//! An AI concierge for hotels: it routes a guest's message to one of five specialists, each a
//! bounded loop of a chat model and tools; answers from what tools and documents say, checks every
//! figure against them, and hands over to a person where that is better.
//!
//! [`AgentConcierge`] is the way in. It works without a provider, by quoting alone.
//!
//! What a hotel's own documents say to a question, in memory and offline:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> stayzr_core::Result<()> {
//! use std::sync::Arc;
//!
//! use stayzr_agents::knowledge::{
//!     EmbeddedIndex, InProcessKnowledge, KnowledgeBase, NewDocument, OfflineEmbedder, SearchRequest,
//! };
//! use stayzr_core::{
//!     clock::SystemClock,
//!     ids::{OrganizationId, PropertyId},
//!     tenant::TenantScope,
//! };
//!
//! let clock = Arc::new(SystemClock);
//! let store = Arc::new(InProcessKnowledge::default());
//! let index = Arc::new(EmbeddedIndex::new(store.clone()));
//! let knowledge = KnowledgeBase::new(store, index, Arc::new(OfflineEmbedder), clock.clone());
//!
//! let property = PropertyId::generate(&*clock);
//! let scope = TenantScope::property(OrganizationId::generate(&*clock), property);
//! let parking = NewDocument {
//!     property_id: Some(property),
//!     category: "parking".to_owned(),
//!     file_name: "parking.md".to_owned(),
//!     content_type: String::new(),
//!     content: b"# Parking\n\nThe garage costs EUR 24 per night.\n".to_vec(),
//! };
//! knowledge.put(scope, parking).await?;
//!
//! let question = SearchRequest::new(Some(property), "What does the garage cost?");
//! let passages = knowledge.search(scope, &question).await?;
//! assert_eq!(passages[0].text, "The garage costs EUR 24 per night.");
//! # Ok(())
//! # }
//! ```

pub mod concierge;
pub mod escalation;
pub mod eval;
pub mod guard;
pub mod knowledge;
pub mod lexicon;
pub mod model;
pub mod router;
pub mod run;
pub mod specialists;
mod text;
pub mod tool;

pub use concierge::AgentConcierge;
