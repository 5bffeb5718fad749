//! OPERA Cloud's REST APIs, simulated.

mod api;
mod control;
mod desk;
mod events;
mod gate;
mod handle;
mod options;
mod read;
mod route;
mod seed;
mod state;
mod stream;
mod view;
mod write;

pub use handle::OperaSandbox;
pub use options::OperaOptions;
