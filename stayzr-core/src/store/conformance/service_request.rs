//! What [`Conversations`] promises about requests to the staff.

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
    port::{PageRequest, conversation::Conversations, setup::Setup},
};

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Conversations + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "service_request::stored_once_and_moved_on",
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
        guest_id: None,
        reservation_id: None,
        conversation_id: None,
        category: "housekeeping".to_owned(),
        description: "Two more towels.".to_owned(),
        status: ServiceRequestStatus::Open,
        created_at: now,
        updated_at: now,
    }
}

/// A service request is stored once for each id, and moves on.
pub async fn service_requests<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Conversations + Setup + ?Sized,
{
    let hotel = hotel(store, clock).await?;
    let scope = hotel.property_scope();
    let first = service_request(&hotel, clock);
    let stored = store.create_service_request(scope, first.clone()).await?;
    ensure_eq(&stored, &first, "stored")?;
    let other = ServiceRequest {
        description: "Ten more towels.".to_owned(),
        ..first.clone()
    };
    let stored = store.create_service_request(scope, other).await?;
    ensure_eq(&stored, &first, "what stands under that id")?;
    clock.advance(TimeDelta::seconds(1));
    let second = service_request(&hotel, clock);
    store.create_service_request(scope, second.clone()).await?;
    let page = PageRequest::default();
    let list = store.service_requests(hotel.scope, &page).await?;
    let ids: Vec<_> = list.items.iter().map(|request| request.id).collect();
    ensure_eq(
        ids,
        vec![second.id, first.id],
        "the newest first, each once",
    )?;
    let status = ServiceRequestStatus::InProgress;
    let moved = store
        .set_service_request_status(scope, first.id, status)
        .await?;
    ensure_eq(moved.status, status, "it moves on")?;
    let found = store.service_request(scope, first.id).await?;
    ensure_eq(found.as_ref(), Some(&moved), "read by its id")?;
    let unknown = ServiceRequestId::generate(clock);
    let found = store.service_request(scope, unknown).await?;
    ensure_eq(found, None, "one nobody knows")?;
    let refused = store
        .set_service_request_status(scope, unknown, status)
        .await;
    ensure_kind(refused, ErrorKind::NotFound, "one nobody knows")?;
    let stranger = super::fixture::hotel(store, clock).await?;
    let theirs = stranger.scope;
    let refused = store
        .set_service_request_status(theirs, first.id, status)
        .await;
    ensure_kind(refused, ErrorKind::NotFound, "another organization's")?;
    let found = store.service_request(theirs, first.id).await?;
    ensure_eq(found, None, "another organization's, by its id")?;
    let list = store.service_requests(theirs, &page).await?;
    ensure(list.items.is_empty(), "in lists too")
}
