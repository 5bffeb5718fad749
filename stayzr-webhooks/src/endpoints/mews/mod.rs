//! Mews: general webhooks with a token in the URL, and the POS API's signature, which a signing
//! relay in front of an integration uses as well.

mod tokens;
mod verify;

pub use tokens::without_tokens;
pub use verify::{MewsSignature, MewsUrlToken};
