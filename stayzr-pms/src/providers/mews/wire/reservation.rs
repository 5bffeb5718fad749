use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::open::{list, open_enum, text, word};

open_enum! {
    /// Where a reservation stands. Reads say `Inquired`, writes and their answers `Enquired`.
    ReservationState {
        Inquired = "Inquired" | "Enquired",
        Requested = "Requested",
        Optional = "Optional",
        Confirmed = "Confirmed",
        Started = "Started",
        Processed = "Processed",
        Canceled = "Canceled" | "Cancelled",
    }
}

open_enum! {
    /// Who a reservation belongs to.
    AccountType {
        Customer = "Customer",
        Company = "Company",
    }
}

open_enum! {
    /// Why a reservation was cancelled; the ones that mean something to us.
    CancellationReason {
        NoShow = "NoShow",
        Other = "Other",
    }
}

/// How many persons of an age category come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PersonCount {
    /// The age category.
    pub age_category_id: String,
    /// How many.
    pub count: i64,
}

/// A reservation, as `reservations/getAll/2023-06-06` gives it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Reservation {
    /// Its id.
    pub id: String,
    /// The service it books.
    #[serde(default)]
    pub service_id: Option<String>,
    /// Who it belongs to.
    #[serde(default)]
    pub account_id: Option<String>,
    /// What that is.
    #[serde(default)]
    pub account_type: Option<AccountType>,
    /// The number the guest was given.
    #[serde(default, deserialize_with = "text")]
    pub number: Option<String>,
    /// Where it stands.
    #[serde(default)]
    pub state: Option<ReservationState>,
    /// How it came in.
    #[serde(default, deserialize_with = "word")]
    pub origin: Option<String>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// When it was cancelled.
    #[serde(default)]
    pub cancelled_utc: Option<DateTime<Utc>>,
    /// Why.
    #[serde(default)]
    pub cancellation_reason: Option<CancellationReason>,
    /// The rate.
    #[serde(default)]
    pub rate_id: Option<String>,
    /// The category that was booked.
    #[serde(default)]
    pub requested_resource_category_id: Option<String>,
    /// The room that was assigned.
    #[serde(default)]
    pub assigned_resource_id: Option<String>,
    /// Whether the room is pinned.
    #[serde(default)]
    pub assigned_resource_locked: Option<bool>,
    /// The number at the channel.
    #[serde(default, deserialize_with = "text")]
    pub channel_number: Option<String>,
    /// Planned arrival.
    #[serde(default)]
    pub scheduled_start_utc: Option<DateTime<Utc>>,
    /// Planned departure.
    #[serde(default)]
    pub scheduled_end_utc: Option<DateTime<Utc>>,
    /// Arrival, in the older form.
    #[serde(default)]
    pub start_utc: Option<DateTime<Utc>>,
    /// Departure, in the older form.
    #[serde(default)]
    pub end_utc: Option<DateTime<Utc>>,
    /// Leisure, Business or Student.
    #[serde(default, deserialize_with = "word")]
    pub purpose: Option<String>,
    /// Who comes.
    #[serde(default, deserialize_with = "list")]
    pub person_counts: Vec<PersonCount>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A reservation in the older form, which writes still answer with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationV2017 {
    /// The customer.
    #[serde(default)]
    pub customer_id: Option<String>,
    /// The category that was booked.
    #[serde(default)]
    pub requested_category_id: Option<String>,
    /// What both forms share.
    #[serde(flatten)]
    pub shared: Reservation,
}

impl From<ReservationV2017> for Reservation {
    fn from(old: ReservationV2017) -> Self {
        let mut new = old.shared;
        if new.account_id.is_none() && old.customer_id.is_some() {
            new.account_id = old.customer_id;
            new.account_type = Some(AccountType::Customer);
        }
        new.requested_resource_category_id = new
            .requested_resource_category_id
            .or(old.requested_category_id);
        new.scheduled_start_utc = new.scheduled_start_utc.or(new.start_utc);
        new.scheduled_end_utc = new.scheduled_end_utc.or(new.end_utc);
        new
    }
}
