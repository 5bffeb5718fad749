//! Secrets at rest: sealed with XChaCha20-Poly1305 under a master key that can be rotated.

mod codec;
mod key;

pub use codec::TokenCodec;
pub use key::MasterKey;
