//! Conflicts that wait for a person: what they park, and how they end.

use serde_json::{Value, json};
use stayzr_core::{
    clock::Clock,
    model::{ChangeOutcome, Conflict, ConflictStatus, Resolution, ResolutionChoice},
    port::{PageRequest, conflict::ResolveWrite, edit::ChangeFilter},
    transform::{ConflictStrategy, EntityKind::Guest, FieldMap},
};

use crate::{
    hotel::Hotel,
    vendor::{Answer, map},
};

/// A hotel that is synchronised and leaves conflicts to people.
pub async fn careful() -> Hotel {
    let mut hotel = Hotel::furnished().await;
    hotel.decide_by(ConflictStrategy::ManualReview);
    hotel.backfill().await;
    hotel.vendor.take_calls();
    hotel
}

/// Both sides changed the email, and the vendor the family name beside it.
pub async fn disputed() -> Hotel {
    let hotel = careful().await;
    hotel
        .edit(Guest, "ada", json!({"email": "ours@example.com"}))
        .await;
    hotel.vendor.change(
        Guest,
        "ada",
        json!({"email": "theirs@example.com", "last_name": "King"}),
    );
    hotel.read(Guest, "ada").await;
    hotel.drain().await;
    hotel
}

async fn text(hotel: &Hotel, field: &str) -> Option<String> {
    hotel.text(Guest, "ada", field).await
}

fn theirs(hotel: &Hotel, field: &str) -> Option<Value> {
    hotel.vendor.record(Guest, "ada").fields.get(field).cloned()
}

pub async fn the_conflict(hotel: &Hotel) -> Conflict {
    let mut conflicts = hotel.conflicts(Guest, "ada").await;
    assert_eq!(conflicts.len(), 1, "one conflict, whatever happens to it");
    conflicts.remove(0)
}

#[tokio::test]
async fn invariant_b_an_open_conflict_leaves_the_whole_row_as_it_is() {
    let hotel = disputed().await;

    assert_eq!(
        text(&hotel, "email").await.as_deref(),
        Some("ours@example.com")
    );
    assert_eq!(text(&hotel, "last_name").await.as_deref(), Some("Lovelace"));
    let conflict = the_conflict(&hotel).await;
    assert_eq!(conflict.status, ConflictStatus::Open);
    assert_eq!(conflict.external_id, "ada");
    assert_eq!(conflict.base, map(json!({"email": "Ada@Example.com"})));
    assert_eq!(conflict.local, map(json!({"email": "ours@example.com"})));
    assert_eq!(conflict.remote, map(json!({"email": "theirs@example.com"})));
    assert_eq!(conflict.waiting, map(json!({"last_name": "King"})));
}

#[tokio::test]
async fn invariant_b_what_waits_is_not_written_over_by_a_push_of_another_field() {
    let hotel = disputed().await;

    hotel
        .edit(Guest, "ada", json!({"notes": "Prefers tea"}))
        .await;
    hotel.drain().await;

    let pushes = hotel.vendor.pushes();
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0].changed, map(json!({"notes": "Prefers tea"})));
    assert_eq!(theirs(&hotel, "last_name"), Some(json!("King")));
    assert_eq!(text(&hotel, "last_name").await.as_deref(), Some("Lovelace"));
    assert_eq!(the_conflict(&hotel).await.status, ConflictStatus::Open);
}

#[tokio::test]
async fn invariant_c_an_open_conflict_that_is_read_again_writes_nothing() {
    let hotel = disputed().await;
    let before = (
        hotel.mapping(Guest, "ada").await,
        the_conflict(&hotel).await,
        hotel.journal(Guest, "ada").await,
        hotel.row(Guest, "ada").await,
    );

    hotel.read(Guest, "ada").await;
    hotel.incremental().await;
    hotel.drain().await;

    let after = (
        hotel.mapping(Guest, "ada").await,
        the_conflict(&hotel).await,
        hotel.journal(Guest, "ada").await,
        hotel.row(Guest, "ada").await,
    );
    assert_eq!(before, after);
}

#[tokio::test]
async fn later_states_of_either_side_bring_the_same_conflict_up_to_date() {
    let hotel = disputed().await;
    let first = the_conflict(&hotel).await;

    hotel
        .edit(Guest, "ada", json!({"email": "ours2@example.com"}))
        .await;
    hotel.vendor.change(
        Guest,
        "ada",
        json!({"email": "theirs2@example.com", "loyalty_code": "L1"}),
    );
    hotel.read(Guest, "ada").await;
    hotel.drain().await;

    let later = the_conflict(&hotel).await;
    assert_eq!(later.id, first.id);
    assert!(later.revision > first.revision);
    assert_eq!(later.local, map(json!({"email": "ours2@example.com"})));
    assert_eq!(later.remote, map(json!({"email": "theirs2@example.com"})));
    assert_eq!(
        later.waiting,
        map(json!({"last_name": "King", "loyalty_code": "L1"}))
    );
    let refused: Vec<Option<Value>> = hotel
        .journal(Guest, "ada")
        .await
        .into_iter()
        .filter(|line| line.outcome == ChangeOutcome::Refused)
        .map(|line| line.new)
        .collect();
    assert_eq!(
        refused,
        [
            Some(json!("theirs2@example.com")),
            Some(json!("theirs@example.com"))
        ],
        "each value that was refused, once"
    );
}

