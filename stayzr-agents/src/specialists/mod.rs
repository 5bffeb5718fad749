//! The five specialists: each a prompt, its tools and its policy. What a specialist may do is what
//! its tools can do; a prompt only tells a model how to use them.

mod booking;
mod concierge;
mod knowledge;
mod prompt;
mod property_info;
mod services;

use serde::{Deserialize, Serialize};

pub use prompt::system_prompt;

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Specialist {
    /// Rooms, dates, prices and the guest's own reservation.
    Booking,
    /// What the staff do for a guest.
    Services,
    /// The house and its rooms.
    PropertyInfo,
    /// Everything in the documents.
    Knowledge,
    /// Talk, and whatever is unclear.
    Concierge,
}

/// What a specialist is made of.
#[derive(Debug, Clone, Copy)]
pub struct Profile {
    /// Its part of the system prompt.
    pub instructions: &'static str,
    /// The tools it may use.
    pub tools: &'static [&'static str],
}

impl Specialist {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Booking,
        Self::Services,
        Self::PropertyInfo,
        Self::Knowledge,
        Self::Concierge,
    ];

    /// The name that turns and evaluations show.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Booking => "booking",
            Self::Services => "services",
            Self::PropertyInfo => "property_info",
            Self::Knowledge => "knowledge",
            Self::Concierge => "concierge",
        }
    }

    /// What it is made of.
    pub const fn profile(self) -> Profile {
        match self {
            Self::Booking => booking::PROFILE,
            Self::Services => services::PROFILE,
            Self::PropertyInfo => property_info::PROFILE,
            Self::Knowledge => knowledge::PROFILE,
            Self::Concierge => concierge::PROFILE,
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl std::fmt::Display for Specialist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
