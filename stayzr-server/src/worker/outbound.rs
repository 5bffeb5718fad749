use std::sync::Arc;

use async_trait::async_trait;
use stayzr_core::{
    Result,
    flow::send_message,
    model::Channel,
    port::{
        Store,
        outbound::{OutboundMessage, SendOutcome, Sender},
    },
    queue::{Claimed, Handler, HandlerResult},
};

/// Sends each message through the channel of its account.
pub struct Channels {
    /// WhatsApp.
    pub whatsapp: Arc<dyn Sender>,
    /// Threads of the PMSs.
    pub pms: Arc<dyn Sender>,
}

#[async_trait]
impl Sender for Channels {
    async fn send(&self, message: &OutboundMessage) -> SendOutcome {
        match message.account.channel {
            Channel::Whatsapp => self.whatsapp.send(message).await,
            Channel::Pms => self.pms.send(message).await,
            Channel::Api => SendOutcome::Failed {
                error: "the API's answer is its delivery".to_owned(),
            },
        }
    }
}

/// Sends messages to guests, each once.
pub struct OutboundHandler {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The channels.
    pub sender: Arc<dyn Sender>,
}

#[async_trait]
impl Handler for OutboundHandler {
    async fn handle(&self, claimed: Claimed) -> Result<HandlerResult> {
        send_message(self.store.as_ref(), self.sender.as_ref(), &claimed).await?;
        Ok(HandlerResult::Finished)
    }
}
