use serde_json::Value;
use stayzr_core::{
    Error, ErrorKind, Result,
    limit::Priority,
    transform::{EntityKind, FieldMap, TransformError},
};

use super::{
    CloudbedsProvider,
    context::CloudbedsContext,
    fetch, record,
    refusal::{is_empty, refused},
    transform::{
        NoteOwner,
        change::{self, Change},
        guest_form, writable_condition,
    },
    wire::{Form, Guest, Reservation, guest_shape, read_element},
};
use crate::provider::{PmsProvider, Push, PushOutcome, RemoteRecord};

pub(super) const OPERATION: &str = "cloudbeds.push";

/// Makes a change at Cloudbeds.
pub(super) async fn push(
    provider: &CloudbedsProvider,
    context: &CloudbedsContext,
    push: &Push,
) -> Result<PushOutcome> {
    let refused = refused(provider.fields(push.kind), push);
    if !refused.is_empty() {
        return Ok(PushOutcome::Unsupported(refused));
    }
    let writer = Writer { provider, context };
    let written = match (push.kind, &push.external_id) {
        (EntityKind::Guest, Some(id)) => writer.update_guest(id, push).await,
        (EntityKind::Reservation, Some(id)) => writer.update_reservation(id, push).await,
        (EntityKind::Reservation, None) => writer.add_reservation(push).await,
        (EntityKind::Room, Some(id)) => writer.update_room(id, push).await,
        (EntityKind::Note, None) => writer.add_note(push).await,
        (EntityKind::Guest, None) => Err(Error::unsupported(
            OPERATION,
            "Cloudbeds makes a guest only together with a reservation",
        )),
        (kind, _) => Err(
            Error::unsupported(OPERATION, "Cloudbeds does not take such records")
                .with("kind", kind),
        ),
    };
    match written {
        Err(error) if error.kind() == ErrorKind::Ambiguous => {
            Ok(PushOutcome::Ambiguous(error.to_string()))
        }
        other => other,
    }
}

/// Adds a person to a reservation beside its main guest.
pub(super) async fn add_guest(
    provider: &CloudbedsProvider,
    context: &CloudbedsContext,
    reservation: &str,
    fields: &FieldMap,
) -> Result<RemoteRecord> {
    let mut form = Form::new();
    form.text("reservationID", reservation);
    guest_form(fields, &mut form).map_err(cannot_say)?;
    let id = provider.client().post_guest(&form).await?;
    Writer { provider, context }.guest(&id).await
}

/// Records that a create may have made already.
pub(super) async fn find(
    provider: &CloudbedsProvider,
    context: &CloudbedsContext,
    push: &Push,
) -> Result<Vec<RemoteRecord>> {
    let writer = Writer { provider, context };
    match push.kind {
        EntityKind::Guest => writer.find_guests(push).await,
        EntityKind::Reservation => writer.find_reservations(push).await,
        EntityKind::Note => writer.find_notes(push).await,
        _ => Ok(Vec::new()),
    }
}

struct Writer<'a> {
    provider: &'a CloudbedsProvider,
    context: &'a CloudbedsContext,
}

