//! No edit is lost, no write echoes, nothing is written where nothing changed.

use serde_json::{Value, json};
use stayzr_core::{
    ErrorKind,
    model::{ChangeOutcome, RunMode},
    transform::EntityKind::{Guest, Property, Reservation, Room, RoomType},
};

use crate::{
    hotel::{Hotel, edit_row, set_silently},
    vendor::{Answer, Call},
};

async fn email(hotel: &Hotel) -> Option<String> {
    hotel.text(Guest, "ada", "email").await
}

fn vendors(hotel: &Hotel, field: &str) -> Option<Value> {
    hotel.vendor.record(Guest, "ada").fields.get(field).cloned()
}

async fn edit(hotel: &Hotel, set: Value) {
    hotel.edit(Guest, "ada", set).await;
}

/// Every row and mapping as it stands.
async fn snapshot(hotel: &Hotel) -> Vec<String> {
    let mut all = Vec::new();
    let ids = hotel
        .vendor
        .lock()
        .records
        .keys()
        .cloned()
        .collect::<Vec<_>>();
    for (kind, id) in ids {
        all.push(format!("{:?}", hotel.row(kind, &id).await));
        all.push(format!("{:?}", hotel.mapping(kind, &id).await));
        all.push(format!("{}", hotel.journal(kind, &id).await.len()));
    }
    all.push(format!("{:?}", hotel.jobs().await));
    all
}

#[tokio::test]
async fn invariant_c_synchronising_unchanged_data_again_writes_no_row() {
    let hotel = Hotel::synchronised().await;
    let before = snapshot(&hotel).await;

    let whole = hotel.backfill().await;
    let recent = hotel.incremental().await;
    for (kind, id) in [
        (Property, "enterprise"),
        (RoomType, "double"),
        (Room, "101"),
    ] {
        hotel.read(kind, id).await;
    }
    for id in ["ada", "alan", "grace"] {
        hotel.read(Guest, id).await;
        hotel.push(Guest, id).await.unwrap();
    }
    hotel.read(Reservation, "r1").await;

    assert_eq!(snapshot(&hotel).await, before);
    assert_eq!((whole.created, whole.updated), (0, 0));
    assert_eq!((recent.created, recent.updated), (0, 0));
    assert!(hotel.vendor.pushes().is_empty());
}

#[tokio::test]
async fn invariant_b_an_edit_is_pushed_and_does_not_echo() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;

    hotel.drain().await;
    assert_eq!(vendors(&hotel, "email"), Some(json!("ada@new.example")));
    let settled = snapshot(&hotel).await;
    hotel.read(Guest, "ada").await;
    hotel.incremental().await;
    hotel.drain().await;

    assert_eq!(hotel.vendor.pushes().len(), 1);
    assert_eq!(snapshot(&hotel).await, settled, "the echo changes nothing");
}

#[tokio::test]
async fn invariant_b_a_webhook_before_the_push_does_not_take_the_edit_back() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"last_name": "King"}));

    hotel.read(Guest, "ada").await;
    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
    assert_eq!(
        hotel.text(Guest, "ada", "last_name").await.as_deref(),
        Some("King")
    );
    hotel.drain().await;

    assert_eq!(vendors(&hotel, "email"), Some(json!("ada@new.example")));
    assert_eq!(vendors(&hotel, "last_name"), Some(json!("King")));
    let pushes = hotel.vendor.pushes();
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0].changed.names().collect::<Vec<_>>(), ["email"]);
}

#[tokio::test]
async fn invariant_b_a_stale_read_after_the_push_changes_nothing() {
    let hotel = Hotel::synchronised().await;
    let stale = hotel.vendor.record(Guest, "ada");
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel.drain().await;
    let settled = snapshot(&hotel).await;

    hotel.vendor.lock().stale_reads.push_back(stale);
    hotel.read(Guest, "ada").await;

    assert_eq!(snapshot(&hotel).await, settled);
}

#[tokio::test]
async fn invariant_b_a_stale_read_under_the_same_mark_does_not_take_the_edit_back() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel.drain().await;
    // The vendor's marks have whole seconds: the read looks as new as the push.
    let mut stale = hotel.vendor.record(Guest, "ada");
    stale.fields.insert("email", "Ada@Example.com");
    stale.fields.insert("loyalty_code", "L1");

    hotel.vendor.lock().stale_reads.push_back(stale);
    hotel.read(Guest, "ada").await;
    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
    hotel.quiet().await;

    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("ada@new.example")));
    assert_eq!(
        hotel.mapping(Guest, "ada").await.base.get("loyalty_code"),
        Some(&json!("L1"))
    );
}

