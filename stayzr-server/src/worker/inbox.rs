use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use stayzr_core::{
    Result,
    flow::receive_events,
    ids::IntegrationId,
    model::{Channel, PmsEvent},
    port::{
        Store,
        directory::{IntegrationOwner, IntegrationQuery},
        inbox::{Delivery, EndpointKey},
    },
    queue::{Claimed, Handler, HandlerResult, NewJob, Queue, Wakes},
};
use stayzr_pms::engine::jobs_for_events;
use stayzr_webhooks::{
    channels::{email::EmailEvent, postmark, resend, whatsapp},
    endpoints::{payment::PaymentEvent, razorpay, stripe},
};

use crate::{http::Metrics, providers::Providers};

/// Turns stored deliveries into what follows from them.
pub struct InboxHandler {
    /// The store.
    pub store: Arc<dyn Store>,
    /// Reads bodies of PMSs.
    pub providers: Arc<Providers>,
    /// Wakes the concierge.
    pub wakes: Wakes,
    /// Counts events.
    pub metrics: Metrics,
}

#[async_trait]
impl Handler for InboxHandler {
    async fn handle(&self, claimed: Claimed) -> Result<HandlerResult> {
        let delivery = self.store.delivery(&claimed.lease).await?;
        match &delivery.endpoint {
            EndpointKey::Whatsapp => self.whatsapp(&delivery).await,
            EndpointKey::Pms {
                provider,
                integration_id,
            } => {
                let jobs = self.pms(&delivery, provider, *integration_id).await?;
                Ok(HandlerResult::Complete(jobs))
            }
            EndpointKey::Resend => self.email("resend", resend::parse(&delivery.body)?),
            EndpointKey::Postmark => self.email("postmark", postmark::parse(&delivery.body)?),
            EndpointKey::PostmarkInbound => {
                self.email("postmark", postmark::parse_inbound(&delivery.body)?)
            }
            EndpointKey::Stripe { .. } => self.payment("stripe", stripe::parse(&delivery.body)?),
            EndpointKey::Razorpay { .. } => {
                self.payment("razorpay", razorpay::parse(&delivery.body)?)
            }
        }
    }
}

impl InboxHandler {
    async fn whatsapp(&self, delivery: &Delivery) -> Result<HandlerResult> {
        let events = whatsapp::parse(&delivery.body, delivery.received_at)?;
        let counts = receive_events(self.store.as_ref(), Channel::Whatsapp, &events).await?;
        for (outcome, count) in [
            ("message", counts.messages),
            ("duplicate", counts.duplicates),
            ("status", counts.statuses),
            ("unowned", counts.unowned),
            ("ignored", counts.ignored),
        ] {
            self.count("whatsapp", outcome, count.into());
        }
        if counts.messages > 0 {
            self.wakes.wake(Queue::AgentTurnQueue);
        }
        Ok(HandlerResult::Complete(Vec::new()))
    }

    /// What an email provider told stays in the inbox; how often what happened is counted.
    fn email(&self, source: &str, event: EmailEvent) -> Result<HandlerResult> {
        let outcome = match &event {
            EmailEvent::Outcome(outcome) => outcome.state.as_str(),
            EmailEvent::Received(_) => "received",
            _ => "ignored",
        };
        self.count(source, outcome, 1);
        Ok(HandlerResult::Complete(Vec::new()))
    }

    /// What a payment provider told stays in the inbox. Kinds are too many and too open for labels.
    fn payment(&self, source: &str, event: PaymentEvent) -> Result<HandlerResult> {
        tracing::info!(source, event = %event.name, "payment event recorded");
        self.count(source, "recorded", 1);
        Ok(HandlerResult::Complete(Vec::new()))
    }

    /// The reads that a delivery asks for: each event goes to the integration of the same vendor
    /// account whose property the event names.
    async fn pms(
        &self,
        delivery: &Delivery,
        provider: &str,
        integration_id: IntegrationId,
    ) -> Result<Vec<NewJob>> {
        let query = IntegrationQuery::Id(integration_id);
        let Some(endpoint) = self.store.integration_owner(&query).await? else {
            // Removed since it was received.
            self.count("pms", "unowned", 1);
            return Ok(Vec::new());
        };
        let events = self.providers.parse_event(provider, &delivery.body)?;
        let mut by_property: BTreeMap<String, Vec<PmsEvent>> = BTreeMap::new();
        for event in events {
            match &event {
                PmsEvent::Changed {
                    remote_property_id, ..
                }
                | PmsEvent::Message {
                    remote_property_id, ..
                } => by_property
                    .entry(remote_property_id.clone())
                    .or_default()
                    .push(event),
                PmsEvent::Unknown { name, .. } => {
                    tracing::debug!(provider, event = %name, "unknown event ignored");
                    self.count("pms", "ignored", 1);
                }
            }
        }
        let mut jobs = Vec::new();
        for (remote_property_id, events) in by_property {
            match self.owner(&endpoint, remote_property_id).await? {
                Some(owner) => {
                    self.count("pms", "changed", events.len() as u64);
                    jobs.extend(jobs_for_events(&owner, &events));
                }
                None => self.count("pms", "unowned", events.len() as u64),
            }
        }
        Ok(jobs)
    }

    async fn owner(
        &self,
        endpoint: &IntegrationOwner,
        remote_property_id: String,
    ) -> Result<Option<IntegrationOwner>> {
        let query = IntegrationQuery::Remote {
            provider: endpoint.provider.clone(),
            account: endpoint.account.clone(),
            remote_property_id,
        };
        self.store.integration_owner(&query).await
    }

    fn count(&self, source: &str, outcome: &str, by: u64) {
        if by > 0 {
            let labels = [("source", source), ("outcome", outcome)];
            self.metrics.count("stayzr_events_total", &labels, by);
        }
    }
}
