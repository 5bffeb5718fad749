//! What is sold beside rooms, and what is left at the desk for a guest.

use serde_json::{Value, json};
use stayzr_core::{
    Error, Result,
    ids::{ChangeId, PropertyId},
    model::{Change, ChangeOutcome, ChangeSource},
    port::sync::PageWrite,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow},
};
use uuid::Uuid;

use super::session::{Session, SyncEngine};
use crate::desk::{DeskMessage, Recipient, RemoteOrder, RemoteProduct};

/// A product that somebody orders for a stay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrder {
    /// The product, by the vendor's id.
    pub product: String,
    /// How many, at least 1.
    pub count: u32,
    /// For the desk to read.
    pub note: Option<String>,
    /// Names the order: the same in every attempt.
    pub key: String,
}

impl SyncEngine {
    /// What the hotel of a property sells beside rooms.
    /// [`stayzr_core::ErrorKind::Unsupported`] where its PMS does not say.
    pub async fn products(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
    ) -> Result<Vec<RemoteProduct>> {
        let session = self.session_of(scope, property_id).await?;
        let can = session.provider.capabilities().desk.products;
        let desk = session.desk(can, "the PMS does not list what the hotel sells")?;
        desk.products().await
    }

    /// Posts a product to a reservation at its PMS, journals it, and returns the vendor's id of the
    /// order where it has one.
    ///
    /// It is done while the caller waits and is never repeated by the machine:
    /// [`stayzr_core::ErrorKind::Ambiguous`] means that a person looks at the folio first.
    pub async fn order(
        &self,
        scope: TenantScope,
        reservation_id: Uuid,
        order: NewOrder,
        source: ChangeSource,
    ) -> Result<Option<String>> {
        if order.count == 0 {
            return Err(
                Error::invalid("sync.order", "`count` is at least 1").with("field", "count")
            );
        }
        let (session, row, reservation) = self.stay_at_vendor(scope, reservation_id).await?;
        let can = session.provider.capabilities().desk.orders;
        let desk = session.desk(can, "the PMS takes no orders")?;
        let (product, count) = (order.product.clone(), order.count);
        let remote = RemoteOrder {
            reservation,
            product: order.product,
            count,
            note: order.note,
            key: order.key,
        };
        let id = desk.order(&remote).await?;
        let said = json!({"product": product, "count": count, "order": id});
        self.note_done(&session, &row, "ordered", said, source)
            .await;
        Ok(id)
    }

    /// Leaves a message at the desk for the guest of a reservation, journals it, and returns the
    /// vendor's id of it. Done once, as [`SyncEngine::order`] is.
    pub async fn leave_message(
        &self,
        scope: TenantScope,
        reservation_id: Uuid,
        text: String,
        key: String,
        source: ChangeSource,
    ) -> Result<String> {
        let (session, row, reservation) = self.stay_at_vendor(scope, reservation_id).await?;
        let can = session.provider.capabilities().desk.reservation_messages;
        let desk = session.desk(can, "the PMS takes no messages for guests")?;
        let message = DeskMessage {
            to: Recipient::Reservation(reservation),
            text,
            key,
        };
        let id = desk.send_message(&message).await?;
        let said = json!({"message": id});
        self.note_done(&session, &row, "a message was left", said, source)
            .await;
        Ok(id)
    }

    /// A reservation, the connection to its PMS, and its id there.
    async fn stay_at_vendor(
        &self,
        scope: TenantScope,
        id: Uuid,
    ) -> Result<(Session, EntityRow, String)> {
        let kind = EntityKind::Reservation;
        let row = self.ports.entities.row(scope, kind, id).await?;
        let row = row.ok_or_else(|| {
            Error::not_found("sync.desk", "there is no reservation with this id").with("id", id)
        })?;
        let property_id = row.property_id.ok_or_else(|| {
            Error::corrupt("sync.desk", "the reservation is of no property").with("id", id)
        })?;
        let session = self.session_of(scope, property_id).await?;
        let mappings = self
            .ports
            .sync
            .mappings_of(session.scope, session.integration.id, kind, &[id])
            .await?;
        let known = mappings
            .into_iter()
            .find(|mapping| mapping.gone_at.is_none())
            .map(|mapping| mapping.merged_into.unwrap_or(mapping.external_id));
        let external = known.ok_or_else(|| {
            Error::invalid("sync.desk", "the PMS does not know this reservation").with("id", id)
        })?;
        Ok((session, row, external))
    }

    /// A line of the journal about what was done at the vendor. It is done by now, so a journal that
    /// cannot be written is no reason to say that it is not.
    async fn note_done(
        &self,
        session: &Session,
        row: &EntityRow,
        reason: &str,
        said: Value,
        source: ChangeSource,
    ) {
        let mut write = PageWrite::new(session.scope, session.integration.id);
        write.changes = vec![Change {
            id: ChangeId::generate(&*self.clock),
            organization_id: row.organization_id,
            entity: row.kind,
            entity_id: row.id,
            external_id: None,
            field: None,
            base: None,
            old: None,
            new: Some(said),
            source,
            outcome: ChangeOutcome::Applied,
            reason: Some(reason.to_owned()),
            created_at: self.clock.now(),
        }];
        if let Err(error) = self.ports.sync.apply_page(write).await {
            tracing::warn!(%error, id = %row.id, reason, "could not be journalled");
        }
    }
}
