//! OPERA Cloud's JSON, as its REST APIs write it and as its own examples do.
//!
//! Records are picked out of a body rather than mirrored: lists and single records of the same kind
//! have different shapes, and the vendor's examples break its schemas in many ways ([`Node`]).

mod event;
mod hotel;
mod open;
mod profile;
mod reservation;
mod stream;

pub use event::BusinessEvent;
pub use hotel::{Condition, Hotel, HotelAddress, Room, RoomType};
pub use open::{Node, Unreadable, parse_moment};
pub(super) use profile::{EMAILS, PHONES, Sort, primary_of};
pub use profile::{Profile, Says};
pub use reservation::{Reservation, ReservationState};
pub use stream::{SUBPROTOCOL, StreamSays, init, subscribe};
