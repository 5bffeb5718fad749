use async_trait::async_trait;
use uuid::Uuid;

use super::{
    jobs::Jobs,
    page,
    state::{MemoryStore, State, not_found},
};
use crate::{
    Error, Result,
    ids::ChangeId,
    model::Change,
    port::{
        Page, PageRequest,
        edit::{ChangeFilter, EditWrite, Edits},
    },
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap},
};

#[async_trait]
impl Edits for MemoryStore {
    async fn apply_edit(&self, edit: EditWrite) -> Result<EntityRow> {
        const OPERATION: &str = "memory.apply_edit";
        Jobs::check_new(&edit.jobs)?;
        let (mut state, now) = self.begin();
        let row = state
            .row_in(edit.scope, edit.kind, edit.id)
            .ok_or_else(|| not_found(OPERATION, edit.kind.as_str()))?;
        check_version(OPERATION, row, edit.expected_version)?;
        check_fields(OPERATION, edit.kind, &edit.set)?;
        let row = state
            .set_fields(edit.kind, edit.id, &edit.set, now)
            .ok_or_else(|| not_found(OPERATION, edit.kind.as_str()))?;
        state.write_contacts(edit.scope.organization_id, &edit.contacts);
        state.add_changes(edit.changes);
        for job in edit.jobs {
            state.jobs.enqueue(job, &*self.clock);
        }
        Ok(row)
    }

    async fn changes(
        &self,
        scope: TenantScope,
        filter: &ChangeFilter,
        page: &PageRequest,
    ) -> Result<Page<Change>> {
        let (Some(kind), Some(id)) = (filter.entity, filter.entity_id) else {
            return Err(Error::unsupported("store", "not available in this store"));
        };
        let before: Option<ChangeId> = page::after(page)?;
        let state = self.lock();
        let visible = state.row_in(scope, kind, id).is_some();
        let lines = state
            .changes
            .iter()
            .rev()
            .filter(|_| visible)
            .filter(|(_, change)| {
                change.organization_id == scope.organization_id
                    && change.entity == kind
                    && change.entity_id == id
            })
            .filter(|(id, _)| before.is_none_or(|before| **id < before))
            .map(|(id, change)| (*id, change.clone()));
        Ok(page::cut(lines, page))
    }
}

impl State {
    /// Sets fields of a row and counts its version up.
    pub(super) fn set_fields(
        &mut self,
        kind: EntityKind,
        id: Uuid,
        set: &FieldMap,
        now: chrono::DateTime<chrono::Utc>,
    ) -> Option<EntityRow> {
        let row = self.rows.get_mut(&(kind, id))?;
        row.fields.extend(set);
        row.version += 1;
        row.updated_at = now;
        Some(row.clone())
    }

    pub(super) fn add_changes(&mut self, changes: Vec<Change>) {
        let lines = changes.into_iter().map(|change| (change.id, change));
        self.changes.extend(lines);
    }
}

pub(super) fn check_version(operation: &'static str, row: &EntityRow, expected: i64) -> Result<()> {
    if row.version == expected {
        return Ok(());
    }
    Err(
        Error::conflict(operation, "the row was changed meanwhile: read it again")
            .with("entity", row.kind)
            .with("id", row.id),
    )
}

pub(super) fn check_fields(
    operation: &'static str,
    kind: EntityKind,
    fields: &FieldMap,
) -> Result<()> {
    let known = |name: &str| kind.columns().iter().any(|column| column.name == name);
    match fields.names().find(|name| !known(name)) {
        Some(name) => Err(Error::invalid(operation, "there is no such field")
            .with("entity", kind)
            .with("field", name)),
        None => Ok(()),
    }
}
