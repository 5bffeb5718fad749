//! Chat models and embedders behind two small ports, with the adapters of the house: offline,
//! scripted, and, by feature, a client of many providers.

mod chat;
pub mod embedder;
#[cfg(feature = "genai")]
pub mod genai;
mod offline;
mod scripted;

pub use chat::{
    ChatLimits, ChatMessage, ChatModel, ChatRequest, ChatResponse, NativeTurn, Stop, ToolReply,
    ToolRequest, ToolSpec, TurnBrief,
};
pub use offline::OfflineModel;
pub(crate) use offline::{
    count_dates as offline_dates, dates::persons as offline_persons, phrases,
};
pub use scripted::ScriptedModel;
