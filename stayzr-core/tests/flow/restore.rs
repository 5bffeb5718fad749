//! A value that lost comes back.

use serde_json::json;
use stayzr_core::{
    ErrorKind, Result,
    clock::Clock,
    flow::{EditRequest, RestoreRequest, edit, restore},
    ids::ChangeId,
    model::{Change, ChangeOutcome, ContactChannel},
    port::{
        Store,
        sync::{PageWrite, ParkedRecord},
    },
    store::conformance::sample,
    transform::{EntityKind, EntityRow},
};
use uuid::Uuid;

use crate::{
    hotel::Hotel,
    pms::{Known, Pms, fields, staff},
};

on_each_store! {
    what_stood_there_before_an_edit_comes_back
    what_was_refused_is_taken
    what_is_no_lost_value_is_refused
    invariant_t_only_a_line_about_ones_own_row
}

async fn brings_back<S: Store>(at: &Hotel<S>, request: RestoreRequest) -> Result<EntityRow> {
    let scope = sample::widened(at.scope);
    restore(&at.store, &Pms, at.clock.as_ref(), scope, request).await
}

fn line_of(change: &Change) -> RestoreRequest {
    RestoreRequest {
        change_id: change.id,
        of: Some((change.entity, change.entity_id)),
        source: staff(),
    }
}

fn journalled<S>(at: &Hotel<S>, known: &Known, field: Option<&str>) -> Change {
    let clock = at.clock.as_ref();
    Change {
        id: ChangeId::generate(clock),
        organization_id: at.scope.organization_id,
        entity: EntityKind::Guest,
        entity_id: known.row.id,
        external_id: Some("g-1".to_owned()),
        field: field.map(str::to_owned),
        base: None,
        old: Some(json!("ana@example.com")),
        new: Some(json!("theirs@example.com")),
        source: staff(),
        outcome: ChangeOutcome::Refused,
        reason: None,
        created_at: clock.now(),
    }
}

async fn write<S: Store>(at: &Hotel<S>, known: &Known, line: &Change) {
    let mut page = PageWrite::new(at.scope, known.integration_id);
    page.changes = vec![line.clone()];
    at.store.apply_page(page).await.expect("a page");
}

async fn what_stood_there_before_an_edit_comes_back<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let scope = sample::widened(at.scope);
    let request = EditRequest {
        kind: EntityKind::Guest,
        id: known.row.id,
        set: fields(json!({ "email": "wrong@example.com", "loyalty_code": "L-1" })),
        expected_version: None,
        source: staff(),
    };
    let edited = edit(&at.store, &Pms, at.clock.as_ref(), scope, request).await;
    edited.expect("the edit is taken");
    let journal = at.journal(EntityKind::Guest, known.row.id).await;
    for line in &journal {
        brings_back(&at, line_of(line))
            .await
            .expect("it comes back");
    }
    let row = at.store.row(scope, EntityKind::Guest, known.row.id).await;
    let row = row.expect("rows").expect("the row");
    assert_eq!(
        row.fields, known.row.fields,
        "an empty field is empty again"
    );
    let guest = Some(known.row.id.into());
    assert_eq!(
        at.leads(ContactChannel::Email, "ana@example.com").await,
        guest
    );
    assert_eq!(at.pushes().await.len(), 3, "each is pushed");
    let after = at.journal(EntityKind::Guest, known.row.id).await;
    assert_eq!(after.len(), 4);
    let reasons: Vec<_> = after[..2]
        .iter()
        .filter_map(|line| line.reason.clone())
        .collect();
    for line in journal {
        let reason = format!("restored from {}", line.id);
        assert!(reasons.contains(&reason), "{reasons:?}");
    }
    let again = brings_back(&at, line_of(&after[0])).await;
    again.expect("what was restored can be undone too");
}

async fn what_was_refused_is_taken<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let line = journalled(&at, &known, Some("email"));
    write(&at, &known, &line).await;
    let row = brings_back(&at, line_of(&line)).await.expect("it is taken");
    assert_eq!(row.fields.text("email"), Some("theirs@example.com"));
    let again = brings_back(&at, line_of(&line)).await.expect("it stands");
    assert_eq!(again.version, row.version, "which changes nothing");
}

async fn what_is_no_lost_value_is_refused<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let mut made = journalled(&at, &known, None);
    made.outcome = ChangeOutcome::Applied;
    let derived = journalled(&at, &known, Some("merged_into"));
    let mut owned = journalled(&at, &known, Some("title"));
    owned.new = Some(json!("Dr"));
    for line in [&made, &derived, &owned] {
        write(&at, &known, line).await;
        let refused = brings_back(&at, line_of(line)).await;
        let error = refused.expect_err("it is refused");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{:?}", line.field);
    }
    let mut page = PageWrite::new(at.scope, known.integration_id);
    page.parked = vec![ParkedRecord {
        entity: EntityKind::Guest,
        external_id: Some("g-2".to_owned()),
        local_id: None,
        reason: "Email: not text".to_owned(),
    }];
    at.store.apply_page(page).await.expect("a page");
    let parked = at.journal(EntityKind::Guest, Uuid::nil()).await;
    let refused = brings_back(&at, line_of(&parked[0])).await;
    assert_eq!(refused.expect_err("no row").kind(), ErrorKind::Invalid);
}

async fn invariant_t_only_a_line_about_ones_own_row<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let line = journalled(&at, &known, Some("email"));
    write(&at, &known, &line).await;
    let mut other = line_of(&line);
    other.of = Some((EntityKind::Guest, at.clock.uuid()));
    let error = brings_back(&at, other).await.expect_err("another row's");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let clock = at.clock.as_ref();
    let stranger = sample::tenant(&at.store, clock).await;
    let sister = sample::another_property(&at.store, clock, at.scope.organization_id).await;
    for scope in [stranger, sample::widened(stranger), sister] {
        let refused = restore(&at.store, &Pms, clock, scope, line_of(&line)).await;
        let error = refused.expect_err("somebody else's");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
