//! WhatsApp through Meta's Cloud API.
//!
//! Deliveries are verified by [`MetaHub`] (and the GET handshake by [`MetaHandshake`]), read by
//! [`parse`], and answered by `WhatsappSender` (feature `meta-send`).

#[cfg(feature = "meta-send")]
mod error;
mod parse;
#[cfg(feature = "meta-send")]
mod send;
mod verify;
#[cfg(feature = "meta-send")]
mod wire;

pub use parse::parse;
#[cfg(feature = "meta-send")]
pub use send::{AccessTokens, WhatsappConfig, WhatsappSender};
pub use verify::{MetaHandshake, MetaHub};
