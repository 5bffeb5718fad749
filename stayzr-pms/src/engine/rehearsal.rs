//! A store that notes what would be written and writes nothing.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use serde_json::Value;
use stayzr_core::{
    Result,
    ids::{IntegrationId, SyncRunId},
    model::{Change, ChangeOutcome, Conflict, Integration, ProviderDocument, RunMode, SyncRun},
    port::{
        Page, PageRequest,
        sync::{Cursor, MappedRecord, Mapping, PageWrite, RowWrite, RunEnd, SyncStore},
    },
    tenant::TenantScope,
    transform::{EntityKind, FieldMap},
};
use uuid::Uuid;

use super::{
    dry_run::{PlannedAction, PlannedChange, PlannedField},
    job::SyncJob,
};

/// Reads go to the store; what would be written is noted, and mappings and cursors read back as if
/// it had been.
pub(super) struct Rehearsal {
    store: Arc<dyn SyncStore>,
    limit: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Mappings that would be made or replaced, without the state they agree on.
    known: HashMap<(EntityKind, String), Mapping>,
    /// The vendor's ids of rows that would be made.
    made: HashMap<Uuid, String>,
    cursors: HashMap<(EntityKind, RunMode), Cursor>,
    recorded: Recorded,
}

/// What would be written.
#[derive(Default)]
pub(super) struct Recorded {
    pub(super) counts: BTreeMap<PlannedAction, u64>,
    pub(super) changes: Vec<PlannedChange>,
    /// What both sides would agree on, of rows that would be pushed.
    pub(super) bases: BTreeMap<Uuid, FieldMap>,
}

impl Rehearsal {
    pub(super) fn new(store: Arc<dyn SyncStore>, limit: usize) -> Self {
        Self {
            store,
            limit,
            state: Mutex::default(),
        }
    }

    pub(super) fn take(&self) -> Recorded {
        std::mem::take(&mut self.state().recorded)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A stored mapping as it would stand.
    fn as_written(&self, mut mapping: Mapping) -> Mapping {
        let key = (mapping.entity, mapping.external_id.clone());
        if let Some(known) = self.state().known.get(&key) {
            mapping.version.clone_from(&known.version);
            mapping.hash.clone_from(&known.hash);
            mapping.merged_into.clone_from(&known.merged_into);
            mapping.gone_at = known.gone_at;
            mapping.revision = known.revision;
        }
        mapping
    }
}

impl State {
    fn note(&mut self, limit: usize, change: PlannedChange) -> bool {
        *self.recorded.counts.entry(change.action).or_default() += 1;
        let listed = self.recorded.changes.len() < limit;
        if listed {
            self.recorded.changes.push(change);
        }
        listed
    }

