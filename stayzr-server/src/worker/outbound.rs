use std::sync::Arc;

use async_trait::async_trait;
use stayzr_core::{
    Result,
    flow::send_message,
    port::{Store, outbound::Sender},
    queue::{Claimed, Handler, HandlerResult},
};

/// Sends messages to guests, each once.
pub struct OutboundHandler {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The channel.
    pub sender: Arc<dyn Sender>,
}

#[async_trait]
impl Handler for OutboundHandler {
    async fn handle(&self, claimed: Claimed) -> Result<HandlerResult> {
        send_message(self.store.as_ref(), self.sender.as_ref(), &claimed).await?;
        Ok(HandlerResult::Finished)
    }
}
