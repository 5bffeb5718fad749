//! Records are read and written at the sandbox.

use std::sync::Arc;

use chrono::{TimeDelta, Utc};
use secrecy::SecretString;
use serde_json::{Value, json};
use stayzr_core::{model::PmsEvent, port::backend::StayQuery, transform::EntityKind};
use stayzr_pms::{
    PageQuery, PmsProvider, Push, PushOutcome, RemoteRecord,
    config::ProviderConfig,
    providers::cloudbeds::{
        CloudbedsConfig, CloudbedsCredentials, CloudbedsProvider, EVENTS, parse_event,
    },
    sandbox::{Counts, HotelProfile},
};

use crate::common::{change, house, link, options, quick_http, start, text};

#[tokio::test]
async fn who_we_are_is_asked_and_told() {
    let house = house().await;
    let property = house.provider.check().await.unwrap();
    assert_eq!(property.name, "Sandbox Hotel");
    assert_eq!(property.time_zone, "Europe/Lisbon");
    assert_eq!(property.currency.as_deref(), Some("EUR"));
    assert_eq!(property.id, house.sandbox.property_id());
}

#[tokio::test]
async fn every_record_is_read_once_and_none_is_put_aside() {
    let counts = Counts {
        rooms: 130,
        guests: 250,
        reservations: 230,
    };
    let house = start(stayzr_pms::sandbox::CloudbedsOptions {
        counts,
        ..options()
    })
    .await;
    for (kind, count) in [
        (EntityKind::Property, 1),
        (EntityKind::RoomType, 5),
        (EntityKind::Room, 130),
        (EntityKind::Guest, 250),
        (EntityKind::Reservation, 230),
    ] {
        let page = house.all(kind, None).await;
        assert_eq!(page.parked, [], "{kind}");
        let mut ids: Vec<&str> = page
            .records
            .iter()
            .map(|it| it.external_id.as_str())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{kind}");
        assert_eq!(page.records.len(), count, "{kind}");
        assert!(page.vendor_now.is_some(), "{kind}");
    }
}

#[tokio::test]
async fn a_record_reads_the_same_from_a_list_and_by_its_id() {
    let house = house().await;
    for kind in [
        EntityKind::Property,
        EntityKind::RoomType,
        EntityKind::Room,
        EntityKind::Guest,
        EntityKind::Reservation,
    ] {
        let listed = house.all(kind, None).await.records;
        for record in listed.iter().take(5) {
            let read = house.one(kind, &record.external_id).await.unwrap();
            assert_eq!(&read, record, "{kind}");
        }
        assert_eq!(house.one(kind, "404").await, None, "{kind}");
    }
}

#[tokio::test]
async fn only_what_changed_in_a_span_is_read() {
    let house = house().await;
    let guest = text(&house.get("guests").await[0], "guestID");
    let booked = house.reservation(|one| one["status"] == "confirmed").await;
    let id = text(&booked, "reservationID");
    let since = Utc::now() - TimeDelta::minutes(2);
    let span = Some((since, Utc::now() + TimeDelta::days(1)));
    for kind in [EntityKind::Guest, EntityKind::Reservation] {
        assert_eq!(house.all(kind, span).await.records, [], "{kind}");
    }
    house
        .patch(
            &format!("guests/{guest}"),
            json!({"email": "new@example.com"}),
        )
        .await;
    house
        .patch(
            &format!("reservations/{id}"),
            json!({"estimatedArrivalTime": "22:00"}),
        )
        .await;
    let guests = house.all(EntityKind::Guest, span).await.records;
    assert_eq!(guests.len(), 1);
    assert_eq!(guests[0].fields.text("email"), Some("new@example.com"));
    let stays = house.all(EntityKind::Reservation, span).await.records;
    assert_eq!(stays.len(), 1);
    assert_eq!(stays[0].external_id, id);
}

