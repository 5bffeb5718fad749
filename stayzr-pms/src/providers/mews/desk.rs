use std::collections::BTreeSet;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use stayzr_core::{
    Error, ErrorKind, Result,
    limit::Priority,
    model::{Currency, ExternalRef, Money},
    port::backend::StayQuery,
    transform::EntityKind,
};

use super::{
    MewsClient, MewsProvider,
    client::PAGE,
    context::MewsContext,
    fetch::AHEAD,
    position::LONGEST_SPAN,
    quote::night,
    transform::localized,
    wire::{
        CategoryAvailability, Interval, Limitation, Message, MessageAdd, MessageThread,
        MessageThreadsGetAll, MessagesAdd, MessagesGetAll, OrdersAdd, Product, ProductOrder,
        ProductServiceOrdersGetAll, ProductsGetAll, Reservation, ReservationsAddProduct,
        ReservationsGetAll, ServicesGetAvailability, read_element,
    },
};
use crate::desk::{
    Desk, DeskMessage, MessageQuery, Recipient, RemoteAvailability, RemoteMessage, RemoteOrder,
    RemoteProduct,
};

/// How far back messages are looked for that an event named: Mews takes a month at most.
const RECENT: TimeDelta = TimeDelta::days(28);

/// How many spans of threads are looked through for a message, the newest first: two years.
const SPANS: i32 = 8;

#[async_trait]
impl Desk for MewsProvider {
    async fn availability(&self, stay: &StayQuery) -> Result<Vec<RemoteAvailability>> {
        let nights = (stay.departure - stay.arrival).num_days();
        if !(1..=60).contains(&nights) {
            return Err(Error::invalid(
                "mews.availability",
                "a stay has 1 to 60 nights",
            ));
        }
        let context = self.context().await?;
        let zone = context.transform.time_zone;
        let mut found = Vec::new();
        for service_id in &context.service_ids {
            let body = ServicesGetAvailability {
                service_id: service_id.clone(),
                first_time_unit_start_utc: night(zone, stay.arrival),
                last_time_unit_start_utc: night(zone, stay.departure - TimeDelta::days(1)),
            };
            let answer = self.client().send(&body).await?;
            for category in answer.category_availabilities {
                let free = free(&category, nights);
                if let (Some(id), Some(free)) = (category.category_id, free) {
                    let room_type = ExternalRef {
                        kind: EntityKind::RoomType,
                        id,
                    };
                    found.push(RemoteAvailability { room_type, free });
                }
            }
        }
        Ok(found)
    }

    async fn messages(&self, query: &MessageQuery) -> Result<Vec<RemoteMessage>> {
        let mailbox = Mailbox(self.client());
        match query {
            MessageQuery::Thread(thread) => mailbox.thread(thread).await,
            MessageQuery::Ids(ids) => mailbox.named(ids).await,
        }
    }

    async fn send_message(&self, message: &DeskMessage) -> Result<String> {
        let Recipient::Thread(thread) = &message.to else {
            return Err(Error::unsupported(
                "mews.send_message",
                "a message to Mews stands in a thread: a reservation has none of its own",
            ));
        };
        let body = MessagesAdd {
            messages: vec![MessageAdd {
                message_thread_id: thread.clone(),
                text: message.text.clone(),
                identifier: Some(message.key.clone()),
            }],
            enterprise_id: self.client().config().enterprise_id.clone(),
        };
        let answer = self.client().send(&body).await?;
        let mut added = answer.messages.into_iter();
        let id = added.find_map(|added| Some(added.message?.id));
        id.ok_or_else(|| unnamed("mews.send_message", "message"))
    }

    async fn products(&self) -> Result<Vec<RemoteProduct>> {
        let context = self.context().await?;
        let body = ProductsGetAll {
            service_ids: context.sold.clone(),
            enterprise_ids: self.client().config().enterprises(),
            ..ProductsGetAll::default()
        };
        let products = self.client().list(body).await?;
        let sold = products
            .into_iter()
            .filter(|product| product.is_active != Some(false));
        Ok(sold.map(|sold| product(sold, &context)).collect())
    }

    async fn order(&self, order: &RemoteOrder) -> Result<Option<String>> {
        if order.count == 0 {
            return Err(Error::invalid("mews.order", "an order has at least one"));
        }
        let context = self.context().await?;
        let shop = Shop {
            client: self.client(),
            context: &context,
        };
        let (product, stay) = (shop.product(order).await?, shop.stay(order).await?);
        let service = product.service_id.clone().unwrap_or_default();
        if context.service_ids.contains(&service) {
            shop.with_stay(order).await
        } else {
            shop.by_itself(order, service, stay).await
        }
    }
}

