use http::Method;
use serde_json::{Value, json};
use stayzr_core::{Error, ErrorKind, Result, limit::Priority, transform::EntityKind};

use super::{
    OperaProvider,
    client::Place,
    context::OperaContext,
    fetch::{self, pair},
    record,
    refusal::refused,
    transform::{act, change, writable_condition},
    wire::{Node, Reservation},
};
use crate::provider::{PmsProvider, Push, PushOutcome, RemoteRecord};

pub(super) const OPERATION: &str = "opera.push";

/// Makes a change at OPERA.
pub(super) async fn push(
    provider: &OperaProvider,
    context: &OperaContext,
    push: &Push,
) -> Result<PushOutcome> {
    let refused = refused(provider.fields(push.kind), provider.client().config(), push);
    if !refused.is_empty() {
        return Ok(PushOutcome::Unsupported(refused));
    }
    let writer = Writer { provider, context };
    let written = match (push.kind, &push.external_id) {
        (EntityKind::Guest, Some(id)) => writer.update_guest(id, push).await,
        (EntityKind::Guest, None) => writer.add_guest(push).await,
        (EntityKind::Reservation, Some(id)) => writer.update_reservation(id, push).await,
        (EntityKind::Room, Some(id)) => writer.update_room(id, push).await,
        (kind, _) => {
            let what = "OPERA is not told such a change";
            Err(Error::unsupported(OPERATION, what).with("kind", kind))
        }
    };
    match written {
        Err(error) if error.kind() == ErrorKind::Ambiguous => {
            Ok(PushOutcome::Ambiguous(error.to_string()))
        }
        other => other,
    }
}

/// Records that a create may have made already: guests by email, else by telephone, else by name.
pub(super) async fn find(
    provider: &OperaProvider,
    context: &OperaContext,
    push: &Push,
) -> Result<Vec<RemoteRecord>> {
    let writer = Writer { provider, context };
    match push.kind {
        EntityKind::Guest => writer.find_guests(push).await,
        _ => Ok(Vec::new()),
    }
}

struct Writer<'a> {
    provider: &'a OperaProvider,
    context: &'a OperaContext,
}

