//! Walks what is mapped here and finds what the vendor does not have.

use std::{
    collections::{HashSet, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

use stayzr_core::{
    Result,
    model::RunMode,
    port::sync::{Cursor, MappedRecord, PageWrite},
    queue::NewJob,
    transform::EntityKind,
};

use super::{
    fetch::{found, missing},
    gone::MARKED_AT_ONCE,
    notes::Notes,
    position::{Missing, Position},
    session::{Progress, Session, SyncEngine},
};
use crate::RecordPage;

/// A kind is walked by its ids where one call takes at least so many of them; else reading it
/// whole costs fewer calls.
const WORTH_ASKING: usize = 20;

/// So many mappings are loaded at once.
const WALKED_AT_ONCE: u32 = 1000;

/// Which records were seen at the vendor: 64-bit hashes of their ids. Two ids that share one by
/// chance make a record look present, never gone.
#[derive(Debug, Default)]
pub(super) struct Seen(HashSet<u64>);

impl Seen {
    pub(super) fn page(&mut self, page: &RecordPage) {
        self.0.extend(found(page).map(hash));
    }

    fn has(&self, id: &str) -> bool {
        self.0.contains(&hash(id))
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// How a sweep knows what the vendor has.
enum Source {
    /// It asks for so many ids at once.
    Asking(usize),
    /// It has read the kind whole, and asks for the rest, where it can, by so many ids at once: a
    /// vendor may read a kind by a window of dates, which records leave that are still there.
    Read(Seen, Option<usize>),
}

impl SyncEngine {
    /// Finds what the vendor does not have of a kind. What is accepted as missing is marked on the
    /// way; else it is returned, and nothing is marked.
    pub(super) async fn sweep_kind(
        &self,
        session: &Session,
        kind: EntityKind,
        progress: &mut Progress<'_>,
        accept_missing: bool,
    ) -> Result<Missing> {
        let capabilities = session.provider.capabilities();
        let asking = capabilities
            .by_id
            .get(&kind)
            .copied()
            .filter(|most| *most >= WORTH_ASKING && capabilities.changed_since.contains(&kind));
        let cursor = self.cursor(session, kind, RunMode::Reconcile).await?;
        let (mut missing, mut after) = match (Position::of(cursor.as_ref()), asking) {
            (Some(Position::Swept { missing }), _) if !accept_missing => return Ok(missing),
            (Some(Position::Sweep { after, missing }), Some(_)) => (missing, Some(after)),
            _ => (Missing::default(), None),
        };
        if after.is_none() {
            let of = self
                .ports
                .sync
                .mapped_count(session.scope, session.integration.id, kind);
            missing.of = of.await?;
        }
        let source = match asking {
            Some(most) => {
                if after.is_none() {
                    self.read_incrementally(session, kind, progress).await?;
                }
                Source::Asking(most)
            }
            None => {
                let most = capabilities.by_id.get(&kind).copied();
                Source::Read(self.read_seeing(session, kind, progress).await?, most)
            }
        };
        loop {
            let page = self
                .ports
                .sync
                .mapped(
                    session.scope,
                    session.integration.id,
                    kind,
                    after.as_deref(),
                    WALKED_AT_ONCE,
                )
                .await?;
            let Some(last) = page.last() else { break };
            let ids = self
                .not_there(session, kind, &page, &source, progress)
                .await?;
            if accept_missing {
                let gone = self.still_missing(session, kind, &ids, progress).await?;
                for ids in gone.chunks(MARKED_AT_ONCE) {
                    self.mark_gone(session, kind, ids, progress, None).await?;
                }
            } else {
                missing.add(ids, session.reconcile.limit(missing.of));
            }
            let pushes = self.unsent(session, kind, &page).await?;
            let position = matches!(source, Source::Asking(_)).then(|| Position::Sweep {
                after: last.external_id.clone(),
                missing: missing.clone(),
            });
            if position.is_some() || !pushes.is_empty() {
                self.save_sweep(session, progress, kind, position, pushes)
                    .await?;
            }
            after = Some(last.external_id.clone());
        }
        let position = Position::Swept {
            missing: missing.clone(),
        };
        self.save_sweep(session, progress, kind, Some(position), Vec::new())
            .await?;
        Ok(missing)
    }

    /// What an incremental run reads of a kind, under that run's cursor.
    pub(super) async fn read_incrementally(
        &self,
        session: &Session,
        kind: EntityKind,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        progress.cursors = Some(RunMode::Incremental);
        self.read_changed(session, kind, progress).await
    }

    /// Reads a kind whole and returns what was seen.
    async fn read_seeing(
        &self,
        session: &Session,
        kind: EntityKind,
        progress: &mut Progress<'_>,
    ) -> Result<Seen> {
        // A part of it would prove nothing: interrupted, it is read again.
        progress.cursors = None;
        progress.seen = Some(Seen::default());
        self.read_whole(session, kind, progress, None).await?;
        Ok(progress.seen.take().unwrap_or_default())
    }

    /// Which of these the vendor should have and does not. What it has is merged.
    async fn not_there(
        &self,
        session: &Session,
        kind: EntityKind,
        records: &[MappedRecord],
        source: &Source,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<String>> {
        let ids = records.iter().map(|record| &record.external_id);
        match source {
            Source::Asking(most) => {
                let ids: Vec<String> = ids.cloned().collect();
                let absent = self.ask(session, kind, &ids, *most, progress).await?;
                self.expected(session, kind, absent).await
            }
            Source::Read(seen, most) => {
                let unseen = ids.filter(|id| !seen.has(id)).cloned().collect();
                let ids = self.expected(session, kind, unseen).await?;
                match *most {
                    Some(most) => self.ask(session, kind, &ids, most, progress).await,
                    None => Ok(ids),
                }
            }
        }
    }

    /// Those that were neither merged nor erased here: such a record may be missing at the vendor
    /// too, for good, and is nothing to ask a person about.
    async fn expected(
        &self,
        session: &Session,
        kind: EntityKind,
        mut ids: Vec<String>,
    ) -> Result<Vec<String>> {
        let mappings = self.mappings(session, kind, ids.iter()).await?;
        let optional = |id: &String| {
            mappings
                .get(id)
                .is_some_and(|mapping| mapping.merged_into.is_some() || Notes::of(mapping).erased)
        };
        ids.retain(|id| !optional(id));
        Ok(ids)
    }

    async fn ask(
        &self,
        session: &Session,
        kind: EntityKind,
        ids: &[String],
        most: usize,
        progress: &mut Progress<'_>,
    ) -> Result<Vec<String>> {
        let event = progress.run.mode.as_str();
        let mut absent = Vec::new();
        for ids in ids.chunks(most.max(1)) {
            let page = self.fetch_named(session, kind, ids).await?;
            absent.extend(missing(ids, &page));
            self.write_read(session, kind, &page, event, progress, None)
                .await?;
        }
        Ok(absent)
    }

    /// Asks again for what was missing, by id or, where the vendor cannot be asked so, by reading
    /// the kind whole once more: a record that moves while pages are read may be in none of them.
    pub(super) async fn still_missing(
        &self,
        session: &Session,
        kind: EntityKind,
        ids: &[String],
        progress: &mut Progress<'_>,
    ) -> Result<Vec<String>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(&most) = session.provider.capabilities().by_id.get(&kind) {
            return self.ask(session, kind, ids, most, progress).await;
        }
        let seen = self.read_seeing(session, kind, progress).await?;
        Ok(ids.iter().filter(|id| !seen.has(id)).cloned().collect())
    }

    pub(super) fn sweep_cursor(
        &self,
        session: &Session,
        kind: EntityKind,
        position: Option<Position>,
    ) -> Cursor {
        Cursor {
            integration_id: session.integration.id,
            entity: kind,
            mode: RunMode::Reconcile,
            position: position.and_then(Position::into_json),
            watermark: None,
        }
    }

    pub(super) async fn save_sweep(
        &self,
        session: &Session,
        progress: &Progress<'_>,
        kind: EntityKind,
        position: Option<Position>,
        jobs: Vec<NewJob>,
    ) -> Result<()> {
        self.ports
            .sync
            .apply_page(PageWrite {
                lease: progress.lease.cloned(),
                jobs,
                cursor: Some(self.sweep_cursor(session, kind, position)),
                ..PageWrite::new(session.scope, session.integration.id)
            })
            .await
    }
}

impl SyncEngine {
    /// Notes when a kind was swept, by our own clock: what schedules sweeps reads it.
    pub(super) async fn end_sweep(
        &self,
        session: &Session,
        progress: &Progress<'_>,
        kind: EntityKind,
    ) -> Result<()> {
        let cursor = Cursor {
            watermark: Some(self.clock.now()),
            ..self.sweep_cursor(session, kind, None)
        };
        self.ports
            .sync
            .apply_page(PageWrite {
                lease: progress.lease.cloned(),
                cursor: Some(cursor),
                ..PageWrite::new(session.scope, session.integration.id)
            })
            .await
    }
}

impl Missing {
    /// Counts all of them and keeps no more ids than a brake lets through, and one.
    fn add(&mut self, ids: Vec<String>, limit: u64) {
        self.count += u64::try_from(ids.len()).unwrap_or(u64::MAX);
        let room = usize::try_from(limit.saturating_add(1)).unwrap_or(usize::MAX);
        let room = room.saturating_sub(self.ids.len());
        self.ids.extend(ids.into_iter().take(room));
    }
}
