use std::{sync::Weak, time::Duration};

use chrono::TimeDelta;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{api::Vendor, state::Event};

/// After so many attempts an event is dropped.
const ATTEMPTS: u32 = 5;

/// How often waiting events are looked at.
const TICK: Duration = Duration::from_millis(100);

impl Vendor {
    /// Sends what is due, or everything that waits, each event by itself, to whoever wants it. What is
    /// not answered with 2xx by all of them waits for another attempt. An event that nobody wants is
    /// gone, unless nobody was named at all yet.
    pub(super) async fn deliver(&self, everything: bool) -> Value {
        let _turn = self.deliveries.turn.lock().await;
        let mut status = None;
        let mut delivered = 0;
        let mut due = self.due(everything);
        let lost = self.running().faults.bend(&mut due);
        for event in lost {
            self.settle(&event, true);
        }
        for event in due {
            let endpoints = self.endpoints(&event);
            if endpoints.is_empty() && self.nobody() {
                continue;
            }
            let mut taken = true;
            for endpoint in endpoints {
                status = self.deliveries.messenger.post(&endpoint, &event.body).await;
                taken &= status.is_some_and(|status| (200..300).contains(&status));
            }
            self.settle(&event, taken);
            delivered += usize::from(taken);
        }
        let waiting = self.running().hotel.events.len();
        json!({"delivered": delivered, "waiting": waiting, "status": status})
    }

    fn nobody(&self) -> bool {
        self.deliveries.target().is_none() && self.running().hotel.subscriptions.is_empty()
    }

    fn endpoints(&self, event: &Event) -> Vec<SecretString> {
        let mut found: Vec<SecretString> = self.deliveries.target().into_iter().collect();
        let running = self.running();
        let wanted = running.hotel.subscriptions.iter();
        found.extend(
            wanted
                .filter(|known| known.event == event.name)
                .map(|known| SecretString::from(known.endpoint.clone())),
        );
        found
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

    fn settle(&self, sent: &Event, taken: bool) {
        let retry = TimeDelta::from_std(self.webhook_retry).unwrap_or_default();
        let later = self.clock.now() + retry;
        let mut running = self.running();
        let hotel = &mut running.hotel;
        let mut dropped = 0;
        hotel.events.retain_mut(|event| {
            if event.number != sent.number {
                return true;
            }
            event.attempts += 1;
            event.due = later;
            let keep = !taken && event.attempts < ATTEMPTS;
            dropped += u64::from(!taken && !keep);
            keep
        });
        hotel.tally.webhooks_delivered += u64::from(taken);
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
