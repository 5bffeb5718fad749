//! Vendors to run against: stateful, in this process, on a port of their own.
//!
//! A sandbox checks what the vendor documents (credentials, required keys, limits, spans), keeps
//! its records, sends webhooks, and misbehaves on request. Beside the vendor's API each has a
//! control API under `/_sandbox`:
//!
//! | call | does |
//! |---|---|
//! | `GET /_sandbox/{reservations,guests,rooms}` | all records, in the vendor's own shape |
//! | `GET /_sandbox/{kind}/{id}` | one |
//! | `POST /_sandbox/{kind}` | makes one at the vendor; answers with it |
//! | `PATCH /_sandbox/{kind}/{id}` | changes fields at the vendor, by its own names |
//! | `DELETE /_sandbox/{kind}/{id}` | loses it at the vendor, without an event |
//! | `POST /_sandbox/faults` | `{"kind", "operation"?, "count"?, "retry_after"?}`: see [`FaultKind`] |
//! | `DELETE /_sandbox/faults` | no more faults |
//! | `POST /_sandbox/deliver` | sends the webhooks that wait, now |
//! | `GET /_sandbox/messages`, `GET /_sandbox/service_requests` | what was left at OPERA's desk |
//! | `POST /_sandbox/stream` | `{"close"}`: hangs up on who reads OPERA's stream of events |
//! | `GET /_sandbox/stats` | calls by operation and what they caused |

pub mod cloudbeds;
mod control;
mod deliver;
mod fault;
mod file;
pub mod mews;
pub mod opera;
mod people;
mod profile;
mod server;
mod splitmix;
mod window;

pub use cloudbeds::{CloudbedsOptions, CloudbedsSandbox};
pub use fault::{EventFault, Fault, FaultKind};
pub use mews::{MewsSandbox, SandboxOptions};
pub use opera::{OperaOptions, OperaSandbox};
pub use profile::{Counts, HotelProfile, RoomTypeProfile};
