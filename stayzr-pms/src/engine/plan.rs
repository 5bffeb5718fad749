//! Decides what a page of records does to our rows. Pure.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use stayzr_core::{
    clock::Clock,
    ids::{GuestId, IntegrationId, OrganizationId, PropertyId},
    model::{Change, ChangeOutcome, Conflict, Contact, ExternalRef},
    port::sync::{
        ContactWrite, GuestMerge, Mapping, ParkedRecord, RowWrite, RunCounts, SettledConflict,
    },
    queue::NewJob,
    tenant::TenantScope,
    transform::{ConflictStrategy, EntityKind, EntityRow, FieldMap, FieldRule, Owner},
};
use uuid::Uuid;

use super::{
    journal::About,
    merged::{MERGED_INTO, Remains},
    notes::{self, Notes},
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
    /// Mapped rows, those that records are adopted by, and those of guests who remain.
    pub rows: HashMap<Uuid, EntityRow>,
    /// Our ids of the records that others link to.
    pub links: HashMap<ExternalRef, Uuid>,
    /// Rows that an unmapped record belongs to, by the vendor's id: nothing is made for it.
    pub adopted: HashMap<String, Uuid>,
    /// Guests that an unmapped record may be about, by the vendor's id; a person may know.
    pub doubtful: HashMap<String, Vec<GuestId>>,
    /// Guests who wrote to us and turned out to be the one that a mapped record is about, by the
    /// vendor's id.
    pub joined: HashMap<String, GuestId>,
    /// Mappings of the guests who remain where others were merged, by row.
    pub remaining: HashMap<Uuid, Mapping>,
    /// Addresses of the page's guests that lead to nobody.
    pub unclaimed: Vec<Contact>,
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
    /// Conflicts to open, or to bring up to date.
    pub conflicts: Vec<Conflict>,
    /// Records that cannot be rows, with the reason.
    pub parked: Vec<ParkedRecord>,
    /// Records that were read in their newest state: what stands put aside for one of them ends.
    pub read: Vec<ExternalRef>,
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
        updates: HashMap::new(),
        merged: HashMap::new(),
        // Of news alone, as links were followed: what is no news leads on by its mapping.
        targets: merge_targets(records.iter().filter(|triaged| triaged.is_news())),
    };
    // Who remains is known before those who were merged into them.
    for merged in [false, true] {
        for triaged in records {
            if triaged.record.merged_into.is_some() == merged {
                planner.record(triaged, state);
            }
        }
    }
    // An address that a guest gives up is free before another guest takes it.
    planner
        .plan
        .contacts
        .sort_by_key(|contact| contact.address.is_some());
    planner.plan
}

/// Which records of a page were merged into which.
pub(super) fn merge_targets<'r, 'a: 'r>(
    records: impl Iterator<Item = &'r Triaged<'a>>,
) -> HashMap<&'a str, &'a str> {
    records
        .filter(|triaged| !matches!(triaged.verdict, Verdict::Stale | Verdict::Erased))
        .filter_map(|triaged| {
            let target = triaged.record.merged_into.as_deref()?;
            Some((triaged.record.external_id.as_str(), target))
        })
        .collect()
}

pub(super) struct Planner<'a> {
    pub(super) context: PlanContext<'a>,
    pub(super) plan: Plan,
    /// Where the update of a row stands in the plan: a page names each row once.
    pub(super) updates: HashMap<Uuid, usize>,
    /// Guests whom this page merges: who into whom.
    pub(super) merged: HashMap<Uuid, Uuid>,
    /// [`RemoteRecord::merged_into`] of this page's records, by the vendor's id.
    pub(super) targets: HashMap<&'a str, &'a str>,
}

/// A record's fields with its links followed.
pub(super) struct Resolved {
    pub(super) fields: FieldMap,
    pub(super) unresolved: BTreeMap<String, ExternalRef>,
    /// Who remains of a guest who was merged.
    pub(super) remains: Option<Remains>,
}