#[tokio::test]
async fn a_later_state_of_a_reservation_has_a_greater_mark() {
    let house = house().await;
    let booked = house.reservation(|one| one["status"] == "confirmed").await;
    let id = text(&booked, "reservationID");
    let mut marks = Vec::new();
    for time in ["20:00", "21:00", "22:00"] {
        house
            .patch(
                &format!("reservations/{id}"),
                json!({"estimatedArrivalTime": time}),
            )
            .await;
        marks.push(
            house
                .one(EntityKind::Reservation, &id)
                .await
                .unwrap()
                .version
                .unwrap(),
        );
    }
    assert!(marks[0] < marks[1] && marks[1] < marks[2], "{marks:?}");
}

#[tokio::test]
async fn times_are_those_of_the_property() {
    let hotel = HotelProfile {
        time_zone: "America/New_York".to_owned(),
        ..HotelProfile::default()
    };
    let house = start(stayzr_pms::sandbox::CloudbedsOptions { hotel, ..options() }).await;
    let booked = house.reservation(|one| one["status"] == "confirmed").await;
    let path = format!("reservations/{}", text(&booked, "reservationID"));
    for (first, last, arrival, departure) in [
        (
            "2031-01-10",
            "2031-01-12",
            "2031-01-10T20:00:00Z",
            "2031-01-12T16:00:00Z",
        ),
        (
            "2031-07-10",
            "2031-07-12",
            "2031-07-10T19:00:00Z",
            "2031-07-12T15:00:00Z",
        ),
    ] {
        house
            .patch(
                &path,
                json!({"startDate": first, "endDate": last, "estimatedArrivalTime": ""}),
            )
            .await;
        let record = house
            .one(EntityKind::Reservation, &text(&booked, "reservationID"))
            .await
            .unwrap();
        assert_eq!(record.fields.text("arrival"), Some(arrival));
        assert_eq!(record.fields.text("departure"), Some(departure));
    }
}

#[tokio::test]
async fn a_guest_is_changed_and_who_was_merged_or_removed_is_told() {
    let house = house().await;
    let guests = house.get("guests").await;
    let id = text(&guests[0], "guestID");
    let fields = [
        ("email", json!("ann@example.com")),
        ("birth_date", json!("1985-09-30")),
    ];
    let record = house.push(&change(EntityKind::Guest, &id, &fields)).await;
    assert_eq!(record.fields.text("email"), Some("ann@example.com"));
    assert_eq!(record.fields.text("birth_date"), Some("1985-09-30"));

    let other = text(&guests[1], "guestID");
    house
        .patch(
            &format!("guests/{id}"),
            json!({"isMerged": true, "newGuestID": other}),
        )
        .await;
    house
        .patch(&format!("guests/{other}"), json!({"isAnonymized": true}))
        .await;
    let listed = house.all(EntityKind::Guest, None).await.records;
    let find = |id: &str| -> &RemoteRecord {
        listed
            .iter()
            .find(|record| record.external_id == id)
            .unwrap()
    };
    for merged in [find(&id), &house.one(EntityKind::Guest, &id).await.unwrap()] {
        assert_eq!(merged.merged_into.as_deref(), Some(other.as_str()));
        assert_eq!(merged.fields.get("active"), Some(&json!(false)));
    }
    for gone in [
        find(&other),
        &house.one(EntityKind::Guest, &other).await.unwrap(),
    ] {
        for field in ["first_name", "last_name", "email", "phone", "birth_date"] {
            assert_eq!(gone.fields.get(field), Some(&Value::Null), "{field}");
        }
        assert_eq!(
            gone.extra,
            *json!({"isAnonymized": true}).as_object().unwrap()
        );
    }
}

