//! What a vendor's front desk does beyond keeping records: it says what happened when it is asked,
//! knows what is free, passes messages on, and takes orders.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::{
    Error, Result,
    model::{ExternalRef, Money},
    port::backend::StayQuery,
};

/// What of [`Desk`] a provider can do, as plain data. The default is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeskCapabilities {
    /// Whose events [`Desk::next_events`] gives; none where the vendor cannot be asked for events.
    pub events: Option<EventFeed>,
    /// Whether the vendor counts free rooms ([`Desk::availability`]).
    pub availability: bool,
    /// Whether message threads can be read and answered ([`Desk::messages`],
    /// [`Desk::send_message`] to a [`Recipient::Thread`]).
    pub threads: bool,
    /// Whether a message can be left for the guest of a reservation ([`Desk::send_message`] to a
    /// [`Recipient::Reservation`]).
    pub reservation_messages: bool,
    /// Whether products can be listed ([`Desk::products`]).
    pub products: bool,
    /// Whether a product can be posted to a reservation ([`Desk::order`]).
    pub orders: bool,
    /// Whether the vendor is told by a call where to post its webhooks ([`Desk::subscribe`],
    /// [`Desk::unsubscribe`]); elsewhere a person enters the address at the vendor.
    pub subscriptions: bool,
}

/// Whose events one question brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventFeed {
    /// Those of the integration's property.
    Property,
    /// Those of every property of the vendor account: one integration of it asks for all.
    Account,
}

/// Events that a vendor gave when it was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct EventBatch {
    /// As it came: what [`crate::PmsProvider::parse_event`] reads.
    pub body: Vec<u8>,
    /// The same batch has the same id, so that one that is given twice is kept once; none where the
    /// vendor gives each event once.
    pub id: Option<String>,
    /// Where the next batch begins: saved once this one is kept, and handed to the next call. None
    /// where the vendor itself remembers what it gave; it leaves a saved position as it is.
    pub position: Option<Value>,
}

/// Free rooms by the vendor's ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteAvailability {
    /// The room type at the vendor.
    pub room_type: ExternalRef,
    /// Rooms that can be sold for the whole stay, never negative.
    pub free: i64,
}

/// Which messages to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageQuery {
    /// Those with these ids, as events named them.
    Ids(Vec<String>),
    /// Those of one thread, the newest hundred at least.
    Thread(String),
}

/// A message as a vendor keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteMessage {
    /// The vendor's id of it.
    pub id: String,
    /// The vendor's id of the thread that it stands in, where an answer goes.
    pub thread: String,
    /// Whether this integration wrote it.
    pub own: bool,
    /// Who wrote it, or whose thread it is, as the vendor shows it.
    pub sender: Option<String>,
    /// The guest it is from, where the vendor says so.
    pub guest: Option<ExternalRef>,
    /// What it says.
    pub text: String,
    /// When it was written.
    pub sent_at: DateTime<Utc>,
}

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// Into this thread.
    Thread(String),
    /// To the guest of this reservation.
    Reservation(String),
}

/// A message to be passed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeskMessage {
    /// Where it goes.
    pub to: Recipient,
    /// What it says.
    pub text: String,
    /// Our id of the message, the same in every attempt; for vendors that take one.
    pub key: String,
}

/// Something the hotel sells beside rooms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteProduct {
    /// The vendor's id of it.
    pub id: String,
    /// Its name, in the property's language.
    pub name: String,
    /// More about it.
    pub description: Option<String>,
    /// What one costs, taxes included.
    pub price: Option<Money>,
    /// How it is charged, in the vendor's own word (`PerPersonPerTimeUnit`).
    pub charging: Option<String>,
}

/// A product to be posted to a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteOrder {
    /// The reservation at the vendor.
    pub reservation: String,
    /// The product, by [`RemoteProduct::id`].
    pub product: String,
    /// How many, at least 1.
    pub count: u32,
    /// For the desk to read.
    pub note: Option<String>,
    /// Our id of the order, the same in every attempt; for vendors that take one.
    pub key: String,
}

/// A vendor's front desk. A provider that has one returns it from [`crate::PmsProvider::desk`] and
/// says in [`DeskCapabilities`] what it can do; everything else is
/// [`stayzr_core::ErrorKind::Unsupported`] by default.
#[async_trait]
pub trait Desk: Send + Sync {
    /// The next events that happened; none when there are no more for now. Waits for news at most
    /// half a minute.
    ///
    /// A batch is kept durably before the next one is asked for, so a vendor that forgets events as
    /// it gives them loses none of them here. `after` is [`EventBatch::position`] of the last batch
    /// that was kept, and none at first: a stream goes on behind it. Events may come again.
    ///
    /// An answer that is lost together with its events is [`stayzr_core::ErrorKind::Ambiguous`]: what
    /// they said is found by reading the records again.
    async fn next_events(&self, after: Option<&Value>) -> Result<Option<EventBatch>> {
        let _ = after;
        Err(unsupported("desk.next_events"))
    }

    /// Rooms that are free for a stay, by room type. A type that the vendor does not name is not
    /// sold.
    async fn availability(&self, stay: &StayQuery) -> Result<Vec<RemoteAvailability>> {
        let _ = stay;
        Err(unsupported("desk.availability"))
    }

    /// Messages of threads, own ones too. Those the vendor does not know are missing.
    async fn messages(&self, query: &MessageQuery) -> Result<Vec<RemoteMessage>> {
        let _ = query;
        Err(unsupported("desk.messages"))
    }

    /// Passes a message on, once, and returns the vendor's id of it.
    /// [`stayzr_core::ErrorKind::Ambiguous`] where it may have been taken: the caller looks before it
    /// does anything.
    async fn send_message(&self, message: &DeskMessage) -> Result<String> {
        let _ = message;
        Err(unsupported("desk.send_message"))
    }

    /// What the hotel sells beside rooms, what is on sale only.
    async fn products(&self) -> Result<Vec<RemoteProduct>> {
        Err(unsupported("desk.products"))
    }

    /// Posts a product to a reservation, once, and returns the vendor's id of the order where it has
    /// one. [`stayzr_core::ErrorKind::Ambiguous`] where it may have been posted: a person looks before
    /// it is done again.
    async fn order(&self, order: &RemoteOrder) -> Result<Option<String>> {
        let _ = order;
        Err(unsupported("desk.order"))
    }

    /// Lets the vendor post its webhooks to this address, for every event that tells what we keep, and
    /// returns the events that it did not post there before. The address holds a secret.
    async fn subscribe(&self, endpoint: &SecretString) -> Result<Vec<String>> {
        let _ = endpoint;
        Err(unsupported("desk.subscribe"))
    }

    /// Ends every subscription of this address and returns how many there were.
    async fn unsubscribe(&self, endpoint: &SecretString) -> Result<usize> {
        let _ = endpoint;
        Err(unsupported("desk.unsubscribe"))
    }
}

fn unsupported(operation: &'static str) -> Error {
    Error::unsupported(operation, "this PMS offers no such thing")
}
