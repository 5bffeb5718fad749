//! Loads the guests that a page of records may be about, beyond those that are mapped.

use std::collections::{BTreeSet, HashSet};

use stayzr_core::{Result, model::Contact, transform::EntityKind};
use uuid::Uuid;

use super::{
    identity::{asked, recognise_page},
    merged::chain_end,
    plan::PageState,
    session::{Session, SyncEngine},
    triage::Triaged,
};

impl SyncEngine {
    /// Recognises guests by their addresses: three queries for a page with an address that is
    /// news and known here, one where it is known to nobody, none where no address is news.
    pub(super) async fn recognise_guests(
        &self,
        session: &Session,
        news: &[&Triaged<'_>],
        country: Option<&str>,
        state: &mut PageState,
    ) -> Result<()> {
        let asked = asked(news, &state.mappings, country);
        let contacts: HashSet<Contact> = asked
            .iter()
            .flat_map(|asked| asked.contacts.iter().cloned())
            .collect();
        if contacts.is_empty() {
            return Ok(());
        }
        let contacts: Vec<Contact> = contacts.into_iter().collect();
        let owners = self
            .ports
            .entities
            .contact_owners(session.scope, &contacts)
            .await?;
        let owned: HashSet<&Contact> = owners.iter().map(|owner| &owner.contact).collect();
        let unclaimed = contacts.iter().filter(|contact| !owned.contains(contact));
        state.unclaimed = unclaimed.cloned().collect();
        let ids: Vec<Uuid> = owners
            .iter()
            .map(|owner| owner.guest_id.uuid())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let rows = self.rows(session, EntityKind::Guest, &ids).await?;
        let mapped = self
            .ports
            .sync
            .mappings_of(
                session.scope,
                session.integration.id,
                EntityKind::Guest,
                &ids,
            )
            .await?
            .into_iter()
            .map(|mapping| mapping.local_id)
            .collect();
        recognise_page(&asked, &owners, &rows, mapped, state);
        Ok(())
    }

    /// Rows and mappings of the guests who remain where records were merged into them.
    pub(super) async fn load_remaining(
        &self,
        session: &Session,
        news: &[&Triaged<'_>],
        state: &mut PageState,
    ) -> Result<()> {
        let targets = super::plan::merge_targets(news.iter().copied());
        let ids: Vec<Uuid> = news
            .iter()
            .filter(|triaged| state.mappings.contains_key(&triaged.record.external_id))
            .filter_map(|triaged| {
                let id = chain_end(triaged.record, &targets)?.to_owned();
                let kind = EntityKind::Guest;
                let link = stayzr_core::model::ExternalRef { kind, id };
                state.links.get(&link).copied()
            })
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let missing: Vec<Uuid> = ids
            .iter()
            .filter(|id| !state.rows.contains_key(*id))
            .copied()
            .collect();
        let rows = self.rows(session, EntityKind::Guest, &missing).await?;
        state.rows.extend(rows);
        let mappings = self
            .ports
            .sync
            .mappings_of(
                session.scope,
                session.integration.id,
                EntityKind::Guest,
                &ids,
            )
            .await?;
        state.remaining.extend(
            mappings
                .into_iter()
                .map(|mapping| (mapping.local_id, mapping)),
        );
        Ok(())
    }
}
