//! A hotel with a WhatsApp number, a guest who writes, and a concierge that repeats.

use std::sync::Arc;

use async_trait::async_trait;
use stayzr_core::{
    Result,
    clock::{Clock, ManualClock, SystemClock},
    flow::receive_events,
    ids::ConversationId,
    model::{
        Author, Channel, ChannelAccount, ChannelEvent, Escalation, InboundMessage, LanguageTag,
        Turn, TurnStatus, Usage,
    },
    port::{
        PageRequest,
        concierge::{Concierge, TurnRequest},
        conversation::Conversations,
        directory::Directory,
        outbound::Outbound,
        setup::{Maintenance, Setup},
    },
    store::{
        conformance::sample,
        memory::MemoryStore,
        sqlite::{SqliteOptions, SqliteStore},
    },
    tenant::TenantScope,
};
use tempfile::TempDir;

/// A store with one property and its WhatsApp number.
pub(crate) struct Hotel<S> {
    pub(crate) store: S,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) scope: TenantScope,
    pub(crate) account: ChannelAccount,
}

pub(crate) async fn in_memory() -> Hotel<MemoryStore> {
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    hotel(MemoryStore::new(clock.clone()), clock).await
}

pub(crate) async fn on_sqlite() -> (TempDir, Hotel<SqliteStore>) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let clock = Arc::new(ManualClock::new(SystemClock.now()));
    let options = SqliteOptions::new(folder.path().join("stayzr.db")).clock(clock.clone());
    let store = SqliteStore::open(options).await.expect("it opens");
    store.migrate().await.expect("it migrates");
    (folder, hotel(store, clock).await)
}

async fn hotel<S: Setup>(store: S, clock: Arc<ManualClock>) -> Hotel<S> {
    let scope = sample::tenant(&store, clock.as_ref()).await;
    let account = sample::channel_account(clock.as_ref(), scope);
    let stored = store.create_channel_account(account.clone()).await;
    stored.expect("an account can be stored");
    Hotel {
        store,
        clock,
        scope,
        account,
    }
}

/// A message of the one guest.
#[derive(Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) id: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) text: &'a str,
}

pub(crate) fn text<'a>(id: &'a str, text: &'a str) -> Written<'a> {
    let kind = "text";
    Written { id, kind, text }
}

impl<S> Hotel<S> {
    pub(crate) fn event(&self, written: Written<'_>) -> ChannelEvent {
        ChannelEvent::Message(InboundMessage {
            account: self.account.address.clone(),
            vendor_message_id: written.id.to_owned(),
            user_id: Some("PT.1".to_owned()),
            phone: Some("351912345678".to_owned()),
            name: Some("Ana".to_owned()),
            kind: written.kind.to_owned(),
            text: written.text.to_owned(),
            sent_at: self.clock.now(),
            extra: serde_json::Value::Null,
        })
    }
}

impl<S> Hotel<S>
where
    S: Directory + Conversations + Outbound,
{
    /// Takes a message in; the conversation it is in.
    pub(crate) async fn receives(&self, written: Written<'_>) -> ConversationId {
        let event = self.event(written);
        let received = receive_events(&self.store, Channel::Whatsapp, &[event]).await;
        received.expect("the message can be stored");
        let page = PageRequest::default();
        let found = self.store.conversations(self.scope, &page).await;
        found.expect("conversations").items[0].id
    }
}

/// Answers with the guest's unanswered messages.
pub(crate) struct Answers;

#[async_trait]
impl Concierge for Answers {
    async fn respond(&self, request: &TurnRequest) -> Result<Turn> {
        let tail = request.history.iter().rev();
        let mut asked: Vec<&str> = tail
            .take_while(|message| message.author == Author::Guest)
            .map(|message| message.text.as_str())
            .collect();
        asked.reverse();
        Ok(Turn {
            conversation_id: request.conversation.id,
            status: TurnStatus::Answered,
            reply: Some(asked.join(" / ")),
            language: LanguageTag::english(),
            intent: "question".to_owned(),
            specialist: "knowledge".to_owned(),
            confidence: 1.0,
            citations: Vec::new(),
            tool_calls: Vec::new(),
            escalation: Escalation::default(),
            model: "scripted".to_owned(),
            usage: Usage::default(),
            trace_id: request.trace_id.clone(),
        })
    }
}
