//! Reads everything, page by page, and goes on where it was stopped.

use chrono::{DateTime, Utc};
use serde_json::Value;
use stayzr_core::{
    Error, ErrorKind, Result, model::RunMode, port::sync::Cursor, transform::EntityKind,
};

use super::{
    position::Position,
    session::{Progress, Session, SyncEngine},
};
use crate::{PageQuery, RecordPage};

impl SyncEngine {
    pub(super) async fn backfill(
        &self,
        session: &Session,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let kinds: Vec<EntityKind> = session.kinds().collect();
        let mut watermarks = Vec::with_capacity(kinds.len());
        for &kind in &kinds {
            let cursor = self.cursor(session, kind, RunMode::Backfill).await?;
            let watermark = cursor.as_ref().and_then(|cursor| cursor.watermark);
            let watermark = match Position::of(cursor.as_ref()) {
                Some(Position::Finished) => watermark,
                Some(Position::Whole { next }) => {
                    self.read_whole(session, kind, progress, Some((next, watermark)))
                        .await?
                }
                _ => self.read_whole(session, kind, progress, None).await?,
            };
            watermarks.push(watermark);
        }
        // All kinds are done: the next backfill starts over. Until the last of these is written
        // an interrupted run finds every kind finished and reads none of them again.
        for (&kind, watermark) in kinds.iter().zip(watermarks).rev() {
            self.save_cursor(session, progress, kind, None, watermark)
                .await?;
        }
        Ok(())
    }

    /// Reads a kind whole and returns the vendor's time when that began: what changed later is
    /// for an incremental run.
    pub(super) async fn read_whole(
        &self,
        session: &Session,
        kind: EntityKind,
        progress: &mut Progress<'_>,
        resume: Option<(Value, Option<DateTime<Utc>>)>,
    ) -> Result<Option<DateTime<Utc>>> {
        let (event, cursors) = (progress.run.mode.as_str(), progress.cursors);
        let (mut position, mut watermark) = match resume {
            Some((next, watermark)) => (Some(next), watermark),
            None => (None, None),
        };
        let mut resumed = position.is_some();
        let mut first = !resumed;
        loop {
            let query = PageQuery {
                kind,
                changed: None,
                position: position.take(),
            };
            let page = match session.provider.fetch_page(&query).await {
                // The vendor no longer knows the place where we stopped.
                Err(error) if resumed && is_lost_position(&error) => {
                    (resumed, first, watermark) = (false, true, None);
                    continue;
                }
                page => page?,
            };
            resumed = false;
            if first {
                watermark = page.vendor_now;
                first = false;
            }
            position = next_position(&query, &page)?;
            let at = match (&position, cursors) {
                (Some(next), _) => Some(Position::Whole { next: next.clone() }),
                (None, Some(RunMode::Backfill)) => Some(Position::Finished),
                (None, _) => None,
            };
            let cursor = cursors.map(|mode| Cursor {
                integration_id: session.integration.id,
                entity: kind,
                mode,
                position: at.and_then(Position::into_json),
                watermark,
            });
            if let Some(seen) = &mut progress.seen {
                seen.page(&page);
            }
            self.write_read(session, kind, &page, event, progress, cursor)
                .await?;
            if position.is_none() {
                return Ok(watermark);
            }
        }
    }

    pub(super) async fn cursor(
        &self,
        session: &Session,
        kind: EntityKind,
        mode: RunMode,
    ) -> Result<Option<Cursor>> {
        self.ports
            .sync
            .cursor(session.scope, session.integration.id, kind, mode)
            .await
    }

    pub(super) async fn save_cursor(
        &self,
        session: &Session,
        progress: &mut Progress<'_>,
        kind: EntityKind,
        position: Option<Position>,
        watermark: Option<DateTime<Utc>>,
    ) -> Result<()> {
        let cursor = Cursor {
            integration_id: session.integration.id,
            entity: kind,
            mode: progress.run.mode,
            position: position.and_then(Position::into_json),
            watermark,
        };
        let mode = progress.run.mode.as_str();
        let page = RecordPage::default();
        self.write_read(session, kind, &page, mode, progress, Some(cursor))
            .await
    }
}

pub(super) fn is_lost_position(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Invalid | ErrorKind::NotFound)
}

/// Where the next page starts; a vendor that names the same place twice would be read for ever.
pub(super) fn next_position(query: &PageQuery, page: &RecordPage) -> Result<Option<Value>> {
    if page.next.is_some() && page.next == query.position {
        return Err(Error::corrupt(
            "sync.page",
            "the vendor's next page is the page that was just read, so that reading would never end: \
             report it to the vendor, or to whoever wrote its provider",
        )
        .with("kind", query.kind));
    }
    Ok(page.next.clone())
}