/// Rooms that are free on every night; none if the counts are not those of the stay. Mews does not
/// say whether its counts have the adjustments in them already: what takes rooms away counts, and
/// what adds them does not, so that no room is sold twice.
fn free(category: &CategoryAvailability, nights: i64) -> Option<i64> {
    if i64::try_from(category.availabilities.len()) != Ok(nights) {
        return None;
    }
    let nights = category.availabilities.iter().enumerate();
    let free = nights.map(|(night, free)| {
        let adjusted = category.adjustments.get(night).copied().unwrap_or(0);
        free + adjusted.min(0)
    });
    free.min().map(|free| free.max(0))
}

fn unnamed(operation: &'static str, what: &str) -> Error {
    let message = format!("Mews took the {what}, but did not say its id");
    Error::new(ErrorKind::Ambiguous, operation, message)
}

/// What is sold, in the property's language and with its taxes.
fn product(sold: Product, context: &MewsContext) -> RemoteProduct {
    let language = context.enterprise.default_language_code.as_deref();
    let language = language.unwrap_or("en");
    let price = sold.price.as_ref().and_then(|price| {
        let said = price.currency.as_deref();
        let said = said.and_then(|code| code.parse::<Currency>().ok());
        Some(Money::new(
            price.paid()?,
            said.or(context.transform.currency)?,
        ))
    });
    let name = localized(sold.names.as_ref(), language);
    RemoteProduct {
        name: name
            .or(sold.external_identifier.as_deref())
            .unwrap_or(&sold.id)
            .to_owned(),
        description: localized(sold.descriptions.as_ref(), language).map(str::to_owned),
        price,
        charging: sold.charging_mode,
        id: sold.id,
    }
}

/// Messages of the threads that this application began: Mews shows it no others.
struct Mailbox<'a>(&'a MewsClient);

impl Mailbox<'_> {
    async fn thread(&self, thread: &str) -> Result<Vec<RemoteMessage>> {
        let body = MessageThreadsGetAll {
            message_thread_ids: Some(vec![thread.to_owned()]),
            enterprise_ids: self.0.config().enterprises(),
            ..MessageThreadsGetAll::default()
        };
        let threads = self.0.list(body).await?;
        let body = MessagesGetAll {
            message_thread_ids: vec![thread.to_owned()],
            enterprise_ids: self.0.config().enterprises(),
            limitation: Limitation::first(),
            ..MessagesGetAll::default()
        };
        let page = self.0.page(&body, Priority::High).await?;
        let read = page.items.iter().filter_map(|item| read_element(item).ok());
        Ok(read
            .filter_map(|message| shown(message, &threads))
            .collect())
    }

    /// Mews gives messages by their thread only, and an event does not name it: recent messages of
    /// the threads that changed last are looked through, then those of older threads.
    async fn named(&self, ids: &[String]) -> Result<Vec<RemoteMessage>> {
        let mut missing: BTreeSet<&String> = ids.iter().collect();
        let mut found = Vec::new();
        let end = Utc::now() + AHEAD;
        for number in 0..=SPANS {
            if missing.is_empty() {
                break;
            }
            let mut body = MessageThreadsGetAll {
                enterprise_ids: self.0.config().enterprises(),
                ..MessageThreadsGetAll::default()
            };
            // Mews does not say that a message moves its thread's time of change.
            if number == 0 {
                body.updated_utc = Some(Interval::new(end - LONGEST_SPAN, end));
            } else {
                let end = end - LONGEST_SPAN * (number - 1);
                body.created_utc = Some(Interval::new(end - LONGEST_SPAN, end));
            }
            let threads = self.0.list(body).await?;
            for message in self.recent(&threads, end).await? {
                if missing.remove(&message.id) {
                    found.extend(shown(message, &threads));
                }
            }
        }
        Ok(found)
    }

    async fn recent(&self, threads: &[MessageThread], end: DateTime<Utc>) -> Result<Vec<Message>> {
        let mut found = Vec::new();
        for part in threads.chunks(PAGE as usize) {
            let body = MessagesGetAll {
                message_thread_ids: part.iter().map(|thread| thread.id.clone()).collect(),
                created_utc: Some(Interval::new(end - RECENT, end)),
                enterprise_ids: self.0.config().enterprises(),
                ..MessagesGetAll::default()
            };
            found.extend(self.0.list(body).await?);
        }
        Ok(found)
    }
}

/// A message as ours; none if it does not say where it stands or when it was written.
fn shown(message: Message, threads: &[MessageThread]) -> Option<RemoteMessage> {
    let thread = message.message_thread_id?;
    let known = threads.iter().find(|known| known.id == thread);
    let written_by = message.sender.and_then(|sender| sender.discriminator);
    Some(RemoteMessage {
        id: message.id,
        sender: known.and_then(|thread| thread.original_sender.clone()),
        thread,
        own: written_by.as_deref() == Some("Application"),
        guest: None,
        text: message.text.unwrap_or_default(),
        sent_at: message.created_utc?,
    })
}