#[tokio::test]
async fn a_room_is_cleaned_by_its_name_and_never_by_switching() {
    let house = house().await;
    let room = house.get("rooms").await[0].clone();
    let id = text(&room, "roomID");
    for condition in ["clean", "clean", "inspected", "dirty"] {
        let push = change(EntityKind::Room, &id, &[("condition", json!(condition))]);
        let record = house.push(&push).await;
        assert_eq!(record.fields.text("condition"), Some(condition));
    }
    assert_eq!(house.stats().await["conditions_switched"], 0);
    house
        .patch(&format!("rooms/{id}"), json!({"roomBlocked": true}))
        .await;
    let record = house.one(EntityKind::Room, &id).await.unwrap();
    assert_eq!(record.fields.text("condition"), Some("out_of_order"));
    assert_eq!(record.fields.text("condition_vendor"), Some("dirty"));
}

#[tokio::test]
async fn notes_are_added_once_found_and_read() {
    let house = house().await;
    let booked = house.reservation(|one| one["status"] == "confirmed").await;
    let (id, guest) = (
        text(&booked, "reservationID"),
        text(&house.get("guests").await[0], "guestID"),
    );
    for (field, kind, owner, path) in [
        (
            "reservation_id",
            EntityKind::Reservation,
            &id,
            "reservation",
        ),
        ("guest_id", EntityKind::Guest, &guest, "guest"),
    ] {
        let mut push = Push {
            external_id: None,
            ..change(
                EntityKind::Note,
                "",
                &[("text", json!("Quiet room, please"))],
            )
        };
        link(&mut push, field, kind, owner);
        assert_eq!(house.provider.find(&push).await.unwrap(), []);
        let note = house.push(&push).await;
        assert!(note.external_id.starts_with(&format!("{path}/{owner}/")));
        assert_eq!(
            house.provider.find(&push).await.unwrap(),
            std::slice::from_ref(&note)
        );
        assert_eq!(
            house
                .one(EntityKind::Note, &note.external_id)
                .await
                .unwrap(),
            note
        );
        assert_eq!(
            house
                .one(EntityKind::Note, &format!("{path}/{owner}"))
                .await
                .unwrap(),
            note
        );
        let again = change(
            EntityKind::Note,
            &note.external_id,
            &[("text", json!("Other"))],
        );
        let outcome = house.provider.push(&again).await.unwrap();
        assert_eq!(outcome, PushOutcome::Unsupported(vec!["text".to_owned()]));
    }
    let span = Some((
        Utc::now() - TimeDelta::minutes(2),
        Utc::now() + TimeDelta::days(1),
    ));
    for span in [None, span] {
        let notes = house.all(EntityKind::Note, span).await.records;
        assert_eq!(notes.len(), 1);
        assert_eq!(notes[0].links["reservation_id"].as_ref().unwrap().id, id);
    }
}

#[tokio::test]
async fn a_stay_is_priced_where_a_room_is_free() {
    let house = house().await;
    let today = Utc::now().date_naive();
    let stay = |persons| StayQuery {
        arrival: today + chrono::Days::new(300),
        departure: today + chrono::Days::new(302),
        persons,
    };
    let quotes = house.provider.quote(&stay(2)).await.unwrap();
    assert_eq!(quotes.len(), 4, "{quotes:?}");
    assert_eq!(quotes[0].total.to_string(), "EUR 238.00");
    assert_eq!(quotes[0].rate, "Flexible");
    let family = house.provider.quote(&stay(5)).await.unwrap();
    assert_eq!(family.len(), 1);
    // 169 for two, and a fifth more for each of the three others.
    assert_eq!(family[0].total.to_string(), "EUR 540.80");
}

