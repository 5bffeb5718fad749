use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::{
    entities::kind_range,
    jobs::Jobs,
    page,
    setup::sees,
    state::{MemoryStore, State, not_found},
};
use crate::{
    Result,
    clock::Clock,
    ids::{ConversationId, MessageId, ServiceRequestId},
    model::{
        Author, Conversation, ConversationStatus, Direction, Message, MessageStatus, ServiceRequest,
    },
    port::{
        Page, PageRequest,
        conversation::{
            AcceptMessage, AcceptedMessage, CommitTurn, Conversations, Reply, TurnCommitted,
        },
    },
    queue::JobOutcome,
    tenant::TenantScope,
    transform::{Entity, EntityKind},
};

#[async_trait]
impl Conversations for MemoryStore {
    async fn accept_message(&self, message: AcceptMessage) -> Result<AcceptedMessage> {
        self.lock().accept(message, &*self.clock)
    }

    async fn commit_turn(&self, turn: CommitTurn) -> Result<TurnCommitted> {
        let (mut state, now) = self.begin();
        let follow_ups = turn.reply.iter().filter_map(|reply| reply.outbound.clone());
        Jobs::check_new(&follow_ups.collect::<Vec<_>>())?;
        if let Some(lease) = &turn.lease {
            state.jobs.check(lease, now)?;
        }
        let conversation = state.conversation_in(turn.scope, turn.conversation_id)?;
        let committed = if conversation.status != ConversationStatus::Open {
            TurnCommitted::Muted
        } else if state.newest_message(turn.conversation_id) != Some(turn.answered_up_to) {
            TurnCommitted::Superseded
        } else {
            TurnCommitted::Committed
        };
        if let Some(lease) = &turn.lease {
            state.jobs.finish(lease, JobOutcome::Completed, now)?;
        }
        if committed != TurnCommitted::Committed {
            return Ok(committed);
        }
        if let Some(reply) = turn.reply {
            state.add_reply(turn.conversation_id, reply, &*self.clock)?;
        }
        let handed_off = turn.handoff.is_some();
        if let Some(request) = turn.handoff {
            let row = request.to_row()?;
            state.rows.entry((row.kind, row.id)).or_insert(row);
        }
        if let Some(conversation) = state.conversations.get_mut(&turn.conversation_id) {
            conversation.language = Some(turn.language);
            conversation.updated_at = now;
            if handed_off {
                conversation.status = ConversationStatus::HandedOff;
            }
        }
        Ok(TurnCommitted::Committed)
    }

    async fn staff_reply(
        &self,
        scope: TenantScope,
        conversation_id: ConversationId,
        reply: Reply,
    ) -> Result<Message> {
        Jobs::check_new(reply.outbound.as_slice())?;
        let (mut state, now) = self.begin();
        state.conversation_in(scope, conversation_id)?;
        state.silence(conversation_id, now);
        let message = state.add_reply(conversation_id, reply, &*self.clock)?;
        if let Some(conversation) = state.conversations.get_mut(&conversation_id) {
            conversation.status = ConversationStatus::HandedOff;
            conversation.updated_at = now;
        }
        Ok(message)
    }

    async fn set_status(
        &self,
        scope: TenantScope,
        conversation_id: ConversationId,
        status: ConversationStatus,
    ) -> Result<Conversation> {
        let (mut state, now) = self.begin();
        let conversation = state.conversation_in(scope, conversation_id)?.clone();
        if conversation.status == ConversationStatus::Closed && status != conversation.status {
            let current = state.current(&conversation);
            super::state::unless(
                current.is_some(),
                "memory.set_status",
                "the guest has another conversation through this account",
            )?;
        }
        if status != ConversationStatus::Open {
            state.silence(conversation_id, now);
        }
        let stored = state
            .conversations
            .get_mut(&conversation_id)
            .ok_or_else(|| not_found("memory.set_status", "conversation"))?;
        if stored.status != status {
            stored.status = status;
            stored.updated_at = now;
        }
        Ok(stored.clone())
    }

    async fn conversation(
        &self,
        scope: TenantScope,
        id: ConversationId,
    ) -> Result<Option<Conversation>> {
        Ok(self.lock().conversation_in(scope, id).ok().cloned())
    }

