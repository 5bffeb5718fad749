//! Endpoints of those who report changes rather than messages, and of agents. What a PMS's bodies say
//! is read by the provider of that vendor in `stayzr-pms`.

#[cfg(feature = "agent")]
pub mod agent;
#[cfg(feature = "cloudbeds")]
pub mod cloudbeds;
#[cfg(feature = "mews")]
pub mod mews;
#[cfg(any(feature = "stripe", feature = "razorpay"))]
pub mod payment;
#[cfg(feature = "razorpay")]
pub mod razorpay;
#[cfg(feature = "stripe")]
pub mod stripe;
