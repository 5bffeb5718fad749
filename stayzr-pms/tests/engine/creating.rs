//! What is made at the vendor, and what was made already.

use serde_json::{Map, Value, json};
use stayzr_core::{
    ErrorKind,
    clock::{Clock, SystemClock},
    model::{ChangeOutcome, ExternalRef},
    port::{
        PageRequest,
        edit::ChangeFilter,
        sync::{PageWrite, RowWrite},
    },
    queue::JobStatus,
    transform::{
        EntityKind::{self, Guest, Note, Reservation},
        EntityRow,
    },
};
use stayzr_pms::{
    Capabilities, RemoteRecord,
    engine::{PushReport, SyncEngine, SyncJob},
};
use uuid::Uuid;

use crate::{
    hotel::Hotel,
    vendor::{Answer, map},
    wide::Wide,
};

fn creates_notes(capabilities: &mut Capabilities) {
    capabilities.create = vec![Guest, Note];
}

/// A row of staff's.
async fn insert(hotel: &Hotel, kind: EntityKind, fields: Value) -> Uuid {
    let now = hotel.clock.now();
    let mut row = EntityRow {
        kind,
        id: SystemClock.uuid(),
        organization_id: hotel.scope.organization_id,
        property_id: kind.has_property().then_some(hotel.property_id),
        version: 1,
        created_at: now,
        updated_at: now,
        fields: kind
            .columns()
            .iter()
            .map(|column| (column.name.to_owned(), Value::Null))
            .collect(),
    };
    row.fields.insert("active", true);
    if kind == Guest {
        row.fields.insert("origin", "staff");
        row.fields.insert("classifications", json!([]));
    } else {
        row.fields.insert("kind", "general");
    }
    row.fields.extend(&map(fields));
    let id = row.id;
    let write = PageWrite {
        rows: vec![RowWrite::Insert(row)],
        ..PageWrite::new(hotel.everything(), hotel.integration_id)
    };
    hotel.store.apply_page(write).await.unwrap();
    id
}

async fn mary(hotel: &Hotel) -> Uuid {
    let fields = json!({"first_name": "Mary", "last_name": "Somerville",
        "email": "mary@example.com", "notes": "Likes the sea"});
    insert(hotel, Guest, fields).await
}

fn record(kind: EntityKind, id: &str, fields: Value) -> RemoteRecord {
    RemoteRecord {
        kind,
        external_id: id.to_owned(),
        version: Some("2026-06-09T13:00:00Z".to_owned()),
        fields: map(fields),
        links: Default::default(),
        merged_into: None,
        extra: Map::new(),
        unknown: Vec::new(),
    }
}

async fn push(
    hotel: &Hotel,
    engine: &SyncEngine,
    kind: EntityKind,
    id: Uuid,
) -> stayzr_core::Result<PushReport> {
    engine
        .push(hotel.scope, hotel.integration_id, kind, id, None)
        .await
}

async fn is_mapped(hotel: &Hotel, kind: EntityKind, id: Uuid) -> Option<String> {
    let found = hotel
        .store
        .mappings_of(hotel.everything(), hotel.integration_id, kind, &[id])
        .await
        .unwrap();
    found.into_iter().next().map(|mapping| mapping.external_id)
}

