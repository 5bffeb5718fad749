//! Reading and writing through the whole stack.

use std::collections::BTreeSet;

use chrono::{TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::json;
use stayzr_core::{ErrorKind, model::ExternalRef, port::backend::StayQuery, transform::EntityKind};
use stayzr_pms::{
    PmsProvider, Push, PushOutcome,
    sandbox::{Counts, SandboxOptions},
};

use crate::common::{Desk, all, applied, change, fault, id, one, provider, sandbox, start};

#[tokio::test]
async fn the_property_says_who_it_is() {
    let sandbox = sandbox().await;
    let property = provider(&sandbox).check().await.unwrap();
    assert_eq!(property.id, sandbox.enterprise_id());
    assert_eq!(property.name, "Sandbox Hotel");
    assert_eq!(property.time_zone, "Europe/Lisbon");
    assert_eq!(property.currency.as_deref(), Some("EUR"));
}

#[tokio::test]
async fn two_and_a_half_thousand_guests_come_page_by_page_each_once() {
    let sandbox = start(SandboxOptions {
        counts: Counts {
            guests: 2500,
            ..Counts::default()
        },
        ..SandboxOptions::default()
    })
    .await;
    let page = all(&provider(&sandbox), EntityKind::Guest, None).await;
    assert_eq!(page.parked, []);
    let ids: BTreeSet<&String> = page
        .records
        .iter()
        .map(|record| &record.external_id)
        .collect();
    assert_eq!((ids.len(), page.records.len()), (2500, 2500));
    assert!(page.vendor_now.unwrap() <= Utc::now());
    let calls = Desk(&sandbox).stats().await["calls"]["customers/getAll"].as_u64();
    assert!(calls.unwrap() < 15, "{calls:?}");
}

#[tokio::test]
async fn what_changed_is_found_and_nothing_else() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let before = Utc::now();
    let span = || Some((before, Utc::now()));
    assert_eq!(all(&provider, EntityKind::Guest, span()).await.records, []);
    let guests = desk.get("guests").await;
    for guest in [&guests[3], &guests[7]] {
        desk.patch(&format!("guests/{}", id(guest)), json!({"Notes": "New"}))
            .await;
    }
    let found = all(&provider, EntityKind::Guest, span()).await;
    let ids: BTreeSet<String> = found
        .records
        .into_iter()
        .map(|record| record.external_id)
        .collect();
    assert_eq!(ids, BTreeSet::from([id(&guests[3]), id(&guests[7])]));
}

#[tokio::test]
async fn ids_nobody_knows_are_missing_and_too_many_are_refused() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    let known = id(&Desk(&sandbox).get("guests").await[0]);
    let page = provider
        .fetch_ids(EntityKind::Guest, &[known.clone(), "gone".to_owned()])
        .await
        .unwrap();
    assert_eq!(page.records.len(), 1);
    assert_eq!(page.records[0].external_id, known);
    let many = vec![known; 1001];
    let error = provider
        .fetch_ids(EntityKind::Guest, &many)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let error = provider
        .fetch_ids(EntityKind::RoomType, &many[..1])
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_guest_is_added_and_changed_and_the_answer_is_what_is_read() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    let add = Push {
        external_id: None,
        ..change(
            EntityKind::Guest,
            "",
            &[
                ("last_name", json!("Carbone")),
                ("first_name", json!("Thea")),
                ("email", json!("thea@quotidiano.example")),
                ("language", json!("it-IT")),
                ("nationality", json!("IT")),
                ("phone", json!(null)),
                ("classifications", json!([])),
            ],
        )
    };
    let added = applied(provider.push(&add).await.unwrap());
    assert_eq!(added.fields.text("language"), Some("it-IT"));
    let read = one(&provider, EntityKind::Guest, &added.external_id).await;
    assert_eq!(read.as_ref(), Some(&added));

    let mut other = add.clone();
    other.changed.insert("first_name", "Tea");
    let again = provider.push(&other).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Forbidden);
    assert!(!again.to_string().contains("thea@"), "{again}");

    let push = change(
        EntityKind::Guest,
        &added.external_id,
        &[
            ("notes", json!("Late")),
            ("classifications", json!(["Media"])),
        ],
    );
    let changed = applied(provider.push(&push).await.unwrap());
    assert_eq!(changed.fields.text("notes"), Some("Late"));
    assert_eq!(changed.fields.text("first_name"), Some("Thea"));
    assert!(changed.version > added.version);
    let read = one(&provider, EntityKind::Guest, &added.external_id).await;
    assert_eq!(read, Some(changed), "a later sync sees no change");
}