#[tokio::test]
async fn a_configuration_leaves_kinds_out_and_maps_fields() {
    let house = house().await;
    let guest = text(&house.get("guests").await[0], "guestID");
    let wish = json!({"specialRequests": "A cot"});
    house.patch(&format!("guests/{guest}"), wish).await;
    let whole = house.one(EntityKind::Guest, &guest).await.unwrap();
    assert_eq!(whole.extra["specialRequests"], "A cot");

    let config = ProviderConfig::parse(&json!({
        "entities": ["guest"], "mappings": {"guest": {"last_name": "specialRequests", "phone": null}}
    }))
    .unwrap();
    let plain = CloudbedsProvider::new(
        CloudbedsConfig::new(&house.recorder.base_url),
        CloudbedsCredentials::api_key("cbat_sandbox"),
        quick_http(),
        None,
    );
    let provider = config.apply(Arc::new(plain)).unwrap();
    let ids = [guest.clone()];
    let page = provider.fetch_ids(EntityKind::Guest, &ids).await.unwrap();
    let fields = &page.records[0].fields;
    assert_eq!(fields.text("last_name"), Some("A cot"));
    assert_eq!(fields.get("phone"), None, "it comes from nowhere");
    assert_eq!(fields.get("first_name"), whole.fields.get("first_name"));
    let told = change(EntityKind::Guest, &guest, &[("phone", json!("+1"))]);
    let outcome = provider.push(&told).await.unwrap();
    assert_eq!(outcome, PushOutcome::Unsupported(vec!["phone".to_owned()]));

    assert_eq!(provider.capabilities().read, [EntityKind::Guest]);
    let rooms = PageQuery {
        kind: EntityKind::Room,
        changed: None,
        position: None,
    };
    assert!(
        provider
            .fetch_page(&rooms)
            .await
            .unwrap()
            .records
            .is_empty()
    );
    let strange = json!({"mappings": {"guest": {"nationality": "x"}}});
    let strange = ProviderConfig::parse(&strange).unwrap();
    assert!(strange.apply(provider).is_err());
}

#[tokio::test]
async fn rooms_that_are_free_are_counted_by_type() {
    let house = house().await;
    let all = house.get("rooms").await;
    let today = Utc::now().date_naive();
    let stay = StayQuery {
        arrival: today + chrono::Days::new(300),
        departure: today + chrono::Days::new(302),
        persons: 1,
    };
    let desk = house.provider.desk().unwrap();
    let free = desk.availability(&stay).await.unwrap();
    assert_eq!(free.len(), 5);
    assert!(free.iter().all(|found| found.free > 0), "{free:?}");
    let sum: i64 = free.iter().map(|found| found.free).sum();
    assert!(sum <= all.as_array().unwrap().len() as i64, "{free:?}");
}

#[tokio::test]
async fn an_endpoint_is_subscribed_once_to_all_that_we_keep() {
    let house = house().await;
    let endpoint = SecretString::from("https://hotel.example/webhooks/pms/cloudbeds/1/s3cret");
    let desk = house.provider.desk().unwrap();
    assert_eq!(desk.subscribe(&endpoint).await.unwrap(), EVENTS);
    assert_eq!(desk.subscribe(&endpoint).await.unwrap(), [""; 0]);
    assert_eq!(desk.unsubscribe(&endpoint).await.unwrap(), EVENTS.len());
    assert_eq!(house.provider.client().webhooks().await.unwrap(), []);
}

#[tokio::test]
async fn webhooks_reach_the_url_with_its_secret_one_by_one() {
    let house = house().await;
    let (url, mut bodies) = crate::faults::listener().await;
    house
        .sandbox
        .set_webhook(Some(SecretString::from(format!("{url}/s3cret"))));
    let booked = house.reservation(|one| one["status"] == "confirmed").await;
    let id = text(&booked, "reservationID");
    house
        .patch(&format!("reservations/{id}"), json!({"status": "canceled"}))
        .await;
    let sent = house.post("deliver", json!({})).await;
    assert_eq!(sent["waiting"], 0);
    let (path, body) = bodies.recv().await.unwrap();
    assert_eq!(path, "/s3cret");
    let events = parse_event(&body).unwrap();
    let PmsEvent::Changed {
        remote_property_id,
        record,
    } = &events[0]
    else {
        panic!("{events:?}");
    };
    assert_eq!(*remote_property_id, house.sandbox.property_id());
    assert_eq!(
        (record.kind, record.id.as_str()),
        (EntityKind::Reservation, id.as_str())
    );
}