impl Writer<'_> {
    async fn update_guest(&self, id: &str, push: &Push) -> Result<PushOutcome> {
        let mut form = Form::new();
        form.text("guestID", id);
        guest_form(&push.changed, &mut form).map_err(cannot_say)?;
        self.provider.client().put_guest(&form).await?;
        let record = self.guest(id).await?;
        let shown = push
            .changed
            .iter()
            .any(|(field, value)| record.fields.get(field) == Some(value));
        self.applied(record, shown || push.changed.is_empty())
    }

    async fn guest(&self, id: &str) -> Result<RemoteRecord> {
        let found = self.provider.client().guest(id).await;
        let guest = found.ok().flatten().map(|(guest, _)| guest);
        guest
            .and_then(|guest| self.read(EntityKind::Guest, &guest))
            .ok_or_else(|| self.unseen("the guest"))
    }

    async fn update_room(&self, id: &str, push: &Push) -> Result<PushOutcome> {
        let wanted = push.changed.get("condition");
        let word = wanted.and_then(writable_condition).ok_or_else(|| {
            Error::invalid(OPERATION, "of a room only the condition can be changed")
        })?;
        let now = self.provider.client().housekeeping(id, word).await?;
        let rooms = fetch::all_rooms(self.provider.client()).await;
        let rooms = rooms.map_err(|_| self.unseen("the room"))?;
        let mut room = rooms
            .items
            .into_iter()
            .find(|room| fetch::id(room, "roomID").as_deref() == Some(id))
            .ok_or_else(|| self.unseen("the room"))?;
        // What it said itself is newer than a list.
        if let (Some(now), Value::Object(fields)) = (now, &mut room) {
            fields.insert("roomCondition".to_owned(), Value::from(now));
        }
        let record = self
            .read(EntityKind::Room, &room)
            .ok_or_else(|| self.unseen("the room"))?;
        let shown = record.fields.get("condition") == wanted;
        self.applied(record, shown)
    }

    async fn update_reservation(&self, id: &str, push: &Push) -> Result<PushOutcome> {
        let gone = || {
            Error::not_found(OPERATION, "Cloudbeds no longer has the reservation").with("id", id)
        };
        let now = self.reservation(id).await?.ok_or_else(gone)?;
        let moved_to = push.links.get("room_id").and_then(Option::as_ref);
        let room_type = match moved_to {
            Some(room) => self.type_of(&room.id).await?,
            None => None,
        };
        let Change {
            update,
            assign,
            check_in,
            check_out,
        } = match change::plan(&now, push, room_type.as_deref(), &self.context.transform)? {
            Ok(change) => change,
            Err(refused) => return Ok(PushOutcome::Unsupported(refused)),
        };
        let client = self.provider.client();
        if let Some(form) = update {
            client.put_reservation(&form).await?;
        }
        if let Some(form) = assign {
            client.assign_room(&form).await?;
        }
        for room in check_in {
            client.check(false, id, &room).await?;
        }
        for room in check_out {
            client.check(true, id, &room).await?;
        }
        let record = self.reservation_record(id).await?;
        let status = push.changed.get("status");
        let shown = status.is_none_or(|status| record.fields.get("status") == Some(status));
        self.applied(record, shown)
    }

    async fn add_reservation(&self, push: &Push) -> Result<PushOutcome> {
        let client = self.provider.client();
        if change::leaves_at_another_hour(push, &self.context.transform)? {
            return Ok(PushOutcome::Unsupported(vec!["departure".to_owned()]));
        }
        let guest = push.links.get("guest_id").and_then(Option::as_ref);
        let guest = match guest {
            Some(guest) => client.guest(&guest.id).await?.map(|(guest, _)| guest),
            None => None,
        };
        let guest = guest
            .as_ref()
            .and_then(Value::as_object)
            .and_then(|fields| read_element::<Guest>(&Value::Object(guest_shape(fields))).ok())
            .ok_or_else(|| {
                Error::invalid(
                    OPERATION,
                    "a reservation is made for a guest that Cloudbeds knows",
                )
            })?;
        let key = change::key(push);
        if let Some(record) = self.made_before(&key).await? {
            return Ok(PushOutcome::Applied(Box::new(record)));
        }
        let form = change::booking(push, &guest, &key, client.config(), &self.context.transform)?;
        let id = client.post_reservation(&form).await?;
        let record = self.reservation_record(&id).await?;
        self.applied(record, true)
    }

    /// The reservation that an earlier attempt made: Cloudbeds has no idempotency key, but keeps what
    /// we write as the number at the channel.
    async fn made_before(&self, key: &str) -> Result<Option<RemoteRecord>> {
        let query = vec![fetch::pair("sourceReservationId", key)];
        let found = self.search(query).await?;
        Ok(found
            .into_iter()
            .find(|record| record.fields.text("channel_number") == Some(key)))
    }

    async fn find_reservations(&self, push: &Push) -> Result<Vec<RemoteRecord>> {
        if let Some(record) = self.made_before(&change::key(push)).await? {
            return Ok(vec![record]);
        }
        let (Some(Some(guest)), Some(first), Some(last)) = (
            push.links.get("guest_id"),
            change::day(&push.changed, "arrival", &self.context.transform),
            change::day(&push.changed, "departure", &self.context.transform),
        ) else {
            return Ok(Vec::new());
        };
        let query = vec![
            fetch::pair("guestID", &guest.id),
            fetch::pair("checkInFrom", first.to_string()),
            fetch::pair("checkInTo", first.to_string()),
        ];
        let mut found = self.search(query).await?;
        found.retain(|record| {
            change::day(&record.fields, "departure", &self.context.transform) == Some(last)
                && record.fields.text("status") != Some("cancelled")
        });
        Ok(found)
    }

    /// Reservations that a search names, each as it is always read.
    async fn search(&self, query: fetch::Query) -> Result<Vec<RemoteRecord>> {
        let client = self.provider.client();
        let page = client
            .page(
                "getReservations",
                query,
                (1, super::client::PAGE),
                Priority::High,
            )
            .await;
        let page = match page {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            page => page?,
        };
        let ids: Vec<String> = page
            .items
            .iter()
            .filter_map(|item| fetch::id(item, "reservationID"))
            .collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let found = fetch::reservations(client, &ids).await?;
        let read = |item| self.read(EntityKind::Reservation, item);
        Ok(found.items.iter().filter_map(read).collect())
    }

    async fn find_guests(&self, push: &Push) -> Result<Vec<RemoteRecord>> {
        let said = |field: &str| {
            push.changed
                .text(field)
                .filter(|text| !text.trim().is_empty())
        };
        let mut query = vec![fetch::pair("includeGuestInfo", "true")];
        match (said("email"), said("phone"), said("last_name")) {
            (Some(email), ..) => query.push(fetch::pair("guestEmail", email)),
            (None, Some(phone), _) => query.push(fetch::pair("guestPhone", phone)),
            (None, None, Some(last)) => {
                query.push(fetch::pair("guestLastName", last));
                query.extend(said("first_name").map(|first| fetch::pair("guestFirstName", first)));
            }
            (None, None, None) => return Ok(Vec::new()),
        }
        let client = self.provider.client();
        let page = client
            .page(
                "getGuestList",
                query,
                (1, super::client::PAGE),
                Priority::High,
            )
            .await?;
        let read = |item| self.read(EntityKind::Guest, item);
        Ok(page.items.iter().filter_map(read).collect())
    }

    async fn add_note(&self, push: &Push) -> Result<PushOutcome> {
        let owner = owner(push)?;
        let text = push.changed.get("text").filter(|text| !is_empty(text));
        let text = text
            .and_then(Value::as_str)
            .ok_or_else(|| Error::invalid(OPERATION, "a note says something"))?;
        let mut form = Form::new();
        let of_guest = match &owner {
            NoteOwner::Reservation(id) => {
                form.text("reservationID", id).text("reservationNote", text);
                false
            }
            NoteOwner::Guest(id) => {
                form.text("guestID", id).text("guestNote", text);
                true
            }
        };
        let number = self.provider.client().post_note(of_guest, &form).await?;
        let id = owner.note(&number);
        let notes = self.notes(&owner).await.unwrap_or_default();
        let record = notes
            .into_iter()
            .find(|note| note.external_id == id)
            .ok_or_else(|| self.unseen("the note"))?;
        self.applied(record, true)
    }

    async fn find_notes(&self, push: &Push) -> Result<Vec<RemoteRecord>> {
        let text = push.changed.text("text").unwrap_or_default().trim();
        let mut notes = self.notes(&owner(push)?).await?;
        notes.retain(|note| note.fields.text("text") == Some(text));
        Ok(notes)
    }

    async fn notes(&self, owner: &NoteOwner) -> Result<Vec<RemoteRecord>> {
        let page = fetch::notes(self.provider.client(), owner).await?;
        let read = |item| record::note(owner, item, &self.context.transform).ok();
        Ok(page.items.iter().filter_map(read).collect())
    }

    /// The reservation as Cloudbeds has it now.
    async fn reservation(&self, id: &str) -> Result<Option<Reservation>> {
        let page = fetch::reservations(self.provider.client(), &[id.to_owned()]).await?;
        let read = page.items.iter().find_map(|item| read_element(item).ok());
        Ok(read.filter(|read: &Reservation| read.id == id))
    }

    async fn reservation_record(&self, id: &str) -> Result<RemoteRecord> {
        let page = fetch::reservations(self.provider.client(), &[id.to_owned()]).await;
        let page = page.map_err(|_| self.unseen("the reservation"))?;
        page.items
            .iter()
            .find_map(|item| self.read(EntityKind::Reservation, item))
            .filter(|record| record.external_id == id)
            .ok_or_else(|| self.unseen("the reservation"))
    }

    async fn type_of(&self, room: &str) -> Result<Option<String>> {
        let rooms = fetch::all_rooms(self.provider.client()).await?;
        let found = rooms
            .items
            .iter()
            .find(|item| fetch::id(item, "roomID").as_deref() == Some(room));
        Ok(found.and_then(|room| fetch::id(room, "roomTypeID")))
    }

    fn applied(&self, record: RemoteRecord, shown: bool) -> Result<PushOutcome> {
        if shown {
            Ok(PushOutcome::Applied(Box::new(record)))
        } else {
            Err(self.unseen("the change"))
        }
    }

    fn read(&self, kind: EntityKind, value: &Value) -> Option<RemoteRecord> {
        record::read(kind, value, &self.context.transform).ok()
    }

    fn unseen(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Ambiguous,
            OPERATION,
            format!("Cloudbeds took the write, but {what} cannot be seen yet"),
        )
    }
}

/// What a note that is added is about.
fn owner(push: &Push) -> Result<NoteOwner> {
    let link = |field: &str| push.links.get(field).cloned().flatten();
    let reservation = link("reservation_id").map(|link| NoteOwner::Reservation(link.id));
    reservation
        .or_else(|| link("guest_id").map(|link| NoteOwner::Guest(link.id)))
        .ok_or_else(|| {
            Error::invalid(
                OPERATION,
                "a note is about a reservation or a guest that Cloudbeds knows",
            )
        })
}

pub(super) fn cannot_say(error: TransformError) -> Error {
    Error::invalid(OPERATION, "the change cannot be said to Cloudbeds").with_source(error)
}
