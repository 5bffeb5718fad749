//! The router: what a guest wants, in which language and mood, and which specialist answers. The
//! classifier is a weighted lexicon: it needs no model, and every route can name its reasons.

mod classify;
mod language;
pub(crate) mod lexicon;
mod route;
mod sentiment;
mod signals;

pub use classify::classify;
pub use language::detect as detect_language;
pub(crate) use route::language_of;
pub use route::{Reason, Route, Router};
pub use sentiment::sentiment;
