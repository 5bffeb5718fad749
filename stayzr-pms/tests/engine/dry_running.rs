//! A plan says what a run would change, and changes nothing.

use serde_json::{Value, json};
use stayzr_core::{
    model::RunMode,
    port::{PageRequest, edit::ChangeFilter},
    transform::EntityKind::{self, Guest, Reservation, Room},
};
use stayzr_pms::engine::{PlannedAction, PlannedChange, SyncEngine, SyncPlan};

use crate::{
    hotel::{Hotel, set_silently},
    vendor::Call,
    wide::Wide,
};

async fn plan(hotel: &Hotel, engine: &SyncEngine, mode: RunMode) -> SyncPlan {
    engine
        .plan(hotel.scope, hotel.integration_id, mode, 1000)
        .await
        .unwrap()
}

/// Everything that a run could write.
async fn everything(hotel: &Hotel) -> Vec<String> {
    let scope = hotel.everything();
    let page = PageRequest {
        limit: 1000,
        cursor: None,
    };
    let mut all = Vec::new();
    for kind in EntityKind::ALL {
        let filter = Default::default();
        let rows = hotel.store.rows(scope, kind, &filter, &page).await.unwrap();
        let ids: Vec<_> = rows.items.iter().map(|row| row.id).collect();
        let mut mappings = hotel
            .store
            .mappings_of(scope, hotel.integration_id, kind, &ids)
            .await
            .unwrap();
        mappings.sort_by(|one, other| one.external_id.cmp(&other.external_id));
        all.push(format!("{:?} {mappings:?}", rows.items));
        for mode in [RunMode::Backfill, RunMode::Incremental, RunMode::Reconcile] {
            let cursor = hotel.store.cursor(scope, hotel.integration_id, kind, mode);
            all.push(format!("{:?}", cursor.await.unwrap()));
        }
    }
    let filter = ChangeFilter::default();
    let journal = hotel.store.changes(scope, &filter, &page).await.unwrap();
    all.push(format!("{:?}", journal.items));
    all.push(format!("{:?}", hotel.jobs().await));
    let runs = hotel.store.runs(scope, hotel.integration_id, &page);
    all.push(format!("{:?}", runs.await.unwrap().items));
    all
}

fn of<'a>(plan: &'a SyncPlan, kind: EntityKind, id: &str) -> Vec<&'a PlannedChange> {
    plan.changes
        .iter()
        .filter(|change| change.kind == kind && change.external_id.as_deref() == Some(id))
        .collect()
}

fn field(change: &PlannedChange, field: &str) -> (Option<Value>, Option<Value>) {
    let planned = change.fields[field].clone();
    (planned.from, planned.to)
}

#[tokio::test]
async fn the_plan_of_a_first_backfill_makes_every_row_and_links_them() {
    let hotel = Hotel::furnished().await;
    let before = everything(&hotel).await;

    let plan = plan(&hotel, &hotel.engine, RunMode::Backfill).await;

    assert!(everything(&hotel).await == before, "nothing was written");
    assert_eq!(plan.counts[&PlannedAction::Create], 8);
    assert_eq!(plan.counts[&PlannedAction::Update], 1, "the property");
    assert_eq!((plan.read, plan.truncated), (9, false));
    let guest = of(&plan, Guest, "ada")[0].local_id.unwrap();
    let reservation = of(&plan, Reservation, "r1")[0];
    let (from, to) = field(reservation, "guest_id");
    assert_eq!((from, to), (None, Some(json!(guest))));
    let run = hotel.backfill().await;
    assert_eq!((run.created, run.updated), (8, 1), "as it was planned");
    let calls = hotel.vendor.take_calls();
    assert!(!calls.iter().any(|call| matches!(call, Call::Push(_))));
}

