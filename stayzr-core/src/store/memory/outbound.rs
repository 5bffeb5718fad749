use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    page,
    setup::sees,
    state::{MemoryStore, MessageEntry, State, not_found},
};
use crate::{
    Error, Result,
    ids::{ChannelAccountId, ConversationId, JobId, MessageId},
    model::{Direction, MessageStatus, StatusUpdate},
    port::{
        Page, PageRequest,
        outbound::{BeginSend, Outbound, OutboundMessage, OutboxItem, SendOutcome},
    },
    queue::Lease,
    store::sending::{self, Attempt, Ended},
    tenant::TenantScope,
};

#[async_trait]
impl Outbound for MemoryStore {
    async fn begin_send(&self, lease: &Lease, message_id: MessageId) -> Result<BeginSend> {
        let (mut state, now) = self.begin();
        let entry = state.held_message(lease, message_id, now)?.clone();
        let status = entry.message.status;
        match status {
            MessageStatus::Pending => {
                let message = state.outbound_message(&entry)?;
                state.move_message(message_id, MessageStatus::Sending, None, now);
                let mut message = message;
                message.message.status = MessageStatus::Sending;
                Ok(BeginSend::Send(Box::new(message)))
            }
            MessageStatus::Sending => {
                let error = Some("an earlier attempt was cut off".to_owned());
                state.move_message(message_id, MessageStatus::Unknown, error, now);
                Ok(BeginSend::Ambiguous)
            }
            settled => Ok(BeginSend::Settled(settled)),
        }
    }

    async fn finish_send(
        &self,
        lease: &Lease,
        message_id: MessageId,
        outcome: SendOutcome,
    ) -> Result<()> {
        let (mut state, now) = self.begin();
        let entry = state.held_message(lease, message_id, now)?.clone();
        let job = state.jobs.check(lease, now)?;
        let attempt = Attempt {
            status: entry.message.status,
            withdrawn: entry.withdrawn,
            is_last: job.attempts >= job.max_attempts,
        };
        let Ended {
            moved,
            vendor_message_id,
            job: end,
        } = sending::finish(attempt, outcome).map_err(|error| error.with("id", message_id))?;
        if let Some((status, why)) = moved {
            state.move_message(message_id, status, why, now);
        }
        if let (Some(id), Some(entry)) = (vendor_message_id, state.message_mut(message_id)) {
            entry.message.vendor_message_id = Some(id);
        }
        if state.jobs.finish(lease, end, now)? {
            state.job_failed(lease.job_id, now);
        }
        Ok(())
    }

    async fn apply_status(
        &self,
        scope: TenantScope,
        account: ChannelAccountId,
        update: &StatusUpdate,
    ) -> Result<bool> {
        let (mut state, now) = self.begin();
        let found = state.messages.values().find(|entry| {
            let message = &entry.message;
            message.organization_id == scope.organization_id
                && message.direction == Direction::Outbound
                && entry.account == Some(account)
                && (update.message_id == Some(message.id)
                    || message.vendor_message_id.as_deref()
                        == Some(update.vendor_message_id.as_str()))
        });
        let Some(entry) = found else {
            return Ok(false);
        };
        let (id, from) = (entry.message.id, entry.message.status);
        if sending::moves_from(update.status).contains(&from) {
            state.move_message(id, update.status, update.error.clone(), now);
            if let Some(entry) = state.message_mut(id) {
                let vendor = &mut entry.message.vendor_message_id;
                vendor.get_or_insert_with(|| update.vendor_message_id.clone());
            }
            return Ok(true);
        }
        Ok(false)
    }

