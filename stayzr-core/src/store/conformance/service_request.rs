//! Requests to the staff: rows like any other, listed with the newest first.

use chrono::TimeDelta;

use super::{
    Report, ensure, ensure_eq, ensure_kind,
    fixture::{Hotel, hotel},
};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    ids::ServiceRequestId,
    model::{ServiceRequest, ServiceRequestStatus},
    port::{
        PageRequest,
        conversation::Conversations,
        edit::{CreateWrite, EditWrite, Edits},
        entities::{Entities, EntitiesExt},
        setup::Setup,
    },
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap},
};

const KIND: EntityKind = EntityKind::ServiceRequest;

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Conversations + Entities + Edits + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "service_request::made_listed_and_moved_on",
        service_requests(store, clock),
    )
    .await;
    report
}

/// A request of a guest to the staff that is not stored yet.
pub fn service_request(hotel: &Hotel, clock: &ManualClock) -> ServiceRequest {
    let now = clock.now();
    ServiceRequest {
        id: ServiceRequestId::generate(clock),
        organization_id: hotel.scope.organization_id,
        property_id: hotel.property_id,
        version: 1,
        guest_id: None,
        reservation_id: None,
        conversation_id: None,
        category: "housekeeping".to_owned(),
        description: "Two more towels.".to_owned(),
        status: ServiceRequestStatus::Open,
        status_vendor: None,
        due_at: Some(now),
        created_at: now,
        updated_at: now,
    }
}

/// Stores a request.
pub async fn make<S>(store: &S, scope: TenantScope, request: &ServiceRequest) -> Result<EntityRow>
where
    S: Edits + ?Sized,
{
    let create = CreateWrite {
        scope,
        row: request.to_row()?,
        contacts: Vec::new(),
        changes: Vec::new(),
        jobs: Vec::new(),
    };
    store.create_row(create).await
}

/// A request is made once for each id, is listed with the newest first, and moves on as rows do.
pub async fn service_requests<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Conversations + Entities + Edits + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let scope = hotel.property_scope();
    let first = service_request(&hotel, clock);
    make(store, scope, &first).await?;
    let again = make(store, scope, &first).await;
    ensure_kind(again, ErrorKind::Conflict, "the id is taken")?;
    clock.advance(TimeDelta::seconds(1));
    let second = service_request(&hotel, clock);
    make(store, scope, &second).await?;
    let page = PageRequest::default();
    let list = store.service_requests(hotel.scope, &page).await?;
    ensure_eq(
        list.items,
        vec![second, first.clone()],
        "the newest first, each once",
    )?;
    let mut set = FieldMap::new();
    set.insert("status", "in_progress");
    let edit = |scope| EditWrite {
        scope,
        kind: KIND,
        id: first.id.uuid(),
        expected_version: 1,
        set: set.clone(),
        contacts: Vec::new(),
        changes: Vec::new(),
        jobs: Vec::new(),
    };
    store.apply_edit(edit(scope)).await?;
    let moved: ServiceRequest = store.entity(scope, first.id.uuid()).await?;
    let stands = (moved.status, moved.version);
    ensure_eq(stands, (ServiceRequestStatus::InProgress, 2), "it moves on")?;
    let list = store.service_requests(scope, &page).await?;
    ensure_eq(list.items.last(), Some(&moved), "in the list too")?;
    let theirs = super::fixture::hotel(store, clock).await?.scope;
    let refused = store.apply_edit(edit(theirs)).await;
    ensure_kind(refused, ErrorKind::NotFound, "another organization's")?;
    let found = store.row(theirs, KIND, first.id.uuid()).await?;
    ensure_eq(found, None, "another organization's, by its id")?;
    let list = store.service_requests(theirs, &page).await?;
    ensure(list.items.is_empty(), "in lists too")
}
