//! OPERA Cloud's REST APIs, simulated.

mod api;
mod control;
mod events;
mod handle;
mod options;
mod read;
mod seed;
mod state;
mod view;
mod write;

pub use handle::OperaSandbox;
pub use options::OperaOptions;