#[tokio::test]
async fn invariant_b_a_change_back_in_the_same_second_is_taken_once_it_cannot_be_late() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel.drain().await;
    hotel
        .vendor
        .change_at_once(Guest, "ada", json!({"email": "Ada@Example.com"}));

    hotel.read(Guest, "ada").await;
    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
    hotel.quiet().await;

    assert_eq!(email(&hotel).await.as_deref(), Some("Ada@Example.com"));
    assert_eq!(hotel.vendor.pushes().len(), 1);
}

#[tokio::test]
async fn invariant_b_an_answer_from_before_the_push_does_not_take_the_edit_back() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel.vendor.lock().answers.push_back(Answer::Stale);

    hotel.drain().await;
    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
    hotel.read(Guest, "ada").await;
    hotel.quiet().await;

    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("ada@new.example")));
    assert_eq!(hotel.vendor.pushes().len(), 1);
}

#[tokio::test]
async fn invariant_b_a_value_the_vendor_writes_in_its_own_form_is_taken_and_not_fought_over() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"phone": "00351 912 345 678"})).await;
    hotel
        .vendor
        .lock()
        .answers
        .push_back(Answer::Normalised("phone", json!("+351912345678")));

    hotel.drain().await;
    hotel.read(Guest, "ada").await;
    hotel.quiet().await;

    assert_eq!(
        hotel.text(Guest, "ada", "phone").await.as_deref(),
        Some("+351912345678")
    );
    assert_eq!(hotel.vendor.pushes().len(), 1);
}

async fn both_changed(strategy: &str) -> Hotel {
    let hotel = Hotel::with_settings(json!({
        "conflicts": {"guest": {"strategy": strategy}}
    }))
    .await;
    crate::hotel::furnish(&hotel.vendor);
    hotel.backfill().await;
    hotel.vendor.take_calls();
    edit(&hotel, json!({"email": "ours@example.com"})).await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"email": "theirs@example.com"}));
    hotel.read(Guest, "ada").await;
    hotel.drain().await;
    hotel
}

#[tokio::test]
async fn invariant_b_both_changed_and_ours_wins() {
    let hotel = both_changed("LOCAL_WINS").await;

    assert_eq!(email(&hotel).await.as_deref(), Some("ours@example.com"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("ours@example.com")));
    let journal = hotel.journal(Guest, "ada").await;
    let refused = journal
        .iter()
        .find(|line| line.outcome == ChangeOutcome::Refused)
        .expect("the vendor's value is journalled");
    assert_eq!(refused.new, Some(json!("theirs@example.com")));
    assert_eq!(refused.old, Some(json!("ours@example.com")));
    assert_eq!(refused.base, Some(json!("Ada@Example.com")));
}

#[tokio::test]
async fn invariant_b_both_changed_and_the_vendor_wins() {
    let hotel = both_changed("REMOTE_WINS").await;

    assert_eq!(email(&hotel).await.as_deref(), Some("theirs@example.com"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("theirs@example.com")));
    assert!(hotel.vendor.pushes().is_empty());
    let journal = hotel.journal(Guest, "ada").await;
    assert!(
        journal
            .iter()
            .any(|line| line.old == Some(json!("ours@example.com"))
                && line.new == Some(json!("theirs@example.com"))),
        "our value can be restored"
    );
}

#[tokio::test]
async fn invariant_b_both_changed_and_a_person_decides() {
    let hotel = both_changed("MANUAL_REVIEW").await;

    assert_eq!(email(&hotel).await.as_deref(), Some("ours@example.com"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("theirs@example.com")));
    assert!(
        hotel.vendor.pushes().is_empty(),
        "nothing is sent meanwhile"
    );

    // Other fields go on, and the conflict is not raised again.
    let lines = hotel.journal(Guest, "ada").await.len();
    edit(&hotel, json!({"notes": "Prefers tea"})).await;
    hotel.drain().await;
    assert_eq!(vendors(&hotel, "notes"), Some(json!("Prefers tea")));
    assert_eq!(vendors(&hotel, "email"), Some(json!("theirs@example.com")));
    assert_eq!(hotel.journal(Guest, "ada").await.len(), lines + 1);
}

