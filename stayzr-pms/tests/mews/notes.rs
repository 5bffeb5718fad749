//! Notes of reservations.

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use stayzr_core::{ErrorKind, model::ExternalRef, transform::EntityKind};
use stayzr_pms::{PmsProvider, Push, PushOutcome, RemoteRecord, sandbox::MewsSandbox};

use crate::common::{Desk, all, applied, change, fault, id, one, provider, sandbox};

fn stay(reservation: &str) -> ExternalRef {
    ExternalRef {
        kind: EntityKind::Reservation,
        id: reservation.to_owned(),
    }
}

fn add(reservation: &str, text: &str) -> Push {
    let mut push = change(EntityKind::Note, "", &[("text", json!(text))]);
    push.external_id = None;
    let link = Some(stay(reservation));
    push.links.insert("reservation_id".to_owned(), link);
    push
}

async fn booked(sandbox: &MewsSandbox) -> String {
    let desk = Desk(sandbox);
    id(&desk.reservation(|one| one["State"] == "Confirmed").await)
}

/// A note that the desk writes.
async fn written(desk: &Desk<'_>, note: Value) -> String {
    let (status, note) = desk.post("notes", note).await;
    assert_eq!(status, 201);
    format!("{}/{}", note["OrderId"].as_str().unwrap(), id(&note))
}

fn find<'a>(records: &'a [RemoteRecord], id: &str) -> Option<&'a RemoteRecord> {
    records.iter().find(|record| record.external_id == id)
}

#[tokio::test]
async fn every_type_of_note_is_read_with_its_reservation() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let order = booked(&sandbox).await;
    for (word, kind) in [
        ("General", "general"),
        ("ChannelManager", "channel"),
        ("SpecialRequest", "special_request"),
    ] {
        let note = json!({"OrderId": order, "Text": word, "Type": word, "BrandNew": 1});
        let known = written(&desk, note).await;
        let whole = all(&provider, EntityKind::Note, None).await;
        assert_eq!(whole.parked, []);
        let record = find(&whole.records, &known).expect(word);
        assert_eq!(record.fields.text("kind"), Some(kind));
        assert_eq!(record.fields.text("kind_vendor"), Some(word));
        assert_eq!(record.fields.text("text"), Some(word));
        assert_eq!(record.fields.get("active"), Some(&json!(true)));
        assert_eq!(record.links["reservation_id"], Some(stay(&order)));
        assert_eq!(record.extra["BrandNew"], 1);
        assert_eq!(
            one(&provider, EntityKind::Note, &known).await.as_ref(),
            Some(record)
        );
    }
}

#[tokio::test]
async fn notes_that_changed_are_found_and_those_of_other_orders_are_not() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let start = Utc::now() - TimeDelta::seconds(2);
    let order = booked(&sandbox).await;
    let known = written(&desk, json!({"OrderId": order, "Text": "Late"})).await;
    // An hour at the spa is an order too, and no stay; so is one that is not there any more.
    let (_, spa) = desk
        .post("reservations", json!({"ServiceId": "the spa"}))
        .await;
    written(&desk, json!({"OrderId": id(&spa), "Text": "Hot stones"})).await;
    written(&desk, json!({"OrderId": "a dinner", "Text": "Vegan"})).await;
    let changed = all(&provider, EntityKind::Note, Some((start, Utc::now()))).await;
    let ids: Vec<&String> = changed
        .records
        .iter()
        .map(|record| &record.external_id)
        .collect();
    assert_eq!(ids, [&known]);
}

#[tokio::test]
async fn a_note_that_is_deleted_is_missing_and_one_that_says_no_order_is_put_aside() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let order = booked(&sandbox).await;
    let known = written(&desk, json!({"OrderId": order, "Text": "Late"})).await;
    let (_, lost) = desk.post("notes", json!({"Text": "Whose?"})).await;
    let whole = all(&provider, EntityKind::Note, None).await;
    assert_eq!(whole.parked.len(), 1);
    assert_eq!(whole.parked[0].reason, "OrderId: is missing");
    desk.delete(&format!("notes/{}", id(&lost))).await;
    desk.delete(&format!("notes/{}", known.rsplit('/').next().unwrap()))
        .await;
    assert_eq!(one(&provider, EntityKind::Note, &known).await, None);
    assert_eq!(
        one(&provider, EntityKind::Note, "no id of ours").await,
        None
    );
}

#[tokio::test]
async fn a_note_is_added_and_changed_and_the_answer_is_what_is_read() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let order = booked(&sandbox).await;
    let added = applied(provider.push(&add(&order, "Late")).await.unwrap());
    assert_eq!(added.links["reservation_id"], Some(stay(&order)));
    let read = one(&provider, EntityKind::Note, &added.external_id).await;
    assert_eq!(read.as_ref(), Some(&added));

    let text = [("text", json!("Very late"))];
    let push = change(EntityKind::Note, &added.external_id, &text);
    let changed = applied(provider.push(&push).await.unwrap());
    assert_eq!(changed.fields.text("text"), Some("Very late"));
    let read = one(&provider, EntityKind::Note, &added.external_id).await;
    assert_eq!(read, Some(changed), "a later sync sees no change");

    for (field, value) in [("text", json!("")), ("kind", json!("channel"))] {
        let push = change(EntityKind::Note, &added.external_id, &[(field, value)]);
        let outcome = provider.push(&push).await.unwrap();
        assert_eq!(outcome, PushOutcome::Unsupported(vec![field.to_owned()]));
    }
    let mut of_a_guest = add(&order, "Allergic to nuts");
    of_a_guest.links.clear();
    let outcome = provider.push(&of_a_guest).await.unwrap();
    assert_eq!(outcome, PushOutcome::Unsupported(vec!["text".to_owned()]));
    assert_eq!(desk.stats().await["calls"]["serviceOrderNotes/add"], 1);
    let nowhere = provider.push(&add("gone", "x")).await.unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn a_note_whose_adding_was_not_answered_is_found_by_its_text() {
    let sandbox = sandbox().await;
    let provider = provider(&sandbox);
    let order = booked(&sandbox).await;
    let push = add(&order, "A cot, please ");
    assert_eq!(provider.find(&push).await.unwrap(), []);
    sandbox
        .inject(fault("cut", "serviceOrderNotes/add", 1))
        .unwrap();
    let lost = provider.push(&push).await.unwrap();
    assert!(matches!(lost, PushOutcome::Ambiguous(_)), "{lost:?}");
    let found = provider.find(&push).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].links["reservation_id"], Some(stay(&order)));
    assert_eq!(provider.find(&add(&order, "Two cots")).await.unwrap(), []);
}

#[tokio::test]
async fn a_stale_read_shows_a_note_as_it_was() {
    let sandbox = sandbox().await;
    let (provider, desk) = (provider(&sandbox), Desk(&sandbox));
    let order = booked(&sandbox).await;
    let known = written(&desk, json!({"OrderId": order, "Text": "First"})).await;
    let path = format!("notes/{}", known.rsplit('/').next().unwrap());
    desk.patch(&path, json!({"Text": "Second"})).await;
    sandbox
        .inject(fault("stale_read", "serviceOrderNotes", 1))
        .unwrap();
    let stale = one(&provider, EntityKind::Note, &known).await.unwrap();
    let fresh = one(&provider, EntityKind::Note, &known).await.unwrap();
    assert_eq!(stale.fields.text("text"), Some("First"));
    assert_eq!(fresh.fields.text("text"), Some("Second"));
    assert!(stale.version < fresh.version);
}
