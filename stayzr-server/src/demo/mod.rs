//! The whole product in one process: vendor sandboxes, two organizations, three hotels.

mod content;
mod describe;
mod outbox;
mod seed;
mod start;
mod state;
mod vendor;

pub use start::Demo;
