//! Tells the vendor what was changed here.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;
use stayzr_core::{
    Error, ErrorKind, Result,
    ids::IntegrationId,
    model::ExternalRef,
    port::sync::{Mapping, PageWrite},
    queue::Lease,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap},
};
use uuid::Uuid;

use super::{
    notes::Notes,
    page::PageInput,
    session::{Session, SyncEngine},
    shape,
};
use crate::{Push, PushOutcome};

const RECORD_GONE: &str = "the vendor does not have the record any more: the change stays here";

/// Why the vendor was not told a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedPush {
    /// The field.
    pub field: String,
    /// The value that it has here.
    pub value: Value,
    /// Why not.
    pub reason: String,
}

impl RefusedPush {
    pub(super) fn new(field: &str, value: &Value, reason: &str) -> Self {
        Self {
            field: field.to_owned(),
            value: value.clone(),
            reason: reason.to_owned(),
        }
    }
}

/// What became of a push. Both lists empty: both sides agreed already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushReport {
    /// Fields that the vendor has now.
    pub sent: Vec<String>,
    /// Fields that it cannot be told; they stay as they are here.
    pub refused: Vec<RefusedPush>,
}

/// A row and its mapping as they stand.
pub(super) struct Standing {
    pub(super) row: EntityRow,
    pub(super) mapping: Mapping,
}

/// What differs, and what of it can be sent.
#[derive(Default)]
struct Difference {
    changed: FieldMap,
    links: BTreeMap<String, Option<ExternalRef>>,
    /// Changed fields and links with our values.
    values: FieldMap,
    refused: Vec<RefusedPush>,
}

impl SyncEngine {
    /// Tells the vendor what differs between a row and the last agreed state, in the fields that
    /// its API can set.
    ///
    /// The record is read first, and what is new there is merged; what is left is sent. Before it
    /// is sent the values are noted, so that after a crash or an ambiguous answer they are known
    /// as our own when they come back. A field that the vendor cannot be told, such as any field of
    /// a record that it does not have any more, is journalled as refused and not tried again until
    /// something changes. A field in dispute waits for a person.
    ///
    /// A guest that staff entered here and the vendor does not know is made there; other rows
    /// without a mapping are left alone.
    ///
    /// Errors: [`ErrorKind::Ambiguous`] where the write may have happened, so try again;
    /// [`ErrorKind::Conflict`] where the lease was lost or the row keeps changing; the provider's
    /// and the store's own.
    pub async fn push(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        local_id: Uuid,
        lease: Option<&Lease>,
    ) -> Result<PushReport> {
        let integration = self.integration(scope, integration_id).await?;
        let session = self.open(scope, integration).await?;
        let Some(standing) = self.standing(&session, kind, local_id).await? else {
            return self.create(&session, kind, local_id, lease).await;
        };
        let difference = self.difference(&session, &standing).await?;
        let mut report = PushReport {
            refused: difference.refused,
            ..PushReport::default()
        };
        // A dispute may have ended by what was edited here; a record that was gone may be back.
        let waits = Notes::of(&standing.mapping).holds_any() || standing.mapping.gone_at.is_some();
        if waits || !difference.values.is_empty() {
            self.read_first(&session, &standing.mapping, lease).await?;
            self.send(&session, kind, local_id, lease, &mut report)
                .await?;
        }
        self.note_refused(&session, kind, local_id, &report.refused, lease)
            .await?;
        Ok(report)
    }

