//! OPERA's records in our shape, and back. Pure.

pub(super) mod act;
pub(super) mod change;
mod guest;
mod property;
mod reservation;
mod room;
mod room_type;
mod times;

use chrono::NaiveTime;
use stayzr_core::transform::{FieldRule, TransformContext};

pub use guest::GuestTransformer;
pub use property::PropertyTransformer;
pub use reservation::{ReservationTransformer, status};
pub use room::{RoomTransformer, writable_condition};
pub use room_type::RoomTypeTransformer;
pub use times::at;

/// Keys of [`stayzr_core::transform::TransformContext::lookups`] that this vendor's
/// transformations read.
pub mod lookup {
    /// From when rooms are ready, local `HH:MM`.
    pub const CHECK_IN: &str = "check_in";
    /// Until when rooms must be left, local `HH:MM`.
    pub const CHECK_OUT: &str = "check_out";
    /// What OPERA's codes of languages mean: an object.
    pub const LANGUAGES: &str = "languages";
    /// The hotel's time zone: what is configured, or else what OPERA says.
    pub const TIME_ZONE: &str = "time_zone";
}

/// A field that staff may correct here and that the vendor is not told: the correction stays.
const fn correctable(field: &'static str) -> FieldRule {
    FieldRule {
        writable: false,
        clearable: false,
        ..FieldRule::shared(field)
    }
}

/// The hotel's time of check-in (15:00 where it says none).
pub fn check_in(context: &TransformContext) -> NaiveTime {
    house_time(context, lookup::CHECK_IN, 15)
}

/// The hotel's time of check-out (11:00 where it says none).
pub fn check_out(context: &TransformContext) -> NaiveTime {
    house_time(context, lookup::CHECK_OUT, 11)
}

fn house_time(context: &TransformContext, key: &str, hour: u32) -> NaiveTime {
    let kept = context.lookups.get(key).and_then(|time| time.as_str());
    kept.and_then(|time| NaiveTime::parse_from_str(time, "%H:%M").ok())
        .or_else(|| NaiveTime::from_hms_opt(hour, 0, 0))
        .unwrap_or(NaiveTime::MIN)
}
