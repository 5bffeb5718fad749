//! Endpoints of vendors that report changes rather than messages. What their bodies say is read by
//! the provider of that vendor in `stayzr-pms`.

#[cfg(feature = "mews")]
pub mod mews;
