use serde_json::Value;
use uuid::Uuid;

use super::contacts::changed_contacts;
use crate::{
    Error, Result,
    clock::Clock,
    ids::{ChangeId, GuestId, IntegrationId},
    model::{
        Change, ChangeOutcome, ChangeSource, Guest, Note, Property, Reservation, Room, RoomType,
    },
    port::{
        edit::{EditWrite, Edits},
        entities::Entities,
        sync::SyncStore,
    },
    queue::NewJob,
    tenant::TenantScope,
    transform::{ColumnType, Entity, EntityKind, EntityRow, FieldMap, FieldRule, Owner},
};

/// What may be pushed to a vendor, and the job that does it. Implemented where providers are
/// known.
pub trait PushPolicy: Send + Sync {
    /// The provider's rule for a field; none means that the vendor does not know the field.
    fn rule(&self, provider: &str, kind: EntityKind, field: &str) -> Option<FieldRule>;

    /// The job that pushes a row.
    fn push_job(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        id: Uuid,
    ) -> NewJob;
}

/// An edit by staff, an API client or the concierge.
#[derive(Debug, Clone, PartialEq)]
pub struct EditRequest {
    /// What kind of row.
    pub kind: EntityKind,
    /// The row.
    pub id: Uuid,
    /// Fields to set; `null` empties a field.
    pub set: FieldMap,
    /// The version the editor saw; none takes the newest.
    pub expected_version: Option<i64>,
    /// Who edits.
    pub source: ChangeSource,
}

/// Fields that no edit sets: they follow from others or say where a row comes from.
fn is_derived(kind: EntityKind, field: &str) -> bool {
    matches!(
        (kind, field),
        (EntityKind::Guest, "origin" | "active" | "merged_into")
            | (
                EntityKind::Note,
                "kind_vendor" | "reservation_id" | "guest_id"
            )
            | (EntityKind::Room, "condition_vendor" | "active")
            | (
                EntityKind::Reservation,
                "status_vendor" | "rate_vendor" | "origin"
            )
            | (EntityKind::Property, "pricing")
    )
}

/// Edits a row: validates it, journals each field that changes, and enqueues the push to the PMS
/// where it is the PMS's field. All of it is one command; nothing is half done.
///
/// Setting a field to the value it has changes nothing. Errors: [`crate::ErrorKind::NotFound`],
/// [`crate::ErrorKind::Invalid`] naming the field and why, [`crate::ErrorKind::Conflict`] where
/// somebody else edited first.
pub async fn edit<S>(
    store: &S,
    policy: &dyn PushPolicy,
    clock: &dyn Clock,
    scope: TenantScope,
    request: EditRequest,
) -> Result<EntityRow>
where
    S: Entities + Edits + SyncStore + ?Sized,
{
    let kind = request.kind;
    let row = store.row(scope, kind, request.id).await?.ok_or_else(|| {
        Error::not_found("edit", format!("there is no {kind} with this id")).with("id", request.id)
    })?;
    let expected_version = request.expected_version.unwrap_or(row.version);
    if expected_version != row.version {
        return Err(Error::conflict(
            "edit",
            "somebody else changed it meanwhile: read it again and repeat the edit",
        )
        .with("version", row.version));
    }
    let set = validate(&row, &request.set)?.changed_from(&row.fields);
    if set.is_empty() {
        return Ok(row);
    }
    check_references(store, scope, &row, &set).await?;
    let (jobs, base) = pushes(store, policy, scope, &row, &set).await?;
    let contacts = match kind {
        EntityKind::Guest => changed_contacts(store, scope, GuestId::from(row.id), &set).await?,
        _ => Vec::new(),
    };
    let now = clock.now();
    let changes = set
        .iter()
        .map(|(field, new)| Change {
            id: ChangeId::generate(clock),
            organization_id: scope.organization_id,
            entity: kind,
            entity_id: row.id,
            external_id: None,
            field: Some(field.to_owned()),
            base: base.get(field).cloned(),
            old: row.fields.get(field).cloned(),
            new: Some(new.clone()),
            source: request.source.clone(),
            outcome: ChangeOutcome::Applied,
            reason: None,
            created_at: now,
        })
        .collect();
    store
        .apply_edit(EditWrite {
            scope,
            kind,
            id: row.id,
            expected_version,
            set,
            contacts,
            changes,
            jobs,
        })
        .await
}

