//! Keeps what a push came to: the new agreed state, and what the vendor could not be told.

use serde_json::Value;
use stayzr_core::{
    ErrorKind, Result,
    ids::ChangeId,
    model::{Change, ChangeOutcome, ChangeSource, ExternalRef},
    port::sync::{Mapping, PageWrite},
    queue::Lease,
    transform::{EntityKind, FieldMap},
};
use uuid::Uuid;

use super::{
    notes::Notes,
    page::{PageInput, page_write},
    plan::{PageState, plan_page},
    push::{RefusedPush, Standing, restless},
    session::{Session, SyncEngine},
    triage::{Triaged, Verdict, is_older, record_hash},
};
use crate::RemoteRecord;

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
            // Read before the base moves: it says what was decided about a dispute.
            let mut notes = Notes::of(&now.mapping);
            now.mapping.base.extend(sent);
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
        Err(restless(before.row.id))
    }

    async fn plan_answer(
        &self,
        session: &Session,
        standing: Standing,
        sent: &FieldMap,
        answer: &RemoteRecord,
    ) -> Result<PageWrite> {
        let Standing { row, mut mapping } = standing;
        // Who is told may turn out to have been merged, which no read has said yet.
        let remains = answer.merged_into.iter().map(|id| ExternalRef {
            kind: row.kind,
            id: id.clone(),
        });
        let links = answer.links.values().flatten().cloned().chain(remains);
        let links = self.follow(session, links.collect()).await?;
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
        let kind = row.kind;
        let input = answer_input(kind);
        let country = match kind {
            EntityKind::Guest => self.country(session).await?,
            _ => None,
        };
        let mut state = PageState {
            links,
            ..PageState::default()
        };
        state.rows.insert(row.id, row);
        state.mappings.insert(mapping.external_id.clone(), mapping);
        if kind == EntityKind::Guest {
            self.load_remaining(session, &[&triaged], &mut state)
                .await?;
        }
        let plan = plan_page(
            self.plan_context(session, &input, country.as_deref()),
            &[triaged],
            &mut state,
        );
        Ok(page_write(session, plan))
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
                .map(|refused| self.refusal(session, (kind, local_id), Some(&mapping), refused))
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
        Err(restless(local_id))
    }

    /// Journals what the vendor cannot be told of a row that it does not have.
    pub(super) async fn journal_refused(
        &self,
        session: &Session,
        row: (EntityKind, Uuid),
        refused: &[RefusedPush],
        lease: Option<&Lease>,
    ) -> Result<()> {
        let changes = refused.iter();
        self.ports
            .sync
            .apply_page(PageWrite {
                lease: lease.cloned(),
                changes: changes
                    .map(|refused| self.refusal(session, row, None, refused))
                    .collect(),
                ..PageWrite::new(session.scope, session.integration.id)
            })
            .await
    }

    fn refusal(
        &self,
        session: &Session,
        (entity, entity_id): (EntityKind, Uuid),
        mapping: Option<&Mapping>,
        refused: &RefusedPush,
    ) -> Change {
        let agreed = mapping.and_then(|mapping| mapping.base.get(&refused.field).cloned());
        Change {
            id: ChangeId::generate(&*self.clock),
            organization_id: session.integration.organization_id,
            entity,
            entity_id,
            external_id: mapping.map(|mapping| mapping.external_id.clone()),
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

pub(super) fn answer_input(kind: EntityKind) -> PageInput<'static> {
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