#[tokio::test]
async fn invariant_f_a_guest_whom_a_lost_create_made_is_adopted_and_not_made_again() {
    let hotel = Hotel::synchronised().await;
    let (wide, engine) = Wide::open(&hotel, 100);
    let id = mary(&hotel).await;
    hotel
        .vendor
        .lock()
        .answers
        .push_back(Answer::Ambiguous { done: true });
    let error = push(&hotel, &engine, Guest, id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    let made = hotel.vendor.record(Guest, "made-1");
    wide.finds.lock().unwrap().push(made);

    push(&hotel, &engine, Guest, id).await.unwrap();

    assert_eq!(hotel.vendor.pushes().len(), 1, "no guest twice");
    assert_eq!(
        is_mapped(&hotel, Guest, id).await.as_deref(),
        Some("made-1")
    );
    let asked = wide.asked_to_find.lock().unwrap();
    assert_eq!(asked.len(), 2, "before every create");
    assert_eq!(asked[0].changed.text("email"), Some("mary@example.com"));
}

#[tokio::test]
async fn a_guest_whom_the_vendor_has_is_adopted_and_what_differs_is_merged() {
    let hotel = Hotel::synchronised().await;
    let (wide, engine) = Wide::open(&hotel, 100);
    let id = mary(&hotel).await;
    let theirs = record(
        Guest,
        "m1",
        json!({"first_name": "MARY", "last_name": "Somerville", "email": "Mary@example.com",
            "loyalty_code": "L7"}),
    );
    let key = (Guest, "m1".to_owned());
    hotel.vendor.lock().records.insert(key, theirs.clone());
    wide.finds.lock().unwrap().push(theirs);

    push(&hotel, &engine, Guest, id).await.unwrap();

    assert!(hotel.vendor.pushes().is_empty(), "nobody is made");
    let row = hotel.row(Guest, "m1").await;
    assert_eq!(row.id, id);
    assert_eq!(row.fields.text("loyalty_code"), Some("L7"));
    assert_eq!(row.fields.text("notes"), Some("Likes the sea"));
    hotel.drain().await;
    let told = hotel.vendor.record(Guest, "m1").fields;
    assert_eq!(
        told.text("notes"),
        Some("Likes the sea"),
        "the vendor is told"
    );
}

#[tokio::test]
async fn a_guest_who_may_be_another_is_left_to_staff() {
    let hotel = Hotel::synchronised().await;
    let (wide, engine) = Wide::open(&hotel, 100);
    let id = mary(&hotel).await;
    let other = json!({"first_name": "William", "last_name": "Somerville",
        "email": "mary@example.com"});
    wide.finds.lock().unwrap().push(record(Guest, "w1", other));

    let error = push(&hotel, &engine, Guest, id).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Invalid, "trying again cannot help");
    assert!(error.to_string().contains("w1"), "{error}");
    assert!(hotel.vendor.pushes().is_empty());
    assert_eq!(is_mapped(&hotel, Guest, id).await, None);
}

#[tokio::test]
async fn a_found_guest_who_is_another_row_here_is_not_taken_from_it() {
    let hotel = Hotel::synchronised().await;
    let (wide, engine) = Wide::open(&hotel, 100);
    let fields = json!({"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com"});
    let id = insert(&hotel, Guest, fields).await;
    let ada = hotel.vendor.record(Guest, "ada");
    wide.finds.lock().unwrap().push(ada);

    let error = push(&hotel, &engine, Guest, id).await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::Invalid);
    let owner = hotel.mapping(Guest, "ada").await.local_id;
    assert!(error.to_string().contains(&owner.to_string()), "{error}");
}

#[tokio::test]
async fn a_note_is_made_with_what_it_is_about() {
    let hotel = Hotel::synchronised().await;
    let (_, engine) = Wide::with(&hotel, creates_notes);
    let reservation = hotel.row(Reservation, "r1").await.id;
    let fields = json!({"text": "Late arrival", "reservation_id": reservation});
    let id = insert(&hotel, Note, fields).await;

    let report = push(&hotel, &engine, Note, id).await.unwrap();

    let pushes = hotel.vendor.pushes();
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0].external_id, None);
    assert_eq!(pushes[0].changed.text("text"), Some("Late arrival"));
    let about = ExternalRef {
        kind: Reservation,
        id: "r1".to_owned(),
    };
    assert_eq!(pushes[0].links["reservation_id"], Some(about));
    assert!(report.refused.is_empty());
    assert_eq!(is_mapped(&hotel, Note, id).await.as_deref(), Some("made-1"));
    // It comes back with the next run, as the same note.
    hotel.incremental().await;
    assert_eq!(hotel.count(Note).await, 1);
    push(&hotel, &engine, Note, id).await.unwrap();
    assert_eq!(hotel.vendor.pushes().len(), 1);
}

