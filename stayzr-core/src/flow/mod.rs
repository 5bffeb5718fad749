//! What happens, as plain functions over ports: a guest's message comes in and is answered, staff
//! edit a row, a message goes out. Users of the crates get the product's behaviour, not only its
//! parts.

mod backend;
mod contacts;
mod edit;
mod inbound;
mod outbound;
mod turn;

pub use backend::StoreBackend;
pub use edit::{EditRequest, PushPolicy, edit};
pub use inbound::{InboundCounts, receive_events};
pub use outbound::{OutboundJob, send_message};
pub use turn::{StaffReply, TurnJob, run_turn, staff_reply};
