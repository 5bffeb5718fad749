use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::open::{day, flag, id, text};

/// A person, as `getGuestList` and `getGuestsModified` give it, and as [`guest_shape`] makes it of
/// what `getGuest` gives.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Guest {
    /// Its id.
    #[serde(default, rename = "guestID", deserialize_with = "id")]
    pub id: String,
    /// Given name.
    #[serde(default, deserialize_with = "text")]
    pub guest_first_name: Option<String>,
    /// Family name.
    #[serde(default, deserialize_with = "text")]
    pub guest_last_name: Option<String>,
    /// Both names in one, where the parts are not given.
    #[serde(default, deserialize_with = "text")]
    pub guest_name: Option<String>,
    /// Email.
    #[serde(default, deserialize_with = "text")]
    pub guest_email: Option<String>,
    /// Telephone.
    #[serde(default, deserialize_with = "text")]
    pub guest_phone: Option<String>,
    /// Mobile telephone.
    #[serde(default, deserialize_with = "text")]
    pub guest_cell_phone: Option<String>,
    /// Date of birth.
    #[serde(default, deserialize_with = "day")]
    pub guest_birth_date: Option<NaiveDate>,
    /// Whether the person asked for everything to be removed.
    #[serde(default, deserialize_with = "flag")]
    pub is_anonymized: Option<bool>,
    /// Whether it was merged into another.
    #[serde(default, deserialize_with = "flag")]
    pub is_merged: Option<bool>,
    /// The one it was merged into.
    #[serde(default, rename = "newGuestID", deserialize_with = "text")]
    pub new_guest_id: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Names of `getGuest` and of a reservation's guests, and the names lists have for the same.
const NAMES: [(&str, &str); 20] = [
    ("firstName", "guestFirstName"),
    ("lastName", "guestLastName"),
    ("gender", "guestGender"),
    ("email", "guestEmail"),
    ("phone", "guestPhone"),
    ("cellPhone", "guestCellPhone"),
    ("country", "guestCountry"),
    ("address", "guestAddress1"),
    ("guestAddress", "guestAddress1"),
    ("address2", "guestAddress2"),
    ("city", "guestCity"),
    ("zip", "guestZip"),
    ("state", "guestState"),
    ("birthDate", "guestBirthDate"),
    ("guestBirthdate", "guestBirthDate"),
    ("documentType", "guestDocumentType"),
    ("documentNumber", "guestDocumentNumber"),
    ("documentIssueDate", "guestDocumentIssueDate"),
    ("documentIssuingCountry", "guestDocumentIssuingCountry"),
    ("documentExpirationDate", "guestDocumentExpirationDate"),
];

/// What lists say about the guest's stay rather than about the guest. It changes with every stay
/// and differs from call to call, so that it is no part of the guest.
const OF_THE_STAY: [&str; 16] = [
    "reservationID",
    "dateCreated",
    "dateModified",
    "isMainGuest",
    "status",
    "guestStatus",
    "assignedRoom",
    "roomID",
    "roomName",
    "roomTypeID",
    "roomTypeName",
    "roomTypeIsVirtual",
    "startDate",
    "endDate",
    "rooms",
    "unassignedRooms",
];

/// A guest in the one shape that [`Guest`] reads, whichever call gave it.
pub fn guest_shape(fields: &Map<String, Value>) -> Map<String, Value> {
    let mut shape = Map::new();
    for (key, value) in fields {
        if OF_THE_STAY.contains(&key.as_str()) {
            continue;
        }
        let name = NAMES.iter().find(|(name, _)| name == key);
        shape.insert(
            name.map_or_else(|| key.clone(), |(_, listed)| (*listed).to_owned()),
            value.clone(),
        );
    }
    shape
}
