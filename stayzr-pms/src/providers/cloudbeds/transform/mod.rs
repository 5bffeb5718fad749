//! Cloudbeds' records in our shape, and back. Pure.

pub(super) mod change;
mod guest;
mod note;
mod property;
mod reservation;
mod room;
mod room_type;
mod times;

use stayzr_core::transform::{FieldRule, TransformContext};

use chrono::NaiveTime;

pub(super) use guest::merged_into;
pub use guest::{GuestTransformer, guest_form};
pub use note::{NoteOwner, NoteTransformer};
pub use property::PropertyTransformer;
pub(super) use property::currency;
pub use reservation::{ReservationTransformer, status};
pub use room::{RoomTransformer, writable_condition};
pub use room_type::RoomTypeTransformer;
pub use times::{at, from_local, local_span, local_version, time_of_day, version};

/// Keys of [`stayzr_core::transform::TransformContext::lookups`] that this vendor's
/// transformations read.
pub mod lookup {
    /// From when rooms are ready, local `HH:MM`.
    pub const CHECK_IN: &str = "check_in";
    /// Until when rooms must be left, local `HH:MM`.
    pub const CHECK_OUT: &str = "check_out";
}

/// A field that staff may correct here and that the vendor cannot be told: the correction stays.
const fn correctable(field: &'static str) -> FieldRule {
    FieldRule {
        writable: false,
        clearable: false,
        ..FieldRule::shared(field)
    }
}

/// A text, or nothing if it is blank: Cloudbeds writes both for the same.
fn text(value: Option<&String>) -> Option<&str> {
    value
        .map(|value| value.trim())
        .filter(|value| !value.is_empty())
}

/// The property's time of check-in (15:00 where it says none).
pub fn check_in(context: &TransformContext) -> NaiveTime {
    house_time(context, lookup::CHECK_IN, 15)
}

/// The property's time of check-out (11:00 where it says none).
pub fn check_out(context: &TransformContext) -> NaiveTime {
    house_time(context, lookup::CHECK_OUT, 11)
}

fn house_time(context: &TransformContext, key: &str, hour: u32) -> NaiveTime {
    context
        .lookups
        .get(key)
        .and_then(|time| time_of_day(time.as_str()?))
        .or_else(|| NaiveTime::from_hms_opt(hour, 0, 0))
        .unwrap_or(NaiveTime::MIN)
}
