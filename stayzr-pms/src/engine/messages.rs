//! Messages of vendors' threads, as conversations of ours.

use std::collections::HashSet;

use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::json;
use stayzr_core::{
    Error, ErrorKind, Result,
    ids::{ChannelAccountId, GuestId, IntegrationId},
    mask::mask_cards_in_text,
    model::{Channel, ChannelAccount, Contact, ContactChannel},
    port::{
        conversation::AcceptMessage,
        outbound::{OutboundMessage, SendOutcome, Sender},
    },
    retry::RetryPolicy,
    tenant::TenantScope,
};

use super::session::{Session, SyncEngine};
use crate::desk::{DeskMessage, MessageQuery, Recipient, RemoteMessage};

/// How far a vendor's clock may be behind ours when its messages are held against what we sent.
const SKEW: TimeDelta = TimeDelta::minutes(2);

impl SyncEngine {
    /// Reads these messages and stores those that others wrote, each once, in the conversation of
    /// its thread. The concierge answers where the vendor says that a guest wrote; the rest waits
    /// for staff. Returns how many were new.
    pub async fn read_messages(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        ids: Vec<String>,
    ) -> Result<u32> {
        let integration = self.integration(scope, integration_id).await?;
        let session = self.open(scope, integration).await?;
        let threads = session.provider.capabilities().desk.threads;
        let desk = session.desk(threads, "the threads of this PMS cannot be read")?;
        let mut messages = desk.messages(&MessageQuery::Ids(ids)).await?;
        messages.retain(|message| !message.own && !message.text.trim().is_empty());
        messages.sort_by_key(|message| message.sent_at);
        if messages.is_empty() {
            return Ok(0);
        }
        let account = self.account(&session).await?;
        let named = messages.iter().filter_map(|message| message.guest.clone());
        let guests = self.follow(&session, named.collect::<HashSet<_>>()).await?;
        let mut stored = 0;
        for message in messages {
            let guest = message.guest.as_ref().and_then(|link| guests.get(link));
            let accept = accept(
                &session,
                account,
                guest.copied().map(GuestId::from),
                message,
            );
            let accepted = self
                .desk_ports()?
                .conversations
                .accept_message(accept)
                .await?;
            stored += u32::from(!accepted.duplicate);
        }
        Ok(stored)
    }

    /// The account that the integration's threads are of; made when it is first needed.
    async fn account(&self, session: &Session) -> Result<ChannelAccountId> {
        let ports = self.desk_ports()?;
        let integration = &session.integration;
        let address = integration.id.to_string();
        if let Some(owner) = ports
            .directory
            .channel_owner(Channel::Pms, &address)
            .await?
        {
            return Ok(owner.id);
        }
        let now = self.clock.now();
        let account = ChannelAccount {
            id: ChannelAccountId::generate(&*self.clock),
            organization_id: integration.organization_id,
            property_id: integration.property_id,
            channel: Channel::Pms,
            address: address.clone(),
            settings: json!({"provider": integration.provider}),
            sealed: String::new(),
            created_at: now,
            updated_at: now,
        };
        let id = account.id;
        match ports.setup.create_channel_account(account).await {
            // Another worker was quicker.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                let owner = ports
                    .directory
                    .channel_owner(Channel::Pms, &address)
                    .await?;
                owner.map(|owner| owner.id).ok_or(error)
            }
            made => made.map(|()| id),
        }
    }
}

fn accept(
    session: &Session,
    account: ChannelAccountId,
    guest_id: Option<GuestId>,
    message: RemoteMessage,
) -> AcceptMessage {
    let integration = &session.integration;
    let property_id = integration.property_id;
    AcceptMessage {
        scope: TenantScope::property(integration.organization_id, property_id),
        property_id,
        channel: Channel::Pms,
        channel_account_id: Some(account),
        guest_id,
        conversation_id: None,
        // Without a guest the thread is what leads to one.
        contacts: match guest_id {
            Some(_) => Vec::new(),
            None => vec![Contact {
                channel: ContactChannel::Pms,
                address: format!("{}:{}", integration.id, message.thread),
            }],
        },
        reply_to: Some(message.thread),
        name: message.sender,
        vendor_message_id: Some(message.id),
        kind: "text".to_owned(),
        text: mask_cards_in_text(&message.text).into_owned(),
        sent_at: message.sent_at,
        enqueue_turn: guest_id.is_some(),
    }
}

/// [`Sender`] of the channel [`Channel::Pms`]: answers go into the thread that they are of.
#[derive(Debug, Clone)]
pub struct EngineSender {
    engine: SyncEngine,
}

impl EngineSender {
    /// Sends through the providers of this engine.
    pub fn new(engine: SyncEngine) -> Self {
        Self { engine }
    }

    async fn pass_on(&self, outbound: &OutboundMessage) -> Result<String> {
        let account = &outbound.account;
        let id: IntegrationId = account
            .address
            .parse()
            .map_err(|_| Error::corrupt("sync.send", "the account names no integration"))?;
        let scope = TenantScope::property(account.organization_id, account.property_id);
        let integration = self.engine.integration(scope, id).await?;
        let session = self.engine.open(scope, integration).await?;
        let threads = session.provider.capabilities().desk.threads;
        let desk = session.desk(threads, "the threads of this PMS cannot be answered")?;
        let message = DeskMessage {
            to: Recipient::Thread(outbound.to.clone()),
            text: outbound.message.text.clone(),
            key: outbound.message.id.to_string(),
        };
        let lost = match desk.send_message(&message).await {
            Err(error) if matches!(error.kind(), ErrorKind::Ambiguous | ErrorKind::Timeout) => {
                error
            }
            sent => return sent,
        };
        // It may stand there already.
        let thread = MessageQuery::Thread(outbound.to.clone());
        let since = outbound.message.created_at - SKEW;
        let found = desk.messages(&thread).await.unwrap_or_default();
        let sent = found.into_iter().find(|found| {
            found.own && found.sent_at >= since && found.text.trim() == message.text.trim()
        });
        sent.map(|sent| sent.id)
            .ok_or_else(|| Error::new(ErrorKind::Ambiguous, "sync.send", lost.to_string()))
    }
}

#[async_trait]
impl Sender for EngineSender {
    async fn send(&self, message: &OutboundMessage) -> SendOutcome {
        match self.pass_on(message).await {
            Ok(vendor_message_id) => SendOutcome::Sent { vendor_message_id },
            Err(error) if error.kind() == ErrorKind::Ambiguous => SendOutcome::Ambiguous {
                error: error.to_string(),
            },
            Err(error) if error.is_retryable() => SendOutcome::Retry {
                after: error
                    .retry_after()
                    .unwrap_or(RetryPolicy::default().backoff.base),
                error: error.to_string(),
            },
            Err(error) => SendOutcome::Failed {
                error: error.to_string(),
            },
        }
    }
}