/// The fields in canonical form; refuses what the row has not, may not, or cannot hold.
fn validate(row: &EntityRow, set: &FieldMap) -> Result<FieldMap> {
    if set.is_empty() {
        return Err(Error::invalid("edit", "the edit names no field"));
    }
    let columns = row.kind.columns();
    for (field, _) in set.iter() {
        if !columns.iter().any(|column| column.name == field) {
            let known: Vec<&str> = columns
                .iter()
                .map(|column| column.name)
                .filter(|name| !is_derived(row.kind, name))
                .collect();
            return Err(Error::invalid(
                "edit",
                format!(
                    "a {} has no field `{field}`; it has {}",
                    row.kind,
                    known.join(", ")
                ),
            )
            .with("field", field));
        }
        if is_derived(row.kind, field) {
            return Err(
                Error::invalid("edit", format!("the field `{field}` cannot be edited"))
                    .with("field", field),
            );
        }
    }
    // One field at a time, so that the error names it.
    let mut canonical = FieldMap::new();
    for (field, value) in set.iter() {
        let mut edited = row.clone();
        edited.fields.insert(field, trimmed(value));
        let fields = reparse(&edited).map_err(|error| {
            Error::invalid("edit", format!("`{field}` cannot take this value"))
                .with("field", field)
                .with("expected", expected(row.kind, field))
                .with_source(error)
        })?;
        canonical.insert(field, fields.get(field).cloned().unwrap_or(Value::Null));
    }
    if row.kind == EntityKind::Property {
        check_times_of_day(&canonical)?;
    }
    let mut whole = row.clone();
    whole.fields.extend(&canonical);
    check(&whole)?;
    Ok(canonical)
}

/// `HH:MM`, as guests are told it. Only what is edited: a vendor may have said it otherwise.
fn check_times_of_day(set: &FieldMap) -> Result<()> {
    for field in ["check_in", "check_out"] {
        let Some(Value::String(text)) = set.get(field) else {
            continue;
        };
        if text.len() != 5 || chrono::NaiveTime::parse_from_str(text, "%H:%M").is_err() {
            return Err(Error::invalid(
                "edit",
                format!("`{field}` is a time of day such as 15:00"),
            )
            .with("field", field));
        }
    }
    Ok(())
}

fn trimmed(value: &Value) -> Value {
    match value {
        Value::String(text) if text.trim().is_empty() => Value::Null,
        Value::String(text) => Value::from(text.trim()),
        other => other.clone(),
    }
}

fn reparse(row: &EntityRow) -> Result<FieldMap> {
    match row.kind {
        EntityKind::Property => Property::from_row(row)?.to_fields(),
        EntityKind::RoomType => RoomType::from_row(row)?.to_fields(),
        EntityKind::Room => Room::from_row(row)?.to_fields(),
        EntityKind::Guest => Guest::from_row(row)?.to_fields(),
        EntityKind::Reservation => Reservation::from_row(row)?.to_fields(),
        EntityKind::Note => Note::from_row(row)?.to_fields(),
    }
}

fn expected(kind: EntityKind, field: &str) -> &'static str {
    let column = kind.columns().iter().find(|column| column.name == field);
    match column.map(|column| column.kind) {
        Some(ColumnType::Timestamp) => "a time such as 2026-06-09T13:00:00Z",
        Some(ColumnType::Date) => "a day such as 1983-12-31",
        Some(ColumnType::Uuid) => "an id",
        Some(ColumnType::Integer) => "a whole number",
        Some(ColumnType::Boolean) => "true or false",
        Some(ColumnType::Json) => "a value of the documented shape",
        Some(ColumnType::Text) | None => "text of the documented form",
    }
}