#[tokio::test]
async fn a_guest_whose_adding_was_not_answered_is_found() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    let add = |fields: &[(&str, serde_json::Value)]| Push {
        external_id: None,
        ..change(EntityKind::Guest, "", fields)
    };
    for fields in [
        vec![
            ("last_name", json!("Carbone")),
            ("email", json!("thea@quotidiano.example")),
        ],
        vec![
            ("first_name", json!("Ada")),
            ("last_name", json!("Namesake")),
        ],
        // By name, where nobody has the email.
        vec![
            ("first_name", json!("Ada")),
            ("last_name", json!("Namesake")),
            ("email", json!("ada@namesake.example")),
        ],
    ] {
        let push = add(&fields);
        let before = provider.find(&push).await.unwrap();
        sandbox.inject(fault("cut", "customers/add", 1)).unwrap();
        let lost = provider.push(&push).await.unwrap();
        assert!(matches!(lost, PushOutcome::Ambiguous(_)), "{lost:?}");
        let found = provider.find(&push).await.unwrap();
        let made: Vec<_> = found.iter().filter(|one| !before.contains(one)).collect();
        assert_eq!(made.len(), 1, "{fields:?}");
        for (field, value) in &fields {
            assert_eq!(made[0].fields.get(field), Some(value));
        }
    }
    let nobody = add(&[("first_name", json!("Ada")), ("last_name", json!("Else"))]);
    assert_eq!(provider.find(&nobody).await.unwrap(), []);
    let unnamed = add(&[("phone", json!("+43512999999"))]);
    assert_eq!(provider.find(&unnamed).await.unwrap(), []);
}

#[tokio::test]
async fn a_currency_that_does_not_exist_puts_the_property_aside_and_the_rest_goes_on() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    desk.patch(
        "property",
        json!({"Currencies": [{"Currency": "QQQ", "IsDefault": true, "IsEnabled": true}]}),
    )
    .await;
    let property = all(&provider, EntityKind::Property, None).await;
    assert_eq!(property.records, []);
    let reason = &property.parked[0].reason;
    assert!(reason.starts_with("Currencies: "), "{reason}");
    let rooms = all(&provider, EntityKind::Room, None).await;
    assert_eq!((rooms.records.len(), rooms.parked.len()), (40, 0));
}

#[tokio::test]
async fn reversed_dates_put_one_reservation_aside_and_the_page_goes_on() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let before = all(&provider, EntityKind::Reservation, None).await;
    let booked = desk.reservation(|one| one["State"] == "Confirmed").await;
    desk.patch(
        &format!("reservations/{}", id(&booked)),
        json!({"ScheduledStartUtc": booked["ScheduledEndUtc"],
               "ScheduledEndUtc": booked["ScheduledStartUtc"]}),
    )
    .await;
    let after = all(&provider, EntityKind::Reservation, None).await;
    assert_eq!(after.records.len(), before.records.len() - 1);
    assert_eq!(after.parked.len(), 1);
    assert_eq!(
        after.parked[0].external_id.as_deref(),
        booked["Id"].as_str()
    );
    let reason = &after.parked[0].reason;
    assert!(reason.starts_with("ScheduledEndUtc: is before"), "{reason}");
}

