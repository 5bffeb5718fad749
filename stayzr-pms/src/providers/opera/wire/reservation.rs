use chrono::{NaiveDate, NaiveTime};
use serde_json::{Map, Value, json};

use super::open::{Node, Unreadable, open_enum};

open_enum! {
    /// Where a reservation stands. Events say `CHECKED IN` for `InHouse`.
    ReservationState {
        Reserved = "Reserved",
        Requested = "Requested",
        NoShow = "NoShow",
        Cancelled = "Cancelled" | "Canceled",
        InHouse = "InHouse" | "CheckedIn",
        CheckedOut = "CheckedOut",
        Waitlisted = "Waitlisted" | "WaitList",
        DueIn = "DueIn",
        DueOut = "DueOut",
        Walkin = "Walkin",
        PendingCheckout = "PendingCheckout",
    }
}

/// Keys of a list item that OPERA documents. Any other is kept.
const DOCUMENTED: &[&str] = &[
    "reservationIdList",
    "externalReferences",
    "roomStay",
    "departureReservationInfo",
    "reservationGuest",
    "reservationMemberships",
    "sharedGuests",
    "attachedProfiles",
    "reservationPaymentMethod",
    "reservationFolioWindows",
    "commissionsInfo",
    "specials",
    "displayColor",
    "displayColorDetails",
    "reservationIndicators",
    "roomStatus",
    "searchMatches",
    "sourceOfSale",
    "waitlist",
    "queue",
    "housekeeping",
    "cashiering",
    "taxType",
    "deposit",
    "allowedActions",
    "revenuesAndBalances",
    "mobileNotifications",
    "reservationCommunication",
    "advanceCheckIn",
    "welcomeOffer",
    "cancellationInfo",
    "keyCount",
    "hotelId",
    "hotelName",
    "expectedServiceTime",
    "roomStayReservation",
    "createDateTime",
    "creatorId",
    "lastModifyDateTime",
    "lastModifierId",
    "purgeDate",
    "reservationStatus",
    "computedReservationStatus",
    "walkInIndicator",
    "accessRestriction",
    "commissionPayoutTo",
    "paymentMethod",
    "preRegistered",
    "openFolio",
    "allowMobileCheckout",
    "allowMobileViewFolio",
    "optedForCommunication",
    "roomFeatures",
    "fiscalInfo",
    "parentReservationHotelId",
    "scheduledRoomMoveInfo",
    "checkInInitiatedBy",
    "userDefinedFields",
    "pkgConsumptionInfo",
];

/// A reservation, out of either of OPERA's two shapes: the flat one of lists, or the detailed one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reservation {
    /// Its id, which is not the number the guest is given.
    pub id: String,
    /// The confirmation number.
    pub confirmation: Option<String>,
    /// The first id that another system gave it; none where nothing is said about such ids.
    pub external: Option<String>,
    /// The main guest's profile.
    pub guest: Option<String>,
    /// First night.
    pub arrival: Option<NaiveDate>,
    /// Day of departure.
    pub departure: Option<NaiveDate>,
    /// When the guest means to arrive, in the hotel's time.
    pub expected_arrival: Option<NaiveTime>,
    /// When the guest means to leave.
    pub expected_departure: Option<NaiveTime>,
    /// Adults.
    pub adults: Option<i64>,
    /// Children.
    pub children: Option<i64>,
    /// The code of the room type.
    pub room_type: Option<String>,
    /// The number of the room, once assigned.
    pub room: Option<String>,
    /// The code of the rate plan.
    pub rate_plan: Option<String>,
    /// How it came in.
    pub source: Option<String>,
    /// Where it stands.
    pub status: Option<ReservationState>,
    /// What both shapes say and no field of ours holds, and keys that OPERA does not document.
    pub extra: Map<String, Value>,
}

