//! Looks whether the vendor still has every record that is mapped here.

use stayzr_core::{
    Result,
    ids::IntegrationId,
    model::{RunMode, SyncRun},
    port::sync::RunEnd,
    queue::Lease,
    tenant::TenantScope,
    transform::EntityKind,
};

use super::{
    gone::MARKED_AT_ONCE,
    position::{Missing, Position},
    session::{Progress, Session, SyncEngine},
};

impl SyncEngine {
    /// Reads what changed, and then looks whether the vendor still has every record that is mapped
    /// here; those it does not have are marked as gone.
    ///
    /// A row whose record is gone is no longer active, a reservation is cancelled, and every such
    /// change is journalled. A record that comes back undoes it. Changes that were lost on the
    /// way, in either direction, are found too: what differs at the vendor is merged, and what the
    /// vendor was never told is pushed.
    ///
    /// Before anything is marked the missing records of each kind are counted. More than
    /// [`Reconcile::limit`](crate::config::Reconcile::limit) of them end the run as
    /// [`stayzr_core::model::RunStatus::Stopped`] with nothing marked, unless `accept_missing`
    /// says that a person has looked. A run that was interrupted goes on where it stood.
    ///
    /// A kind that can be asked for in large batches of ids is walked by its ids. Any other is
    /// read whole, the ids seen kept in memory as 64-bit hashes, about 16 bytes a record; what was
    /// not among them, such as stays that left the window of dates that the vendor reads, is asked
    /// for by its ids, where it can be, before it counts as missing.
    /// Errors as for [`SyncEngine::run`].
    pub async fn reconcile(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        accept_missing: bool,
        lease: Option<&Lease>,
    ) -> Result<SyncRun> {
        let mode = RunMode::Reconcile;
        self.start(scope, integration_id, mode, accept_missing, lease)
            .await
    }

    pub(super) async fn sweep(
        &self,
        session: &Session,
        progress: &mut Progress<'_>,
        accept_missing: bool,
    ) -> Result<RunEnd> {
        let mut swept = Vec::new();
        for kind in session.kinds().collect::<Vec<_>>() {
            if kind == EntityKind::Property {
                // The property is what is connected: it is not gone while we may ask.
                self.read_incrementally(session, kind, progress).await?;
                continue;
            }
            let missing = self
                .sweep_kind(session, kind, progress, accept_missing)
                .await?;
            swept.push((kind, missing));
        }
        let question = question(session, &swept);
        let end = match question.filter(|_| !accept_missing) {
            Some(question) => RunEnd::Stopped(question),
            None => {
                for (kind, missing) in &swept {
                    self.mark_missing(session, *kind, missing, progress).await?;
                }
                RunEnd::Completed
            }
        };
        // The next sweep starts over.
        for (kind, _) in &swept {
            self.end_sweep(session, progress, *kind).await?;
        }
        Ok(end)
    }

    /// Asks once more for what a sweep did not find, and marks what is still missing.
    async fn mark_missing(
        &self,
        session: &Session,
        kind: EntityKind,
        missing: &Missing,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let gone = self
            .still_missing(session, kind, &missing.ids, progress)
            .await?;
        for (n, ids) in gone.chunks(MARKED_AT_ONCE).enumerate() {
            let rest = gone.iter().skip((n + 1) * MARKED_AT_ONCE);
            let position = Position::Swept {
                missing: Missing {
                    ids: rest.cloned().collect(),
                    ..missing.clone()
                },
            };
            let cursor = self.sweep_cursor(session, kind, Some(position));
            self.mark_gone(session, kind, ids, progress, Some(cursor))
                .await?;
        }
        Ok(())
    }
}

/// What a person is asked where too much is missing; none where no more is than may be.
fn question(session: &Session, swept: &[(EntityKind, Missing)]) -> Option<String> {
    let too_many: Vec<String> = swept
        .iter()
        .filter(|(_, missing)| missing.count > session.reconcile.limit(missing.of))
        .map(|(kind, missing)| {
            format!(
                "{} of {} mapped records of the kind {kind} (limit {})",
                missing.count,
                missing.of,
                session.reconcile.limit(missing.of)
            )
        })
        .collect();
    (!too_many.is_empty()).then(|| {
        format!(
            "the PMS no longer has {}; nothing was marked as gone. If they are really gone: stayzr \
             sync reconcile --integration {} --accept-missing",
            too_many.join(" and "),
            session.integration.id
        )
    })
}
