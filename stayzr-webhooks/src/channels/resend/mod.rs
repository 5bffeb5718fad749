//! Email through Resend: signed by Standard Webhooks ([`StandardWebhooks`]), read by [`parse`].

mod parse;
mod verify;

pub use parse::parse;
pub use verify::StandardWebhooks;
