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

use super::session::SyncEngine;
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
        let integration = engine
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
        let session = engine.open(scope, integration).await?;
        if !session.provider.capabilities().quote {
            return Err(unsupported("the PMS cannot price stays", property_id));
        }
        let quotes = session.provider.quote(stay).await?;
        let types: HashSet<ExternalRef> =
            quotes.iter().map(|quote| quote.room_type.clone()).collect();
        let known = engine.follow(&session, types).await?;
        let ids: Vec<Uuid> = known.values().copied().collect();
        let rows = engine.rows(&session, EntityKind::RoomType, &ids).await?;
        let room_types: BTreeMap<String, (RoomTypeId, String)> = known
            .into_iter()
            .filter_map(|(link, id)| {
                let name = rows.get(&id)?.fields.text("name")?.to_owned();
                Some((link.id, (RoomTypeId::from(id), name)))
            })
            .collect();
        Ok(resolve_quotes(quotes, stay, &room_types))
    }
}
