use async_trait::async_trait;
use uuid::Uuid;

use super::{
    jobs::Jobs,
    page,
    state::{MemoryStore, State, not_found, unless},
};
use crate::{
    Error, Result,
    ids::ChangeId,
    model::Change,
    port::{
        Page, PageRequest,
        edit::{ChangeFilter, CreateWrite, EditWrite, Edits},
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

    async fn create_row(&self, create: CreateWrite) -> Result<EntityRow> {
        const OPERATION: &str = "memory.create_row";
        Jobs::check_new(&create.jobs)?;
        let (scope, row) = (create.scope, create.row);
        check_fields(OPERATION, row.kind, &row.fields)?;
        let mut state = self.lock();
        if row.organization_id != scope.organization_id || !scope.sees(row.property_id) {
            return Err(not_found(OPERATION, row.kind.as_str()));
        }
        if let Some(property) = row.property_id {
            state.check_property(OPERATION, row.organization_id, property)?;
        }
        let taken = state.rows.contains_key(&(row.kind, row.id));
        unless(taken, OPERATION, "a row with this id exists already")?;
        state.rows.insert((row.kind, row.id), row.clone());
        state.write_contacts(scope.organization_id, &create.contacts);
        state.add_changes(create.changes);
        for job in create.jobs {
            state.jobs.enqueue(job, &*self.clock);
        }
        Ok(row)
    }

    async fn change(&self, scope: TenantScope, id: ChangeId) -> Result<Option<Change>> {
        let state = self.lock();
        let line = state.changes.get(&id);
        Ok(line.filter(|line| state.shows(scope, line)).cloned())
    }

    async fn changes(
        &self,
        scope: TenantScope,
        filter: &ChangeFilter,
        page: &PageRequest,
    ) -> Result<Page<Change>> {
        let before: Option<ChangeId> = page::after(page)?;
        let state = self.lock();
        let lines = state
            .changes
            .iter()
            .rev()
            .filter(|(id, _)| before.is_none_or(|before| **id < before))
            .filter(|(_, line)| matches(filter, line) && state.shows(scope, line))
            .map(|(id, change)| (*id, change.clone()));
        Ok(page::cut(lines, page))
    }
}

fn matches(filter: &ChangeFilter, line: &Change) -> bool {
    filter.entity.is_none_or(|kind| line.entity == kind)
        && filter.entity_id.is_none_or(|id| line.entity_id == id)
        && (filter.external_id.is_none() || line.external_id == filter.external_id)
        && filter.outcome.is_none_or(|outcome| line.outcome == outcome)
}

impl State {
    /// Whether a scope sees a line of the journal: with a property, only one about a row there.
    fn shows(&self, scope: TenantScope, line: &Change) -> bool {
        line.organization_id == scope.organization_id
            && (scope.property_id.is_none()
                || self.row_in(scope, line.entity, line.entity_id).is_some())
    }

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