impl Reservation {
    /// Reads an element of `reservationInfo` or of `reservation`.
    pub fn read(value: &Value) -> Result<Self, Unreadable> {
        let body = Node::of(value);
        let stay = body.at("roomStay");
        let is_flat = body.at("reservationGuest").is_there()
            || stay.at("adultCount").is_there()
            || stay.at("roomType").is_there();
        let mut read = if is_flat {
            Self::flat(body, stay)?
        } else {
            Self::detailed(body, stay)?
        };
        let of = |key: &'static str| move |reason: String| (key.to_owned(), reason);
        let ids = body.at("reservationIdList");
        read.id = ids.id("Reservation").unwrap_or_default();
        read.confirmation = ids.id("Confirmation");
        read.arrival = stay.at("arrivalDate").day().map_err(of("arrivalDate"))?;
        read.departure = stay
            .at("departureDate")
            .day()
            .map_err(of("departureDate"))?;
        let expected = stay.at("expectedTimes");
        read.expected_arrival = expected.at("reservationExpectedArrivalTime").time();
        read.expected_departure = expected.at("reservationExpectedDepartureTime").time();
        let external = body.at("externalReferences").items(&[]);
        read.external = external.iter().find_map(|one| one.at("id").text());
        let status = body.at("reservationStatus").text();
        read.status = status.map(|status| ReservationState::from(status.as_str()));
        if is_flat && let Some(fields) = value.as_object() {
            let strange = fields
                .iter()
                .filter(|(key, _)| !DOCUMENTED.contains(&key.as_str()));
            read.extra
                .extend(strange.map(|(key, value)| (key.clone(), value.clone())));
        }
        Ok(read)
    }

    fn flat(body: Node<'_>, stay: Node<'_>) -> Result<Self, Unreadable> {
        let count = |key: &str| stay.at(key).whole().map_err(|why| (key.to_owned(), why));
        Ok(Self {
            guest: body.at("reservationGuest/id").text(),
            adults: count("adultCount")?,
            children: count("childCount")?,
            room_type: stay.at("roomType").text(),
            room: stay.at("roomId").text(),
            rate_plan: stay.at("ratePlanCode").text(),
            source: stay.at("sourceCode").text(),
            extra: extra(stay, stay.at("numberOfRooms"), stay),
            ..Self::default()
        })
    }

    fn detailed(body: Node<'_>, stay: Node<'_>) -> Result<Self, Unreadable> {
        let rates = stay.at("roomRates").items(&[]);
        let rate = rates.first().copied().unwrap_or(Node(None));
        let count = |key: &str| {
            let whole = stay.at("guestCounts").at(key);
            let counted = if whole.is_there() {
                whole
            } else {
                rate.at("guestCounts").at(key)
            };
            counted.whole().map_err(|why| (key.to_owned(), why))
        };
        let guests = body.at("reservationGuests").items(&["reservationGuest"]);
        let main = guests
            .iter()
            .find(|guest| guest.at("primary").flag() == Some(true))
            .or(guests.first());
        let room = stay.at("currentRoomInfo");
        Ok(Self {
            guest: main.and_then(|guest| guest.at("profileInfo/profileIdList").id("Profile")),
            adults: count("adults")?,
            children: count("children")?,
            room_type: room.at("roomType").text().or(rate.at("roomType").text()),
            room: room.at("roomId").text().or(rate.at("roomId").text()),
            rate_plan: rate.at("ratePlanCode").text(),
            source: rate.at("sourceCode").text(),
            extra: extra(rate, rate.at("numberOfUnits"), stay),
            ..Self::default()
        })
    }
}

fn extra(rate: Node<'_>, rooms: Node<'_>, stay: Node<'_>) -> Map<String, Value> {
    let mut extra = Map::new();
    for (key, value) in [
        ("marketCode", rate.at("marketCode").text()),
        ("roomTypeCharged", rate.at("roomTypeCharged").text()),
        ("guaranteeCode", stay.at("guarantee/guaranteeCode").text()),
        ("numberOfRooms", rooms.text()),
    ] {
        if let Some(value) = value {
            extra.insert(key.to_owned(), json!(value));
        }
    }
    extra
}