#[tokio::test]
async fn a_guest_without_family_name_cannot_be_added() {
    let sandbox = sandbox().await;
    let add = Push {
        external_id: None,
        ..change(EntityKind::Guest, "", &[("first_name", json!("Thea"))])
    };
    let error = provider(&sandbox).push(&add).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn what_mews_cannot_be_told_is_named_and_nothing_is_sent() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let guest = id(&desk.get("guests").await[0]);
    let booked = id(&desk.reservation(|one| one["State"] == "Confirmed").await);
    let room = id(&desk.get("rooms").await[0]);
    for (kind, record, field, value) in [
        (EntityKind::Guest, &guest, "email", json!(null)),
        (EntityKind::Guest, &guest, "notes", json!("")),
        (EntityKind::Guest, &guest, "classifications", json!([])),
        (EntityKind::Guest, &guest, "title", json!("Dr")),
        (EntityKind::Reservation, &booked, "purpose", json!("Quest")),
        (EntityKind::Guest, &guest, "active", json!(false)),
        (EntityKind::Guest, &guest, "nickname", json!("x")),
        (
            EntityKind::Reservation,
            &booked,
            "status",
            json!("in_house"),
        ),
        (
            EntityKind::Reservation,
            &booked,
            "status_vendor",
            json!("Started"),
        ),
        (EntityKind::Reservation, &booked, "arrival", json!(null)),
        (EntityKind::Room, &room, "condition", json!("unknown")),
        (EntityKind::Room, &room, "name", json!("102")),
    ] {
        let outcome = provider
            .push(&change(kind, record, &[(field, value)]))
            .await
            .unwrap();
        assert_eq!(outcome, PushOutcome::Unsupported(vec![field.to_owned()]));
    }
    let stats = desk.stats().await;
    for operation in [
        "customers/update",
        "reservations/update",
        "resources/update",
        "reservations/cancel",
    ] {
        assert!(stats["calls"][operation].is_null(), "{operation}");
    }
}

#[tokio::test]
async fn a_reservation_is_changed_and_cancelled_without_email_fee_or_new_price() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let booked = desk
        .reservation(|one| {
            one["State"] == "Confirmed" && one["PersonCounts"].as_array().unwrap().len() == 2
        })
        .await;
    let id = id(&booked);
    let before = one(&provider, EntityKind::Reservation, &id).await.unwrap();
    let adults = before
        .fields
        .get("adults")
        .and_then(|count| count.as_i64())
        .unwrap()
        + 1;
    let push = change(
        EntityKind::Reservation,
        &id,
        &[
            ("arrival", json!("2030-01-01T15:00:00Z")),
            ("departure", json!("2030-01-03T11:00:00.000001Z")),
            ("adults", json!(adults)),
            ("channel_number", json!(null)),
        ],
    );
    let after = applied(provider.push(&push).await.unwrap());
    assert_eq!(after.fields.text("arrival"), Some("2030-01-01T15:00:00Z"));
    assert_eq!(after.fields.text("departure"), Some("2030-01-03T11:00:00Z"));
    assert_eq!(after.fields.get("adults"), Some(&json!(adults)));
    assert_eq!(after.fields.get("children"), before.fields.get("children"));
    assert_eq!(after.fields.get("channel_number"), Some(&json!(null)));
    assert_eq!(
        one(&provider, EntityKind::Reservation, &id).await,
        Some(after)
    );

    let cancel = change(
        EntityKind::Reservation,
        &id,
        &[("status", json!("cancelled"))],
    );
    let gone = applied(provider.push(&cancel).await.unwrap());
    assert_eq!(gone.fields.text("status"), Some("cancelled"));
    assert!(gone.fields.text("cancelled_at").is_some());
    let stats = desk.stats().await;
    for effect in ["emails_sent", "fees_posted", "reprices"] {
        assert_eq!(stats[effect], 0, "{effect}");
    }
    // The desk's rule, in the desk's words.
    let error = provider.push(&cancel).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("cannot be cancelled"), "{error}");
}

