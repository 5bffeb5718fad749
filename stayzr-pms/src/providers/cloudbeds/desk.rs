//! What Cloudbeds offers beyond records: free rooms, and subscriptions to events.

use std::collections::BTreeSet;

use async_trait::async_trait;
use http::Method;
use secrecy::{ExposeSecret, SecretString};
use stayzr_core::{
    Error, Result, limit::Priority, model::ExternalRef, port::backend::StayQuery,
    transform::EntityKind,
};

use super::{
    CloudbedsClient, CloudbedsProvider,
    client::{text, unseen},
    event::EVENTS,
    quote,
    wire::Form,
};
use crate::desk::{Desk, RemoteAvailability};

/// A subscription to an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// What it is to: `reservation/created`.
    pub event: String,
    /// Where deliveries go; holds the secret of the endpoint.
    pub endpoint: String,
}

impl CloudbedsClient {
    /// `getWebhooks`: the subscriptions of the property.
    pub async fn webhooks(&self) -> Result<Vec<Subscription>> {
        let page = self.list("getWebhooks", Vec::new(), Priority::High).await?;
        Ok(page
            .items
            .iter()
            .filter_map(|item| {
                let part = |key: &str| text(item, key);
                Some(Subscription {
                    id: part("/id")?,
                    event: format!("{}/{}", part("/event/entity")?, part("/event/action")?),
                    endpoint: part("/subscriptionData/endpoint").unwrap_or_default(),
                })
            })
            .collect())
    }

    /// `postWebhook`: subscribes to an event (`reservation/created`) and returns the subscription's
    /// id. The endpoint must hold a secret: deliveries are not signed.
    pub async fn subscribe(&self, event: &str, endpoint: &str) -> Result<String> {
        let (object, action) = event.split_once('/').ok_or_else(|| {
            Error::invalid("cloudbeds.postWebhook", "an event is written object/action")
        })?;
        let mut form = Form::new();
        form.text("object", object)
            .text("action", action)
            .text("endpointUrl", endpoint);
        let answer = self.write(Method::POST, "postWebhook", &form).await?;
        text(&answer, "/data/subscriptionID")
            .ok_or_else(|| unseen("cloudbeds.postWebhook", "the subscription's id"))
    }

    /// `deleteWebhook`.
    pub async fn unsubscribe(&self, subscription: &str) -> Result<()> {
        let mut form = Form::new();
        form.text("subscriptionID", subscription);
        self.write(Method::DELETE, "deleteWebhook", &form)
            .await
            .map(drop)
    }
}

impl CloudbedsProvider {
    async fn subscriptions(&self, endpoint: &SecretString) -> Result<Vec<Subscription>> {
        self.context.get(&self.client).await?;
        let mut known = self.client.webhooks().await?;
        known.retain(|subscription| subscription.endpoint == endpoint.expose_secret());
        Ok(known)
    }
}

#[async_trait]
impl Desk for CloudbedsProvider {
    async fn availability(&self, stay: &StayQuery) -> Result<Vec<RemoteAvailability>> {
        self.context.get(&self.client).await?;
        let offered = quote::offered(&self.client, stay).await?;
        let mut found: Vec<RemoteAvailability> = Vec::new();
        for room in offered.iter().flat_map(|found| &found.property_rooms) {
            let room_type = ExternalRef {
                kind: EntityKind::RoomType,
                id: room.room_type_id.clone(),
            };
            let free = room.rooms_available.unwrap_or_default().max(0);
            // A type stands there once for each rate, which may have a share of it alone.
            match found.iter_mut().find(|known| known.room_type == room_type) {
                Some(known) => known.free = known.free.max(free),
                None => found.push(RemoteAvailability { room_type, free }),
            }
        }
        Ok(found)
    }

    async fn subscribe(&self, endpoint: &SecretString) -> Result<Vec<String>> {
        let known: BTreeSet<String> = self
            .subscriptions(endpoint)
            .await?
            .into_iter()
            .map(|subscription| subscription.event)
            .collect();
        let mut made = Vec::new();
        for event in EVENTS.into_iter().filter(|event| !known.contains(*event)) {
            self.client
                .subscribe(event, endpoint.expose_secret())
                .await?;
            made.push(event.to_owned());
        }
        Ok(made)
    }

    async fn unsubscribe(&self, endpoint: &SecretString) -> Result<usize> {
        let known = self.subscriptions(endpoint).await?;
        for subscription in &known {
            self.client.unsubscribe(&subscription.id).await?;
        }
        Ok(known.len())
    }
}