    async fn conversations(
        &self,
        scope: TenantScope,
        page: &PageRequest,
    ) -> Result<Page<Conversation>> {
        let before: Option<ConversationId> = page::after(page)?;
        let state = self.lock();
        let conversations = state
            .conversations
            .iter()
            .rev()
            .filter(|(_, found)| sees(scope, found.organization_id, found.property_id))
            .filter(|(id, _)| before.is_none_or(|before| **id < before))
            .map(|(id, found)| (*id, found.clone()));
        Ok(page::cut(conversations, page))
    }

    async fn messages(
        &self,
        scope: TenantScope,
        conversation_id: ConversationId,
        last: u32,
    ) -> Result<Vec<Message>> {
        let state = self.lock();
        if state.conversation_in(scope, conversation_id).is_err() {
            return Ok(Vec::new());
        }
        let mut messages: Vec<Message> = state
            .messages
            .values()
            .rev()
            .filter(|entry| entry.message.conversation_id == conversation_id)
            .take(last as usize)
            .map(|entry| entry.message.clone())
            .collect();
        messages.reverse();
        Ok(messages)
    }

    async fn service_requests(
        &self,
        scope: TenantScope,
        page: &PageRequest,
    ) -> Result<Page<ServiceRequest>> {
        let before: Option<ServiceRequestId> = page::after(page)?;
        let state = self.lock();
        let requests = state
            .rows
            .range(kind_range(EntityKind::ServiceRequest))
            .rev()
            .filter(|(_, row)| state.row_in(scope, row.kind, row.id).is_some())
            .map(|(_, row)| ServiceRequest::from_row(row))
            .collect::<Result<Vec<_>>>()?;
        let requests = requests
            .into_iter()
            .filter(|found| before.is_none_or(|before| found.id < before))
            .map(|found| (found.id, found));
        Ok(page::cut(requests, page))
    }
}

impl State {
    pub(super) fn conversation_in(
        &self,
        scope: TenantScope,
        id: ConversationId,
    ) -> Result<&Conversation> {
        self.conversations
            .get(&id)
            .filter(|found| sees(scope, found.organization_id, found.property_id))
            .ok_or_else(|| not_found("memory.conversation", "conversation"))
    }

    /// The guest's conversation through the same account that is not over.
    pub(super) fn current(&self, like: &Conversation) -> Option<&Conversation> {
        self.conversations.values().find(|found| {
            found.status != ConversationStatus::Closed
                && (found.property_id, found.guest_id) == (like.property_id, like.guest_id)
                && (found.channel, found.channel_account_id)
                    == (like.channel, like.channel_account_id)
        })
    }

    fn newest_message(&self, conversation: ConversationId) -> Option<MessageId> {
        let mut newest = self.messages.values().rev().map(|entry| &entry.message);
        newest
            .find(|message| message.conversation_id == conversation)
            .map(|message| message.id)
    }

    /// Withdraws what the machine has not sent yet.
    fn silence(&mut self, conversation: ConversationId, now: DateTime<Utc>) {
        for entry in self.messages.values_mut() {
            let message = &mut entry.message;
            if message.conversation_id != conversation || message.author != Author::Concierge {
                continue;
            }
            match message.status {
                MessageStatus::Pending => {
                    message.status = MessageStatus::Cancelled;
                    message.updated_at = now;
                }
                MessageStatus::Sending => entry.withdrawn = true,
                _ => {}
            }
        }
    }

    fn add_reply(
        &mut self,
        conversation_id: ConversationId,
        reply: Reply,
        clock: &dyn Clock,
    ) -> Result<Message> {
        let now = clock.now();
        let conversation = self
            .conversations
            .get(&conversation_id)
            .ok_or_else(|| not_found("memory.reply", "conversation"))?;
        let (property, account) = (conversation.property_id, conversation.channel_account_id);
        let status = match reply.outbound {
            Some(_) => MessageStatus::Pending,
            None => MessageStatus::Sent,
        };
        let message = Message {
            id: reply.message_id,
            organization_id: conversation.organization_id,
            conversation_id,
            direction: Direction::Outbound,
            author: reply.author,
            text: reply.text,
            kind: "text".to_owned(),
            status,
            vendor_message_id: None,
            error: None,
            citations: reply.citations,
            trace: reply.trace,
            created_at: now,
            updated_at: now,
        };
        let job = reply.outbound.map(|job| self.jobs.enqueue(job, clock));
        self.push_message(message.clone(), property, account, job);
        Ok(message)
    }
}
