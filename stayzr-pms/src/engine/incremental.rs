//! Reads what changed since the last run, in windows of the vendor's time that overlap.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use stayzr_core::{
    Error, ErrorKind, Result, model::RunMode, port::sync::Cursor, transform::EntityKind,
};

use super::{
    backfill::{is_lost_position, next_position},
    position::Position,
    session::{Progress, Session, SyncEngine},
};
use crate::PageQuery;

/// How far behind the vendor's our clock may be before a window would end too early; it only
/// bounds a query and never decides what has been read.
const HORIZON: TimeDelta = TimeDelta::days(1);

/// No window is halved below this.
const NARROWEST: TimeDelta = TimeDelta::minutes(1);

#[derive(Debug, Clone)]
struct Window {
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    now: Option<DateTime<Utc>>,
    next: Option<Value>,
}

impl SyncEngine {
    pub(super) async fn incremental(
        &self,
        session: &Session,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        for kind in session.kinds().collect::<Vec<_>>() {
            self.read_changed(session, kind, progress).await?;
        }
        Ok(())
    }

    /// Reads what changed of a kind since the last time.
    pub(super) async fn read_changed(
        &self,
        session: &Session,
        kind: EntityKind,
        progress: &mut Progress<'_>,
    ) -> Result<()> {
        let own = self.cursor(session, kind, RunMode::Incremental).await?;
        let position = Position::of(own.as_ref());
        let watermark = own.and_then(|cursor| cursor.watermark);
        let windows = session
            .provider
            .capabilities()
            .changed_since
            .contains(&kind);
        match position {
            Some(Position::Window {
                from,
                to,
                now,
                next,
            }) if windows => {
                let window = Window {
                    from,
                    to,
                    now,
                    next,
                };
                self.read_windows(session, kind, progress, watermark, window)
                    .await?;
            }
            Some(Position::Whole { next }) => {
                self.read_whole(session, kind, progress, Some((next, watermark)))
                    .await?;
            }
            _ if windows => {
                let since = watermark.max(self.backfilled(session, kind).await?);
                match since {
                    Some(since) => {
                        let from = since - self.options.overlap;
                        let window = self.window(session, from, None);
                        self.read_windows(session, kind, progress, Some(since), window)
                            .await?;
                    }
                    // Nothing was ever read whole: what changed is everything.
                    None => {
                        self.read_whole(session, kind, progress, None).await?;
                    }
                }
            }
            _ => {
                self.read_whole(session, kind, progress, None).await?;
            }
        }
        Ok(())
    }

    /// The vendor's time up to which a finished backfill has read this kind.
    async fn backfilled(
        &self,
        session: &Session,
        kind: EntityKind,
    ) -> Result<Option<DateTime<Utc>>> {
        let cursor = self.cursor(session, kind, RunMode::Backfill).await?;
        Ok(match Position::of(cursor.as_ref()) {
            None | Some(Position::Finished) => cursor.and_then(|cursor| cursor.watermark),
            Some(_) => None,
        })
    }

    fn window(
        &self,
        session: &Session,
        from: DateTime<Utc>,
        vendor_now: Option<DateTime<Utc>>,
    ) -> Window {
        let known = Some(self.clock.now()).max(vendor_now);
        let horizon = known.map_or(from, |now| now.max(from)) + HORIZON;
        let widest = session
            .provider
            .capabilities()
            .max_changed_span_seconds
            .map_or(horizon, |seconds| from + TimeDelta::seconds(seconds.max(1)));
        Window {
            from,
            to: horizon.min(widest),
            now: None,
            next: None,
        }
    }

    /// Reads from a window on until the vendor's present. The watermark moves with each window
    /// that is read to its end, and only by what the vendor's clock said before it was read.
    async fn read_windows(
        &self,
        session: &Session,
        kind: EntityKind,
        progress: &mut Progress<'_>,
        mut watermark: Option<DateTime<Utc>>,
        mut window: Window,
    ) -> Result<()> {
        let mut resumed = window.next.is_some();
        loop {
            let query = PageQuery {
                kind,
                changed: Some((window.from, window.to)),
                position: window.next.take(),
            };
            let page = match session.provider.fetch_page(&query).await {
                Err(error) if resumed && is_lost_position(&error) => {
                    resumed = false;
                    continue;
                }
                // The vendor asks for less at once; a later page of the same window may be what it
                // is not done with in time, so that the window is begun anew.
                Err(error) if is_too_wide(&error, &window) => {
                    resumed = false;
                    window.to = window.from + (window.to - window.from) / 2;
                    continue;
                }
                page => page?,
            };
            resumed = false;
            window.now = window.now.or(page.vendor_now);
            window.next = next_position(&query, &page)?;
            let next = match (&window.next, window.now) {
                (Some(_), _) => Some(window.clone()),
                (None, Some(now)) if window.to < now => {
                    watermark = watermark.max(Some(window.to));
                    Some(self.window(session, window.to, Some(now)))
                }
                (None, now) => {
                    watermark = watermark.max(now.map(|now| now.min(window.to)));
                    // Where the vendor does not tell the time, only the span says when to stop.
                    (now.is_none() && window.to < self.clock.now())
                        .then(|| self.window(session, window.to, None))
                }
            };
            let position = next.as_ref().map(|next| Position::Window {
                from: next.from,
                to: next.to,
                now: next.now,
                next: next.next.clone(),
            });
            let cursor = Cursor {
                integration_id: session.integration.id,
                entity: kind,
                mode: RunMode::Incremental,
                position: position.and_then(Position::into_json),
                watermark,
            };
            let event = progress.run.mode.as_str();
            self.write_read(session, kind, &page, event, progress, Some(cursor))
                .await?;
            match next {
                Some(next) => window = next,
                None => return Ok(()),
            }
        }
    }
}

fn is_too_wide(error: &Error, window: &Window) -> bool {
    error.kind() == ErrorKind::Timeout && window.to - window.from > NARROWEST
}
