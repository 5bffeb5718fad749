//! What we send has the shape of the vendor's own requests.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stayzr_core::transform::EntityKind;
use stayzr_pms::{
    Desk, Push,
    desk::{DeskMessage, Recipient, RemoteOrder},
    providers::opera::{OperaProvider, ServiceConfig},
};

use crate::{
    common::{House, change, config, house, id, link, quick_http, user},
    spec::shared,
};

/// How a request of the examples is to be seen.
enum Fate {
    /// We make it: by this method, at an address that ends so. Every key of ours is one of theirs, but
    /// for those named, which the specification has and the example does not.
    Made(&'static str, &'static str, &'static [&'static str]),
    /// We do not, for this reason.
    Not(&'static str),
}

const BOOKING: &str = "reservations are booked at the desk or a channel";

/// Every request among the vendor's examples.
const REQUESTS: [(&str, Fate); 28] = [
    (
        "postCheckIn.request.postman1.json",
        Fate::Made("POST", "/checkIns", &[]),
    ),
    (
        "postCheckIn.request.spec.json",
        Fate::Made("POST", "/checkIns", &[]),
    ),
    (
        "postCheckOut.request.postman1.json",
        Fate::Made("POST", "/checkOuts", &[]),
    ),
    (
        "postGuestMessages.request.postman1.json",
        Fate::Made("POST", "/guestMessages", &[]),
    ),
    (
        "postGuestMessages.request.postman3.json",
        Fate::Made("POST", "/guestMessages", &[]),
    ),
    (
        "postPreCheckInReservation.request.postman1.json",
        Fate::Not("guests check in at the desk"),
    ),
    (
        "postPreCheckInReservation.request.postman2.json",
        Fate::Not("guests check in at the desk"),
    ),
    (
        "postProfile.request.postman1.json",
        // The example has no email.
        Fate::Made("POST", "/profiles", &["emails"]),
    ),
    ("postReservation.request.postman1.json", Fate::Not(BOOKING)),
    ("postReservation.request.postman2.json", Fate::Not(BOOKING)),
    ("postReservation.request.postman3.json", Fate::Not(BOOKING)),
    ("postReservation.request.postman4.json", Fate::Not(BOOKING)),
    ("postReservation.request.postman5.json", Fate::Not(BOOKING)),
    ("postReservation.request.postman6.json", Fate::Not(BOOKING)),
    ("postReservation.request.spec.json", Fate::Not(BOOKING)),
    (
        "postRoomAssignment.request.postman1.json",
        Fate::Made("POST", "/roomAssignments", &[]),
    ),
    (
        "postServiceRequests.request.postman1.json",
        Fate::Made("POST", "/serviceRequests", &[]),
    ),
    (
        "postServiceRequests.request.postman2.json",
        Fate::Made("POST", "/serviceRequests", &[]),
    ),
    (
        "putProfile.request.postman1.json",
        // The example changes an address and a number, ours a name and an email as well.
        Fate::Made("PUT", "PROFILE", &["customer", "emails", "id", "type"]),
    ),
    (
        "putReservation.request.postman2.json",
        Fate::Not("payment is the desk's"),
    ),
    (
        "putReservation.request.postman3.json",
        Fate::Not("preferences are the desk's"),
    ),
    (
        "putReservation.request.spec.json",
        Fate::Made(
            "PUT",
            "RESERVATION",
            &[
                "reservationIdList",
                "expectedTimes",
                "reservationNotification",
            ],
        ),
    ),
    (
        "putRoomRelatedStatus.request.postman1.json",
        Fate::Made("PUT", "/rooms/status", &[]),
    ),
    (
        "putRoomRelatedStatus.request.postman2.json",
        Fate::Made("PUT", "/rooms/status", &[]),
    ),
    (
        "putRoomRelatedStatus.request.postman3.json",
        Fate::Made("PUT", "/rooms/status", &[]),
    ),
    (
        "putRoomRelatedStatus.request.spec.json",
        Fate::Made("PUT", "/rooms/status", &[]),
    ),
    (
        "putServiceRequests.request.postman1.json",
        Fate::Not("a request is closed by the department"),
    ),
    (
        "setGuestHousekeepingServiceRequest.request.postman1.json",
        Fate::Not("the sign on the door is the guest's"),
    ),
];

/// Every key of ours stands in theirs; lists and single objects are the same, and so are numbers and
/// texts of them: the vendor's examples mix those.
fn within(path: &str, ours: &Value, theirs: &Value, own: &[&str], found: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Array(ours), theirs) => {
            for value in ours {
                within(path, value, theirs, own, found);
            }
        }
        (ours, Value::Array(theirs)) => match theirs.first() {
            Some(first) => within(path, ours, first, own, found),
            None => found.push(format!("{path}: theirs is an empty list")),
        },
        (Value::Object(ours), Value::Object(theirs)) => {
            for (key, value) in ours {
                match theirs.get(key) {
                    Some(known) => within(&format!("{path}/{key}"), value, known, own, found),
                    None if own.contains(&key.as_str()) => {}
                    None => found.push(format!("{path}/{key}")),
                }
            }
        }
        (Value::Object(_), _) | (_, Value::Object(_)) => {
            found.push(format!("{path}: not the same kind"));
        }
        _ => {}
    }
}