    fn page(&mut self, limit: usize, page: &PageWrite) {
        let external: HashMap<Uuid, &Mapping> = page
            .mappings
            .iter()
            .map(|mapping| (mapping.local_id, mapping))
            .collect();
        let external_id = |id: Uuid| external.get(&id).map(|mapping| mapping.external_id.clone());
        let gone: HashSet<Uuid> = page
            .mappings
            .iter()
            .filter(|mapping| mapping.gone_at.is_some())
            .map(|mapping| mapping.local_id)
            .collect();
        let mut told = HashSet::new();
        for row in &page.rows {
            let change = match row {
                RowWrite::Insert(row) => PlannedChange {
                    kind: row.kind,
                    external_id: external_id(row.id),
                    local_id: Some(row.id),
                    action: PlannedAction::Create,
                    fields: fields(&row.fields, |_| None),
                    reason: None,
                },
                RowWrite::Update { kind, id, set, .. } => {
                    let is_gone = gone.contains(id);
                    told.insert(*id);
                    PlannedChange {
                        kind: *kind,
                        external_id: external_id(*id),
                        local_id: Some(*id),
                        action: match is_gone {
                            true => PlannedAction::Gone,
                            false => PlannedAction::Update,
                        },
                        fields: fields(set, |field| before(&page.changes, *id, field)),
                        reason: None,
                    }
                }
            };
            self.note(limit, change);
        }
        for mapping in &page.mappings {
            if gone.contains(&mapping.local_id) && !told.contains(&mapping.local_id) {
                let change = bare(mapping.entity, Some(mapping.local_id), PlannedAction::Gone);
                let external_id = Some(mapping.external_id.clone());
                self.note(
                    limit,
                    PlannedChange {
                        external_id,
                        ..change
                    },
                );
            }
        }
        for conflict in &page.conflicts {
            self.note(limit, dispute(conflict));
        }
        for change in refusals(page) {
            self.note(limit, change);
        }
        for merge in &page.merges {
            let (from, into) = (merge.from.uuid(), merge.into.uuid());
            let change = bare(EntityKind::Guest, Some(from), PlannedAction::Merge);
            let merged = PlannedChange {
                external_id: external_id(from),
                reason: Some(format!("the guest is {into}")),
                ..change
            };
            self.note(limit, merged);
        }
        for parked in &page.parked {
            let change = bare(parked.entity, parked.local_id, PlannedAction::Park);
            let parked = PlannedChange {
                external_id: parked.external_id.clone(),
                reason: Some(parked.reason.clone()),
                ..change
            };
            self.note(limit, parked);
        }
        for job in &page.jobs {
            let Ok(SyncJob::Push { kind, id, .. }) = SyncJob::parse(&job.payload) else {
                continue;
            };
            if self.note(limit, bare(kind, Some(id), PlannedAction::Push))
                && let Some(mapping) = external.get(&id)
            {
                self.recorded.bases.insert(id, mapping.base.clone());
            }
        }
    }

    fn remember(&mut self, page: PageWrite) {
        let made: HashSet<Uuid> = page
            .rows
            .iter()
            .filter_map(|row| match row {
                RowWrite::Insert(row) => Some(row.id),
                RowWrite::Update { .. } => None,
            })
            .collect();
        for mapping in page.mappings {
            if made.contains(&mapping.local_id) {
                let id = mapping.external_id.clone();
                self.made.insert(mapping.local_id, id);
            }
            let slim = Mapping {
                base: FieldMap::new(),
                extra: Value::Null,
                ..mapping
            };
            self.known
                .insert((slim.entity, slim.external_id.clone()), slim);
        }
        if let Some(cursor) = page.cursor {
            self.cursors.insert((cursor.entity, cursor.mode), cursor);
        }
    }
}

fn bare(kind: EntityKind, local_id: Option<Uuid>, action: PlannedAction) -> PlannedChange {
    PlannedChange {
        kind,
        external_id: None,
        local_id,
        action,
        fields: BTreeMap::new(),
        reason: None,
    }
}

fn fields(set: &FieldMap, from: impl Fn(&str) -> Option<Value>) -> BTreeMap<String, PlannedField> {
    set.iter()
        .filter(|(field, to)| !to.is_null() || from(field).is_some())
        .map(|(field, to)| {
            let from = from(field);
            (
                field.to_owned(),
                PlannedField {
                    from,
                    to: Some(to.clone()),
                },
            )
        })
        .collect()
}

/// What stands in a field, as the journal would say.
fn before(changes: &[Change], row: Uuid, field: &str) -> Option<Value> {
    changes
        .iter()
        .find(|change| change.entity_id == row && change.field.as_deref() == Some(field))
        .and_then(|change| change.old.clone())
}

fn dispute(conflict: &Conflict) -> PlannedChange {
    let change = bare(
        conflict.entity,
        Some(conflict.entity_id),
        PlannedAction::Conflict,
    );
    PlannedChange {
        external_id: Some(conflict.external_id.clone()).filter(|id| !id.is_empty()),
        fields: conflict
            .remote
            .iter()
            .map(|(field, remote)| {
                let field_of = PlannedField {
                    from: conflict.local.get(field).cloned(),
                    to: Some(remote.clone()),
                };
                (field.to_owned(), field_of)
            })
            .collect(),
        ..change
    }
}

/// What would not be taken, one change for a row; what waits for a person is a conflict instead.
fn refusals(page: &PageWrite) -> Vec<PlannedChange> {
    let disputed: HashSet<Uuid> = page
        .conflicts
        .iter()
        .map(|conflict| conflict.entity_id)
        .collect();
    let mut rows: BTreeMap<Uuid, PlannedChange> = BTreeMap::new();
    for line in &page.changes {
        let Some(field) = line.field.as_ref() else {
            continue;
        };
        if line.outcome != ChangeOutcome::Refused || disputed.contains(&line.entity_id) {
            continue;
        }
        let row = rows
            .entry(line.entity_id)
            .or_insert_with(|| bare(line.entity, Some(line.entity_id), PlannedAction::Refuse));
        row.external_id = row.external_id.take().or(line.external_id.clone());
        row.reason = row.reason.take().or(line.reason.clone());
        let refused = PlannedField {
            from: line.old.clone(),
            to: line.new.clone(),
        };
        row.fields.insert(field.clone(), refused);
    }
    rows.into_values().collect()
}

#[async_trait]
impl SyncStore for Rehearsal {
    async fn integration(
        &self,
        scope: TenantScope,
        id: IntegrationId,
    ) -> Result<Option<Integration>> {
        self.store.integration(scope, id).await
    }

