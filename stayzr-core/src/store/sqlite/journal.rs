//! The lines of the journal.

use serde_json::{Value, json};
use sqlx::SqliteConnection;

use super::error::failed;
use crate::{Error, Result, model::Change, store::codec, tenant::TenantScope};

/// Writes lines in one statement; all belong to the scope's organization.
pub(super) async fn write(
    tx: &mut SqliteConnection,
    scope: TenantScope,
    changes: &[Change],
) -> Result<()> {
    const OPERATION: &str = "sqlite.write_changes";
    if changes.is_empty() {
        return Ok(());
    }
    let document = changes
        .iter()
        .map(|change| {
            if change.organization_id != scope.organization_id {
                return Err(Error::not_found(
                    OPERATION,
                    "a line of the journal belongs to another tenant",
                ));
            }
            Ok(json!({
                "id": change.id,
                "entity": change.entity,
                "entity_id": change.entity_id,
                "field": change.field,
                "base": change.base.as_ref().map(codec::json),
                "old": change.old.as_ref().map(codec::json),
                "new": change.new.as_ref().map(codec::json),
                "source": codec::json(&json!(change.source)),
                "outcome": change.outcome,
                "reason": change.reason,
                "created_at": codec::time(change.created_at),
            }))
        })
        .collect::<Result<Vec<Value>>>()?;
    sqlx::query(
        "insert into change_log (id, organization_id, entity, entity_id, field, base, old, new,
             source, outcome, reason, created_at)
         select value ->> 'id', $2, value ->> 'entity', value ->> 'entity_id', value ->> 'field',
             value ->> 'base', value ->> 'old', value ->> 'new', value ->> 'source',
             value ->> 'outcome', value ->> 'reason', value ->> 'created_at'
         from json_each($1)",
    )
    .bind(Value::from(document).to_string())
    .bind(scope.organization_id.to_string())
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}
