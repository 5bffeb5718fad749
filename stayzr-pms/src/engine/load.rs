//! Loads what is stored about the records of a page that are news.

use std::collections::HashSet;

use stayzr_core::{Result, model::ExternalRef, port::sync::RunCounts, transform::EntityKind};
use uuid::Uuid;

use super::{
    lookup::MERGE_HOPS,
    merged::chain_end,
    page::PageInput,
    plan::{PageState, merge_targets},
    session::{Session, SyncEngine},
    triage::{Triaged, Verdict},
};

impl SyncEngine {
    /// Rows, links, and the guests whom records may be about; records that others lead to and we
    /// do not know are read from the vendor first.
    #[allow(clippy::too_many_arguments, reason = "each is a different thing")]
    pub(super) async fn load(
        &self,
        session: &Session,
        input: &PageInput<'_>,
        news: &[&Triaged<'_>],
        country: Option<&str>,
        state: &mut PageState,
        linked: &mut RunCounts,
        hops: usize,
    ) -> Result<()> {
        let mut ids: Vec<Uuid> = news
            .iter()
            .filter_map(|triaged| state.mappings.get(&triaged.record.external_id))
            .map(|mapping| mapping.local_id)
            .collect();
        if input.kind == EntityKind::Property {
            // A property exists here before it is connected.
            let property = session.integration.property_id.uuid();
            for triaged in news {
                let id = triaged.record.external_id.clone();
                if !state.mappings.contains_key(&id) {
                    state.adopted.insert(id, property);
                    ids.push(property);
                }
            }
        }
        if !ids.is_empty() {
            state.rows = self.rows(session, input.kind, &ids).await?;
        }
        let merged = merge_links(input.kind, news);
        let wanted = |only_new: bool| -> HashSet<ExternalRef> {
            news.iter()
                .filter(|triaged| !only_new || triaged.verdict != Verdict::Unlinked)
                .flat_map(|triaged| triaged.record.links.values().flatten().cloned())
                .collect()
        };
        let mut links = wanted(false);
        links.extend(merged.iter().cloned());
        state.links = self.follow(session, links).await?;
        let mut missing = wanted(true);
        if hops < MERGE_HOPS {
            // A guest who remains and stands in this page is made by it.
            let here = |link: &ExternalRef| {
                news.iter()
                    .any(|triaged| triaged.record.external_id == link.id)
            };
            missing.extend(merged.iter().filter(|link| !here(link)).cloned());
        }
        missing.retain(|link| !state.links.contains_key(link));
        if !missing.is_empty()
            && self
                .fetch_linked(session, input, &missing, linked, hops)
                .await?
        {
            state.links.extend(self.follow(session, missing).await?);
        }
        if input.kind == EntityKind::Guest {
            self.recognise_guests(session, news, country, state).await?;
            if !merged.is_empty() {
                self.load_remaining(session, news, state).await?;
            }
        }
        Ok(())
    }
}

/// Where the guests of a page who were merged lead to.
fn merge_links(kind: EntityKind, news: &[&Triaged<'_>]) -> HashSet<ExternalRef> {
    if kind != EntityKind::Guest {
        return HashSet::new();
    }
    let targets = merge_targets(news.iter().copied());
    if targets.is_empty() {
        return HashSet::new();
    }
    news.iter()
        .filter_map(|triaged| chain_end(triaged.record, &targets))
        .map(|id| ExternalRef {
            kind,
            id: id.to_owned(),
        })
        .collect()
}
