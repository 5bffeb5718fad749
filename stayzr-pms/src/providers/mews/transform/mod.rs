//! Mews' records in our shape, and back. Pure.

mod guest;
mod localized;
mod note;
mod property;
mod reservation;
mod room;
mod room_type;
mod times;

use stayzr_core::transform::FieldRule;

pub use guest::{GuestTransformer, write_guest};
pub use localized::localized;
pub use note::{NoteId, NoteTransformer};
pub use property::PropertyTransformer;
pub(super) use property::{default_currency, pricing};
pub use reservation::{ReservationTransformer, person_counts};
pub use room::{RoomTransformer, is_out_of_order, writable_condition};
pub use room_type::RoomTypeTransformer;
pub use times::{clock_time, version};

/// Keys of [`stayzr_core::transform::TransformContext::lookups`] that this vendor's
/// transformations read.
pub mod lookup {
    /// Age category → `Adult` or `Child`.
    pub const AGE_CATEGORIES: &str = "age_categories";
    /// The age category that adults are written with.
    pub const ADULT_CATEGORY: &str = "adult_category";
    /// The age category that children are written with.
    pub const CHILD_CATEGORY: &str = "child_category";
    /// Resource → its category.
    pub const RESOURCE_CATEGORIES: &str = "resource_categories";
    /// The property's language, for names in several.
    pub const LANGUAGE: &str = "language";
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

/// A text, or nothing if it is blank: Mews writes both for the same.
fn text(value: Option<&String>) -> Option<&str> {
    value
        .map(String::as_str)
        .filter(|value| !value.trim().is_empty())
}
