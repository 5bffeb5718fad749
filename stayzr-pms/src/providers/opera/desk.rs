//! What OPERA's desk does beyond keeping records.

use async_trait::async_trait;
use chrono::{NaiveDateTime, Utc};
use http::Method;
use serde_json::Value;
use stayzr_core::{Error, ErrorKind, Result};

use super::{
    OperaClient, OperaProvider,
    client::{Place, Written},
    fetch::{self, pair},
    transform::act::{self, Asker},
    wire::{Node, Reservation},
};
use crate::desk::{Desk, DeskMessage, EventBatch, Recipient, RemoteOrder, RemoteProduct};

/// The most events OPERA gives at once.
const EVENTS: usize = 20;

/// The longest message or comment that OPERA takes.
const LONGEST: usize = 2000;

#[async_trait]
impl Desk for OperaProvider {
    /// The next business events: of the chain, out of the stream, where one is configured; else at
    /// most twenty of the hotel's, out of the queue of the external system.
    ///
    /// OPERA forgets events of a queue as it gives them and has no way to give them again: there is no
    /// position, and an answer that is lost takes its events with it
    /// ([`stayzr_core::ErrorKind::Ambiguous`]). The stream gives events again for seven days, and
    /// the position is the offset of the last one. [`stayzr_core::ErrorKind::Invalid`] where neither a
    /// stream nor an external system is configured.
    async fn next_events(&self, after: Option<&Value>) -> Result<Option<EventBatch>> {
        match self.stream() {
            Some(stream) => stream.next(self.client(), after).await,
            None => take_events(self.client()).await,
        }
    }

    /// Leaves a note for the guest of a reservation, which the desk hands over: at most 2000 letters.
    async fn send_message(&self, message: &DeskMessage) -> Result<String> {
        let operation = "opera.postGuestMessages";
        let Recipient::Reservation(id) = &message.to else {
            let why = "OPERA has no message threads: a message goes to the guest of a reservation";
            return Err(Error::unsupported(operation, why));
        };
        let text = said(operation, &message.text)?;
        let (_, stay) = self.stay(operation, id).await?;
        let now = self.local_now().await?;
        let client = self.client();
        let hotel = client.hotel_id();
        let name = recipient(&stay);
        let body = act::guest_message(id, hotel, &name, text, now);
        let place = Place {
            operation: "postGuestMessages",
            module: "rsv/v1",
            parts: &["hotels", hotel, "reservations", id, "guestMessages"],
        };
        let written = client.write(Method::POST, place, body).await?;
        let Written { made, body } = &written;
        let known = Node::of(body).at("guestMessages").items(&[]);
        let named = known.first().and_then(|one| one.at("id").text());
        named.or_else(|| made.clone()).ok_or_else(|| {
            let why = "OPERA took the message, and does not say under which id";
            Error::new(ErrorKind::Ambiguous, operation, why)
        })
    }

    /// The services that are configured: OPERA has no list of them that could be read.
    async fn products(&self) -> Result<Vec<RemoteProduct>> {
        let services = self.client().config().services.iter();
        Ok(services
            .map(|(code, service)| RemoteProduct {
                id: code.clone(),
                name: service.name.clone(),
                description: None,
                price: None,
                charging: None,
            })
            .collect())
    }

    /// Opens a service request for the department. OPERA counts nothing: how many stands in its
    /// comment.
    async fn order(&self, order: &RemoteOrder) -> Result<Option<String>> {
        let operation = "opera.postServiceRequests";
        let client = self.client();
        let service = client.config().services.get(&order.product);
        let service = service.ok_or_else(|| {
            let why = "this service is not named in services of the vendor settings";
            Error::not_found(operation, why).with("code", order.product.clone())
        })?;
        let (asker, _) = self.stay(operation, &order.reservation).await?;
        let now = self.local_now().await?;
        let note = order.note.as_deref().map(str::trim).unwrap_or_default();
        let mut comment = format!("{} x {}", order.count.max(1), service.name);
        if !note.is_empty() {
            comment = format!("{comment}: {note}");
        }
        let comment = said(operation, &comment)?;
        let hotel = client.hotel_id();
        let body = act::service_request(hotel, &order.product, service, &asker, comment, now);
        let place = Place {
            operation: "postServiceRequests",
            module: "fof/v1",
            parts: &["hotels", hotel, "serviceRequests"],
        };
        let written = client.write(Method::POST, place, body).await?;
        // What was made is the last part of its address, unless that is the list itself.
        Ok(written.made.filter(|id| id != "serviceRequests"))
    }
}

impl OperaProvider {
    /// Who stays, as OPERA has it now.
    async fn stay(&self, operation: &'static str, id: &str) -> Result<(Asker, Value)> {
        let now = fetch::reservation(self.client(), id)
            .await?
            .ok_or_else(|| {
                Error::not_found(operation, "OPERA no longer has the reservation").with("id", id)
            })?;
        let read = Reservation::read(&now).map_err(|(field, reason)| {
            Error::corrupt(operation, "the reservation cannot be read")
                .with("field", field)
                .with("reason", reason)
        })?;
        let asker = Asker {
            reservation: id.to_owned(),
            guest: read.guest,
            room: read.room,
        };
        Ok((asker, now))
    }

    async fn local_now(&self) -> Result<NaiveDateTime> {
        let zone = self.context().await?.transform.time_zone;
        Ok(Utc::now().with_timezone(&zone).naive_local())
    }
}

/// The main guest's name as the desk writes it: `Smith, Kate`.
fn recipient(stay: &Value) -> String {
    let guests = Node::of(stay)
        .at("reservationGuests")
        .items(&["reservationGuest"]);
    let name = guests
        .first()
        .map(|guest| guest.at("profileInfo/profile/customer/personName"));
    let part = |key: &str| name.and_then(|name| name.at(key).text());
    let parts: Vec<String> = [part("surname"), part("givenName")]
        .into_iter()
        .flatten()
        .collect();
    parts.join(", ")
}

fn said<'a>(operation: &'static str, text: &'a str) -> Result<&'a str> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LONGEST {
        return Err(Error::invalid(operation, "a text has 1 to 2000 letters"));
    }
    Ok(text)
}

async fn take_events(client: &OperaClient) -> Result<Option<EventBatch>> {
    let config = client.config();
    let system = config.external_system.as_deref().ok_or_else(|| {
        Error::invalid(
            "opera.getBusinessEvents",
            "events are queued for an external system: set external_system in the vendor settings to \
             the code that the hotel configured, or stream.chain_code where the chain streams them",
        )
    })?;
    let place = Place {
        operation: "getBusinessEvents",
        module: "int/v1",
        parts: &[
            "externalSystem",
            system,
            "hotels",
            &config.hotel_id,
            "businessEvents",
        ],
    };
    let query = vec![pair("limit", EVENTS.to_string())];
    let body = client.take(place, query).await?;
    Ok(body.map(|body| EventBatch {
        body: body.to_string().into_bytes(),
        id: None,
        position: None,
    }))
}
