use serde_json::Value;
use uuid::Uuid;

use super::{
    contacts::changed_contacts,
    push::PushPolicy,
    validate::{canonical, check_references, is_derived},
};
use crate::{
    Error, ErrorKind, Result,
    clock::Clock,
    ids::{ChangeId, GuestId, PropertyId},
    model::{Change, ChangeOutcome, ChangeSource, Integration, IntegrationStatus},
    port::{
        edit::{CreateWrite, Edits},
        entities::Entities,
        sync::SyncStore,
    },
    queue::NewJob,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap},
};

/// A row that staff makes here.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateRequest {
    /// A guest, a note, or a service request.
    pub kind: EntityKind,
    /// The id it will have, so that a request which is repeated makes one row: the same id gives
    /// what stands under it. None for a new one.
    pub id: Option<Uuid>,
    /// The property: whose PMS is told of a guest, and where a note about a guest belongs. None
    /// takes that of the scope, and for a guest in the scope of an organization that of the only
    /// integration that makes guests. A note or a request about a reservation belongs where the
    /// reservation does.
    pub property_id: Option<PropertyId>,
    /// Its fields. A guest has a name or an address at least; a note a `text`, and the
    /// `reservation_id` or the `guest_id` that it is about; a service request a `description`.
    pub set: FieldMap,
    /// Who makes it.
    pub source: ChangeSource,
}

/// Makes a guest, a note or a service request: validates it, journals it with one line, and enqueues its making at the
/// PMS of the property, where the provider's API can and knows what a note is about. All of it is
/// one command; nothing is half done.
///
/// Errors: [`crate::ErrorKind::Invalid`] naming the field and why, which is `property_id` where
/// several integrations would make the guest and none is named; [`crate::ErrorKind::NotFound`] where
/// the property is not in scope.
pub async fn create<S>(
    store: &S,
    policy: &dyn PushPolicy,
    clock: &dyn Clock,
    scope: TenantScope,
    request: CreateRequest,
) -> Result<EntityRow>
where
    S: Entities + Edits + SyncStore + ?Sized,
{
    let property_id = match request.property_id.or(scope.property_id) {
        Some(id) => {
            let seen = store.row(scope, EntityKind::Property, id.uuid()).await?;
            seen.ok_or_else(|| {
                Error::not_found("create", "there is no property with this id").with("id", id)
            })?;
            Some(id)
        }
        None if request.kind == EntityKind::Guest => only_maker(store, policy, scope).await?,
        None => None,
    };
    let mut row = blank(clock, scope, request.kind)?;
    if let Some(id) = request.id {
        if let Some(there) = store.row(scope, row.kind, id).await? {
            return Ok(there);
        }
        row.id = id;
    }
    row.property_id = match row.kind {
        EntityKind::Note | EntityKind::ServiceRequest => {
            Some(place(store, scope, property_id, &request.set).await?)
        }
        _ => None,
    };
    refuse_derived(&row, &request.set)?;
    let set = canonical(&row, &request.set)?;
    row.fields.extend(&set);
    check(&row)?;
    check_references(store, scope, &row, &set).await?;
    let contacts = match row.kind {
        EntityKind::Guest => {
            let scope = TenantScope {
                property_id,
                ..scope
            };
            changed_contacts(store, scope, GuestId::from(row.id), &set).await?
        }
        _ => Vec::new(),
    };
    let jobs = jobs(store, policy, &row, row.property_id.or(property_id)).await?;
    let line = Change {
        id: ChangeId::generate(clock),
        organization_id: row.organization_id,
        entity: row.kind,
        entity_id: row.id,
        external_id: None,
        field: None,
        base: None,
        old: None,
        new: None,
        source: request.source,
        outcome: ChangeOutcome::Applied,
        reason: None,
        created_at: row.created_at,
    };
    let create = CreateWrite {
        scope,
        row,
        contacts,
        changes: vec![line],
        jobs,
    };
    let (kind, id) = (create.row.kind, create.row.id);
    match (store.create_row(create).await, request.id) {
        // Somebody else asked for the same at the same time.
        (Err(error), Some(_)) if error.kind() == ErrorKind::Conflict => {
            store.row(scope, kind, id).await?.ok_or(error)
        }
        (created, _) => created,
    }
}

/// The property of the only integration that makes guests; none where there is none.
async fn only_maker<S>(
    store: &S,
    policy: &dyn PushPolicy,
    scope: TenantScope,
) -> Result<Option<PropertyId>>
where
    S: SyncStore + ?Sized,
{
    let integrations = store.integrations(scope).await?;
    let mut makers: Vec<PropertyId> = integrations
        .iter()
        .filter(|integration| makes(policy, integration, EntityKind::Guest))
        .map(|integration| integration.property_id)
        .collect();
    makers.sort_unstable();
    makers.dedup();
    match makers.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(*only)),
        several => {
            let named: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(Error::invalid(
                "create",
                "several properties have a PMS that makes guests: name the one that makes this \
                 guest, with `property_id`",
            )
            .with("field", "property_id")
            .with("properties", named.join(", ")))
        }
    }
}

fn makes(policy: &dyn PushPolicy, integration: &Integration, kind: EntityKind) -> bool {
    integration.status != IntegrationStatus::Disabled && policy.creates(&integration.provider, kind)
}

