//! Measuring: how well the concierge finds, routes and stays with the facts.

pub mod grounding;
pub mod retrieval;
pub mod router;

/// A part of a whole; 1 where there is nothing to judge.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 1.0;
    }
    part as f64 / whole as f64
}
