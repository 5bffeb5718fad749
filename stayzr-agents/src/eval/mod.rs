//! Measuring: how well the concierge finds, routes and stays with the facts.

pub mod retrieval;