/// A row without anything said of it yet.
fn blank(clock: &dyn Clock, scope: TenantScope, kind: EntityKind) -> Result<EntityRow> {
    let mut fields: FieldMap = kind
        .columns()
        .iter()
        .map(|column| (column.name.to_owned(), Value::Null))
        .collect();
    match kind {
        EntityKind::Guest => {
            fields.insert("active", true);
            fields.insert("origin", "staff");
            fields.insert("classifications", Vec::<Value>::new());
        }
        EntityKind::Note => {
            fields.insert("active", true);
            fields.insert("kind", "general");
            fields.insert("text", "");
        }
        EntityKind::ServiceRequest => {
            fields.insert("category", "general");
            fields.insert("description", "");
            fields.insert("status", "open");
        }
        _ => {
            return Err(Error::invalid(
                "create",
                format!(
                    "a {kind} is made at the PMS; here a guest, a note or a service request can be made"
                ),
            )
            .with("kind", kind));
        }
    }
    let now = clock.now();
    Ok(EntityRow {
        kind,
        id: clock.uuid(),
        organization_id: scope.organization_id,
        property_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
        fields,
    })
}

/// The property of a note or a request: that of its reservation, else the one that was named.
async fn place<S>(
    store: &S,
    scope: TenantScope,
    named: Option<PropertyId>,
    set: &FieldMap,
) -> Result<PropertyId>
where
    S: Entities + ?Sized,
{
    let id = set
        .text("reservation_id")
        .and_then(|id| id.parse::<Uuid>().ok());
    let stay = match id {
        Some(id) => {
            let stay = store.row(scope, EntityKind::Reservation, id).await?;
            let unknown = "`reservation_id` names no reservation that is here";
            let unknown = || Error::invalid("create", unknown).with("field", "reservation_id");
            Some(stay.ok_or_else(unknown)?)
        }
        None => None,
    };
    match (stay.and_then(|stay| stay.property_id), named) {
        (Some(of_stay), Some(named)) if of_stay != named => Err(Error::invalid(
            "create",
            "the reservation is of another property",
        )
        .with("field", "reservation_id")),
        (Some(property), _) | (None, Some(property)) => Ok(property),
        (None, None) => Err(
            Error::invalid("create", "name the property that this belongs to")
                .with("field", "property_id"),
        ),
    }
}

/// What a note or a request is about is said when it is made, and only then.
fn refuse_derived(row: &EntityRow, set: &FieldMap) -> Result<()> {
    let about = |field: &str| match row.kind {
        EntityKind::Note => matches!(field, "reservation_id" | "guest_id"),
        EntityKind::ServiceRequest => {
            matches!(field, "reservation_id" | "guest_id" | "conversation_id")
        }
        _ => false,
    };
    let derived = set
        .names()
        .find(|field| is_derived(row.kind, field) && !about(field));
    match derived {
        Some(field) => Err(Error::invalid(
            "create",
            format!("the field `{field}` follows from others and cannot be set"),
        )
        .with("field", field)),
        None => Ok(()),
    }
}

/// Refuses a row that says too little.
fn check(row: &EntityRow) -> Result<()> {
    let none = |fields: &[&str]| fields.iter().all(|field| row.fields.text(field).is_none());
    if row.kind == EntityKind::Guest && none(&["first_name", "last_name", "email", "phone"]) {
        return Err(Error::invalid(
            "create",
            "a guest has a name, an email or a telephone at least",
        )
        .with("field", "last_name"));
    }
    if row.kind == EntityKind::ServiceRequest
        && row.fields.text("description").is_none_or(str::is_empty)
    {
        return Err(Error::invalid(
            "create",
            "a request says what is wanted: `description` is missing",
        )
        .with("field", "description"));
    }
    if row.kind == EntityKind::Note {
        if row.fields.text("text").is_none_or(str::is_empty) {
            return Err(
                Error::invalid("create", "a note says something: `text` is missing")
                    .with("field", "text"),
            );
        }
        if none(&["reservation_id", "guest_id"]) {
            return Err(Error::invalid(
                "create",
                "a note is about a reservation or a guest: name one",
            )
            .with("field", "reservation_id"));
        }
    }
    Ok(())
}

/// The jobs that make a row at the PMS of a property.
async fn jobs<S>(
    store: &S,
    policy: &dyn PushPolicy,
    row: &EntityRow,
    property_id: Option<PropertyId>,
) -> Result<Vec<NewJob>>
where
    S: Entities + SyncStore + ?Sized,
{
    let Some(property_id) = property_id else {
        return Ok(Vec::new());
    };
    let scope = TenantScope::property(row.organization_id, property_id);
    let mut jobs = Vec::new();
    for integration in store.integrations(scope).await? {
        if !makes(policy, &integration, row.kind) {
            continue;
        }
        // A note stands at the vendor's record of what it is about.
        let mut known = true;
        for (field, kind) in [
            ("reservation_id", EntityKind::Reservation),
            ("guest_id", EntityKind::Guest),
        ] {
            let about = row
                .fields
                .text(field)
                .and_then(|id| id.parse::<Uuid>().ok());
            let Some(about) = about.filter(|_| row.kind == EntityKind::Note) else {
                continue;
            };
            let refs = store.external_refs(scope, kind, &[about]).await?;
            known &= refs
                .iter()
                .any(|found| found.integration_id == integration.id);
        }
        if known {
            jobs.push(policy.push_job(scope, integration.id, row.kind, row.id));
        }
    }
    Ok(jobs)
}
