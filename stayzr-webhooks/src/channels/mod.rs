//! Ways to talk with a guest: what can be received can be answered.

#[cfg(any(feature = "resend", feature = "postmark"))]
pub mod email;
#[cfg(feature = "postmark")]
pub mod postmark;
#[cfg(feature = "resend")]
pub mod resend;
#[cfg(feature = "meta")]
pub mod whatsapp;
