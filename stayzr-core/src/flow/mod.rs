//! What happens, as plain functions over ports: a guest's message comes in and is answered, staff
//! edit a row, a message goes out. Users of the crates get the product's behaviour, not only its
//! parts.

mod backend;
mod contacts;
mod create;
mod dispute;
mod edit;
mod inbound;
mod outbound;
mod push;
mod resolve;
mod restore;
mod turn;
mod validate;

pub use backend::StoreBackend;
pub use create::{CreateRequest, create};
pub use dispute::as_seen;
pub use edit::{EditRequest, edit};
pub use inbound::{InboundCounts, receive_events};
pub use outbound::{OutboundJob, send_message};
pub use push::PushPolicy;
pub use resolve::{ResolveRequest, resolve};
pub use restore::{RestoreRequest, restore};
pub use turn::{StaffReply, TurnJob, run_turn, staff_reply};
