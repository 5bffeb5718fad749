//! Makes at the vendor what staff entered here.

use stayzr_core::{
    Error, ErrorKind, Result,
    queue::Lease,
    transform::{EntityKind, FieldMap},
};
use uuid::Uuid;

use super::{
    answer::answer_input,
    page::page_write,
    plan::{PageState, plan_page},
    push::{PushReport, RefusedPush, ambiguous},
    session::{Session, SyncEngine},
    triage::{Triaged, Verdict, record_hash},
};
use crate::{Push, PushOutcome, RemoteRecord};

impl SyncEngine {
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
}
