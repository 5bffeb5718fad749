use uuid::Uuid;

use super::{
    contacts::changed_contacts,
    push::{PushPolicy, pushes},
    validate::{check_references, validate},
};
use crate::{
    Error, Result,
    clock::Clock,
    ids::{ChangeId, GuestId},
    model::{Change, ChangeOutcome, ChangeSource},
    port::{
        edit::{EditWrite, Edits},
        entities::Entities,
        sync::SyncStore,
    },
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap},
};

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
    edit_because(store, policy, clock, scope, request, None).await
}

/// An edit with a reason that its lines of the journal give.
pub(super) async fn edit_because<S>(
    store: &S,
    policy: &dyn PushPolicy,
    clock: &dyn Clock,
    scope: TenantScope,
    request: EditRequest,
    reason: Option<String>,
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
            reason: reason.clone(),
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
