//! Ways to talk with a guest: what can be received can be answered.

#[cfg(feature = "meta")]
pub mod whatsapp;
