//! Asks for records by id.

use std::collections::HashSet;

use stayzr_core::{ErrorKind, Result, transform::EntityKind};

use super::session::{Session, SyncEngine};
use crate::RecordPage;

impl SyncEngine {
    /// Records by id, at most as many as one call takes. A vendor that is not done in time is
    /// asked for half of them, and half of those.
    pub(super) async fn fetch_named(
        &self,
        session: &Session,
        kind: EntityKind,
        ids: &[String],
    ) -> Result<RecordPage> {
        let mut page = RecordPage::default();
        let mut waiting = vec![ids];
        while let Some(ids) = waiting.pop() {
            match session.provider.fetch_ids(kind, ids).await {
                Err(error) if error.kind() == ErrorKind::Timeout && ids.len() > 1 => {
                    let (first, second) = ids.split_at(ids.len() / 2);
                    waiting.extend([second, first]);
                }
                found => {
                    let found = found?;
                    page.records.extend(found.records);
                    page.parked.extend(found.parked);
                    page.vendor_now = found.vendor_now;
                }
            }
        }
        Ok(page)
    }
}

/// The ids of which a page says nothing. A record that cannot be read is there all the same.
pub(super) fn missing(ids: &[String], page: &RecordPage) -> Vec<String> {
    let found: HashSet<&str> = found(page).collect();
    ids.iter()
        .filter(|id| !found.contains(id.as_str()))
        .cloned()
        .collect()
}

/// The ids of everything in a page.
pub(super) fn found(page: &RecordPage) -> impl Iterator<Item = &str> {
    let parked = &page.parked;
    page.records
        .iter()
        .map(|record| record.external_id.as_str())
        .chain(
            parked
                .iter()
                .filter_map(|parked| parked.external_id.as_deref()),
        )
}
