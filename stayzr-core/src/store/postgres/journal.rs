//! The lines of the journal.

use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{
    document::{clean_json, document},
    error::failed,
};
use crate::{Error, Result, model::Change, store::codec, tenant::TenantScope};

/// Writes lines in one statement; all belong to the scope's organization.
pub(super) async fn write(
    tx: &mut PgConnection,
    scope: TenantScope,
    changes: &[Change],
) -> Result<()> {
    const OPERATION: &str = "postgres.write_changes";
    if changes.is_empty() {
        return Ok(());
    }
    let text = |value: &Value| clean_json(codec::json(value));
    let lines = changes
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
                "external_id": change.external_id,
                "field": change.field,
                // As text, so that a value which is `null` and no value stay apart.
                "base": change.base.as_ref().map(text),
                "old": change.old.as_ref().map(text),
                "new": change.new.as_ref().map(text),
                "source": change.source,
                "outcome": change.outcome,
                "reason": change.reason,
                "created_at": codec::time(change.created_at),
            }))
        })
        .collect::<Result<Vec<Value>>>()?;
    sqlx::query(
        "insert into change_log (id, organization_id, entity, entity_id, external_id, field,
             base, old, new, source, outcome, reason, created_at)
         select id, $2, entity, entity_id, external_id, field, base::jsonb, old::jsonb,
             new::jsonb, source, outcome, reason, created_at
         from jsonb_to_recordset($1::jsonb) e(id uuid, entity text, entity_id uuid,
             external_id text, field text, base text, old text, new text, source jsonb, outcome text, reason text,
             created_at timestamptz)",
    )
    .bind(document(lines))
    .bind(scope.organization_id.uuid())
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}
