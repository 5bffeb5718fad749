//! What OPERA's desk does beyond keeping records.

use async_trait::async_trait;
use serde_json::Value;
use stayzr_core::{Error, Result};

use super::{OperaClient, OperaProvider, client::Place, fetch::pair};
use crate::desk::{Desk, EventBatch};

/// The most events OPERA gives at once.
const EVENTS: usize = 20;

#[async_trait]
impl Desk for OperaProvider {
    /// The next business events: of the chain, out of the stream, where one is configured; else at
    /// most twenty of the hotel's, out of the queue of the external system.
    ///
    /// OPERA forgets events of a queue as it gives them and has no way to give them again: there is no
    /// position, and an answer that is lost takes its events with it
    /// ([`stayzr_core::ErrorKind::Ambiguous`]). The stream gives events again for seven days, and
    /// the position is the offset of the last one. [`stayzr_core::ErrorKind::Invalid`] where neither a
    /// stream nor an external system is configured.
    async fn next_events(&self, after: Option<&Value>) -> Result<Option<EventBatch>> {
        match self.stream() {
            Some(stream) => stream.next(self.client(), after).await,
            None => take_events(self.client()).await,
        }
    }
}

async fn take_events(client: &OperaClient) -> Result<Option<EventBatch>> {
    let config = client.config();
    let system = config.external_system.as_deref().ok_or_else(|| {
        Error::invalid(
            "opera.getBusinessEvents",
            "events are queued for an external system: set external_system in the vendor settings to \
             the code that the hotel configured, or stream.chain_code where the chain streams them",
        )
    })?;
    let place = Place {
        operation: "getBusinessEvents",
        module: "int/v1",
        parts: &[
            "externalSystem",
            system,
            "hotels",
            &config.hotel_id,
            "businessEvents",
        ],
    };
    let query = vec![pair("limit", EVENTS.to_string())];
    let body = client.take(place, query).await?;
    Ok(body.map(|body| EventBatch {
        body: body.to_string().into_bytes(),
        id: None,
        position: None,
    }))
}