    async fn integrations(&self, scope: TenantScope) -> Result<Vec<Integration>> {
        self.store.integrations(scope).await
    }

    async fn mappings(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        external_ids: &[String],
    ) -> Result<Vec<Mapping>> {
        let stored = self
            .store
            .mappings(scope, integration_id, kind, external_ids)
            .await?;
        let mut found: Vec<Mapping> = stored
            .into_iter()
            .map(|mapping| self.as_written(mapping))
            .collect();
        let state = self.state();
        let made = external_ids.iter().filter_map(|id| {
            let known = state.known.get(&(kind, id.clone()))?;
            state
                .made
                .contains_key(&known.local_id)
                .then(|| known.clone())
        });
        found.extend(made);
        Ok(found)
    }

    async fn mappings_of(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        local_ids: &[Uuid],
    ) -> Result<Vec<Mapping>> {
        let stored = self
            .store
            .mappings_of(scope, integration_id, kind, local_ids)
            .await?;
        let mut found: Vec<Mapping> = stored
            .into_iter()
            .map(|mapping| self.as_written(mapping))
            .collect();
        let state = self.state();
        let made = local_ids.iter().filter_map(|id| {
            let external_id = state.made.get(id)?.clone();
            state.known.get(&(kind, external_id)).cloned()
        });
        found.extend(made);
        Ok(found)
    }

    async fn cursor(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        mode: RunMode,
    ) -> Result<Option<Cursor>> {
        let noted = self.state().cursors.get(&(kind, mode)).cloned();
        match noted {
            Some(cursor) => Ok(Some(cursor)),
            None => self.store.cursor(scope, integration_id, kind, mode).await,
        }
    }

    async fn apply_page(&self, page: PageWrite) -> Result<()> {
        let mut state = self.state();
        state.page(self.limit, &page);
        state.remember(page);
        Ok(())
    }

    async fn begin_run(&self, _: TenantScope, _: &SyncRun) -> Result<()> {
        Ok(())
    }

    async fn end_run(&self, _: TenantScope, _: SyncRunId, _: RunEnd) -> Result<()> {
        Ok(())
    }

    async fn mapped(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<MappedRecord>> {
        self.store
            .mapped(scope, integration_id, kind, after, limit)
            .await
    }

    async fn mapped_count(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
    ) -> Result<u64> {
        self.store.mapped_count(scope, integration_id, kind).await
    }

    async fn provider_document(
        &self,
        scope: TenantScope,
        provider: &str,
    ) -> Result<Option<ProviderDocument>> {
        self.store.provider_document(scope, provider).await
    }

    async fn runs(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        page: &PageRequest,
    ) -> Result<Page<SyncRun>> {
        self.store.runs(scope, integration_id, page).await
    }
}
