//! Intake that loses nothing: verify, store, and only then acknowledge.
//!
//! [`Receiver`] is a [`tower::Service`] on `http` types and mounts in hyper, axum or anything else
//! that speaks them. In order: method, place, size, the endpoint's keys and owner, headers, signature,
//! card numbers masked, the delivery committed with its job, 200. Deliveries that wait at the same time
//! share a commit. What cannot be stored, and what there is no place for, is answered with 503 and
//! `Retry-After`, so that the sender tries again.

mod answer;
mod body;
mod gate;
mod group;
mod intake;
mod observe;
mod route;
mod tower_service;

pub use body::Limits;
pub use intake::Receiver;
pub use observe::{Observation, ReceiverObserver, Verdict};
pub use route::endpoint_key;