#[tokio::test]
async fn invariant_b_lists_are_united() {
    let hotel = Hotel::synchronised().await;
    edit(
        &hotel,
        json!({"classifications": ["Returning", "VeryImportant"]}),
    )
    .await;
    hotel.vendor.change(
        Guest,
        "ada",
        json!({"classifications": ["Media", "Returning"]}),
    );

    hotel.read(Guest, "ada").await;
    hotel.drain().await;

    let row = hotel.row(Guest, "ada").await;
    let ours = row.fields.get("classifications").cloned();
    let mut united: Vec<String> = serde_json::from_value(ours.clone().unwrap()).unwrap();
    united.sort_unstable();
    assert_eq!(united, ["Media", "Returning", "VeryImportant"]);
    assert_eq!(vendors(&hotel, "classifications"), ours);
}

#[tokio::test]
async fn invariant_b_both_changed_to_the_same_value_converge() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "same@example.com"})).await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"email": "same@example.com"}));

    hotel.drain().await;

    assert!(hotel.vendor.pushes().is_empty());
    let mapping = hotel.mapping(Guest, "ada").await;
    assert_eq!(mapping.base.text("email"), Some("same@example.com"));
}

#[tokio::test]
async fn invariant_b_an_edit_while_a_page_is_read_is_not_written_over() {
    let hotel = Hotel::synchronised().await;
    hotel.vendor.change(
        Guest,
        "ada",
        json!({"last_name": "King", "email": "theirs@example.com"}),
    );
    let row = hotel.row(Guest, "ada").await;
    let (store, clock, scope) = (hotel.store.clone(), hotel.clock.clone(), hotel.everything());
    hotel.vendor.lock().during_page = Some(Box::pin(async move {
        let set = json!({"email": "ours@example.com"});
        edit_row(&*store, &clock, scope, Guest, row.id, set).await;
    }));

    hotel.incremental().await;
    hotel.drain().await;

    assert_eq!(email(&hotel).await.as_deref(), Some("ours@example.com"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("ours@example.com")));
    assert_eq!(
        hotel.text(Guest, "ada", "last_name").await.as_deref(),
        Some("King")
    );
}

#[tokio::test]
async fn invariant_b_an_edit_while_the_push_is_at_the_vendor_is_pushed_too() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "first@example.com"})).await;
    let row = hotel.row(Guest, "ada").await;
    let (store, clock, scope) = (hotel.store.clone(), hotel.clock.clone(), hotel.everything());
    hotel.vendor.lock().during_push = Some(Box::pin(async move {
        let set = json!({"email": "second@example.com"});
        edit_row(&*store, &clock, scope, Guest, row.id, set).await;
    }));

    hotel.drain().await;

    assert_eq!(email(&hotel).await.as_deref(), Some("second@example.com"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("second@example.com")));
}

#[tokio::test]
async fn invariant_b_a_page_planned_before_a_push_does_not_put_the_old_base_back() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "first@example.com"})).await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"last_name": "King"}));
    let local = hotel.row(Guest, "ada").await.id;
    let (engine, scope, id) = (hotel.engine.clone(), hotel.scope, hotel.integration_id);
    // The whole push happens between the page's reading of the mapping and its writing.
    hotel.racing.after_mappings(async move {
        engine.push(scope, id, Guest, local, None).await.unwrap();
    });

    hotel.read(Guest, "ada").await;

    let mapping = hotel.mapping(Guest, "ada").await;
    assert_eq!(mapping.base.text("email"), Some("first@example.com"));
    assert_eq!(mapping.version, hotel.vendor.record(Guest, "ada").version);
    // An edit back to the first value is news to the vendor, and reaches it.
    edit(&hotel, json!({"email": "Ada@Example.com"})).await;
    hotel.drain().await;
    assert_eq!(vendors(&hotel, "email"), Some(json!("Ada@Example.com")));
    assert_eq!(email(&hotel).await.as_deref(), Some("Ada@Example.com"));
}

#[tokio::test]
async fn invariant_b_an_edit_between_reading_and_writing_a_row_is_merged_again() {
    let hotel = Hotel::synchronised().await;
    hotel.vendor.change(
        Guest,
        "ada",
        json!({"last_name": "King", "email": "theirs@example.com"}),
    );
    let row = hotel.row(Guest, "ada").await;
    let (store, clock, scope) = (hotel.store.clone(), hotel.clock.clone(), hotel.everything());
    hotel.racing.before_apply(async move {
        let set = json!({"email": "ours@example.com"});
        edit_row(&*store, &clock, scope, Guest, row.id, set).await;
    });

    hotel.read(Guest, "ada").await;
    assert_eq!(email(&hotel).await.as_deref(), Some("ours@example.com"));
    hotel.drain().await;

    assert_eq!(vendors(&hotel, "email"), Some(json!("ours@example.com")));
    assert_eq!(
        hotel.text(Guest, "ada", "last_name").await.as_deref(),
        Some("King")
    );
}