#[tokio::test]
async fn invariant_f_a_note_that_is_there_already_is_not_written_twice() {
    let hotel = Hotel::synchronised().await;
    let (wide, engine) = Wide::with(&hotel, creates_notes);
    let reservation = hotel.row(Reservation, "r1").await.id;
    let fields = json!({"text": "Late arrival", "reservation_id": reservation});
    let id = insert(&hotel, Note, fields).await;
    let link = |id: &str| {
        Some(ExternalRef {
            kind: Reservation,
            id: id.to_owned(),
        })
    };
    let mut other = record(Note, "n1", json!({"text": "Late arrival"}));
    other.links.insert("reservation_id", link("r2"));
    let mut same = record(Note, "n2", json!({"text": "Late arrival "}));
    same.links.insert("reservation_id", link("r1"));
    wide.finds.lock().unwrap().extend([other, same]);

    push(&hotel, &engine, Note, id).await.unwrap();

    assert!(hotel.vendor.pushes().is_empty());
    assert_eq!(is_mapped(&hotel, Note, id).await.as_deref(), Some("n2"));
}

#[tokio::test]
async fn a_note_waits_for_what_it_is_about_and_a_removed_one_is_not_made() {
    let hotel = Hotel::synchronised().await;
    let (_, engine) = Wide::with(&hotel, creates_notes);
    let fields = json!({"text": "Late arrival", "reservation_id": SystemClock.uuid()});
    let early = insert(&hotel, Note, fields).await;
    let fields = json!({"text": "Never mind", "active": false});
    let removed = insert(&hotel, Note, fields).await;

    let error = push(&hotel, &engine, Note, early).await.unwrap_err();
    push(&hotel, &engine, Note, removed).await.unwrap();

    assert!(error.is_retryable(), "{error}");
    assert!(hotel.vendor.pushes().is_empty());
}

#[tokio::test]
async fn a_vendor_that_makes_no_notes_is_not_asked_to() {
    let hotel = Hotel::synchronised().await;
    let id = insert(&hotel, Note, json!({"text": "Ours alone"})).await;
    let job = SyncJob::push(hotel.scope, hotel.integration_id, Note, id);
    hotel.store.enqueue(vec![job]).await.unwrap();

    hotel.drain().await;

    assert!(hotel.vendor.pushes().is_empty());
    let jobs = hotel.jobs().await;
    assert!(jobs.iter().all(|job| job.status == JobStatus::Completed));
}

#[tokio::test]
async fn what_a_create_was_refused_is_journalled_even_where_nothing_is_left_of_it() {
    let hotel = Hotel::synchronised().await;
    let id = insert(&hotel, Guest, json!({"last_name": "Curie", "notes": "tea"})).await;
    {
        let mut state = hotel.vendor.lock();
        for fields in [vec!["notes"], vec!["last_name", "classifications"]] {
            let fields = fields.into_iter().map(str::to_owned).collect();
            state.answers.push_back(Answer::Unsupported(fields));
        }
    }

    let report = push(&hotel, &hotel.engine.clone(), Guest, id)
        .await
        .unwrap();

    assert!(report.sent.is_empty());
    let filter = ChangeFilter::of(Guest, id);
    let page = PageRequest::default();
    let lines = hotel.store.changes(hotel.everything(), &filter, &page);
    let mut refused: Vec<Option<String>> = lines
        .await
        .unwrap()
        .items
        .into_iter()
        .filter(|line| line.outcome == ChangeOutcome::Refused)
        .map(|line| line.field)
        .collect();
    refused.sort();
    let expected = ["classifications", "last_name", "notes"];
    assert_eq!(refused, expected.map(|field| Some(field.to_owned())));
}