#[tokio::test]
async fn invariant_b_a_record_that_is_silent_about_what_is_disputed_ends_nothing() {
    let hotel = disputed().await;

    hotel.vendor.lock().now += chrono::TimeDelta::seconds(1);
    hotel.vendor.edit(Guest, "ada", |record| {
        record.fields.remove("email");
        record.fields.remove("last_name");
        record.fields.insert("loyalty_code", "L1");
    });
    hotel.read(Guest, "ada").await;

    let conflict = the_conflict(&hotel).await;
    assert_eq!(conflict.status, ConflictStatus::Open);
    assert_eq!(
        conflict.waiting,
        map(json!({"last_name": "King", "loyalty_code": "L1"}))
    );
}

#[tokio::test]
async fn invariant_b_a_conflict_ends_when_the_vendor_changes_back() {
    let hotel = disputed().await;

    hotel
        .vendor
        .change(Guest, "ada", json!({"email": "Ada@Example.com"}));
    hotel.read(Guest, "ada").await;
    hotel.drain().await;

    let conflict = the_conflict(&hotel).await;
    assert_eq!(conflict.status, ConflictStatus::Resolved);
    let resolution = conflict.resolution.unwrap();
    assert_eq!(resolution.choice, ResolutionChoice::Converged);
    assert_eq!(text(&hotel, "last_name").await.as_deref(), Some("King"));
    assert_eq!(
        text(&hotel, "email").await.as_deref(),
        Some("ours@example.com")
    );
    assert_eq!(theirs(&hotel, "email"), Some(json!("ours@example.com")));
    let journal = hotel.journal(Guest, "ada").await;
    let mut applied = journal
        .iter()
        .filter(|line| line.field.is_some() && line.outcome == ChangeOutcome::Applied);
    assert!(
        applied.all(|line| line.old != line.new),
        "what changed nowhere is no line: {journal:?}"
    );
}

#[tokio::test]
async fn invariant_b_a_conflict_ends_when_staff_take_the_vendors_value() {
    let hotel = disputed().await;

    hotel
        .edit(Guest, "ada", json!({"email": "theirs@example.com"}))
        .await;
    hotel.drain().await;

    assert_eq!(the_conflict(&hotel).await.status, ConflictStatus::Resolved);
    assert_eq!(text(&hotel, "last_name").await.as_deref(), Some("King"));
    assert!(hotel.vendor.pushes().is_empty(), "nothing is left to say");
    let journal = hotel.journal(Guest, "ada").await;
    assert!(
        journal
            .iter()
            .all(|line| line.external_id.as_deref() == Some("ada")
                || matches!(line.source, stayzr_core::model::ChangeSource::Staff { .. })),
        "lines of a sync name the record"
    );
    assert!(
        journal
            .iter()
            .any(|line| line.field.as_deref() == Some("last_name")
                && line.outcome == ChangeOutcome::Applied)
    );
    let settled = (hotel.mapping(Guest, "ada").await, journal.len());
    hotel.read(Guest, "ada").await;
    let journal = hotel.journal(Guest, "ada").await.len();
    assert_eq!(settled, (hotel.mapping(Guest, "ada").await, journal));
}

#[tokio::test]
async fn invariant_b_another_strategy_settles_what_was_left_to_a_person() {
    for (strategy, email) in [
        (ConflictStrategy::RemoteWins, "theirs@example.com"),
        (ConflictStrategy::LocalWins, "ours@example.com"),
    ] {
        let mut hotel = disputed().await;
        hotel.decide_by(strategy);

        hotel.read(Guest, "ada").await;
        hotel.drain().await;

        assert_eq!(the_conflict(&hotel).await.status, ConflictStatus::Resolved);
        assert_eq!(text(&hotel, "email").await.as_deref(), Some(email));
        assert_eq!(theirs(&hotel, "email"), Some(json!(email)));
        assert_eq!(text(&hotel, "last_name").await.as_deref(), Some("King"));
    }
}

