//! A small vendor in this process, and a provider of it that is right, or wrong in one way.

mod bench;
mod flaw;
mod provider;
mod vendor;

pub use bench::AcmeBench;
pub use flaw::Flaw;
