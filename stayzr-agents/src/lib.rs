//! An AI concierge for hotels: it routes a guest's message to one of five specialists, each a
//! bounded loop of a chat model and tools; answers from what tools and documents say, checks every
//! figure against them, and hands over to a person where that is better.
//!
//! [`AgentConcierge`] is the way in. It works without a provider, by quoting alone.

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