#[tokio::test]
async fn two_who_read_the_same_new_record_make_one_row() {
    let hotel = Hotel::furnished().await;
    let (engine, scope, id) = (hotel.engine.clone(), hotel.scope, hotel.integration_id);
    hotel.racing.before_apply(async move {
        let ids = ["ada".to_owned()];
        engine.targeted(scope, id, Guest, &ids, None).await.unwrap();
    });

    hotel.read(Guest, "ada").await;

    assert_eq!(hotel.count(Guest).await, 1);
}

#[tokio::test]
async fn invariant_b_an_ambiguous_push_that_happened_is_not_sent_again() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel
        .vendor
        .lock()
        .answers
        .push_back(Answer::Ambiguous { done: true });

    let error = hotel.push(Guest, "ada").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous);
    hotel.drain().await;

    assert_eq!(hotel.vendor.pushes().len(), 1);
    assert_eq!(vendors(&hotel, "email"), Some(json!("ada@new.example")));
}

#[tokio::test]
async fn invariant_b_an_ambiguous_push_that_did_not_happen_is_sent_again() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel
        .vendor
        .lock()
        .answers
        .push_back(Answer::Ambiguous { done: false });

    hotel.drain().await;

    assert_eq!(hotel.vendor.pushes().len(), 2);
    assert_eq!(vendors(&hotel, "email"), Some(json!("ada@new.example")));
}

#[tokio::test]
async fn invariant_b_our_own_lost_write_coming_back_does_not_beat_a_newer_edit() {
    // Even where the vendor wins conflicts: its value is ours from a moment ago.
    let hotel = Hotel::with_settings(json!({
        "conflicts": {"guest": {"strategy": "REMOTE_WINS"}}
    }))
    .await;
    crate::hotel::furnish(&hotel.vendor);
    hotel.backfill().await;
    edit(&hotel, json!({"email": "first@example.com"})).await;
    hotel.vendor.lock().answers.push_back(Answer::Lost);
    hotel.push(Guest, "ada").await.unwrap_err();
    edit(&hotel, json!({"email": "second@example.com"})).await;

    hotel.drain().await;

    assert_eq!(email(&hotel).await.as_deref(), Some("second@example.com"));
    assert_eq!(vendors(&hotel, "email"), Some(json!("second@example.com")));
}

#[tokio::test]
async fn invariant_b_a_newer_change_at_the_vendor_converges_before_the_push() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel.vendor.change(
        Guest,
        "ada",
        json!({"loyalty_code": "L9", "notes": "Allergic to nuts"}),
    );

    hotel.push(Guest, "ada").await.unwrap();

    let calls = hotel.vendor.take_calls();
    assert!(
        matches!(&calls[..], [Call::Ids(..), Call::Push(_)]),
        "read, then write"
    );
    assert_eq!(
        hotel.text(Guest, "ada", "notes").await.as_deref(),
        Some("Allergic to nuts")
    );
    assert_eq!(vendors(&hotel, "notes"), Some(json!("Allergic to nuts")));
    assert_eq!(
        hotel.text(Guest, "ada", "loyalty_code").await.as_deref(),
        Some("L9")
    );
}

#[tokio::test]
async fn invariant_b_a_field_the_vendor_cannot_set_is_refused_once_and_stays() {
    let hotel = Hotel::synchronised().await;
    edit(
        &hotel,
        json!({"email": "x@example.com", "notes": "Late riser"}),
    )
    .await;
    let refused = Answer::Unsupported(vec!["email".to_owned()]);
    hotel.vendor.lock().answers.push_back(refused);

    let report = hotel.push(Guest, "ada").await.unwrap();
    hotel.drain().await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"last_name": "King"}));
    hotel.read(Guest, "ada").await;
    hotel.drain().await;

    assert_eq!(report.sent, ["notes"]);
    assert_eq!(report.refused.len(), 1);
    assert_eq!(email(&hotel).await.as_deref(), Some("x@example.com"));
    assert_eq!(vendors(&hotel, "notes"), Some(json!("Late riser")));
    assert_eq!(hotel.vendor.pushes().len(), 2, "and no third");
    let journal = hotel.journal(Guest, "ada").await;
    let refused: Vec<_> = journal
        .iter()
        .filter(|line| line.outcome == ChangeOutcome::Refused)
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].field.as_deref(), Some("email"));
}