impl Planner<'_> {
    fn record(&mut self, triaged: &Triaged<'_>, state: &mut PageState) {
        let record = triaged.record;
        if triaged.verdict != Verdict::Stale {
            self.plan.read.push(record_ref(record));
        }
        // A mapping is written once, so it is taken rather than cloned.
        let mapping = state.mappings.remove(&record.external_id);
        match (&triaged.verdict, mapping) {
            (Verdict::Erased, Some(mapping)) if notes::was_disputed(&mapping) => {
                self.plan.counts.unchanged += 1;
                self.end_disputes(mapping);
            }
            (Verdict::Unchanged | Verdict::Stale | Verdict::Erased, _) => {
                self.plan.counts.unchanged += 1;
            }
            (Verdict::Marked, Some(mut mapping)) => {
                self.plan.counts.unchanged += 1;
                mapping.version.clone_from(&record.version);
                self.save(mapping);
            }
            (_, Some(mapping)) => self.known(triaged, mapping, state),
            (_, None) => self.unknown(triaged, state),
        }
    }

    fn known(&mut self, triaged: &Triaged<'_>, mapping: Mapping, state: &mut PageState) {
        let record = triaged.record;
        let Some(mut row) = state.rows.remove(&mapping.local_id) else {
            // The row is gone for good; the mapping is what keeps it from coming back.
            self.plan.counts.unchanged += 1;
            return;
        };
        let resolved = self.resolve(record, Some(row.id), &state.links);
        let still = Notes::of(&mapping).unresolved == resolved.unresolved;
        if triaged.verdict == Verdict::Unlinked && still {
            self.plan.counts.unchanged += 1;
        } else if let Err(reason) = shape::check_record(record.kind, &resolved.fields) {
            self.park(record, Some(row.id), reason);
        } else if resolved.remains.is_some() {
            self.merged_guest(triaged, mapping, &row, resolved, state);
        } else {
            let joined = state.joined.remove(&record.external_id);
            let set = self.merge(triaged, mapping, &row, resolved, joined);
            row.fields.extend(&set);
        }
        state.rows.insert(row.id, row);
    }

    fn unknown(&mut self, triaged: &Triaged<'_>, state: &mut PageState) {
        let record = triaged.record;
        if record.external_id.trim().is_empty() {
            return self.park(record, None, "id: the record has none".to_owned());
        }
        let resolved = self.resolve(record, None, &state.links);
        if let Err(reason) = shape::check_record(record.kind, &resolved.fields) {
            return self.park(record, None, reason);
        }
        let Some(id) = state.adopted.remove(&record.external_id) else {
            return self.insert(triaged, resolved, state);
        };
        let Some(mut row) = state.rows.remove(&id) else {
            let reason = "the row that it belongs to is gone".to_owned();
            return self.park(record, Some(id), reason);
        };
        let mut mapping = self.blank(record, row.id);
        if row.fields.text("origin") == Some("channel") {
            // What a messenger calls its owner was never agreed on, and is not worth a conflict:
            // the vendor's values are taken.
            mapping.base = row.fields.only(resolved.fields.names());
        }
        let set = self.merge(triaged, mapping, &row, resolved, None);
        row.fields.extend(&set);
        if !self.targets.is_empty() {
            state.links.insert(record_ref(record), id);
        }
        state.rows.insert(row.id, row);
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

    pub(super) fn park(&mut self, record: &RemoteRecord, row: Option<Uuid>, reason: String) {
        self.plan.counts.parked += 1;
        let id = record.external_id.trim();
        self.plan.parked.push(ParkedRecord {
            entity: record.kind,
            external_id: (!id.is_empty()).then(|| record.external_id.clone()),
            local_id: row,
            reason,
        });
    }

    /// Changes a row, in the one write that the page has for it.
    pub(super) fn update(&mut self, row: &EntityRow, set: &FieldMap) {
        if set.is_empty() {
            return;
        }
        if let Some(&at) = self.updates.get(&row.id)
            && let Some(RowWrite::Update { set: before, .. }) = self.plan.rows.get_mut(at)
        {
            before.extend(set);
            return;
        }
        self.updates.insert(row.id, self.plan.rows.len());
        self.plan.rows.push(RowWrite::Update {
            kind: row.kind,
            id: row.id,
            expected_version: row.version,
            set: set.clone(),
        });
    }

    /// The fields that the vendor has a say in, canonical, with links as our ids.
    fn resolve(
        &self,
        record: &RemoteRecord,
        row: Option<Uuid>,
        links: &HashMap<ExternalRef, Uuid>,
    ) -> Resolved {
        let mut fields = FieldMap::new();
        let mut unresolved = BTreeMap::new();
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
        let remains = self.remains(record, row, links);
        if let Some(Remains::Unknown(target)) = &remains {
            unresolved.insert(MERGED_INTO.to_owned(), target.clone());
        }
        Resolved {
            fields,
            unresolved,
            remains,
        }
    }

    fn insert(&mut self, triaged: &Triaged<'_>, resolved: Resolved, state: &mut PageState) {
        let record = triaged.record;
        let now = self.context.clock.now();
        let id = self.context.clock.uuid();
        let mut fields = shape::defaults(record.kind, &record.external_id);
        fields.extend(&resolved.fields);
        // Nothing hangs on a row that is just made, so that one of a merged guest only says so.
        if let Some(Remains::Into(into)) = resolved.remains {
            fields.insert(MERGED_INTO, into.to_string());
        }
        let merged = resolved.remains.is_some() || is_merged_otherwise(record);
        if merged {
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
            return self.park(record, None, reason);
        }
        if record.kind == EntityKind::Guest && !merged {
            self.contacts(id, &row.fields, false);
            if !self.targets.is_empty() {
                state.links.insert(record_ref(record), id);
            }
        }
        let doubt = state.doubtful.remove(&record.external_id).map(|others| {
            let others: Vec<String> = others.iter().map(ToString::to_string).collect();
            format!(
                "another guest has the same phone/email; not merged: {}",
                others.join(", ")
            )
        });
        let about = About::record(id, &record.external_id);
        let none = [None, None, None];
        self.journal(about, None, none, ChangeOutcome::Applied, doubt.as_deref());
        let notes = Notes {
            unresolved: resolved.unresolved,
            ..Notes::default()
        };
        let mapping = Mapping {
            base: resolved.fields,
            version: record.version.clone(),
            hash: triaged.hash.clone(),
            extra: notes.beside(&record.extra),
            merged_into: merged.then(|| record.merged_into.clone()).flatten(),
            ..self.blank(record, id)
        };
        self.save(mapping);
        self.plan.rows.push(RowWrite::Insert(row));
        self.plan.counts.created += 1;
    }
}

pub(super) fn record_ref(record: &RemoteRecord) -> ExternalRef {
    ExternalRef {
        kind: record.kind,
        id: record.external_id.clone(),
    }
}

/// Whether a record of another kind than guests was merged: such a row is only not active any more.
pub(super) fn is_merged_otherwise(record: &RemoteRecord) -> bool {
    record.kind != EntityKind::Guest && record.merged_into.is_some()
}

pub(super) fn deactivate(kind: EntityKind, fields: &mut FieldMap) {
    if shape::has_column(kind, "active") {
        fields.insert("active", false);
    }
}
