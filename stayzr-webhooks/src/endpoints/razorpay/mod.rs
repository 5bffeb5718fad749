//! Razorpay: payments, verified ([`RazorpaySignature`]) and recorded without card data ([`parse`]).

mod parse;
mod verify;

pub use parse::parse;
pub use verify::RazorpaySignature;
