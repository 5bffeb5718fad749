//! A hotel answers its guests from two Markdown documents, without a model provider: a message comes
//! in, one turn is run, and the reply quotes the documents with their source. What they do not say
//! goes to a person.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use stayzr_agents::{
    AgentConcierge,
    knowledge::{EmbeddedIndex, KnowledgeBase, NewDocument, OfflineEmbedder},
    model::OfflineModel,
};
use stayzr_core::{
    Result,
    clock::{Clock, SystemClock},
    flow::{PushPolicy, StoreBackend, run_turn},
    ids::{IntegrationId, PropertyId},
    model::{Channel, Quote},
    port::{
        backend::{Quotes, StayQuery},
        conversation::{AcceptMessage, Conversations},
    },
    queue::NewJob,
    store::memory::MemoryStore,
    tenant::TenantScope,
    transform::{EntityKind, FieldRule},
};
use stayzr_examples::open_hotel;
use uuid::Uuid;

const BREAKFAST: &str = "# Breakfast\n\nBreakfast is served from 07:00 to 10:30 in the garden room, \
    on Sundays until 11:30. It costs EUR 18 per adult; children under six eat free.\n";
const PARKING: &str = "# Parking\n\nThe garage under the hotel has 20 spaces and costs EUR 24 per \
    night.\n\n# Charging an electric car\n\nTwo chargers stand in the garage. Charging costs EUR \
    0.45 per kWh.\n";

/// This hotel has no PMS to ask for prices.
struct NoPrices;

#[async_trait]
impl Quotes for NoPrices {
    async fn quotes(&self, _: TenantScope, _: PropertyId, _: &StayQuery) -> Result<Vec<Quote>> {
        Err(stayzr_core::Error::unsupported(
            "quote",
            "no PMS is connected",
        ))
    }
}

/// Nor to tell anything.
struct NoPms;

impl PushPolicy for NoPms {
    fn rule(&self, _: &str, _: EntityKind, _: &str) -> Option<FieldRule> {
        None
    }

    fn push_job(&self, _: TenantScope, _: IntegrationId, _: EntityKind, _: Uuid) -> NewJob {
        unreachable!("no PMS knows a field")
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let clock = Arc::new(SystemClock);
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let (scope, property_id) = open_hotel(&*store, &*clock, "Casa do Rio").await?;

    // What the hotel knows.
    let index = Arc::new(EmbeddedIndex::new(store.clone()));
    let knowledge = KnowledgeBase::new(
        store.clone(),
        index,
        Arc::new(OfflineEmbedder),
        clock.clone(),
    );
    for (name, text) in [("breakfast.md", BREAKFAST), ("parking.md", PARKING)] {
        let document = NewDocument {
            property_id: Some(property_id),
            category: "guide".to_owned(),
            file_name: name.to_owned(),
            content_type: "text/markdown".to_owned(),
            content: text.into(),
        };
        knowledge.put(scope, document).await?;
    }

    // Who answers. Another model takes the place of `OfflineModel`; the rest stays.
    let backend = Arc::new(StoreBackend::new(
        store.clone(),
        Arc::new(NoPrices),
        Arc::new(NoPms),
        clock.clone(),
    ));
    let model = Arc::new(OfflineModel);
    let concierge = AgentConcierge::new(model, backend, Arc::new(knowledge), clock.clone());

    let mut conversation_id = None;
    for text in [
        "Hello! Until when is breakfast on Sundays?",
        "And how much is it to charge my car?",
        "The room is filthy and nobody helps, I want to speak to the manager!",
    ] {
        let accepted = store.accept_message(AcceptMessage {
            scope,
            property_id,
            channel: Channel::Api,
            channel_account_id: None,
            guest_id: None,
            conversation_id,
            contacts: Vec::new(),
            reply_to: None,
            name: Some("Ana Silva".to_owned()),
            vendor_message_id: None,
            kind: "text".to_owned(),
            text: text.to_owned(),
            sent_at: clock.now(),
            enqueue_turn: false,
        });
        let id = accepted.await?.conversation_id;
        conversation_id = Some(id);
        let turn = run_turn(&*store, &concierge, &*clock, scope, id, None).await?;
        println!("guest:     {text}");
        println!("concierge: {}", turn.reply.unwrap_or_default());
        for citation in &turn.citations {
            println!(
                "           [{}] {}",
                citation.file_name,
                citation.quote.trim()
            );
        }
        println!("           {} · {:?}\n", turn.specialist, turn.status);
    }
    Ok(())
}