#[tokio::test]
async fn a_field_the_vendor_cannot_empty_is_refused_without_a_call() {
    let hotel = Hotel::synchronised().await;
    hotel
        .vendor
        .change(Guest, "ada", json!({"phone": "+351912345678"}));
    hotel.read(Guest, "ada").await;
    hotel.vendor.take_calls();
    let row = hotel.row(Guest, "ada").await;
    set_silently(
        &*hotel.store,
        hotel.everything(),
        &row,
        json!({"phone": null}),
    )
    .await;

    let report = hotel.push(Guest, "ada").await.unwrap();

    assert_eq!(report.refused[0].field, "phone");
    assert!(hotel.vendor.take_calls().is_empty());
}

#[tokio::test]
async fn an_empty_list_that_the_vendor_never_mentioned_is_not_told_to_it() {
    let hotel = Hotel::furnished().await;
    hotel
        .vendor
        .add(Guest, "marie", json!({"last_name": "Curie"}));
    hotel.backfill().await;
    hotel.vendor.take_calls();
    hotel
        .edit(Guest, "marie", json!({"email": "marie@example.com"}))
        .await;

    hotel.drain().await;

    let pushes = hotel.vendor.pushes();
    let names: Vec<&str> = pushes[0].changed.names().collect();
    assert_eq!((pushes.len(), names), (1, vec!["email"]));
}

#[tokio::test]
async fn a_link_is_pushed_as_the_vendors_id() {
    let hotel = Hotel::synchronised().await;
    let grace = hotel.row(Guest, "grace").await.id;
    hotel
        .edit(
            Reservation,
            "r1",
            json!({"guest_id": grace, "room_id": null}),
        )
        .await;

    hotel.drain().await;

    let record = hotel.vendor.record(Reservation, "r1");
    assert_eq!(record.links["guest_id"].as_ref().unwrap().id, "grace");
    assert_eq!(record.links["room_id"], None);
    let settled = snapshot(&hotel).await;
    hotel.read(Reservation, "r1").await;
    assert_eq!(snapshot(&hotel).await, settled);
}

#[tokio::test]
async fn a_record_that_is_gone_at_the_vendor_keeps_the_edit_here() {
    let hotel = Hotel::synchronised().await;
    edit(&hotel, json!({"email": "ada@new.example"})).await;
    hotel
        .vendor
        .lock()
        .records
        .remove(&(Guest, "ada".to_owned()));

    let error = hotel.push(Guest, "ada").await.unwrap_err();

    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(email(&hotel).await.as_deref(), Some("ada@new.example"));
}

#[tokio::test]
async fn a_guest_of_staff_is_made_at_the_vendor_and_one_who_only_wrote_is_not() {
    let hotel = Hotel::synchronised().await;
    for (origin, made) in [("staff", 1), ("channel", 0)] {
        let id = insert_guest(&hotel, origin).await;
        hotel.vendor.take_calls();

        hotel
            .engine
            .push(hotel.scope, hotel.integration_id, Guest, id, None)
            .await
            .unwrap();

        let pushes = hotel.vendor.pushes();
        assert_eq!(pushes.len(), made, "{origin}");
        assert!(pushes.iter().all(|push| push.external_id.is_none()));
    }
    hotel.read(Guest, "made-1").await;
    hotel.incremental().await;
    assert_eq!(hotel.count(Guest).await, 5, "no guest twice");
    assert_eq!(
        hotel.text(Guest, "made-1", "origin").await.as_deref(),
        Some("staff")
    );
}

async fn insert_guest(hotel: &Hotel, origin: &str) -> uuid::Uuid {
    use stayzr_core::{
        clock::{Clock, SystemClock},
        port::sync::{PageWrite, RowWrite},
        transform::EntityRow,
    };
    let template = hotel.row(Guest, "ada").await;
    let mut row = EntityRow {
        id: SystemClock.uuid(),
        ..template
    };
    row.version = 1;
    row.fields.insert("origin", origin);
    row.fields.insert("email", format!("{origin}@example.com"));
    let id = row.id;
    let write = PageWrite {
        rows: vec![RowWrite::Insert(row)],
        ..PageWrite::new(hotel.everything(), hotel.integration_id)
    };
    hotel.store.apply_page(write).await.unwrap();
    id
}

#[tokio::test]
async fn a_run_of_another_organization_finds_no_integration() {
    let hotel = Hotel::synchronised().await;
    let other = Hotel::open().await;

    let error = hotel
        .engine
        .run(other.scope, hotel.integration_id, RunMode::Backfill, None)
        .await
        .unwrap_err();

    assert_eq!(error.kind(), ErrorKind::NotFound);
}