#[tokio::test]
async fn invariant_b_lists_of_both_sides_wait_with_the_dispute_and_are_united_after_it() {
    let hotel = careful().await;
    hotel
        .edit(
            Guest,
            "ada",
            json!({"email": "ours@example.com", "classifications": ["Ours", "Returning"]}),
        )
        .await;
    hotel.vendor.change(
        Guest,
        "ada",
        json!({"email": "theirs@example.com", "classifications": ["Returning", "Theirs"]}),
    );
    hotel.read(Guest, "ada").await;
    hotel.drain().await;
    assert!(
        hotel.vendor.pushes().is_empty(),
        "their list is not written over"
    );

    hotel
        .vendor
        .change(Guest, "ada", json!({"email": "Ada@Example.com"}));
    hotel.read(Guest, "ada").await;
    hotel.drain().await;

    let united = json!(["Ours", "Returning", "Theirs"]);
    let row = hotel.row(Guest, "ada").await;
    assert_eq!(row.fields.get("classifications"), Some(&united));
    assert_eq!(theirs(&hotel, "classifications"), Some(united));
}

/// A decision, as a person makes it: what both sides agree on since is the vendor's state.
pub async fn decide(hotel: &Hotel, conflict: Conflict, choice: ResolutionChoice) {
    let row = hotel.row(Guest, "ada").await;
    let mut mapping = hotel.mapping(Guest, "ada").await;
    mapping.revision += 1;
    mapping.base.extend(&conflict.remote);
    mapping.base.extend(&conflict.waiting);
    let mut set: FieldMap = conflict.waiting.clone();
    if choice == ResolutionChoice::Remote {
        set.extend(&conflict.remote);
    }
    hotel
        .store
        .resolve_conflict(ResolveWrite {
            scope: hotel.everything(),
            id: conflict.id,
            expected_revision: conflict.revision,
            resolution: Resolution {
                choice,
                fields: conflict.local.clone(),
                source: None,
                at: hotel.clock.now(),
            },
            expected_version: row.version,
            set,
            mapping,
            contacts: Vec::new(),
            changes: Vec::new(),
            jobs: Vec::new(),
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn invariant_b_what_a_person_chose_here_is_sent_and_not_disputed_again() {
    let hotel = disputed().await;
    let conflict = the_conflict(&hotel).await;

    decide(&hotel, conflict, ResolutionChoice::Local).await;
    // Even where the answer is from before the write.
    hotel.vendor.lock().answers.push_back(Answer::Stale);
    let report = hotel.push(Guest, "ada").await.unwrap();
    hotel.read(Guest, "ada").await;
    hotel.quiet().await;

    assert_eq!(report.sent, ["email"]);
    assert_eq!(theirs(&hotel, "email"), Some(json!("ours@example.com")));
    assert_eq!(
        text(&hotel, "email").await.as_deref(),
        Some("ours@example.com")
    );
    assert_eq!(text(&hotel, "last_name").await.as_deref(), Some("King"));
    assert_eq!(the_conflict(&hotel).await.status, ConflictStatus::Resolved);
}

#[tokio::test]
async fn invariant_c_what_a_person_took_from_the_vendor_is_agreed() {
    let hotel = disputed().await;
    let conflict = the_conflict(&hotel).await;

    decide(&hotel, conflict, ResolutionChoice::Remote).await;
    hotel.push(Guest, "ada").await.unwrap();
    let row = hotel.row(Guest, "ada").await;
    hotel.read(Guest, "ada").await;

    assert!(hotel.vendor.pushes().is_empty());
    assert_eq!(hotel.row(Guest, "ada").await, row);
    assert_eq!(row.fields.text("email"), Some("theirs@example.com"));
}

#[tokio::test]
async fn a_conflict_of_a_guest_who_was_erased_ends() {
    let hotel = disputed().await;
    let mut mapping = hotel.mapping(Guest, "ada").await;
    let mut notes = stayzr_pms::engine::Notes::of(&mapping);
    notes.erased = true;
    notes.write(&mut mapping);
    mapping.revision += 1;
    hotel.write_mapping(mapping).await;

    hotel.read(Guest, "ada").await;

    assert_eq!(the_conflict(&hotel).await.status, ConflictStatus::Resolved);
    assert_eq!(text(&hotel, "last_name").await.as_deref(), Some("Lovelace"));
    let settled = hotel.mapping(Guest, "ada").await;
    hotel.read(Guest, "ada").await;
    assert_eq!(hotel.mapping(Guest, "ada").await, settled);
}

#[tokio::test]
async fn refusals_are_found_over_all_rows_by_the_vendors_id() {
    let hotel = disputed().await;
    let filter = ChangeFilter {
        external_id: Some("ada".to_owned()),
        outcome: Some(ChangeOutcome::Refused),
        ..ChangeFilter::default()
    };

    let page = PageRequest::default();
    let refused = hotel.store.changes(hotel.everything(), &filter, &page);

    let refused = refused.await.unwrap().items;
    assert_eq!(refused.len(), 1);
    assert!(refused[0].reason.is_some());
}
