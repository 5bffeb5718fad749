//! Loads what a page needs, has it planned, and writes it.

use std::{collections::BTreeMap, time::Duration};

use stayzr_core::{
    ErrorKind, Result,
    ids::SyncRunId,
    port::sync::{Cursor, PageWrite, ParkedRecord, RunCounts},
    queue::Lease,
    transform::EntityKind,
};

use super::{
    plan::{PageState, Plan, PlanContext, plan_page},
    session::{Session, SyncEngine},
    triage::{Triaged, triage},
};
use crate::{RecordPage, RemoteRecord};

/// A lease that is asked after is held at least so much longer.
const HOLD: Duration = Duration::from_secs(60);

/// A page on its way into the store.
pub(super) struct PageInput<'a> {
    pub(super) kind: EntityKind,
    pub(super) records: &'a [RemoteRecord],
    pub(super) parked: &'a [ParkedRecord],
    pub(super) event: &'static str,
    pub(super) run: Option<SyncRunId>,
    pub(super) cursor: Option<Cursor>,
    pub(super) lease: Option<&'a Lease>,
    pub(super) enqueue_pushes: bool,
}

impl SyncEngine {
    /// Merges a page into the store and returns what it counts. What somebody else wrote first is
    /// read and merged again; a lost lease ends it with [`ErrorKind::Conflict`]. Records that the
    /// page's records link to, where they had to be read first, are counted too.
    pub(super) async fn write_page(
        &self,
        session: &Session,
        input: &PageInput<'_>,
    ) -> Result<RunCounts> {
        let counts = self.write_linked(session, input, 0).await?;
        note_unknown(session, input);
        Ok(counts)
    }

