//! What must hold for every record, not only for those at hand.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate, NaiveTime, Utc};
use proptest::prelude::*;
use serde_json::json;
use stayzr_core::{
    ids::{OrganizationId, PropertyId, ReservationId},
    model::{PricingMode, Reservation as Local, ReservationStatus},
    transform::{TransformContext, Transformer},
};
use stayzr_pms::providers::opera::{
    transform::{ReservationTransformer, status},
    wire::{Reservation, ReservationState},
};

fn context(zone: chrono_tz::Tz) -> TransformContext {
    TransformContext {
        time_zone: zone,
        currency: None,
        country: None,
        pricing: PricingMode::Gross,
        now: Utc::now(),
        lookups: BTreeMap::new(),
    }
}

proptest! {
    #[test]
    fn the_dates_of_a_reservation_survive_the_way_there_and_back(
        zone in prop_oneof![
            Just(chrono_tz::Europe::Lisbon),
            Just(chrono_tz::America::New_York),
            Just(chrono_tz::Australia::Lord_Howe),
            Just(chrono_tz::Asia::Kathmandu),
        ],
        (year, month, day) in (2020..2030i32, 1..=12u32, 1..=28u32),
        nights in 1..30u64,
        expected in proptest::option::of((4..24u32, 0..60u32)),
        persons in (1..6i64, 0..4i64),
        state in prop_oneof!["Reserved", "Waitlisted", "InHouse", "CheckedOut", "NoShow", "NewWord"],
    ) {
        let first = NaiveDate::from_ymd_opt(year, month, day).unwrap();
        let remote = Reservation {
            id: "7".to_owned(),
            arrival: Some(first),
            departure: Some(first + Days::new(nights)),
            expected_arrival: expected.and_then(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0)),
            adults: Some(persons.0),
            children: Some(persons.1),
            status: Some(ReservationState::from(state.as_str())),
            ..Reservation::default()
        };
        let context = context(zone);
        let once = ReservationTransformer.to_local(&remote, &context).unwrap().fields;
        let time = |field: &str| once.text(field).unwrap().parse().unwrap();
        let local = Local {
            id: ReservationId::from(uuid::Uuid::nil()),
            organization_id: OrganizationId::from(uuid::Uuid::nil()),
            property_id: PropertyId::from(uuid::Uuid::nil()),
            version: 1,
            created_at: Utc::now(),
            updated_at: Utc::now(),
            number: None,
            guest_id: None,
            room_type_id: None,
            room_id: None,
            status: status(remote.status.as_ref()),
            status_vendor: once.text("status_vendor").map(str::to_owned),
            arrival: time("arrival"),
            departure: time("departure"),
            adults: persons.0,
            children: persons.1,
            rate_vendor: None,
            channel_number: None,
            purpose: None,
            origin: None,
            cancelled_at: None,
            cancellation_reason: None,
        };
        prop_assert_eq!(local.dates(zone), (first, first + Days::new(nights)));
        let back = ReservationTransformer.to_remote(&local, &context).unwrap();
        let twice = ReservationTransformer.to_local(&back, &context).unwrap().fields;
        for field in ["arrival", "departure", "adults", "children", "status", "status_vendor"] {
            prop_assert_eq!(once.get(field), twice.get(field), "{}", field);
        }
    }
}

#[test]
fn the_map_of_statuses_is_whole_and_computed_words_stand_for_what_they_come_from() {
    use ReservationStatus::{Cancelled, Confirmed, Departed, InHouse, NoShow, Tentative, Unknown};
    for (word, meant) in [
        ("Requested", Tentative),
        ("Waitlisted", Tentative),
        ("WAITLIST", Tentative),
        ("Reserved", Confirmed),
        ("DueIn", Confirmed),
        ("DUE IN", Confirmed),
        ("InHouse", InHouse),
        ("CHECKED IN", InHouse),
        ("DueOut", InHouse),
        ("Walkin", InHouse),
        ("PendingCheckout", InHouse),
        ("CheckedOut", Departed),
        ("Cancelled", Cancelled),
        ("NoShow", NoShow),
        ("NO SHOW", NoShow),
        ("Vanished", Unknown),
    ] {
        assert_eq!(status(Some(&ReservationState::from(word))), meant, "{word}");
    }
    assert_eq!(json!(status(None)), json!("unknown"));
}
