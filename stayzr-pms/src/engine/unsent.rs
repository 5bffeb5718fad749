//! What the vendor was never told.

use serde_json::Value;
use stayzr_core::{
    Result,
    port::sync::{MappedRecord, Mapping},
    queue::NewJob,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap, FieldRule},
};
use uuid::Uuid;

use super::{
    job::SyncJob,
    notes::Notes,
    session::{Session, SyncEngine},
    shape,
};

impl SyncEngine {
    /// Pushes for rows among these that hold what the vendor should be told, whatever became of
    /// the push that was to tell it. One that waits already is not doubled by the queue.
    pub(super) async fn unsent(
        &self,
        session: &Session,
        kind: EntityKind,
        records: &[MappedRecord],
    ) -> Result<Vec<NewJob>> {
        if !session.rules(kind).iter().any(|rule| rule.writable) {
            return Ok(Vec::new());
        }
        let ids = records.iter().map(|record| &record.external_id);
        let mappings = self.mappings(session, kind, ids).await?;
        let ids: Vec<Uuid> = records.iter().map(|record| record.local_id).collect();
        let rows = self.rows(session, kind, &ids).await?;
        let integration = &session.integration;
        let scope = TenantScope::property(integration.organization_id, integration.property_id);
        Ok(records
            .iter()
            .filter_map(|record| {
                let mapping = mappings.get(&record.external_id)?;
                let row = rows.get(&mapping.local_id)?;
                let held = unsent_fields(session.rules(kind), row, mapping);
                (!held.is_empty()).then(|| SyncJob::push(scope, integration.id, kind, row.id))
            })
            .collect())
    }
}

/// Fields of a row that differ from the agreed state and that the vendor can be told; those that
/// wait for a person, and those that it refused before, are not among them.
pub(super) fn unsent_fields(rules: &[FieldRule], row: &EntityRow, mapping: &Mapping) -> FieldMap {
    let notes = Notes::of(mapping);
    // What the vendor never spoke of is agreed to be what a row starts with.
    let start = shape::defaults(row.kind, &mapping.external_id);
    let is_live = mapping.merged_into.is_none() && mapping.gone_at.is_none() && !notes.erased;
    rules
        .iter()
        .filter(|rule| is_live && rule.writable)
        .filter_map(|rule| {
            let ours = row.fields.get(rule.field).unwrap_or(&Value::Null);
            let agreed = mapping.base.get(rule.field).or(start.get(rule.field));
            let agreed = agreed.unwrap_or(&Value::Null);
            let tellable = rule.clearable || !ours.is_null();
            let unsent = ours != agreed
                && tellable
                && !notes.holds(rule.field)
                && notes.refused.get(rule.field) != Some(ours);
            unsent.then(|| (rule.field.to_owned(), ours.clone()))
        })
        .collect()
}
