//! The command line: one file for each noun.

mod args;
mod bench;
mod channel;
mod check;
mod config;
mod demo;
mod eval;
mod init;
mod integration;
mod knowledge;
mod migrate;
mod output;
mod property;
mod queue;
mod run;
mod secret;
mod select;
mod serve;
mod sync;
mod token;
mod webhook;

pub use args::Cli;
pub use run::run;
