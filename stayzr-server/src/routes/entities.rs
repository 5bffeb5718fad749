//! Properties, room types, rooms, guests and reservations: lists, items, edits.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use http::StatusCode;
use serde_json::{Value, json};
use stayzr_core::{
    flow::{self, CreateRequest, EditRequest, edit},
    ids::PropertyId,
    model::ReservationStatus,
    port::{
        Page, Store,
        entities::{EntityFilter, RowRef},
    },
    queue::Queue,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap},
};
use uuid::Uuid;

use crate::http::{Call, Handled, Problem, Query, json as answer};

pub(super) async fn organization(call: Call) -> Handled {
    let id = call.scope()?.organization_id;
    let organization = call.state.store.organization(id).await?;
    match organization {
        Some(organization) => answer(StatusCode::OK, &organization),
        None => Err(Problem::not_found("organization")),
    }
}

pub(super) async fn list(kind: EntityKind, call: Call) -> Handled {
    let filter = filter(kind, &call.query)?;
    listed(&call, kind, &filter).await
}

/// A guest or a service request that staff makes here. The body names its fields; `property_id` is the
/// hotel whose PMS is told, and may be left out where the call is narrowed to one.
pub(super) async fn create_here(kind: EntityKind, call: Call) -> Handled {
    let mut set: FieldMap = call.masked_json()?;
    let property_id = match set.remove("property_id") {
        None | Some(Value::Null) => None,
        Some(id) => Some(id.as_str().and_then(|id| id.parse().ok()).ok_or_else(|| {
            Problem::invalid("`property_id` must be the id of a property")
                .with("parameter", "property_id")
        })?),
    };
    create(&call, kind, property_id, set).await
}

/// Makes a row here, and at the PMS where it takes such rows.
pub(super) async fn create(
    call: &Call,
    kind: EntityKind,
    property_id: Option<PropertyId>,
    set: FieldMap,
) -> Handled {
    let scope = call.scope()?;
    let request = CreateRequest {
        id: None,
        kind,
        property_id,
        set,
        source: call.staff()?,
    };
    let state = &call.state;
    let row = flow::create(
        state.store.as_ref(),
        state.push_policy.as_ref(),
        state.clock.as_ref(),
        scope,
        request,
    )
    .await?;
    state.wakes.wake(Queue::PmsSyncQueue);
    one(StatusCode::CREATED, state.store.as_ref(), scope, row).await
}

/// A page of the rows that a filter lets through.
pub(super) async fn listed(call: &Call, kind: EntityKind, filter: &EntityFilter) -> Handled {
    let scope = call.scope()?;
    let page = call.query.page()?;
    let store = call.state.store.as_ref();
    let rows = store.rows(scope, kind, filter, &page).await?;
    let items = shown(store, scope, kind, rows.items).await?;
    let next_cursor = rows.next_cursor;
    answer(StatusCode::OK, &Page { items, next_cursor })
}

pub(super) async fn item(kind: EntityKind, call: Call) -> Handled {
    let scope = call.scope()?;
    let id: Uuid = call.id("id", noun(kind))?;
    let store = call.state.store.as_ref();
    let row = store.row(scope, kind, id).await?;
    let row = row.ok_or_else(|| Problem::not_found(noun(kind)))?;
    one(StatusCode::OK, store, scope, row).await
}

/// A staff edit. The body names fields to set, `null` empties one; `version`, where given, must be
/// the version that the editor saw.
pub(super) async fn patch(kind: EntityKind, call: Call) -> Handled {
    let scope = call.scope()?;
    let id: Uuid = call.id("id", noun(kind))?;
    let mut set: FieldMap = call.masked_json()?;
    let expected_version =
        match set.remove("version") {
            None | Some(Value::Null) => None,
            Some(version) => Some(version.as_i64().ok_or_else(|| {
                Problem::invalid("`version` must be the whole number that was read")
            })?),
        };
    let request = EditRequest {
        kind,
        id,
        set,
        expected_version,
        source: call.staff()?,
    };
    let state = &call.state;
    let row = edit(
        state.store.as_ref(),
        state.push_policy.as_ref(),
        state.clock.as_ref(),
        scope,
        request,
    )
    .await?;
    state.wakes.wake(Queue::PmsSyncQueue);
    one(StatusCode::OK, state.store.as_ref(), scope, row).await
}