fn check(row: &EntityRow) -> Result<()> {
    if row.kind == EntityKind::Reservation {
        let reservation = Reservation::from_row(row)?;
        if reservation.departure <= reservation.arrival {
            return Err(
                Error::invalid("edit", "the departure is not after the arrival")
                    .with("field", "departure"),
            );
        }
        if reservation.adults < 0 || reservation.children < 0 {
            return Err(
                Error::invalid("edit", "a number of persons is negative").with("field", "adults")
            );
        }
    }
    if row.kind == EntityKind::Property {
        let property = Property::from_row(row)?;
        if property.time_zone.parse::<chrono_tz::Tz>().is_err() {
            return Err(
                Error::invalid("edit", "not a time zone of the IANA database")
                    .with("field", "time_zone"),
            );
        }
    }
    Ok(())
}

/// What a field names must be in the editor's sight and, where it is of a property, in the row's.
async fn check_references<S>(
    store: &S,
    scope: TenantScope,
    row: &EntityRow,
    set: &FieldMap,
) -> Result<()>
where
    S: Entities + ?Sized,
{
    for (field, value) in set.iter() {
        let (kind, scope) = match field {
            "guest_id" => (EntityKind::Guest, scope),
            "room_type_id" | "room_id" => {
                let property_id = row.property_id.or(scope.property_id);
                let scope = TenantScope {
                    property_id,
                    ..scope
                };
                let is_room = field == "room_id";
                let kind = if is_room {
                    EntityKind::Room
                } else {
                    EntityKind::RoomType
                };
                (kind, scope)
            }
            _ => continue,
        };
        let Some(id) = value.as_str().and_then(|id| id.parse::<Uuid>().ok()) else {
            continue;
        };
        if store.row(scope, kind, id).await?.is_none() {
            return Err(
                Error::invalid("edit", format!("`{field}` names no {kind} that is here"))
                    .with("field", field),
            );
        }
    }
    Ok(())
}

/// The push jobs of an edit, and the base of the edited fields.
async fn pushes<S>(
    store: &S,
    policy: &dyn PushPolicy,
    scope: TenantScope,
    row: &EntityRow,
    set: &FieldMap,
) -> Result<(Vec<NewJob>, FieldMap)>
where
    S: Entities + SyncStore + ?Sized,
{
    let mut jobs = Vec::new();
    let mut base = FieldMap::new();
    // A guest may be known to the PMS of any property, in sight of the editor or not.
    let organization = TenantScope::organization(scope.organization_id);
    let known = store
        .external_refs(organization, row.kind, &[row.id])
        .await?;
    if known.is_empty() {
        return Ok((jobs, base));
    }
    for integration in store.integrations(organization).await? {
        // Of an organization's many PMSs few know the row.
        if !known
            .iter()
            .any(|known| known.integration_id == integration.id)
        {
            continue;
        }
        let mapped = store
            .mappings_of(organization, integration.id, row.kind, &[row.id])
            .await?;
        let Some(mapping) = mapped
            .into_iter()
            .find(|mapping| mapping.merged_into.is_none())
        else {
            continue;
        };
        base.extend(&mapping.base.only(set.names()));
        let mut writable = false;
        for field in set.names() {
            match policy.rule(&integration.provider, row.kind, field) {
                Some(rule) if rule.owner == Owner::Remote => {
                    return Err(Error::invalid(
                        "edit",
                        format!(
                            "`{field}` belongs to the PMS ({}) and its API cannot set it: change \
                             it there",
                            integration.provider
                        ),
                    )
                    .with("field", field));
                }
                Some(rule) if rule.writable => {
                    let cleared = set.get(field).is_some_and(Value::is_null);
                    if cleared && !rule.clearable {
                        return Err(Error::invalid(
                            "edit",
                            format!(
                                "the API of the PMS ({}) cannot empty `{field}`: empty it there, \
                                 or set another value",
                                integration.provider
                            ),
                        )
                        .with("field", field));
                    }
                    writable = true;
                }
                _ => {}
            }
        }
        if writable {
            let scope = TenantScope::property(scope.organization_id, integration.property_id);
            jobs.push(policy.push_job(scope, integration.id, row.kind, row.id));
        }
    }
    Ok((jobs, base))
}
