//! Makes at the vendor what staff entered here.

use std::collections::BTreeMap;

use stayzr_core::{
    Error, ErrorKind, Result,
    model::{ExternalRef, HANDOFF},
    queue::Lease,
    transform::{EntityKind, EntityRow, FieldMap},
};
use uuid::Uuid;

use super::{
    answer::answer_input,
    found::{self, Found},
    page::{PageInput, page_write},
    plan::{PageState, plan_page},
    push::{PushReport, RefusedPush, ambiguous, refused_unsent, restless},
    session::{Session, SyncEngine},
    shape,
    triage::{Triaged, Verdict, record_hash},
};
use crate::{Push, PushOutcome, RemoteRecord};

impl SyncEngine {
    /// Makes at the vendor what was made here: a guest whom staff entered, a note. Every other row
    /// without a mapping is left alone: a sender nobody knows is no business of the vendor's.
    ///
    /// Vendors' creates are not idempotent and an answer may have been lost, so what could have
    /// been made already is looked for first. What is plainly the same is adopted; a doubt is for
    /// staff.
    pub(super) async fn create(
        &self,
        session: &Session,
        kind: EntityKind,
        local_id: Uuid,
        lease: Option<&Lease>,
    ) -> Result<PushReport> {
        let row = self
            .ports
            .entities
            .row(session.scope, kind, local_id)
            .await?;
        let Some(row) = row.filter(|row| is_to_be_made(session, row)) else {
            return Ok(PushReport::default());
        };
        let mapped = self
            .ports
            .sync
            .mappings_of(session.scope, session.integration.id, kind, &[local_id])
            .await?;
        if !mapped.is_empty() {
            return Ok(PushReport::default());
        }
        let mut push = Push {
            kind,
            external_id: None,
            base: FieldMap::new(),
            changed: writable(session, &row),
            links: self.links_of(session, &row).await?,
        };
        let mut report = PushReport::default();
        self.hold(lease).await?;
        let mut found = session.provider.find(&push).await?;
        if kind == EntityKind::ServiceRequest {
            // A guest may ask for the same again.
            let ids = found.iter().map(|record| &record.external_id);
            let ours = self.mappings(session, kind, ids).await?;
            found.retain(|record| !ours.contains_key(&record.external_id));
        }
        let country = match kind {
            EntityKind::Guest => self.country(session).await?,
            _ => None,
        };
        let found = match kind {
            EntityKind::Note => found::said(&push, "text", &found),
            EntityKind::ServiceRequest => found::said(&push, "description", &found),
            _ => found::guest(&row.fields, &found, country.as_deref()),
        };
        match found {
            Found::Nothing => {}
            Found::Same(record) => {
                let sent = FieldMap::new();
                self.adopt(session, local_id, &sent, record, lease).await?;
                return Ok(report);
            }
            Found::Doubtful(records) => return Err(doubtful(&records)),
        }
        loop {
            self.hold(lease).await?;
            match session.provider.push(&push).await? {
                PushOutcome::Applied(answer) => {
                    report.sent = push.changed.names().map(str::to_owned).collect();
                    report.sent.extend(push.links.keys().cloned());
                    self.adopt(session, local_id, &push.changed, &answer, lease)
                        .await?;
                    self.note_refused(session, kind, local_id, &report.refused, lease)
                        .await?;
                    return Ok(report);
                }
                PushOutcome::Unsupported(fields) => {
                    let before = push.changed.len() + push.links.len();
                    for field in fields {
                        let link = push.links.remove(&field);
                        let value = push.changed.remove(&field);
                        let value = value.or(link.and(row.fields.get(&field).cloned()));
                        if let Some(value) = value {
                            report.refused.push(RefusedPush::new(
                                &field,
                                &value,
                                "the vendor's API cannot set this value",
                            ));
                        }
                    }
                    let left = push.changed.len() + push.links.len();
                    if left == before {
                        return Err(refused_unsent());
                    }
                    if push.changed.is_empty() {
                        // Nothing is left to make it of: it stays here, and the journal says why.
                        self.journal_refused(session, (kind, local_id), &report.refused, lease)
                            .await?;
                        return Ok(report);
                    }
                }
                PushOutcome::Ambiguous(reason) => return Err(ambiguous(reason)),
            }
        }
    }