#[tokio::test]
async fn a_pinned_room_is_changed_and_stays_pinned() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let booked = id(&desk.reservation(|one| one["State"] == "Confirmed").await);
    let rooms = desk.get("rooms").await;
    let path = format!("reservations/{booked}");
    desk.patch(
        &path,
        json!({"AssignedResourceId": id(&rooms[0]), "AssignedResourceLocked": true}),
    )
    .await;
    let link = |room: Option<String>| {
        let mut push = change(EntityKind::Reservation, &booked, &[]);
        let link = room.map(|id| ExternalRef {
            kind: EntityKind::Room,
            id,
        });
        push.links.insert("room_id".to_owned(), link);
        push
    };
    let moved = applied(provider.push(&link(Some(id(&rooms[1])))).await.unwrap());
    assert_eq!(moved.links["room_id"].as_ref().unwrap().id, id(&rooms[1]));
    assert_eq!(desk.get(&path).await["AssignedResourceLocked"], true);
    let refused = provider.push(&link(Some("no such room".to_owned()))).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    let now = desk.get(&path).await;
    assert_eq!(now["AssignedResourceId"], id(&rooms[1]));
    assert_eq!(now["AssignedResourceLocked"], true, "after a refusal too");
    let free = applied(provider.push(&link(None)).await.unwrap());
    assert_eq!(free.links["room_id"], None);
}

#[tokio::test]
async fn a_clock_of_ours_that_is_behind_leaves_no_guest_out_of_a_backfill() {
    let ahead = chrono::Utc::now() + chrono::TimeDelta::minutes(20);
    let sandbox = start(SandboxOptions {
        clock: std::sync::Arc::new(stayzr_core::clock::ManualClock::new(ahead)),
        ..SandboxOptions::default()
    })
    .await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let guests = desk.get("guests").await;
    let changed = id(&guests[0]);
    desk.patch(&format!("guests/{changed}"), json!({"Notes": "late"}))
        .await;
    let read = all(&provider, EntityKind::Guest, None).await;
    assert!(
        read.records
            .iter()
            .any(|guest| guest.external_id == changed)
    );
    assert_eq!(read.records.len(), guests.as_array().unwrap().len());
}

#[tokio::test]
async fn housekeeping_writes_the_condition() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let room = id(&desk.get("rooms").await[0]);
    for (condition, word) in [
        ("dirty", "Dirty"),
        ("inspected", "Inspected"),
        ("out_of_service", "OutOfService"),
    ] {
        let push = change(EntityKind::Room, &room, &[("condition", json!(condition))]);
        let record = applied(provider.push(&push).await.unwrap());
        assert_eq!(record.fields.text("condition"), Some(condition));
        assert_eq!(record.fields.text("condition_vendor"), Some(word));
    }
}

#[tokio::test]
async fn a_stay_is_priced_by_room_type_for_those_who_fit() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    // Thursday to Saturday: one night at the weekend, which costs a tenth more.
    let stay = |persons| StayQuery {
        arrival: "2026-10-22".parse().unwrap(),
        departure: "2026-10-24".parse().unwrap(),
        persons,
    };
    let quotes = provider.quote(&stay(1)).await.unwrap();
    assert_eq!(quotes.len(), 5);
    let cheapest = quotes.iter().map(|quote| quote.total.amount).min().unwrap();
    assert_eq!(cheapest, "186.9".parse::<Decimal>().unwrap());
    assert_eq!(quotes[0].total.currency.code(), "EUR");
    assert_eq!(quotes[0].rate, "Flexible");
    assert_eq!(provider.quote(&stay(4)).await.unwrap().len(), 2);
    assert_eq!(provider.quote(&stay(9)).await.unwrap(), []);
    let none = StayQuery {
        departure: "2026-10-22".parse().unwrap(),
        ..stay(1)
    };
    assert_eq!(
        provider.quote(&none).await.unwrap_err().kind(),
        ErrorKind::Invalid
    );
}

#[tokio::test]
async fn a_whole_second_at_the_end_of_a_span_is_not_lost() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let guest = id(&desk.get("guests").await[0]);
    let start = Utc::now() - TimeDelta::seconds(5);
    let patched = desk
        .patch(&format!("guests/{guest}"), json!({"Notes": "x"}))
        .await;
    let end = patched["UpdatedUtc"].as_str().unwrap().parse().unwrap();
    let found = all(&provider, EntityKind::Guest, Some((start, end))).await;
    assert_eq!(found.records.len(), 1);
}
