//! Reads records that others lead to and we do not know.

use std::collections::{BTreeMap, HashSet};

use stayzr_core::{
    Error, ErrorKind, Result, model::ExternalRef, port::sync::RunCounts, transform::EntityKind,
};

use super::{
    page::{PageInput, add},
    session::{Session, SyncEngine},
};

impl SyncEngine {
    /// Reads records that others lead to, in as few calls as the vendor takes, and writes them.
    /// False if none came of it. What the vendor will not give, now or later, is left out: who
    /// links to it is written without the link, which its mapping notes.
    pub(super) async fn fetch_linked(
        &self,
        session: &Session,
        input: &PageInput<'_>,
        missing: &HashSet<ExternalRef>,
        linked: &mut RunCounts,
        hops: usize,
    ) -> Result<bool> {
        let mut kinds: BTreeMap<EntityKind, Vec<String>> = BTreeMap::new();
        for link in missing {
            // What refers to a later kind is read by that kind's own run.
            if link.kind <= input.kind {
                kinds.entry(link.kind).or_default().push(link.id.clone());
            }
        }
        let mut read = false;
        for (kind, mut ids) in kinds {
            let Some(&most) = session.provider.capabilities().by_id.get(&kind) else {
                continue;
            };
            ids.sort_unstable();
            let mut batches: Vec<&[String]> = ids.chunks(most.max(1)).rev().collect();
            while let Some(ids) = batches.pop() {
                let page = match session.provider.fetch_ids(kind, ids).await {
                    Ok(page) => page,
                    // One id that the vendor cannot read must not take the others with it.
                    Err(error) if is_final(&error) && ids.len() > 1 => {
                        let (first, second) = ids.split_at(ids.len() / 2);
                        batches.extend([second, first]);
                        continue;
                    }
                    Err(error) if is_final(&error) => {
                        tracing::warn!(
                            integration_id = %session.integration.id,
                            %kind,
                            %error,
                            "a record that others link to cannot be read: the link stays open"
                        );
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                let input = PageInput {
                    kind,
                    records: &page.records,
                    parked: &page.parked,
                    cursor: None,
                    ..*input
                };
                let counts = Box::pin(self.write_linked(session, &input, hops + 1)).await?;
                add(linked, counts);
                read |= !page.records.is_empty();
            }
        }
        Ok(read)
    }
}

/// Whether asking again would be answered the same, for these ids alone. Credentials that are
/// refused are no matter of one record.
fn is_final(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::Invalid
            | ErrorKind::Forbidden
            | ErrorKind::Unsupported
            | ErrorKind::Corrupt
    )
}
