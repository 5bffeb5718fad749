//! Cloudbeds' JSON and forms, as its PMS API v1.3 writes and reads them.
//!
//! Everything but ids may be missing. Numbers may be texts, one object may stand for a list, `[]`
//! for an empty map and `""` for no date; unknown words are kept, and fields without a name here
//! stay in `extra`.

mod event;
mod form;
mod guest;
mod note;
mod open;
mod property;
mod quote;
mod reservation;

pub use event::Webhook;
pub use form::{Form, Item};
pub use guest::{Guest, guest_shape};
pub use note::Note;
pub use open::{elements, read_element, told};
pub use property::{Hotel, HotelAddress, HotelCurrency, HotelPolicy, Room, RoomType};
pub use quote::{Availability, OfferedRoom};
pub use reservation::{BookedRoom, ListedGuest, Reservation, ReservationState};
