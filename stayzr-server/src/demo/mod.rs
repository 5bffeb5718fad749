//! The whole product in one process: vendor sandboxes, two organizations, three hotels.

mod content;
mod describe;
mod outbox;
mod seed;
mod start;
mod state;

pub use start::Demo;
