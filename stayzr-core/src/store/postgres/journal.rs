//! The lines of the journal.

use serde_json::Value;
use sqlx::PgConnection;

use super::{
    document::{clean_json, clean_text},
    error::failed,
    rows::column,
};
use crate::{
    Error, Result,
    model::{Change, ChangeOutcome},
    tenant::TenantScope,
};

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
    if changes
        .iter()
        .any(|change| change.organization_id != scope.organization_id)
    {
        return Err(Error::not_found(
            OPERATION,
            "a line of the journal belongs to another tenant",
        ));
    }
    // As text, so that a value which is `null` and no value stay apart.
    let text = |value: &Option<Value>| value.as_ref().map(|value| clean_json(value.to_string()));
    let sources = changes
        .iter()
        .map(|change| serde_json::to_string(&change.source).map(clean_json))
        .collect::<Result<Vec<String>, _>>()
        .map_err(|error| {
            Error::internal(OPERATION, "cannot be written as JSON").with_source(error)
        })?;
    sqlx::query(
        "insert into change_log (id, organization_id, entity, entity_id, external_id, field, base,
             old, new, source, outcome, reason, created_at)
         select e.id, $1, e.entity, e.entity_id, e.external_id, e.field, e.base::jsonb,
             e.old::jsonb, e.new::jsonb, e.source::jsonb, e.outcome, e.reason, e.created_at
         from unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::text[], $7::text[],
             $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::timestamptz[])
             e(id, entity, entity_id, external_id, field, base, old, new, source, outcome, reason,
             created_at)",
    )
    .bind(scope.organization_id.uuid())
    .bind(column(changes, |change| change.id.uuid()))
    .bind(column(changes, |change| change.entity.as_str()))
    .bind(column(changes, |change| change.entity_id))
    .bind(column(changes, |change| optional(&change.external_id)))
    .bind(column(changes, |change| change.field.clone()))
    .bind(column(changes, |change| text(&change.base)))
    .bind(column(changes, |change| text(&change.old)))
    .bind(column(changes, |change| text(&change.new)))
    .bind(sources)
    .bind(column(changes, |change| match change.outcome {
        ChangeOutcome::Applied => "applied",
        ChangeOutcome::Refused => "refused",
    }))
    .bind(column(changes, |change| optional(&change.reason)))
    .bind(column(changes, |change| change.created_at))
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

fn optional(text: &Option<String>) -> Option<String> {
    text.as_deref().map(|text| clean_text(text).into_owned())
}