/// Where products are ordered.
struct Shop<'a> {
    client: &'a MewsClient,
    context: &'a MewsContext,
}

impl Shop<'_> {
    async fn product(&self, order: &RemoteOrder) -> Result<Product> {
        let body = ProductsGetAll {
            service_ids: self.context.sold.clone(),
            product_ids: Some(vec![order.product.clone()]),
            enterprise_ids: self.client.config().enterprises(),
            ..ProductsGetAll::default()
        };
        let products = self.client.list(body).await?;
        let known = products
            .into_iter()
            .find(|product| product.id == order.product);
        known.ok_or_else(|| {
            Error::not_found("mews.order", "Mews has no such product on sale")
                .with("product", &order.product)
        })
    }

    async fn stay(&self, order: &RemoteOrder) -> Result<Reservation> {
        let body = ReservationsGetAll {
            reservation_ids: Some(vec![order.reservation.clone()]),
            enterprise_ids: self.client.config().enterprises(),
            ..ReservationsGetAll::default()
        };
        let stays = self.client.list(body).await?;
        stays.into_iter().next().ok_or_else(|| {
            Error::not_found("mews.order", "Mews does not know the reservation")
                .with("reservation", &order.reservation)
        })
    }

    /// A product of the stay's own service, such as breakfast, becomes a part of the stay.
    async fn with_stay(&self, order: &RemoteOrder) -> Result<Option<String>> {
        let body = ReservationsAddProduct {
            reservation_id: order.reservation.clone(),
            product_id: order.product.clone(),
            count: order.count,
            enterprise_id: self.client.config().enterprise_id.clone(),
            ..ReservationsAddProduct::default()
        };
        let answer = self.client.send(&body).await?;
        Ok(answer.item_ids.into_iter().next())
    }

    /// A product of another service, such as a bottle of wine, is an order that names the stay. One
    /// whose answer was lost is looked for among the orders of the stay, and is never sent again.
    async fn by_itself(
        &self,
        order: &RemoteOrder,
        service_id: String,
        stay: Reservation,
    ) -> Result<Option<String>> {
        let account_id = stay.account_id.ok_or_else(|| {
            Error::invalid(
                "mews.order",
                "nobody is to pay: the reservation has no owner",
            )
        })?;
        let before = self.orders(order, &service_id).await?;
        let body = OrdersAdd {
            service_id: service_id.clone(),
            account_id,
            linked_reservation_id: Some(order.reservation.clone()),
            product_orders: Some(vec![ProductOrder {
                product_id: order.product.clone(),
                count: order.count,
                external_identifier: Some(order.key.clone()),
                ..ProductOrder::default()
            }]),
            notes: order.note.clone(),
            enterprise_id: self.client.config().enterprise_id.clone(),
            ..OrdersAdd::default()
        };
        let error = match self.client.send(&body).await {
            Ok(answer) => return Ok(answer.order_id),
            Err(error) if error.kind() == ErrorKind::Ambiguous => error,
            Err(error) => return Err(error),
        };
        let mut made = match self.orders(order, &service_id).await {
            Ok(after) => after.into_iter().filter(|id| !before.contains(id)),
            Err(_) => return Err(error),
        };
        // Two at once may be somebody else's.
        match (made.next(), made.next()) {
            (Some(id), None) => Ok(Some(id)),
            _ => Err(error),
        }
    }

    /// Orders of the stay at a service.
    async fn orders(&self, order: &RemoteOrder, service: &str) -> Result<BTreeSet<String>> {
        let body = ProductServiceOrdersGetAll {
            service_ids: Some(vec![service.to_owned()]),
            linked_reservation_ids: Some(vec![order.reservation.clone()]),
            enterprise_ids: self.client.config().enterprises(),
            ..ProductServiceOrdersGetAll::default()
        };
        let orders = self.client.list(body).await?;
        Ok(orders.into_iter().map(|order| order.id).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_are_free_that_are_on_every_night_and_what_is_added_by_hand_is_not_counted() {
        let category = |availabilities: &[i64], adjustments: &[i64]| CategoryAvailability {
            availabilities: availabilities.to_vec(),
            adjustments: adjustments.to_vec(),
            ..CategoryAvailability::default()
        };
        assert_eq!(free(&category(&[6, 7, 5], &[0, 1, -1]), 3), Some(4));
        assert_eq!(free(&category(&[6, 0], &[]), 2), Some(0));
        assert_eq!(free(&category(&[1, -2], &[]), 2), Some(0), "overbooked");
        assert_eq!(free(&category(&[6], &[]), 2), None);
    }
}