    async fn outbox(
        &self,
        scope: TenantScope,
        conversation_id: Option<ConversationId>,
        page: &PageRequest,
    ) -> Result<Page<OutboxItem>> {
        let before: Option<u64> = page::after(page)?;
        let state = self.lock();
        let items = state
            .messages
            .values()
            .rev()
            .filter(|entry| entry.message.direction == Direction::Outbound)
            .filter(|entry| sees(scope, entry.message.organization_id, entry.property_id))
            .filter(|entry| conversation_id.is_none_or(|id| entry.message.conversation_id == id))
            .filter(|entry| before.is_none_or(|before| entry.number < before))
            .filter_map(|entry| {
                let message = entry.message.clone();
                let conversation = state.conversations.get(&message.conversation_id)?;
                let item = OutboxItem {
                    id: message.id,
                    conversation_id: message.conversation_id,
                    channel: conversation.channel.as_str().to_owned(),
                    to: conversation.reply_to.clone(),
                    text: message.text,
                    status: message.status,
                    error: message.error,
                    citations: message.citations,
                    vendor_message_id: message.vendor_message_id,
                    created_at: message.created_at,
                };
                Some((entry.number, item))
            });
        Ok(page::cut(items, page))
    }
}

impl State {
    /// The message of a job that is held.
    fn held_message(
        &self,
        lease: &Lease,
        id: MessageId,
        now: DateTime<Utc>,
    ) -> Result<&MessageEntry> {
        let job = self.jobs.check(lease, now)?;
        self.message_numbers
            .get(&id)
            .and_then(|number| self.messages.get(number))
            .filter(|entry| Some(entry.message.organization_id) == job.organization_id)
            .ok_or_else(|| not_found("memory.send", "message"))
    }

    fn outbound_message(&self, entry: &MessageEntry) -> Result<OutboundMessage> {
        const OPERATION: &str = "memory.begin_send";
        let message = entry.message.clone();
        let conversation = self
            .conversations
            .get(&message.conversation_id)
            .ok_or_else(|| not_found(OPERATION, "conversation"))?;
        let account = conversation
            .channel_account_id
            .and_then(|id| self.accounts.get(&id))
            .ok_or_else(|| not_found(OPERATION, "channel account"))?;
        let to = conversation.reply_to.clone().ok_or_else(|| {
            Error::invalid(OPERATION, "the conversation has no address to answer to")
        })?;
        let in_reply_to = self
            .messages
            .range(..entry.number)
            .rev()
            .map(|(_, earlier)| &earlier.message)
            .find(|earlier| {
                earlier.conversation_id == message.conversation_id
                    && earlier.direction == Direction::Inbound
            })
            .and_then(|earlier| earlier.vendor_message_id.clone());
        Ok(OutboundMessage {
            message,
            account: account.clone(),
            to,
            in_reply_to,
            last_inbound_at: conversation.last_inbound_at,
        })
    }

    fn move_message(
        &mut self,
        id: MessageId,
        status: MessageStatus,
        error: Option<String>,
        now: DateTime<Utc>,
    ) {
        if let Some(entry) = self.message_mut(id) {
            entry.message.status = status;
            entry.message.error = error;
            entry.message.updated_at = now;
        }
    }

    /// What a FAILED job means for the message it should have sent.
    pub(super) fn job_failed(&mut self, job: JobId, now: DateTime<Utc>) {
        let error = self.jobs.job(job).and_then(|job| job.last_error.clone());
        for entry in self.messages.values_mut() {
            if entry.job != Some(job) {
                continue;
            }
            let status = match entry.message.status {
                MessageStatus::Pending => MessageStatus::Failed,
                MessageStatus::Sending => MessageStatus::Unknown,
                _ => continue,
            };
            entry.message.status = status;
            entry.message.error.clone_from(&error);
            entry.message.updated_at = now;
        }
    }

    /// What retrying a job means for its message: one that certainly was not sent waits again.
    pub(super) fn job_retried(&mut self, job: JobId, now: DateTime<Utc>) {
        for entry in self.messages.values_mut() {
            if entry.job == Some(job) && entry.message.status == MessageStatus::Failed {
                entry.message.status = MessageStatus::Pending;
                entry.message.updated_at = now;
            }
        }
    }
}