pub(super) async fn one(
    status: StatusCode,
    store: &dyn Store,
    scope: TenantScope,
    row: EntityRow,
) -> Handled {
    let kind = row.kind;
    let mut items = shown(store, scope, kind, vec![row]).await?;
    answer(status, &items.pop())
}

/// Rows as the API shows them, with the vendors' ids of all of them read in one query.
pub(super) async fn shown(
    store: &dyn Store,
    scope: TenantScope,
    kind: EntityKind,
    rows: Vec<EntityRow>,
) -> Result<Vec<Value>, Problem> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut refs: BTreeMap<Uuid, Vec<RowRef>> = BTreeMap::new();
    if !ids.is_empty() {
        for found in store.external_refs(scope, kind, &ids).await? {
            refs.entry(found.local_id).or_default().push(found);
        }
    }
    Ok(rows
        .into_iter()
        .map(|row| {
            let external_refs = refs.remove(&row.id).unwrap_or_default();
            show(row, &external_refs)
        })
        .collect())
}

fn show(row: EntityRow, external_refs: &[RowRef]) -> Value {
    let mut item = row.fields.into_json();
    item["id"] = json!(row.id);
    item["organization_id"] = json!(row.organization_id);
    if row.kind.has_property() {
        item["property_id"] = json!(row.property_id);
    }
    item["version"] = json!(row.version);
    item["created_at"] = json!(row.created_at);
    item["updated_at"] = json!(row.updated_at);
    item["external_refs"] = json!(external_refs);
    item
}

fn filter(kind: EntityKind, query: &Query) -> Result<EntityFilter, Problem> {
    let mut filter = EntityFilter {
        search: query.one("search")?.map(str::to_owned),
        ..EntityFilter::default()
    };
    if matches!(kind, EntityKind::Note | EntityKind::ServiceRequest) {
        filter.guest_id = query.parsed("guest_id", "a UUID")?;
        filter.reservation_id = query.parsed("reservation_id", "a UUID")?;
    }
    if kind == EntityKind::Reservation {
        filter.guest_id = query.parsed("guest_id", "a UUID")?;
        filter.room_id = query.parsed("room_id", "a UUID")?;
        filter.number = query.one("number")?.map(str::to_owned);
        filter.statuses = query.one("status")?.map(statuses).transpose()?;
        let expected = "a time of RFC 3339, such as 2026-06-01T00:00:00Z";
        let from: Option<DateTime<Utc>> = query.parsed("from", expected)?;
        let to: Option<DateTime<Utc>> = query.parsed("to", expected)?;
        if from.is_some() || to.is_some() {
            let from = from.unwrap_or(DateTime::UNIX_EPOCH);
            // The year 9999, which every store can compare with.
            let end =
                DateTime::from_timestamp(253_402_300_799, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
            filter.overlaps = Some((from, to.unwrap_or(end)));
        }
    }
    Ok(filter)
}

/// One status, or several with commas between.
fn statuses(text: &str) -> Result<Vec<ReservationStatus>, Problem> {
    text.split(',')
        .map(|word| {
            serde_json::from_value(json!(word.trim())).map_err(|_| {
                Problem::invalid(
                    "`status` must be tentative, confirmed, in_house, departed, cancelled, no_show or unknown",
                )
                .with("parameter", "status")
            })
        })
        .collect()
}

pub(super) const fn noun(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Property => "property",
        EntityKind::RoomType => "room type",
        EntityKind::Room => "room",
        EntityKind::Guest => "guest",
        EntityKind::Reservation => "reservation",
        EntityKind::Note => "note",
        EntityKind::ServiceRequest => "service request",
    }
}