/// Makes each write once and returns the ids of the profile and the reservation that were changed.
async fn everything(house: &mut House) -> (String, String) {
    let mut config = config(&house.recorder.base_url);
    config.cancellation_reason = Some("PLANS".to_owned());
    config.cashier_id = Some(4);
    let service = ServiceConfig {
        name: "Towels".to_owned(),
        department: Some("HSK".to_owned()),
        priority: Some("HIGH".to_owned()),
    };
    config.services.insert("TOWEL".to_owned(), service);
    house.provider = OperaProvider::new(config, user(), quick_http());

    let guest = id(&house.get("guests").await[0]);
    let fields = [
        ("last_name", json!("Changed")),
        ("phone", json!("+351 21 000 0001")),
    ];
    house
        .push(&change(EntityKind::Guest, &guest, &fields))
        .await;
    let new = Push {
        external_id: None,
        ..change(
            EntityKind::Guest,
            "",
            &[
                ("first_name", json!("Zoë")),
                ("last_name", json!("Newcomer")),
                ("email", json!("zoe@hotel.example")),
                ("phone", json!("+351 21 000 0000")),
            ],
        )
    };
    house.push(&new).await;

    let reserved = |one: &Value| {
        one["reservationStatus"] == "Reserved" && one["computedReservationStatus"] == "Reserved"
    };
    let stay = id(&house.reservation(reserved).await);
    let room = house.get("rooms").await[0]["roomId"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut moved = change(
        EntityKind::Reservation,
        &stay,
        &[
            ("arrival", json!("2031-07-01T16:30:00Z")),
            ("departure", json!("2031-07-04T10:00:00Z")),
            ("adults", json!(2)),
        ],
    );
    link(&mut moved, "room_id", EntityKind::Room, &room);
    house.push(&moved).await;
    for condition in ["dirty", "clean"] {
        let change = change(EntityKind::Room, &room, &[("condition", json!(condition))]);
        house.push(&change).await;
    }
    let message = DeskMessage {
        to: Recipient::Reservation(stay.clone()),
        text: "Kate phoned.".to_owned(),
        key: "k".to_owned(),
    };
    house.provider.send_message(&message).await.unwrap();
    let inside = house
        .reservation(|one| one["reservationStatus"] == "InHouse")
        .await;
    let order = RemoteOrder {
        reservation: id(&inside),
        product: "TOWEL".to_owned(),
        count: 3,
        note: None,
        key: "k".to_owned(),
    };
    house.provider.order(&order).await.unwrap();
    let mut leaves = change(
        EntityKind::Reservation,
        &id(&inside),
        &[("status", json!("departed"))],
    );
    leaves.base.insert("status", "in_house");
    house.push(&leaves).await;

    let today = chrono::Utc::now()
        .with_timezone(&chrono_tz::Europe::Lisbon)
        .date_naive();
    let days = json!({"arrivalDate": today, "departureDate": today + chrono::Days::new(1)});
    house.patch(&format!("reservations/{stay}"), days).await;
    let mut arrives = change(
        EntityKind::Reservation,
        &stay,
        &[("status", json!("in_house"))],
    );
    arrives.base.insert("status", "confirmed");
    house.push(&arrives).await;
    (guest, stay)
}

#[tokio::test]
async fn every_request_of_the_examples_is_made_or_has_a_reason_not_to_be() {
    let mut house = house().await;
    let (guest, stay) = everything(&mut house).await;
    for (file, fate) in REQUESTS {
        let Some(theirs) = shared(&format!("ohip/{file}")) else {
            return;
        };
        let (method, end, own) = match fate {
            Fate::Made(method, end, own) => (method, end, own),
            Fate::Not(reason) => {
                assert!(!reason.is_empty(), "{file}");
                continue;
            }
        };
        let end = match end {
            "PROFILE" => format!("/profiles/{guest}"),
            "RESERVATION" => format!("/reservations/{stay}"),
            end => end.to_owned(),
        };
        let ours = house.recorder.last(method, &end).body;
        let mut found = Vec::new();
        within("", &ours, &theirs, own, &mut found);
        assert_eq!(found, [""; 0], "{file}");
    }
}

#[test]
fn no_request_of_the_examples_is_forgotten() {
    let Some(shared) = std::env::var_os("STAYZR_SHARED") else {
        eprintln!("skipped: STAYZR_SHARED is not set");
        return;
    };
    let folder = std::path::PathBuf::from(shared).join("vendor/ohip");
    let files = std::fs::read_dir(folder).unwrap();
    let there: BTreeSet<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".request."))
        .collect();
    let named: BTreeSet<String> = REQUESTS
        .iter()
        .map(|(file, _)| (*file).to_owned())
        .collect();
    assert_eq!(there, named);
}
