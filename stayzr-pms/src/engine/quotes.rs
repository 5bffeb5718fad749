//! Prices from the PMS of a property.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use stayzr_core::{
    Error, ErrorKind, Result,
    ids::{PropertyId, RoomTypeId},
    model::{ExternalRef, IntegrationStatus, Quote},
    port::backend::{Quotes, StayQuery},
    tenant::TenantScope,
    transform::EntityKind,
};
use uuid::Uuid;

use super::session::{Session, SyncEngine};
use crate::provider::resolve_quotes;

/// [`Quotes`] of the property's integration, under our room types. Room types that were never
/// synchronised are left out.
#[derive(Debug, Clone)]
pub struct EngineQuotes {
    engine: SyncEngine,
}

impl EngineQuotes {
    /// Quotes through the providers of this engine.
    pub fn new(engine: SyncEngine) -> Self {
        Self { engine }
    }
}

impl SyncEngine {
    /// The connection of a property to its PMS.
    pub(super) async fn session_of(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
    ) -> Result<Session> {
        let integration = self
            .ports
            .sync
            .integrations(scope)
            .await?
            .into_iter()
            .find(|integration| {
                integration.property_id == property_id
                    && integration.status == IntegrationStatus::Active
            })
            .ok_or_else(|| unsupported("the property has no PMS", property_id))?;
        self.open(scope, integration).await
    }

    /// Our room types of the vendor's, and their names.
    async fn room_types(
        &self,
        session: &Session,
        types: HashSet<ExternalRef>,
    ) -> Result<BTreeMap<String, (RoomTypeId, String)>> {
        let known = self.follow(session, types).await?;
        let ids: Vec<Uuid> = known.values().copied().collect();
        let rows = self.rows(session, EntityKind::RoomType, &ids).await?;
        Ok(known
            .into_iter()
            .filter_map(|(link, id)| {
                let name = rows.get(&id)?.fields.text("name")?.to_owned();
                Some((link.id, (RoomTypeId::from(id), name)))
            })
            .collect())
    }
}

fn unsupported(message: &'static str, property_id: PropertyId) -> Error {
    Error::new(ErrorKind::Unsupported, "sync.quotes", message).with("property_id", property_id)
}

#[async_trait]
impl Quotes for EngineQuotes {
    async fn quotes(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        stay: &StayQuery,
    ) -> Result<Vec<Quote>> {
        let engine = &self.engine;
        let session = engine.session_of(scope, property_id).await?;
        if !session.provider.capabilities().quote {
            return Err(unsupported("the PMS cannot price stays", property_id));
        }
        let quotes = session.provider.quote(stay).await?;
        let types = quotes.iter().map(|quote| quote.room_type.clone()).collect();
        let room_types = engine.room_types(&session, types).await?;
        Ok(resolve_quotes(quotes, stay, &room_types))
    }

    async fn free(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        stay: &StayQuery,
    ) -> Result<BTreeMap<RoomTypeId, i64>> {
        let engine = &self.engine;
        let session = engine.session_of(scope, property_id).await?;
        let can = session.provider.capabilities().desk.availability;
        let desk = session.desk(can, "the PMS does not count free rooms")?;
        let counted = desk.availability(stay).await?;
        let types = counted.iter().map(|one| one.room_type.clone()).collect();
        let room_types = engine.room_types(&session, types).await?;
        Ok(counted
            .into_iter()
            .filter_map(|one| {
                let (id, _) = room_types.get(&one.room_type.id)?;
                Some((*id, one.free.max(0)))
            })
            .collect())
    }
}
