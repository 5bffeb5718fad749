//! Keeps what a push came to: the new agreed state, and what the vendor could not be told.

use serde_json::Value;
use stayzr_core::{
    Error, ErrorKind, Result,
    ids::ChangeId,
    model::{Change, ChangeOutcome, ChangeSource},
    port::sync::PageWrite,
    queue::Lease,
    transform::{EntityKind, FieldMap},
};
use uuid::Uuid;

use super::{
    notes::Notes,
    page::{PageInput, page_write},
    plan::{PageState, plan_page},
    push::{PushReport, RefusedPush, Standing, ambiguous},
    session::{Session, SyncEngine},
    triage::{Triaged, Verdict, is_older, record_hash},
};
use crate::{Push, PushOutcome, RemoteRecord};

impl SyncEngine {
    /// Saves the state that both sides agree on after a push.
    ///
    /// What was sent is agreed from now on, whatever the answer says about those fields: an
    /// answer that does not hold our values was read too early and must not take them back. What
    /// the answer says about other fields is merged like any record.
    pub(super) async fn save_answer(
        &self,
        session: &Session,
        before: &Standing,
        sent: &FieldMap,
        answer: &RemoteRecord,
        lease: Option<&Lease>,
    ) -> Result<()> {
        let kind = before.row.kind;
        for _ in 0..self.options.replans.max(1) {
            let Some(mut now) = self.standing(session, kind, before.row.id).await? else {
                return Ok(());
            };
            now.mapping.base.extend(sent);
            let mut notes = Notes::of(&now.mapping);
            notes.sent = FieldMap::new();
            notes.write(&mut now.mapping);
            let write = self
                .plan_answer(session, now, sent, answer)
                .await
                .map(|write| PageWrite {
                    lease: lease.cloned(),
                    ..write
                })?;
            match self.ports.sync.apply_page(write).await {
                Err(error) if error.kind() == ErrorKind::Conflict => self.hold(lease).await?,
                saved => return saved,
            }
        }
        Err(Error::conflict("sync.push", "the row keeps changing").with("id", before.row.id))
    }

    async fn plan_answer(
        &self,
        session: &Session,
        standing: Standing,
        sent: &FieldMap,
        answer: &RemoteRecord,
    ) -> Result<PageWrite> {
        let Standing { row, mut mapping } = standing;
        let links = answer.links.values().flatten().cloned().collect();
        let links = self.follow(session, links).await?;
        let mut record = answer.clone();
        // The vendor may answer with an id of its own for the same record, such as after a merge.
        record.external_id.clone_from(&mapping.external_id);
        let says = |field: &str| match answer.links.get(field) {
            Some(link) => link
                .as_ref()
                .and_then(|link| links.get(link))
                .map_or(Value::Null, |id| Value::from(id.to_string())),
            None => answer.fields.get(field).cloned().unwrap_or(Value::Null),
        };
        // What was sent and does not come back was read too early; a link to a record we do not
        // know is for the next read, which fetches it.
        let mut early: Vec<&str> = sent
            .iter()
            .filter(|(field, value)| says(field) != **value)
            .map(|(field, _)| field)
            .collect();
        early.extend(
            answer
                .links
                .iter()
                .filter(|(_, link)| link.as_ref().is_some_and(|link| !links.contains_key(link)))
                .map(|(field, _)| *field),
        );
        if is_older(answer.version.as_deref(), mapping.version.as_deref()) {
            mapping.revision += 1;
            mapping.updated_at = self.clock.now();
            return Ok(PageWrite {
                mappings: vec![mapping],
                ..PageWrite::new(session.scope, session.integration.id)
            });
        }
        for field in &early {
            record.fields.remove(field);
            record.links.remove(*field);
        }
        let triaged = Triaged {
            // An answer that was read too early is not the record that comes back: whatever that
            // says is looked at.
            hash: match early.is_empty() {
                true => record_hash(answer),
                false => String::new(),
            },
            verdict: Verdict::Answered,
            record: &record,
        };
        let input = answer_input(row.kind);
        let country = match row.kind {
            EntityKind::Guest => self.country(session).await?,
            _ => None,
        };
        let mut state = PageState {
            links,
            ..PageState::default()
        };
        state.rows.insert(row.id, row);
        state.mappings.insert(mapping.external_id.clone(), mapping);
        let plan = plan_page(
            self.plan_context(session, &input, country.as_deref()),
            &[triaged],
            &mut state,
        );
        Ok(page_write(session, plan))
    }