    /// Sends what differs until nothing does or the vendor refuses the rest.
    async fn send(
        &self,
        session: &Session,
        kind: EntityKind,
        local_id: Uuid,
        lease: Option<&Lease>,
        report: &mut PushReport,
    ) -> Result<()> {
        for _ in 0..self.options.replans.max(1) {
            let Some(standing) = self.standing(session, kind, local_id).await? else {
                return Ok(());
            };
            let mut difference = self.difference(session, &standing).await?;
            difference.leave_out(&report.refused);
            report.refused.append(&mut difference.refused);
            if difference.values.is_empty() {
                return Ok(());
            }
            if standing.mapping.gone_at.is_some() {
                let gone = difference.values.iter();
                report
                    .refused
                    .extend(gone.map(|(field, value)| RefusedPush::new(field, value, RECORD_GONE)));
                return Ok(());
            }
            match self.note_sent(session, &standing, &difference, lease).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    self.hold(lease).await?;
                    continue;
                }
                noted => noted?,
            }
            let push = Push {
                kind,
                external_id: Some(standing.mapping.external_id.clone()),
                base: standing.mapping.base.clone(),
                changed: difference.changed,
                links: difference.links,
            };
            let values = difference.values;
            match session.provider.push(&push).await? {
                PushOutcome::Applied(answer) => {
                    self.save_answer(session, &standing, &values, &answer, lease)
                        .await?;
                    report.sent = values.names().map(str::to_owned).collect();
                    return Ok(());
                }
                PushOutcome::Unsupported(fields) => {
                    let before = report.refused.len();
                    report.refused.extend(fields.iter().filter_map(|field| {
                        let value = values.get(field)?;
                        Some(RefusedPush::new(
                            field,
                            value,
                            "the vendor's API cannot set this value",
                        ))
                    }));
                    if report.refused.len() == before {
                        return Err(refused_unsent());
                    }
                }
                PushOutcome::Ambiguous(reason) => return Err(ambiguous(reason)),
            }
        }
        Err(restless(local_id))
    }

    /// The row and its mapping; none where the vendor does not have it, or it is merged or erased.
    pub(super) async fn standing(
        &self,
        session: &Session,
        kind: EntityKind,
        local_id: Uuid,
    ) -> Result<Option<Standing>> {
        let row = self
            .ports
            .entities
            .row(session.scope, kind, local_id)
            .await?;
        let mapping = self
            .ports
            .sync
            .mappings_of(session.scope, session.integration.id, kind, &[local_id])
            .await?
            .into_iter()
            .next()
            .filter(|mapping| mapping.merged_into.is_none() && !Notes::of(mapping).erased);
        Ok(row
            .zip(mapping)
            .map(|(row, mapping)| Standing { row, mapping }))
    }

    /// Merges what is new at the vendor, so that a newer change there is not written over.
    async fn read_first(
        &self,
        session: &Session,
        mapping: &Mapping,
        lease: Option<&Lease>,
    ) -> Result<()> {
        let by_id = &session.provider.capabilities().by_id;
        if !by_id.contains_key(&mapping.entity) {
            return Ok(());
        }
        let ids = [mapping.external_id.clone()];
        let page = session.provider.fetch_ids(mapping.entity, &ids).await?;
        if page.records.is_empty() && page.parked.is_empty() {
            if mapping.gone_at.is_some() {
                return Ok(());
            }
            return Err(Error::not_found(
                "sync.push",
                "the vendor does not know the record any more, so the change stays here",
            )
            .with("kind", mapping.entity)
            .with("external_id", &mapping.external_id));
        }
        self.write_page(
            session,
            &PageInput {
                kind: mapping.entity,
                records: &page.records,
                parked: &page.parked,
                event: "push",
                run: None,
                cursor: None,
                lease,
                enqueue_pushes: false,
            },
        )
        .await?;
        Ok(())
    }

    async fn difference(&self, session: &Session, standing: &Standing) -> Result<Difference> {
        let Standing { row, mapping } = standing;
        let notes = Notes::of(mapping);
        // What the vendor never spoke of is agreed to be what a row starts with.
        let start = shape::defaults(row.kind, &mapping.external_id);
        let mut difference = Difference::default();
        let mut links = HashSet::new();
        for rule in session.rules(row.kind).iter().filter(|rule| rule.writable) {
            let field = rule.field;
            let ours = row.fields.get(field).unwrap_or(&Value::Null);
            let agreed = mapping.base.get(field).or(start.get(field));
            let agreed = agreed.unwrap_or(&Value::Null);
            if ours == agreed || notes.holds(field) || notes.refused.get(field) == Some(ours) {
                continue;
            }
            if ours.is_null() && !rule.clearable {
                difference.refuse(field, ours, "the vendor's API cannot empty this field");
                continue;
            }
            if let Some(kind) = shape::link_kind(field) {
                links.insert((field, kind));
            } else {
                difference.changed.insert(field, ours.clone());
            }
            difference.values.insert(field, ours.clone());
        }
        for (field, kind) in links {
            let id = row
                .fields
                .text(field)
                .and_then(|id| id.parse::<Uuid>().ok());
            let Some(id) = id else {
                difference.links.insert(field.to_owned(), None);
                continue;
            };
            let known = self
                .ports
                .sync
                .mappings_of(session.scope, session.integration.id, kind, &[id])
                .await?;
            match known.into_iter().next() {
                Some(mapping) => {
                    let link = ExternalRef {
                        kind,
                        id: mapping.merged_into.unwrap_or(mapping.external_id),
                    };
                    difference.links.insert(field.to_owned(), Some(link));
                }
                None => {
                    let value = difference.values.remove(field).unwrap_or_default();
                    difference.refuse(
                        field,
                        &value,
                        "the vendor does not know the row it links to",
                    );
                }
            }
        }
        Ok(difference)
    }

    /// Notes what is about to be sent, under the lease: who lost it sends nothing.
    async fn note_sent(
        &self,
        session: &Session,
        standing: &Standing,
        difference: &Difference,
        lease: Option<&Lease>,
    ) -> Result<()> {
        let mut mapping = standing.mapping.clone();
        let mut notes = Notes::of(&mapping);
        let until = self.clock.now() + self.options.late_read;
        notes.sending(&difference.values, &mapping.base, until);
        notes.write(&mut mapping);
        mapping.revision += 1;
        mapping.updated_at = self.clock.now();
        self.ports
            .sync
            .apply_page(PageWrite {
                lease: lease.cloned(),
                mappings: vec![mapping],
                ..PageWrite::new(session.scope, session.integration.id)
            })
            .await
    }
}

impl Difference {
    fn refuse(&mut self, field: &str, value: &Value, reason: &str) {
        self.refused.push(RefusedPush::new(field, value, reason));
    }

    /// Leaves out what was refused in an earlier attempt.
    fn leave_out(&mut self, refused: &[RefusedPush]) {
        for RefusedPush { field, .. } in refused {
            self.changed.remove(field);
            self.values.remove(field);
            self.links.remove(field);
            self.refused.retain(|again| &again.field != field);
        }
    }
}

/// A provider that goes on so would be asked for ever.
pub(super) fn refused_unsent() -> Error {
    Error::internal(
        "sync.push",
        "the provider refused fields that were not sent: that is a fault of the provider's code, \
         not of the hotel's data",
    )
}

/// Every attempt to write met somebody else's newer state.
pub(super) fn restless(local_id: Uuid) -> Error {
    Error::conflict(
        "sync.push",
        "the row keeps changing while it is pushed: it is tried again when that is over",
    )
    .with("id", local_id)
}

pub(super) fn ambiguous(reason: String) -> Error {
    Error::new(
        ErrorKind::Ambiguous,
        "sync.push",
        "the vendor may have made the change: the record is read again before anything is sent",
    )
    .with("reason", reason)
}