impl Writer<'_> {
    async fn update_guest(&self, id: &str, push: &Push) -> Result<PushOutcome> {
        let client = self.provider.client();
        let now = fetch::profile(client, id).await?.ok_or_else(|| {
            Error::not_found(OPERATION, "OPERA no longer has the profile").with("id", id)
        })?;
        let place = Place {
            operation: "putProfile",
            module: "crm/v1",
            parts: &["profiles", id],
        };
        let body = change::profile(&push.changed, Some(&now));
        client.write(Method::PUT, place, body).await?;
        let record = self.guest(id).await?;
        self.applied(record, push)
    }

    async fn add_guest(&self, push: &Push) -> Result<PushOutcome> {
        let client = self.provider.client();
        let mut body = change::profile(&push.changed, None);
        if let Some(Value::Object(details)) = body.get_mut("profileDetails") {
            details.insert("profileType".to_owned(), json!("Guest"));
            details.insert("statusCode".to_owned(), json!("Active"));
            details.insert("requestForHotel".to_owned(), json!(client.hotel_id()));
        }
        let place = Place {
            operation: "postProfile",
            module: "crm/v1",
            parts: &["profiles"],
        };
        let written = client.write(Method::POST, place, body).await?;
        let id = written
            .made
            .or_else(|| Node::of(&written.body).at("profileIdList").id("Profile"))
            .ok_or_else(|| self.unseen("the id of the profile"))?;
        let record = self.guest(&id).await?;
        Ok(PushOutcome::Applied(Box::new(record)))
    }

    /// The guest as it is always read.
    async fn guest(&self, id: &str) -> Result<RemoteRecord> {
        let ids = [id.to_owned()];
        let page = fetch::profiles(self.provider.client(), &ids, Priority::High).await;
        let page = page.map_err(|_| self.unseen("the profile"))?;
        self.find_in(EntityKind::Guest, &page.items, id)
            .ok_or_else(|| self.unseen("the profile"))
    }

    async fn find_guests(&self, push: &Push) -> Result<Vec<RemoteRecord>> {
        let said = |field: &str| {
            let text = push.changed.text(field);
            text.map(str::trim).filter(|text| !text.is_empty())
        };
        let mut query = match (said("email"), said("phone"), said("last_name")) {
            (Some(email), ..) => vec![pair("email", email)],
            (None, Some(phone), _) => vec![pair("phone", phone)],
            (None, None, Some(last)) => {
                let mut query = vec![pair("profileName", last)];
                query.extend(said("first_name").map(|first| pair("givenName", first)));
                query
            }
            (None, None, None) => return Ok(Vec::new()),
        };
        let client = self.provider.client();
        query.push(pair("profileType", "Guest"));
        query.push(pair("limit", fetch::PROFILES.to_string()));
        query.push(pair("summaryInfo", "true"));
        let place = Place {
            operation: "getProfiles",
            module: "crm/v1",
            parts: &["profiles"],
        };
        let (body, _) = client.get(place, query, Priority::High).await?;
        let body = body.unwrap_or_default();
        let found = Node::of(&body)
            .at("profileSummaries")
            .items(&["profileInfo"]);
        let ids: Vec<String> = found
            .iter()
            .filter_map(|one| one.at("profileIdList").id("Profile"))
            .collect();
        let page = fetch::profiles(client, &ids, Priority::High).await?;
        Ok(page
            .items
            .iter()
            .filter_map(|item| self.read(EntityKind::Guest, item))
            .collect())
    }

    async fn update_room(&self, id: &str, push: &Push) -> Result<PushOutcome> {
        let wanted = push.changed.get("condition");
        let word = wanted.and_then(writable_condition).ok_or_else(|| {
            Error::invalid(OPERATION, "of a room only the condition can be changed")
        })?;
        let client = self.provider.client();
        let place = Place {
            operation: "putRoomRelatedStatus",
            module: "hsk/v1",
            parts: &["hotels", client.hotel_id(), "rooms", "status"],
        };
        client
            .write(Method::PUT, place, change::room_status(id, word))
            .await?;
        let rooms = fetch::all(client, EntityKind::Room).await;
        let rooms = rooms.map_err(|_| self.unseen("the room"))?;
        let record = self
            .find_in(EntityKind::Room, &rooms.items, id)
            .ok_or_else(|| self.unseen("the room"))?;
        self.applied(record, push)
    }

    async fn update_reservation(&self, id: &str, push: &Push) -> Result<PushOutcome> {
        let client = self.provider.client();
        let now = fetch::reservation(client, id).await?.ok_or_else(|| {
            Error::not_found(OPERATION, "OPERA no longer has the reservation").with("id", id)
        })?;
        let hotel = client.hotel_id();
        let update = change::reservation(id, hotel, &now, push, &self.context.transform)?;
        let update = match update {
            Ok(update) => update,
            Err(refused) => return Ok(PushOutcome::Unsupported(refused)),
        };
        let mut was_written = update.is_some();
        if let Some(body) = update {
            let place = Place {
                operation: "putReservation",
                module: "rsv/v1",
                parts: &["hotels", hotel, "reservations", id],
            };
            client.write(Method::PUT, place, body).await?;
        }
        // Once a part is done, what it left behind is read before anything is sent again.
        let after = |was_written: bool, what: &'static str| {
            move |error: Error| match was_written {
                true => self.unseen(what).with_source(error),
                false => error,
            }
        };
        let room = push.links.get("room_id").cloned().flatten();
        if let Some(room) = &room {
            let place = Place {
                operation: "postRoomAssignment",
                module: "fof/v1",
                parts: &["hotels", hotel, "reservations", id, "roomAssignments"],
            };
            let body = change::assignment(id, hotel, &room.id);
            let assigned = client.write(Method::POST, place, body).await;
            assigned.map_err(after(was_written, "the assignment of the room"))?;
            was_written = true;
        }
        if let Some(status) = push.changed.text("status") {
            let room = room.map(|room| room.id);
            let room = room.or_else(|| Reservation::read(&now).ok()?.room);
            let done = self.set_status(id, status, room.as_deref()).await;
            done.map_err(after(was_written, "its new status"))?;
        }
        let page = fetch::reservations(client, &[id.to_owned()]).await;
        let page = page.map_err(|_| self.unseen("the reservation"))?;
        let record = self
            .find_in(EntityKind::Reservation, &page.items, id)
            .ok_or_else(|| self.unseen("the reservation"))?;
        self.applied(record, push)
    }

    /// Cancels, checks in or checks out.
    async fn set_status(&self, id: &str, status: &str, room: Option<&str>) -> Result<()> {
        let client = self.provider.client();
        let (hotel, config) = (client.hotel_id(), client.config());
        let (operation, module, last, body) = match status {
            "cancelled" => {
                let reason = config.cancellation_reason.as_deref().unwrap_or_default();
                let body = act::cancellation(id, hotel, reason);
                ("postCancelReservation", "rsv/v1", "cancellations", body)
            }
            "in_house" => {
                let room = room.ok_or_else(|| {
                    let why = "nobody is checked in without a room: assign one first";
                    Error::invalid(OPERATION, why).with("field", "status")
                })?;
                ("postCheckIn", "fof/v1", "checkIns", act::check_in(room))
            }
            _ => {
                let cashier = config.cashier_id.unwrap_or_default();
                let body = act::check_out(id, hotel, cashier);
                ("postCheckOut", "csh/v1", "checkOuts", body)
            }
        };
        let place = Place {
            operation,
            module,
            parts: &["hotels", hotel, "reservations", id, last],
        };
        client.write(Method::POST, place, body).await.map(drop)
    }

    /// Done where at least one of the changes shows: OPERA does not document that a write is seen by
    /// the next read.
    fn applied(&self, record: RemoteRecord, push: &Push) -> Result<PushOutcome> {
        let mut fields = push.changed.iter();
        let mut links = push.links.iter();
        // A status is an act of its own, and shows by itself.
        let status = push.changed.get("status");
        if status.is_some() && record.fields.get("status") != status {
            return Err(self.unseen("the status"));
        }
        let shown = fields.any(|(field, value)| record.fields.get(field) == Some(value))
            || links.any(|(field, link)| record.links.get(field.as_str()) == Some(link));
        if shown || (push.changed.is_empty() && push.links.is_empty()) {
            return Ok(PushOutcome::Applied(Box::new(record)));
        }
        Err(self.unseen("the change"))
    }

    fn find_in(&self, kind: EntityKind, items: &[Value], id: &str) -> Option<RemoteRecord> {
        let mut read = items.iter().filter_map(|item| self.read(kind, item));
        read.find(|record| record.external_id == id)
    }

    fn read(&self, kind: EntityKind, value: &Value) -> Option<RemoteRecord> {
        record::read(kind, value, &self.context.transform)
            .ok()
            .flatten()
    }

    fn unseen(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Ambiguous,
            OPERATION,
            format!("OPERA took the write, but {what} cannot be seen yet"),
        )
    }
}
