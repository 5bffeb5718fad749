//! Decides what a page of records does to our rows. Pure.

use std::collections::HashMap;

use serde_json::Value;
use stayzr_core::{
    clock::Clock,
    ids::{IntegrationId, OrganizationId, PropertyId},
    model::{Change, ChangeOutcome, Conflict, ExternalRef},
    port::sync::{
        ContactWrite, GuestMerge, Mapping, ParkedRecord, RowWrite, RunCounts, SettledConflict,
    },
    queue::NewJob,
    tenant::TenantScope,
    transform::{ConflictStrategy, EntityKind, EntityRow, FieldMap, FieldRule, Owner},
};
use uuid::Uuid;

use super::{
    notes::Notes,
    shape,
    triage::{Triaged, Verdict},
};
use crate::RemoteRecord;

/// What holds for a whole page.
#[derive(Clone, Copy)]
pub struct PlanContext<'a> {
    /// The organization.
    pub organization_id: OrganizationId,
    /// The property of the integration.
    pub property_id: PropertyId,
    /// The integration.
    pub integration_id: IntegrationId,
    /// What kind of records.
    pub kind: EntityKind,
    /// What may be done with each field.
    pub rules: &'a [FieldRule],
    /// Who decides where a field has no strategy of its own.
    pub strategy: ConflictStrategy,
    /// The property's country, which national telephone numbers need.
    pub country: Option<&'a str>,
    /// What made us look: `backfill`, `incremental`, `webhook`, `push`.
    pub event: &'static str,
    /// Whether what the vendor lacks becomes push jobs; a push in progress sees to that itself.
    pub enqueue_pushes: bool,
    /// Tells the time and makes ids.
    pub clock: &'a dyn Clock,
}

/// What is stored about the records of a page.
#[derive(Debug, Clone, Default)]
pub struct PageState {
    /// Mappings by the vendor's id.
    pub mappings: HashMap<String, Mapping>,
    /// Mapped rows.
    pub rows: HashMap<Uuid, EntityRow>,
    /// Our ids of the records that others link to.
    pub links: HashMap<ExternalRef, Uuid>,
    /// Rows that an unmapped record belongs to, by the vendor's id: nothing is made for it.
    pub adopted: HashMap<String, Uuid>,
}

/// What a page comes to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// Rows to make or change.
    pub rows: Vec<RowWrite>,
    /// Mappings to make or replace.
    pub mappings: Vec<Mapping>,
    /// Addresses of guests.
    pub contacts: Vec<ContactWrite>,
    /// Guests who turned out to be others.
    pub merges: Vec<GuestMerge>,
    /// Conflicts that ended by themselves.
    pub settled: Vec<SettledConflict>,
    /// Lines of the journal.
    pub changes: Vec<Change>,
    /// Conflicts to open.
    pub conflicts: Vec<Conflict>,
    /// Records that cannot be rows, with the reason.
    pub parked: Vec<ParkedRecord>,
    /// Pushes, and reads to repeat.
    pub jobs: Vec<NewJob>,
    /// What to count; records read and parked are counted by the reader.
    pub counts: RunCounts,
}

/// Plans a page of records that were judged against the same mappings.
pub fn plan_page(context: PlanContext<'_>, records: &[Triaged<'_>], state: &mut PageState) -> Plan {
    let mut planner = Planner {
        context,
        plan: Plan::default(),
    };
    for triaged in records {
        planner.record(triaged, state);
    }
    // An address that a merged guest gives up is free before another guest takes it.
    planner
        .plan
        .contacts
        .sort_by_key(|contact| contact.address.is_some());
    planner.plan
}

pub(super) struct Planner<'a> {
    pub(super) context: PlanContext<'a>,
    pub(super) plan: Plan,
}

/// A record's fields with its links followed.
pub(super) struct Resolved {
    pub(super) fields: FieldMap,
    pub(super) unresolved: std::collections::BTreeMap<String, ExternalRef>,
}

