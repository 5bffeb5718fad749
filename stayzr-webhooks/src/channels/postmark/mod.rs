//! Email through Postmark: known by its credentials ([`PostmarkCredentials`]), read by [`parse`] and,
//! for emails received, which have a URL of their own, by [`parse_inbound`].

mod parse;
mod verify;

pub use parse::{parse, parse_inbound};
pub use verify::PostmarkCredentials;
