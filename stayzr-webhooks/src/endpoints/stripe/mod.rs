//! Stripe: payments, verified ([`StripeSignature`]) and recorded without card data ([`parse`]).

mod parse;
mod verify;

pub use parse::parse;
pub use verify::StripeSignature;
