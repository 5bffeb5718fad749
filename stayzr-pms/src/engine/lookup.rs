//! Finds mappings, rows and linked records, many at once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use stayzr_core::{
    Result,
    model::{ExternalRef, Property},
    port::{
        PageRequest,
        entities::{EntitiesExt, EntityFilter},
        sync::Mapping,
    },
    transform::{EntityKind, EntityRow},
};
use uuid::Uuid;

use super::{
    merged::MERGED_INTO,
    notes::Notes,
    session::{Session, SyncEngine},
};

/// A merged record leads to the one it was merged into; a chain longer than this is a circle.
pub(super) const MERGE_HOPS: usize = 4;

/// One query lists at most so many rows.
const ROWS_AT_ONCE: usize = 1000;

impl SyncEngine {
    /// Mappings of these records by the vendor's id.
    pub(super) async fn mappings(
        &self,
        session: &Session,
        kind: EntityKind,
        ids: impl Iterator<Item = &String>,
    ) -> Result<HashMap<String, Mapping>> {
        let ids: Vec<String> = ids.collect::<BTreeSet<_>>().into_iter().cloned().collect();
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mappings = self
            .ports
            .sync
            .mappings(session.scope, session.integration.id, kind, &ids)
            .await?;
        Ok(mappings
            .into_iter()
            .map(|mapping| (mapping.external_id.clone(), mapping))
            .collect())
    }

    /// Rows by id.
    pub(super) async fn rows(
        &self,
        session: &Session,
        kind: EntityKind,
        ids: &[Uuid],
    ) -> Result<HashMap<Uuid, EntityRow>> {
        let mut rows = HashMap::with_capacity(ids.len());
        for ids in ids.chunks(ROWS_AT_ONCE) {
            let filter = EntityFilter {
                ids: Some(ids.to_vec()),
                ..EntityFilter::default()
            };
            let mut page = PageRequest {
                limit: 1000,
                cursor: None,
            };
            loop {
                let found = self
                    .ports
                    .entities
                    .rows(session.scope, kind, &filter, &page)
                    .await?;
                rows.extend(found.items.into_iter().map(|row| (row.id, row)));
                match found.next_cursor {
                    Some(cursor) => page.cursor = Some(cursor),
                    None => break,
                }
            }
        }
        Ok(rows)
    }

    /// Our ids of these records, those that are known; a merged one leads to the one that remains.
    pub(super) async fn follow(
        &self,
        session: &Session,
        links: HashSet<ExternalRef>,
    ) -> Result<HashMap<ExternalRef, Uuid>> {
        let mut kinds: BTreeMap<EntityKind, Vec<String>> = BTreeMap::new();
        for link in links {
            kinds.entry(link.kind).or_default().push(link.id);
        }
        let mut known = HashMap::new();
        for (kind, ids) in kinds {
            let mut mappings = self.mappings(session, kind, ids.iter()).await?;
            for _ in 0..MERGE_HOPS {
                let targets: BTreeSet<String> = mappings
                    .values()
                    .filter_map(|mapping| mapping.merged_into.clone())
                    .filter(|target| !mappings.contains_key(target))
                    .collect();
                if targets.is_empty() {
                    break;
                }
                let found = self.mappings(session, kind, targets.iter()).await?;
                if found.is_empty() {
                    break;
                }
                mappings.extend(found);
            }
            for id in ids {
                if let Some(local_id) = lead(&mappings, &id) {
                    known.insert(ExternalRef { kind, id }, local_id);
                }
            }
        }
        Ok(known)
    }

    pub(super) async fn country(&self, session: &Session) -> Result<Option<String>> {
        let property: Property = self
            .ports
            .entities
            .entity(session.scope, session.integration.property_id.uuid())
            .await?;
        Ok(property.address.country_code)
    }
}

/// The row that a record leads to, along the merges that were made here; an erased one leads
/// nowhere.
fn lead(mappings: &HashMap<String, Mapping>, id: &str) -> Option<Uuid> {
    let mut mapping = mappings.get(id)?;
    let mut seen = HashSet::from([id]);
    while let Some(target) = merged_into(mapping)
        && seen.insert(target)
        && let Some(next) = mappings.get(target)
    {
        mapping = next;
    }
    (!Notes::of(mapping).erased).then_some(mapping.local_id)
}

/// The record that a mapped one was merged into, unless that one was not known then.
fn merged_into(mapping: &Mapping) -> Option<&str> {
    let target = mapping.merged_into.as_deref()?;
    (!Notes::of(mapping).unresolved.contains_key(MERGED_INTO)).then_some(target)
}
