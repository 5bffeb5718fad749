use std::{sync::Weak, time::Duration};

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{api::Vendor, state::Event};

/// How many events one webhook carries.
const BATCH: usize = 100;

/// After so many attempts an event is dropped.
const ATTEMPTS: u32 = 10;

/// How often waiting events are looked at.
const TICK: Duration = Duration::from_millis(100);

impl Vendor {
    /// Sends what is due, or everything that waits, in webhooks of at most a hundred events. What
    /// is not answered with 2xx waits for another attempt.
    pub(super) async fn deliver(&self, everything: bool) -> Value {
        let _turn = self.deliveries.turn.lock().await;
        let Some(url) = self.deliveries.target() else {
            let waiting = self.running().hotel.events.len();
            return json!({"delivered": 0, "waiting": waiting, "status": null});
        };
        let mut due = self.due(everything);
        let lost = self.running().faults.bend(&mut due);
        if !lost.is_empty() {
            self.settle(&lost, true);
        }
        let mut status = None;
        let mut delivered = 0;
        while !due.is_empty() {
            let batch: Vec<Event> = due.drain(..due.len().min(BATCH)).collect();
            let body = self.body(&batch);
            status = self.deliveries.messenger.post(&url, &body).await;
            let taken = status.is_some_and(|status| (200..300).contains(&status));
            self.settle(&batch, taken);
            if taken {
                delivered += batch.len();
            }
        }
        let waiting = self.running().hotel.events.len();
        json!({"delivered": delivered, "waiting": waiting, "status": status})
    }

    fn due(&self, everything: bool) -> Vec<Event> {
        let now = self.clock.now();
        let running = self.running();
        let events = running.hotel.events.iter();
        events
            .filter(|event| everything || event.due <= now)
            .cloned()
            .collect()
    }

    fn body(&self, batch: &[Event]) -> Value {
        let running = self.running();
        let events: Vec<Value> = batch
            .iter()
            .map(|event| json!({"Discriminator": event.discriminator, "Value": {"Id": event.id}}))
            .collect();
        json!({
            "EnterpriseId": running.hotel.enterprise.get("Id"),
            "IntegrationId": running.hotel.integration_id,
            "Events": events,
        })
    }

    fn settle(&self, batch: &[Event], taken: bool) {
        let retry = TimeDelta::from_std(self.webhook_retry).unwrap_or_default();
        let later = self.clock.now() + retry;
        let mut running = self.running();
        let hotel = &mut running.hotel;
        let mut dropped = 0;
        hotel.events.retain_mut(|event| {
            if !batch.iter().any(|sent| sent.number == event.number) {
                return true;
            }
            event.attempts += 1;
            event.due = later;
            let keep = !taken && event.attempts < ATTEMPTS;
            dropped += u64::from(!taken && !keep);
            keep
        });
        if taken {
            hotel.tally.webhooks_delivered += batch.len() as u64;
        }
        hotel.tally.webhooks_dropped += dropped;
        self.keep(hotel);
    }
}

/// Sends webhooks as they fall due, for as long as the vendor exists.
pub(super) async fn run(vendor: Weak<Vendor>) {
    loop {
        tokio::time::sleep(TICK).await;
        let Some(vendor) = vendor.upgrade() else {
            return;
        };
        if vendor.webhook_delay.is_some() && !vendor.due(false).is_empty() {
            vendor.deliver(false).await;
        }
    }
}
