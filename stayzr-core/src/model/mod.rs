//! The hotel domain: properties, rooms, guests, reservations, conversations, and what is said
//! about them. Where a canonical value loses information, the vendor's own stands beside it.

mod change;
mod conversation;
mod event;
mod guest;
mod integration;
mod knowledge;
mod language;
mod money;
mod note;
mod organization;
mod property;
mod quote;
mod reservation;
mod room;
mod service_request;
mod turn;

pub use change::{
    Change, ChangeOutcome, ChangeSource, Conflict, ConflictStatus, Resolution, ResolutionChoice,
};
pub use conversation::{
    Author, Channel, Contact, ContactChannel, Conversation, ConversationStatus, Direction, Message,
    MessageStatus,
};
pub use event::{ChannelEvent, ExternalRef, InboundMessage, PmsEvent, StatusUpdate};
pub use guest::{Guest, GuestOrigin, phone_e164};
pub use integration::{
    ChannelAccount, Integration, IntegrationStatus, ProviderDocument, RunMode, RunStatus, SyncRun,
};
pub use knowledge::{Chunk, Document, Passage, Tier};
pub use language::LanguageTag;
pub use money::{Currency, Money};
pub use note::{Note, NoteKind};
pub use organization::Organization;
pub use property::{Address, Amenity, Geo, Policy, PricingMode, Property, PropertyBrief};
pub use quote::{Availability, Quote};
pub use reservation::{Reservation, ReservationStatus};
pub use room::{Room, RoomCondition, RoomType};
pub use service_request::{HANDOFF, ServiceRequest, ServiceRequestStatus};
pub use turn::{Citation, Escalation, EscalationAction, Signal, ToolCall, Turn, TurnStatus, Usage};
