//! What becomes of a message of a guest.

use super::state::{State, not_found};
use crate::{
    Result,
    clock::Clock,
    ids::{ConversationId, MessageId},
    model::{Author, Conversation, ConversationStatus, Direction, Message, MessageStatus},
    port::conversation::{AcceptMessage, AcceptedMessage},
    transform::EntityKind,
};

impl State {
    /// Stores a message of a guest with all that belongs to it, once.
    pub(super) fn accept(
        &mut self,
        new: AcceptMessage,
        clock: &dyn Clock,
    ) -> Result<AcceptedMessage> {
        let now = clock.now();
        if let Some(stored) = self.stored_before(&new) {
            return Ok(stored);
        }
        let conversation_id = self.conversation_for(&new, clock)?;
        let conversation = self
            .conversations
            .get_mut(&conversation_id)
            .ok_or_else(|| not_found("memory.accept_message", "conversation"))?;
        conversation.last_inbound_at = conversation.last_inbound_at.max(Some(new.sent_at));
        conversation.updated_at = now;
        if new.reply_to.is_some() {
            conversation.reply_to.clone_from(&new.reply_to);
        }
        let conversation = conversation.clone();
        let turn = new.turn_job(conversation_id);
        let message_id = MessageId::generate(clock);
        let message = Message {
            id: message_id,
            organization_id: conversation.organization_id,
            conversation_id,
            direction: Direction::Inbound,
            author: Author::Guest,
            text: new.text,
            kind: new.kind,
            status: MessageStatus::Received,
            vendor_message_id: new.vendor_message_id,
            error: None,
            citations: Vec::new(),
            trace: None,
            created_at: now,
            updated_at: now,
        };
        let account = new.channel_account_id;
        self.push_message(message, conversation.property_id, account, None);
        if new.enqueue_turn && conversation.status == ConversationStatus::Open {
            self.jobs.enqueue(turn, clock);
        }
        Ok(AcceptedMessage {
            message_id,
            conversation_id,
            guest_id: conversation.guest_id,
            duplicate: false,
        })
    }

    /// What became of this message when it came before.
    fn stored_before(&self, new: &AcceptMessage) -> Option<AcceptedMessage> {
        let vendor = new.vendor_message_id.as_ref()?;
        let entry = self.messages.values().find(|entry| {
            let message = &entry.message;
            message.direction == Direction::Inbound
                && message.organization_id == new.scope.organization_id
                && entry.account == new.channel_account_id
                && (entry.account.is_some() || entry.property_id == new.property_id)
                && message.vendor_message_id.as_ref() == Some(vendor)
        })?;
        let conversation = self.conversations.get(&entry.message.conversation_id)?;
        Some(AcceptedMessage {
            message_id: entry.message.id,
            conversation_id: conversation.id,
            guest_id: conversation.guest_id,
            duplicate: true,
        })
    }

    /// The conversation that a message belongs to; made, with its guest, where there is none.
    fn conversation_for(
        &mut self,
        new: &AcceptMessage,
        clock: &dyn Clock,
    ) -> Result<ConversationId> {
        const OPERATION: &str = "memory.accept_message";
        let organization = new.scope.organization_id;
        let now = clock.now();
        if let Some(id) = new.conversation_id {
            let conversation = self.conversation_in(new.scope, id)?;
            if conversation.property_id != new.property_id {
                return Err(not_found(OPERATION, "conversation"));
            }
            if conversation.status != ConversationStatus::Closed {
                return Ok(id);
            }
            // The guest goes on where the conversation was over.
            let guest_id = Some(conversation.guest_id);
            let new = AcceptMessage {
                conversation_id: None,
                guest_id,
                ..new.clone()
            };
            return self.conversation_for(&new, clock);
        }
        let property = self
            .rows
            .get(&(EntityKind::Property, new.property_id.uuid()));
        if property.is_none_or(|row| row.organization_id != organization) {
            return Err(not_found(OPERATION, "property"));
        }
        let guest_id = match new.guest_id {
            Some(id) => {
                self.rows
                    .get(&(EntityKind::Guest, id.uuid()))
                    .filter(|row| row.organization_id == organization)
                    .ok_or_else(|| not_found(OPERATION, "guest"))?;
                id
            }
            None => match self.guest_of(organization, &new.contacts) {
                Some(id) => id,
                None => {
                    let name = new.name.clone();
                    self.new_guest(organization, clock.uuid(), name, &new.contacts, now)?
                }
            },
        };
        self.add_contacts(organization, guest_id, &new.contacts);
        let conversation = Conversation {
            id: ConversationId::generate(clock),
            organization_id: organization,
            property_id: new.property_id,
            guest_id,
            channel: new.channel,
            channel_account_id: new.channel_account_id,
            reply_to: new.reply_to.clone(),
            status: ConversationStatus::Open,
            language: None,
            last_inbound_at: None,
            created_at: now,
            updated_at: now,
        };
        if let Some(current) = self.current(&conversation) {
            return Ok(current.id);
        }
        let id = conversation.id;
        self.conversations.insert(id, conversation);
        Ok(id)
    }
}