#[tokio::test]
async fn a_plan_names_each_change_with_its_fields_and_changes_nothing() {
    let hotel = Hotel::with_settings(json!({"conflicts": {"guest": {
        "strategy": "MANUAL_REVIEW", "fields": {"notes": "LOCAL_WINS"}}}}))
    .await;
    crate::hotel::furnish(&hotel.vendor);
    hotel.backfill().await;
    let scope = hotel.everything();
    let ours = [
        ("ada", json!({"email": "ada@ours.example"})),
        ("alan", json!({"notes": "Ours"})),
        ("grace", json!({"last_name": "Murray"})),
    ];
    for (id, set) in ours {
        let row = hotel.row(Guest, id).await;
        set_silently(&*hotel.store, scope, &row, set).await;
    }
    hotel.vendor.lock().now += chrono::TimeDelta::hours(1);
    let theirs = [
        ("ada", json!({"email": "ada@theirs.example"})),
        ("alan", json!({"notes": "Theirs"})),
        ("grace", json!({"loyalty_code": "L1"})),
    ];
    for (id, set) in theirs {
        hotel.vendor.change(Guest, id, set);
    }
    let before = everything(&hotel).await;

    let plan = plan(&hotel, &hotel.engine, RunMode::Incremental).await;

    assert!(everything(&hotel).await == before, "nothing was written");
    assert!(hotel.vendor.pushes().is_empty());
    let conflict = of(&plan, Guest, "ada")
        .into_iter()
        .find(|change| change.action == PlannedAction::Conflict)
        .expect("a conflict");
    assert_eq!(
        field(conflict, "email"),
        (
            Some(json!("ada@ours.example")),
            Some(json!("ada@theirs.example"))
        )
    );
    let refused = of(&plan, Guest, "alan")
        .into_iter()
        .find(|change| change.action == PlannedAction::Refuse);
    let refused = refused.expect("the vendor's notes lose");
    assert_eq!(field(refused, "notes").1, Some(json!("Theirs")));
    assert!(refused.reason.is_some());
    let grace = of(&plan, Guest, "grace");
    assert_eq!(grace[0].action, PlannedAction::Update);
    assert_eq!(field(grace[0], "loyalty_code").1, Some(json!("L1")));
    assert_eq!(grace[1].action, PlannedAction::Push);
    assert_eq!(
        field(grace[1], "last_name"),
        (Some(json!("Hopper")), Some(json!("Murray")))
    );
}

#[tokio::test]
async fn the_plan_of_a_sweep_names_what_is_gone_or_why_it_would_stop() {
    let hotel = Hotel::synchronised().await;
    let (_, engine) = Wide::open(&hotel, 100);
    for (kind, id) in [(Room, "101"), (Reservation, "r1")] {
        hotel.vendor.lock().records.remove(&(kind, id.to_owned()));
    }
    let before = everything(&hotel).await;

    let plan = plan(&hotel, &engine, RunMode::Reconcile).await;

    assert!(everything(&hotel).await == before, "nothing was written");
    assert_eq!(plan.counts[&PlannedAction::Gone], 2);
    let gone = of(&plan, Reservation, "r1")[0];
    assert_eq!(
        field(gone, "status"),
        (Some(json!("confirmed")), Some(json!("cancelled")))
    );
    assert_eq!(plan.stopped, None);

    for n in 0..10 {
        let fields = json!({"first_name": "G", "last_name": format!("N{n}")});
        hotel.vendor.add(Guest, &format!("g{n}"), fields);
    }
    hotel.incremental().await;
    for n in 0..6 {
        let key = (Guest, format!("g{n}"));
        hotel.vendor.lock().records.remove(&key);
    }
    let stopped = self::plan(&hotel, &engine, RunMode::Reconcile).await;
    assert!(stopped.stopped.unwrap().contains("6 of 13"));
    assert_eq!(stopped.counts.get(&PlannedAction::Gone), None);
}

#[tokio::test]
async fn a_record_that_cannot_be_read_stands_in_the_plan_with_its_reason() {
    let hotel = Hotel::furnished().await;
    let parked = stayzr_core::port::sync::ParkedRecord {
        entity: Guest,
        external_id: Some("broken".to_owned()),
        local_id: None,
        reason: "BirthDate: not a date".to_owned(),
    };
    hotel.vendor.lock().parked.push(parked);

    let plan = plan(&hotel, &hotel.engine, RunMode::Backfill).await;

    let change = of(&plan, Guest, "broken")[0];
    assert_eq!(change.action, PlannedAction::Park);
    assert_eq!(change.reason.as_deref(), Some("BirthDate: not a date"));
    assert!(hotel.jobs().await.is_empty());
}

#[tokio::test]
async fn all_changes_are_counted_and_as_many_listed_as_were_asked_for() {
    let hotel = Hotel::furnished().await;

    let plan = hotel
        .engine
        .plan(hotel.scope, hotel.integration_id, RunMode::Backfill, 3)
        .await
        .unwrap();

    assert_eq!((plan.changes.len(), plan.truncated), (3, true));
    assert_eq!(plan.counts.values().sum::<u64>(), 9);
    let text = serde_json::to_string(&plan).unwrap();
    let back: SyncPlan = serde_json::from_str(&text).unwrap();
    assert_eq!(back, plan);
    assert!(
        text.contains(r#""counts":{"create":8,"update":1}"#),
        "{text}"
    );
}

#[tokio::test]
async fn a_plan_of_unchanged_data_is_empty() {
    let hotel = Hotel::synchronised().await;
    let (_, wide) = Wide::open(&hotel, 100);
    for mode in [RunMode::Backfill, RunMode::Incremental, RunMode::Reconcile] {
        for engine in [&hotel.engine, &wide] {
            let plan = plan(&hotel, engine, mode).await;
            assert!(plan.changes.is_empty(), "{mode:?}: {:?}", plan.changes);
            assert!(plan.counts.is_empty());
        }
    }
}
