//! The command line: one file for each noun.

mod args;
mod bench;
mod change;
mod channel;
mod check;
mod config;
mod conflict;
mod demo;
mod eval;
mod init;
mod integration;
mod knowledge;
mod migrate;
mod output;
mod progress;
mod property;
mod provider;
mod queue;
mod run;
mod secret;
mod select;
mod serve;
mod sync;
mod token;
mod trigger;
mod webhook;

pub use args::Cli;
pub use run::run;