    /// The same for records that others led to, so many steps from the page that was asked for.
    pub(super) async fn write_linked(
        &self,
        session: &Session,
        input: &PageInput<'_>,
        hops: usize,
    ) -> Result<RunCounts> {
        let mut total = RunCounts::default();
        let mut attempt = 1;
        loop {
            let (write, counts) = self.plan_input(session, input, &mut total, hops).await?;
            let written = match is_empty(&write) {
                true => Ok(()),
                false => self.ports.sync.apply_page(write).await,
            };
            match written {
                Ok(()) => {
                    add(&mut total, counts);
                    return Ok(total);
                }
                Err(error)
                    if error.kind() == ErrorKind::Conflict && attempt < self.options.replans =>
                {
                    attempt += 1;
                    self.hold(input.lease).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn plan_input(
        &self,
        session: &Session,
        input: &PageInput<'_>,
        linked: &mut RunCounts,
        hops: usize,
    ) -> Result<(PageWrite, RunCounts)> {
        let parked = input.parked.iter();
        let ids = input
            .records
            .iter()
            .map(|record| &record.external_id)
            .chain(parked.filter_map(|parked| parked.external_id.as_ref()));
        let mut state = PageState {
            mappings: self.mappings(session, input.kind, ids).await?,
            ..PageState::default()
        };
        let parked = mapped_parked(input.parked, &state);
        let triaged = triage(input.records, &state.mappings);
        let news: Vec<&Triaged<'_>> = triaged.iter().filter(|record| record.is_news()).collect();
        let country = match input.kind {
            EntityKind::Guest if !news.is_empty() => self.country(session).await?,
            _ => None,
        };
        let country = country.as_deref();
        // What has not changed costs no query.
        if !news.is_empty() {
            self.load(session, input, &news, country, &mut state, linked, hops)
                .await?;
        }
        let plan = plan_page(
            self.plan_context(session, input, country),
            &triaged,
            &mut state,
        );
        let mut counts = plan.counts;
        counts.read = i64::try_from(input.records.len() + input.parked.len()).unwrap_or(i64::MAX);
        counts.parked += i64::try_from(input.parked.len()).unwrap_or(i64::MAX);
        // A record that comes twice in a page changes nothing the second time.
        counts.unchanged += i64::try_from(input.records.len() - triaged.len()).unwrap_or(i64::MAX);
        let unknown: usize = input
            .records
            .iter()
            .map(|record| record.unknown.len())
            .sum();
        counts.unknown = i64::try_from(unknown).unwrap_or(i64::MAX);
        let mut write = page_write(session, plan);
        write.unclaimed = state.unclaimed;
        write.parked.extend(parked);
        write.lease = input.lease.cloned();
        write.run = input.run.map(|run| (run, counts));
        write.cursor.clone_from(&input.cursor);
        Ok((write, counts))
    }

    pub(super) fn plan_context<'a>(
        &'a self,
        session: &'a Session,
        input: &PageInput<'_>,
        country: Option<&'a str>,
    ) -> PlanContext<'a> {
        PlanContext {
            organization_id: session.integration.organization_id,
            property_id: session.integration.property_id,
            integration_id: session.integration.id,
            kind: input.kind,
            rules: session.rules(input.kind),
            strategy: session.strategies.of(input.kind),
            country,
            event: input.event,
            enqueue_pushes: input.enqueue_pushes,
            clock: &*self.clock,
        }
    }

    /// Goes on if the lease still holds.
    pub(super) async fn hold(&self, lease: Option<&Lease>) -> Result<()> {
        let Some(lease) = lease else {
            return Ok(());
        };
        // Never shorter than it was.
        let rest = (lease.until - self.clock.now())
            .to_std()
            .unwrap_or_default();
        self.ports
            .queue
            .heartbeat(lease, rest.max(HOLD))
            .await
            .map(drop)
    }

    /// Writes a page that was just read.
    pub(super) async fn write_read(
        &self,
        session: &Session,
        kind: EntityKind,
        page: &RecordPage,
        event: &'static str,
        progress: &mut super::session::Progress<'_>,
        cursor: Option<Cursor>,
    ) -> Result<()> {
        let counts = self
            .write_page(
                session,
                &PageInput {
                    kind,
                    records: &page.records,
                    parked: &page.parked,
                    event,
                    run: Some(progress.id()),
                    cursor,
                    lease: progress.lease,
                    enqueue_pushes: true,
                },
            )
            .await?;
        progress.add(counts);
        Ok(())
    }
}

/// The provider's parked records, with the rows that they belong to; a blank id is none.
fn mapped_parked(parked: &[ParkedRecord], state: &PageState) -> Vec<ParkedRecord> {
    let row = |id: &String| Some(state.mappings.get(id)?.local_id);
    let is_named = |id: &String| !id.trim().is_empty();
    parked
        .iter()
        .map(|parked| ParkedRecord {
            external_id: parked.external_id.clone().filter(is_named),
            local_id: parked.external_id.as_ref().and_then(row),
            ..parked.clone()
        })
        .collect()
}

/// Says once for a page which values of the vendor we do not know, and how many there were.
fn note_unknown(session: &Session, input: &PageInput<'_>) {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for unknown in input.records.iter().flat_map(|record| &record.unknown) {
        *counts.entry((&unknown.field, &unknown.value)).or_default() += 1;
    }
    if !counts.is_empty() {
        tracing::info!(
            integration_id = %session.integration.id,
            kind = %input.kind,
            values = ?counts,
            "the vendor sent values that are not known: they are kept as they came"
        );
    }
}

pub(super) fn add(total: &mut RunCounts, counts: RunCounts) {
    total.read += counts.read;
    total.created += counts.created;
    total.updated += counts.updated;
    total.unchanged += counts.unchanged;
    total.parked += counts.parked;
    total.conflicts += counts.conflicts;
    total.unknown += counts.unknown;
    total.gone += counts.gone;
}

pub(super) fn page_write(session: &Session, plan: Plan) -> PageWrite {
    PageWrite {
        rows: plan.rows,
        mappings: plan.mappings,
        contacts: plan.contacts,
        merges: plan.merges,
        settled: plan.settled,
        changes: plan.changes,
        conflicts: plan.conflicts,
        parked: plan.parked,
        read: plan.read,
        jobs: plan.jobs,
        ..PageWrite::new(session.scope, session.integration.id)
    }
}

/// Whether writing it would change nothing at all. A record that was only read ends what stands put
/// aside for it with the next run that reads it.
fn is_empty(write: &PageWrite) -> bool {
    write.run.is_none()
        && write.cursor.is_none()
        && write.rows.is_empty()
        && write.mappings.is_empty()
        && write.contacts.is_empty()
        && write.merges.is_empty()
        && write.settled.is_empty()
        && write.changes.is_empty()
        && write.conflicts.is_empty()
        && write.parked.is_empty()
        && write.jobs.is_empty()
}