    /// What a new record links to, at the vendor. A row that is not there yet is waited for; a request
    /// to the staff does not wait for its guest, who may never be known to the vendor.
    async fn links_of(
        &self,
        session: &Session,
        row: &EntityRow,
    ) -> Result<BTreeMap<String, Option<ExternalRef>>> {
        let mut links = BTreeMap::new();
        for rule in session.rules(row.kind) {
            let Some(kind) = shape::link_kind(rule.field) else {
                continue;
            };
            let id = row.fields.text(rule.field);
            let Some(id) = id.and_then(|id| id.parse::<Uuid>().ok()) else {
                continue;
            };
            let known = self
                .ports
                .sync
                .mappings_of(session.scope, session.integration.id, kind, &[id])
                .await?;
            let Some(mapping) = known.into_iter().next() else {
                if row.kind == EntityKind::ServiceRequest {
                    continue;
                }
                return Err(Error::unavailable(
                    "sync.push",
                    "the vendor does not know yet what this is about: it is tried again",
                )
                .with("kind", kind)
                .with("id", id));
            };
            let link = ExternalRef {
                kind,
                id: mapping.merged_into.unwrap_or(mapping.external_id),
            };
            links.insert(rule.field.to_owned(), Some(link));
        }
        Ok(links)
    }

    /// Ties a record at the vendor to the row it was made from, or that it plainly is. What was not
    /// `sent` is merged, and pushed where ours stays.
    async fn adopt(
        &self,
        session: &Session,
        local_id: Uuid,
        sent: &FieldMap,
        answer: &RemoteRecord,
        lease: Option<&Lease>,
    ) -> Result<()> {
        let country = match answer.kind {
            EntityKind::Guest => self.country(session).await?,
            _ => None,
        };
        for _ in 0..self.options.replans.max(1) {
            let known = self
                .mappings(session, answer.kind, [&answer.external_id].into_iter())
                .await?;
            if let Some(other) = known.get(&answer.external_id) {
                if other.local_id == local_id {
                    return Ok(());
                }
                return Err(Error::invalid(
                    "sync.push",
                    "the vendor's record belongs to another row here already: merge the two",
                )
                .with("kind", answer.kind)
                .with("id", other.local_id));
            }
            let mut record = answer.clone();
            record.fields.extend(sent);
            let mut state = PageState {
                rows: self.rows(session, answer.kind, &[local_id]).await?,
                ..PageState::default()
            };
            state.adopted.insert(record.external_id.clone(), local_id);
            let links = answer.links.values().flatten().cloned().collect();
            state.links = self.follow(session, links).await?;
            let triaged = Triaged {
                hash: record_hash(answer),
                verdict: Verdict::New,
                record: &record,
            };
            let input = PageInput {
                enqueue_pushes: sent.is_empty(),
                ..answer_input(answer.kind)
            };
            let plan = plan_page(
                self.plan_context(session, &input, country.as_deref()),
                &[triaged],
                &mut state,
            );
            let mut write = page_write(session, plan);
            write.lease = lease.cloned();
            match self.ports.sync.apply_page(write).await {
                Err(error) if error.kind() == ErrorKind::Conflict => self.hold(lease).await?,
                saved => return saved,
            }
        }
        Err(restless(local_id))
    }
}

/// Whether a row without a mapping is to be made at the vendor.
fn is_to_be_made(session: &Session, row: &EntityRow) -> bool {
    let here = row
        .property_id
        .is_none_or(|property| property == session.integration.property_id);
    let ours = match row.kind {
        EntityKind::Guest => row.fields.text("origin") == Some("staff"),
        EntityKind::Note => true,
        EntityKind::ServiceRequest => row.fields.text("category") != Some(HANDOFF),
        _ => false,
    };
    let creatable = session.provider.capabilities().create.contains(&row.kind);
    creatable && here && ours && row.fields.get("active") != Some(&false.into())
}

/// What the vendor can be told of a new row; its links stand apart.
fn writable(session: &Session, row: &EntityRow) -> FieldMap {
    session
        .rules_to_create(row.kind)
        .filter(|rule| shape::link_kind(rule.field).is_none())
        .filter_map(|rule| {
            let value = row.fields.get(rule.field)?;
            (!value.is_null()).then(|| (rule.field.to_owned(), value.clone()))
        })
        .collect()
}

fn doubtful(records: &[&RemoteRecord]) -> Error {
    let ids: Vec<&str> = records
        .iter()
        .map(|record| record.external_id.as_str())
        .collect();
    Error::invalid(
        "sync.push",
        "the PMS has a guest who may be this one, or may be another: correct the names, the email \
         or the telephone, here or there, until they say which, and retry",
    )
    .with("external_ids", ids.join(", "))
}
