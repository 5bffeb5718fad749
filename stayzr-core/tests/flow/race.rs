//! What happens while a person's decision is on its way. In memory, where a call never waits.

use std::sync::atomic::{AtomicU32, Ordering};

use futures::FutureExt;
use serde_json::json;
use stayzr_core::{
    ErrorKind,
    flow::{EditRequest, PushPolicy, ResolveRequest, edit, resolve},
    ids::IntegrationId,
    model::{Conflict, ConflictStatus, ResolutionChoice},
    port::{
        conflict::Conflicts,
        entities::Entities,
        sync::{PageWrite, SyncStore},
    },
    queue::NewJob,
    store::memory::MemoryStore,
    tenant::TenantScope,
    transform::{EntityKind, FieldMap, FieldRule},
};
use uuid::Uuid;

use crate::{
    hotel::{Hotel, in_memory},
    pms::{Known, Pms, fields, staff},
};

/// Does something to the store whenever a rule is asked for, so often.
struct Meddler<'a> {
    times: AtomicU32,
    meddle: &'a (dyn Fn(u32) + Sync),
}

impl<'a> Meddler<'a> {
    fn new(times: u32, meddle: &'a (dyn Fn(u32) + Sync)) -> Self {
        let times = AtomicU32::new(times);
        Self { times, meddle }
    }
}

impl PushPolicy for Meddler<'_> {
    fn rule(&self, provider: &str, kind: EntityKind, field: &str) -> Option<FieldRule> {
        let left = self.times.load(Ordering::Relaxed);
        if left > 0 {
            self.times.store(left - 1, Ordering::Relaxed);
            (self.meddle)(left);
        }
        Pms.rule(provider, kind, field)
    }

    fn push_job(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        id: Uuid,
    ) -> NewJob {
        Pms.push_job(scope, integration_id, kind, id)
    }
}

fn ours(conflict: &Conflict) -> ResolveRequest {
    ResolveRequest {
        conflict_id: conflict.id,
        choice: ResolutionChoice::Local,
        fields: FieldMap::new(),
        expected_revision: Some(1),
        source: staff(),
    }
}

fn notes(at: &Hotel<MemoryStore>, known: &Known, text: &str) {
    let request = EditRequest {
        kind: EntityKind::Guest,
        id: known.row.id,
        set: fields(json!({ "notes": text })),
        expected_version: None,
        source: staff(),
    };
    let scope = TenantScope::organization(at.scope.organization_id);
    let edited = edit(&at.store, &Pms, at.clock.as_ref(), scope, request);
    edited.now_or_never().expect("at once").expect("taken");
}

#[tokio::test]
async fn invariant_b_an_edit_beside_the_dispute_stays_and_the_decision_holds() {
    let at = in_memory().await;
    let known = at.knows_ana().await;
    let conflict = at.is_disputed(&known).await;
    let meddle = |left: u32| notes(&at, &known, &format!("edit {left}"));
    let policy = Meddler::new(3, &meddle);
    let clock = at.clock.as_ref();
    let decided = resolve(&at.store, &policy, clock, at.scope, ours(&conflict)).await;
    let (resolved, row) = decided.expect("the decision is about values");
    assert_eq!(resolved.status, ConflictStatus::Resolved);
    assert_eq!(row.fields.text("email"), Some("ours@example.com"));
    assert_eq!(row.fields.text("notes"), Some("edit 1"));
    assert_eq!(at.pushes().await.len(), 1);
}

#[tokio::test]
async fn a_row_that_never_rests_is_a_conflict_for_the_caller() {
    let at = in_memory().await;
    let known = at.knows_ana().await;
    let conflict = at.is_disputed(&known).await;
    let meddle = |left: u32| notes(&at, &known, &format!("edit {left}"));
    let policy = Meddler::new(u32::MAX, &meddle);
    let clock = at.clock.as_ref();
    let decided = resolve(&at.store, &policy, clock, at.scope, ours(&conflict)).await;
    assert_eq!(
        decided.expect_err("it gives up").kind(),
        ErrorKind::Conflict
    );
    let found = at.store.conflict(at.scope, conflict.id).await;
    assert_eq!(found.expect("conflicts"), Some(conflict), "it waits");
}

#[tokio::test]
async fn invariant_b_what_the_vendor_says_anew_is_shown_before_it_is_decided() {
    let at = in_memory().await;
    let known = at.knows_ana().await;
    let conflict = at.is_disputed(&known).await;
    let meddle = |_: u32| {
        let mut newer = conflict.clone();
        newer.remote.insert("email", "newest@example.com");
        let mut page = PageWrite::new(at.scope, known.integration_id);
        page.conflicts = vec![newer];
        let written = at.store.apply_page(page).now_or_never();
        written.expect("at once").expect("written");
    };
    let policy = Meddler::new(1, &meddle);
    let clock = at.clock.as_ref();
    let decided = resolve(&at.store, &policy, clock, at.scope, ours(&conflict)).await;
    let error = decided.expect_err("the person saw something else");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("look at it again"), "{error}");
    let scope = TenantScope::organization(at.scope.organization_id);
    let row = at.store.row(scope, EntityKind::Guest, known.row.id).await;
    let row = row.expect("rows").expect("the guest");
    assert_eq!(row.version, 2, "nothing was written");
}
