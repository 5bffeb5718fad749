//! Chat models and embedders of providers, over the client crate `genai`. Gemini is the default.
//!
//! Nothing global is installed or needed: the HTTP client is built with rustls and ring. Where a
//! host process filters logs, keep the target `genai` above trace, which prints bodies.

mod chat;
mod config;
mod connection;
mod embedder;
mod error;
mod gemini;

pub use chat::GenaiModel;
pub use config::{DEFAULT_GEMINI_MODEL, GenaiConfig, Provider, Retirement, retired};
pub use embedder::GenaiEmbedder;