impl Planner<'_> {
    fn record(&mut self, triaged: &Triaged<'_>, state: &mut PageState) {
        let record = triaged.record;
        // A mapping is written once, so it is taken rather than cloned.
        let mapping = state.mappings.remove(&record.external_id);
        match (&triaged.verdict, mapping) {
            (Verdict::Unchanged | Verdict::Stale | Verdict::Erased, _) => {
                self.plan.counts.unchanged += 1;
            }
            (Verdict::Marked, Some(mut mapping)) => {
                self.plan.counts.unchanged += 1;
                mapping.version.clone_from(&record.version);
                self.save(mapping);
            }
            (_, Some(mapping)) => match state.rows.get(&mapping.local_id) {
                Some(row) => {
                    let resolved = self.resolve(record, &state.links);
                    let still = Notes::of(&mapping).unresolved == resolved.unresolved;
                    if triaged.verdict == Verdict::Unlinked && still {
                        self.plan.counts.unchanged += 1;
                    } else {
                        self.merge(triaged, mapping, row, resolved);
                    }
                }
                // The row is gone for good; the mapping is what keeps it from coming back.
                None => self.plan.counts.unchanged += 1,
            },
            (_, None) => {
                let resolved = self.resolve(record, &state.links);
                match state.adopted.get(&record.external_id) {
                    None => self.insert(triaged, resolved),
                    Some(id) => match state.rows.get(id) {
                        Some(row) => {
                            let mapping = self.blank(record, row.id);
                            self.merge(triaged, mapping, row, resolved);
                        }
                        None => self.park(record, "the row that it belongs to is gone".to_owned()),
                    },
                }
            }
        }
    }

    pub(super) fn scope(&self) -> TenantScope {
        TenantScope::property(self.context.organization_id, self.context.property_id)
    }

    fn blank(&self, record: &RemoteRecord, local_id: Uuid) -> Mapping {
        Mapping {
            integration_id: self.context.integration_id,
            entity: record.kind,
            external_id: record.external_id.clone(),
            local_id,
            base: FieldMap::new(),
            version: None,
            hash: String::new(),
            extra: Value::Null,
            merged_into: None,
            gone_at: None,
            revision: 0,
            updated_at: self.context.clock.now(),
        }
    }

    pub(super) fn save(&mut self, mut mapping: Mapping) {
        mapping.revision += 1;
        mapping.updated_at = self.context.clock.now();
        self.plan.mappings.push(mapping);
    }

    pub(super) fn park(&mut self, record: &RemoteRecord, reason: String) {
        self.plan.counts.parked += 1;
        self.plan.parked.push(ParkedRecord {
            entity: record.kind,
            external_id: Some(record.external_id.clone()),
            local_id: None,
            reason,
        });
    }

    /// The fields that the vendor has a say in, canonical, with links as our ids.
    fn resolve(&self, record: &RemoteRecord, links: &HashMap<ExternalRef, Uuid>) -> Resolved {
        let mut fields = FieldMap::new();
        let mut unresolved = std::collections::BTreeMap::new();
        for rule in self.context.rules {
            let field = rule.field;
            if rule.owner == Owner::Local {
                continue;
            }
            if let Some(link) = record.links.get(field) {
                let id = link.as_ref().and_then(|link| links.get(link));
                if let (Some(link), None) = (link, id) {
                    unresolved.insert(field.to_owned(), link.clone());
                }
                fields.insert(field, id.map(Uuid::to_string));
            } else if let Some(value) = record.fields.get(field)
                && let Some(value) = shape::canonical(record.kind, field, value)
            {
                fields.insert(field, value);
            }
        }
        Resolved { fields, unresolved }
    }

    fn insert(&mut self, triaged: &Triaged<'_>, resolved: Resolved) {
        let record = triaged.record;
        let now = self.context.clock.now();
        let id = self.context.clock.uuid();
        let mut fields = shape::defaults(record.kind, &record.external_id);
        fields.extend(&resolved.fields);
        if record.merged_into.is_some() {
            deactivate(record.kind, &mut fields);
        }
        let row = EntityRow {
            kind: record.kind,
            id,
            organization_id: self.context.organization_id,
            property_id: record
                .kind
                .has_property()
                .then_some(self.context.property_id),
            version: 1,
            created_at: now,
            updated_at: now,
            fields,
        };
        let sound = shape::sound(record.kind, &record.external_id);
        if let Err(reason) = shape::check(&row, &sound) {
            return self.park(record, reason);
        }
        if record.kind == EntityKind::Guest && record.merged_into.is_none() {
            self.contacts(id, &row.fields, false);
        }
        self.journal(id, None, [None, None, None], ChangeOutcome::Applied, None);
        let notes = Notes {
            unresolved: resolved.unresolved,
            ..Notes::default()
        };
        let mapping = Mapping {
            base: resolved.fields,
            version: record.version.clone(),
            hash: triaged.hash.clone(),
            extra: notes.beside(&record.extra),
            merged_into: record.merged_into.clone(),
            ..self.blank(record, id)
        };
        self.save(mapping);
        self.plan.rows.push(RowWrite::Insert(row));
        self.plan.counts.created += 1;
    }
}

pub(super) fn deactivate(kind: EntityKind, fields: &mut FieldMap) {
    if kind.columns().iter().any(|column| column.name == "active") {
        fields.insert("active", false);
    }
}
