//! The Stayzr reference server: configuration, composition, HTTP and command line. The binary
//! `stayzr` is a thin shell around it.

pub mod cli;
pub mod compose;
pub mod config;
pub mod demo;
pub mod endpoints;
pub mod failure;
pub mod http;
mod models;
pub mod probe;
pub mod providers;
pub mod routes;
pub mod setup;
pub mod state;
pub mod telemetry;
pub mod worker;