    /// Makes a guest at the vendor whom staff entered here. Every other row without a mapping is
    /// left alone: a sender nobody knows is no business of the vendor's.
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
        let creatable = session.provider.capabilities().create.contains(&kind);
        let Some(row) = row.filter(|row| {
            creatable && kind == EntityKind::Guest && row.fields.text("origin") == Some("staff")
        }) else {
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
        let changed: FieldMap = session
            .rules(kind)
            .iter()
            .filter(|rule| rule.writable)
            .filter_map(|rule| {
                let value = row
                    .fields
                    .get(rule.field)
                    .filter(|value| !value.is_null())?;
                Some((rule.field.to_owned(), value.clone()))
            })
            .collect();
        let mut push = Push {
            kind,
            external_id: None,
            base: FieldMap::new(),
            changed,
            links: Default::default(),
        };
        let mut report = PushReport::default();
        loop {
            self.hold(lease).await?;
            match session.provider.push(&push).await? {
                PushOutcome::Applied(answer) => {
                    report.sent = push.changed.names().map(str::to_owned).collect();
                    self.adopt(session, local_id, &push.changed, &answer, lease)
                        .await?;
                    self.note_refused(session, kind, local_id, &report.refused, lease)
                        .await?;
                    return Ok(report);
                }
                PushOutcome::Unsupported(fields) => {
                    let before = push.changed.len();
                    for field in fields {
                        if let Some(value) = push.changed.remove(&field) {
                            report.refused.push(RefusedPush::new(
                                &field,
                                &value,
                                "the vendor's API cannot set this value",
                            ));
                        }
                    }
                    if push.changed.len() == before || push.changed.is_empty() {
                        return Ok(report);
                    }
                }
                PushOutcome::Ambiguous(reason) => return Err(ambiguous(reason)),
            }
        }
    }

    /// Ties a guest made at the vendor to the row it was made from.
    async fn adopt(
        &self,
        session: &Session,
        local_id: Uuid,
        sent: &FieldMap,
        answer: &RemoteRecord,
        lease: Option<&Lease>,
    ) -> Result<()> {
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
                    "the vendor knows this guest already, as another guest here: merge the two",
                )
                .with("guest_id", other.local_id));
            }
            let mut record = answer.clone();
            record.fields.extend(sent);
            let mut state = PageState {
                rows: self.rows(session, answer.kind, &[local_id]).await?,
                ..PageState::default()
            };
            state.adopted.insert(record.external_id.clone(), local_id);
            let triaged = Triaged {
                hash: record_hash(answer),
                verdict: Verdict::New,
                record: &record,
            };
            let input = answer_input(answer.kind);
            let plan = plan_page(
                self.plan_context(session, &input, None),
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
        Err(Error::conflict("sync.push", "the row keeps changing").with("id", local_id))
    }

    /// Notes and journals what the vendor cannot be told, one line for each field, so that it is
    /// not tried again with the same value.
    pub(super) async fn note_refused(
        &self,
        session: &Session,
        kind: EntityKind,
        local_id: Uuid,
        refused: &[RefusedPush],
        lease: Option<&Lease>,
    ) -> Result<()> {
        if refused.is_empty() {
            return Ok(());
        }
        tracing::warn!(
            integration_id = %session.integration.id,
            %kind,
            id = %local_id,
            fields = refused.len(),
            "the vendor cannot be told every field that was changed here"
        );
        for _ in 0..self.options.replans.max(1) {
            let Some(Standing { mut mapping, .. }) = self.standing(session, kind, local_id).await?
            else {
                return Ok(());
            };
            let changes = refused
                .iter()
                .map(|refused| self.refusal(session, kind, local_id, &mapping.base, refused))
                .collect();
            let mut notes = Notes::of(&mapping);
            notes.sent = FieldMap::new();
            for RefusedPush { field, value, .. } in refused {
                notes.refused.insert(field.as_str(), value.clone());
            }
            notes.write(&mut mapping);
            mapping.revision += 1;
            mapping.updated_at = self.clock.now();
            let write = PageWrite {
                lease: lease.cloned(),
                mappings: vec![mapping],
                changes,
                ..PageWrite::new(session.scope, session.integration.id)
            };
            match self.ports.sync.apply_page(write).await {
                Err(error) if error.kind() == ErrorKind::Conflict => self.hold(lease).await?,
                saved => return saved,
            }
        }
        Err(Error::conflict("sync.push", "the row keeps changing").with("id", local_id))
    }

    fn refusal(
        &self,
        session: &Session,
        kind: EntityKind,
        local_id: Uuid,
        base: &FieldMap,
        refused: &RefusedPush,
    ) -> Change {
        let agreed = base.get(&refused.field).cloned();
        Change {
            id: ChangeId::generate(&*self.clock),
            organization_id: session.integration.organization_id,
            entity: kind,
            entity_id: local_id,
            external_id: None,
            field: Some(refused.field.clone()),
            base: agreed.clone(),
            old: agreed,
            new: Some(refused.value.clone()),
            source: ChangeSource::Vendor {
                integration_id: session.integration.id,
                event: "push".to_owned(),
            },
            outcome: ChangeOutcome::Refused,
            reason: Some(refused.reason.clone()),
            created_at: self.clock.now(),
        }
    }
}

fn answer_input(kind: EntityKind) -> PageInput<'static> {
    PageInput {
        kind,
        records: &[],
        parked: &[],
        event: "push",
        run: None,
        cursor: None,
        lease: None,
        enqueue_pushes: false,
    }
}
