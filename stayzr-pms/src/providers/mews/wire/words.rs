//! The words that Mews documents for its enumerations. It adds to them without notice: another word
//! is kept as it came and reported, never refused.

use serde_json::Value;
use stayzr_core::transform::EntityKind;

use crate::provider::UnknownValue;

/// How a guest is addressed.
pub const TITLES: &[&str] = &["Mister", "Miss", "Misses"];

/// Why a guest travels.
pub const PURPOSES: &[&str] = &["Leisure", "Business", "Student"];

/// What is said about a guest.
pub const CLASSIFICATIONS: &[&str] = &[
    "PaymasterAccount",
    "Blacklist",
    "Blocklist",
    "Media",
    "LoyaltyProgram",
    "PreviousComplaint",
    "Returning",
    "Staff",
    "FriendOrFamily",
    "TopManagement",
    "Important",
    "VeryImportant",
    "Problematic",
    "Cashlist",
    "DisabledPerson",
    "Military",
    "Airline",
    "HealthCompliant",
    "InRoom",
    "WaitingForRoom",
    "Student",
];

const OPTIONS: &[&str] = &[
    "None",
    "SendMarketingEmails",
    "Invoiceable",
    "BillAddressObjection",
    "SendMarketingPostalMail",
    "SendPartnerMarketingEmails",
    "SendPartnerMarketingPostalMail",
    "WithdrawCardConsent",
    "GuestPhotoConsent",
    "IdPhotosConsent",
];

/// Both spellings of each state: reads and the answers of writes differ.
const STATES: &[&str] = &[
    "Inquired",
    "Enquired",
    "Requested",
    "Optional",
    "Confirmed",
    "Started",
    "Processed",
    "Canceled",
    "Cancelled",
];

const ORIGINS: &[&str] = &[
    "Distributor",
    "ChannelManager",
    "Commander",
    "Import",
    "Connector",
    "Navigator",
];

const COMMANDER_ORIGINS: &[&str] = &[
    "InPerson",
    "Channel",
    "Phone",
    "Email",
    "Website",
    "Message",
    "CallCenter",
    "RoomingList",
];

const REASONS: &[&str] = &[
    "Other",
    "ConfirmationMissed",
    "BookedElsewhere",
    "ForceMajeure",
    "GuestComplaint",
    "NoShow",
    "PriceTooHigh",
    "ServiceNotAvailable",
    "InputError",
    "InvalidPayment",
    "TravelAgency",
    "RequestedByGuest",
    "Update",
    "BookingAbandoned",
    "RequestedByBooker",
];

const ROOM_STATES: &[&str] = &["Dirty", "Clean", "Inspected", "OutOfService", "OutOfOrder"];

const ACTIVITY: &[&str] = &["Active", "Deleted"];

/// Which keys of a record are enumerations, and their words. The type of a category is not among
/// them: it is kept as Mews says it, whatever it is.
const ENUMERATIONS: &[(EntityKind, &str, &[&str])] = &[
    (EntityKind::Property, "/Pricing", &["Gross", "Net"]),
    (EntityKind::Room, "/State", ROOM_STATES),
    (
        EntityKind::Room,
        "/Data/Discriminator",
        &["Space", "Object", "Person"],
    ),
    (EntityKind::Guest, "/Title", TITLES),
    (EntityKind::Guest, "/Sex", &["Male", "Female"]),
    (EntityKind::Guest, "/Classifications", CLASSIFICATIONS),
    (EntityKind::Guest, "/Options", OPTIONS),
    (EntityKind::Guest, "/ActivityState", ACTIVITY),
    (EntityKind::Reservation, "/State", STATES),
    (
        EntityKind::Reservation,
        "/AccountType",
        &["Customer", "Company"],
    ),
    (EntityKind::Reservation, "/Origin", ORIGINS),
    (
        EntityKind::Reservation,
        "/CommanderOrigin",
        COMMANDER_ORIGINS,
    ),
    (EntityKind::Reservation, "/CancellationReason", REASONS),
    (EntityKind::Reservation, "/Purpose", PURPOSES),
    (
        EntityKind::Note,
        "/Type",
        &["General", "ChannelManager", "SpecialRequest"],
    ),
];

/// Values of a record's enumerations that Mews does not document, by its own names of the fields.
pub fn unknown_values(kind: EntityKind, record: &Value) -> Vec<UnknownValue> {
    let mut found = Vec::new();
    for (_, pointer, words) in ENUMERATIONS.iter().filter(|(of, ..)| *of == kind) {
        let values = match record.pointer(pointer) {
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
            None => continue,
        };
        for value in values {
            let word = match value {
                Value::Null => continue,
                Value::String(word) => word.trim().to_owned(),
                other => other.to_string(),
            };
            if !word.is_empty() && !words.contains(&word.as_str()) {
                let field = pointer.trim_start_matches('/').replace('/', ".");
                found.push(UnknownValue { field, value: word });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn invariant_u_words_that_are_not_documented_are_named_whatever_their_type() {
        let guest = json!({"Title": "Doctor", "Sex": null, "Options": [], "Classifications":
            ["Media", "Sings", 7], "ActivityState": "Active"});
        let named: Vec<String> = unknown_values(EntityKind::Guest, &guest)
            .into_iter()
            .map(|unknown| format!("{}={}", unknown.field, unknown.value))
            .collect();
        assert_eq!(
            named,
            ["Title=Doctor", "Classifications=Sings", "Classifications=7"]
        );
        let room = json!({"Data": {"Discriminator": "Cloud"}});
        let unknown = unknown_values(EntityKind::Room, &room);
        assert_eq!(unknown[0].field, "Data.Discriminator");
    }
}
