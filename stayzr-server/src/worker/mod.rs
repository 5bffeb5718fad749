//! Handlers of the queues: each calls a flow and ends its job.

mod inbox;
mod observe;
mod outbound;
mod refused;
mod schedule;
mod sync;
mod turn;

pub use inbox::InboxHandler;
pub use observe::JobMetrics;
pub use outbound::{Channels, OutboundHandler};
pub use refused::{RefusedLog, RefusedNotes, refused_notes};
pub use schedule::{Scheduler, schedule};
pub use sync::SyncHandler;
pub use turn::TurnHandler;
