use serde_json::Value;
use uuid::Uuid;

use super::{
    edit::{EditRequest, edit_because},
    push::PushPolicy,
    validate::is_derived,
};
use crate::{
    Error, Result,
    clock::Clock,
    ids::ChangeId,
    model::{Change, ChangeOutcome, ChangeSource},
    port::{edit::Edits, entities::Entities, sync::SyncStore},
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap},
};

/// Which line of the journal to bring back, and who does.
#[derive(Debug, Clone, PartialEq)]
pub struct RestoreRequest {
    /// The line.
    pub change_id: ChangeId,
    /// The row that the line must be about; a line about another is not found.
    pub of: Option<(EntityKind, Uuid)>,
    /// Who restores.
    pub source: ChangeSource,
}

/// Brings a value that lost back, and returns the row: of a change that was applied what stood
/// there before, of one that was refused what was offered. It is an edit like any other, with the
/// line as its reason; a value that stands there already changes nothing.
///
/// Errors: [`crate::ErrorKind::NotFound`]; [`crate::ErrorKind::Invalid`] where the line names no
/// field of a row (a creation, a record that was put aside) or a field that follows from others, or
/// where the field cannot take the value any more; [`crate::ErrorKind::Conflict`] where somebody
/// edited meanwhile.
pub async fn restore<S>(
    store: &S,
    policy: &dyn PushPolicy,
    clock: &dyn Clock,
    scope: TenantScope,
    request: RestoreRequest,
) -> Result<EntityRow>
where
    S: Entities + Edits + SyncStore + ?Sized,
{
    let line = store
        .change(scope, request.change_id)
        .await?
        .filter(|line| {
            let of = (line.entity, line.entity_id);
            request.of.is_none_or(|expected| expected == of)
        })
        .ok_or_else(|| {
            Error::not_found("restore", "there is no line of the journal with this id")
                .with("id", request.change_id)
        })?;
    let (field, value) = lost(&line)?;
    let edit = EditRequest {
        kind: line.entity,
        id: line.entity_id,
        set: FieldMap::from_iter([(field, value)]),
        expected_version: None,
        source: request.source,
    };
    let reason = format!("restored from {}", line.id);
    edit_because(store, policy, clock, scope, edit, Some(reason)).await
}

/// The value of a line that is not in force since.
fn lost(line: &Change) -> Result<(String, Value)> {
    let refused = |why: String| Err(Error::invalid("restore", why).with("id", line.id));
    let Some(field) = line.field.clone() else {
        return refused(
            match line.outcome {
                ChangeOutcome::Applied => {
                    "the line says that the row was made: no value was lost by that"
                }
                ChangeOutcome::Refused => {
                    "the line is about a record that could not be read: retry its job to read it \
                     again"
                }
            }
            .to_owned(),
        );
    };
    if is_derived(line.entity, &field) {
        return refused(format!(
            "`{field}` follows from other fields or from the PMS and cannot be set"
        ));
    }
    let value = match line.outcome {
        ChangeOutcome::Applied => line.old.clone(),
        ChangeOutcome::Refused => line.new.clone(),
    };
    Ok((field, value.unwrap_or_default()))
}
