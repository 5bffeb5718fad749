use serde_json::{Value, json};
use stayzr_core::{
    Error, ErrorKind, Result,
    limit::Priority,
    transform::{EntityKind, FieldMap, TransformError},
};

use super::{
    MewsProvider,
    context::MewsContext,
    fetch::{self, Wanted},
    record::{Element, element},
    refusal::{order, refused},
    transform::{NoteId, person_counts, writable_condition, write_guest},
    wire::{
        Customer, CustomerWrite, NoteAdd, NoteType, NoteUpdate, NotesAdd, NotesUpdate, PersonCount,
        ReservationUpdate, ReservationsCancel, ReservationsUpdate, ResourceUpdate, ResourcesUpdate,
        Set,
    },
};
use crate::provider::{PmsProvider, Push, PushOutcome, RemoteRecord};

const OPERATION: &str = "mews.push";

/// Why Mews is told that a reservation is cancelled; it wants a reason.
const CANCELLED: &str = "Cancelled in Stayzr";

/// Makes a change at Mews.
pub(super) async fn push(
    provider: &MewsProvider,
    context: &MewsContext,
    push: &Push,
) -> Result<PushOutcome> {
    let refused = refused(provider.fields(push.kind), push);
    if !refused.is_empty() {
        return Ok(PushOutcome::Unsupported(refused));
    }
    let writer = Writer { provider, context };
    let written = match (push.kind, &push.external_id) {
        (EntityKind::Guest, None) => writer.add_guest(push).await,
        (EntityKind::Guest, Some(id)) => writer.update_guest(id, push).await,
        (EntityKind::Reservation, Some(id)) => writer.update_reservation(id, push).await,
        (EntityKind::Room, Some(id)) => writer.update_room(id, push).await,
        (EntityKind::Note, None) => writer.add_note(push).await,
        (EntityKind::Note, Some(id)) => writer.update_note(id, push).await,
        (kind, _) => {
            Err(Error::unsupported(OPERATION, "Mews does not take such records").with("kind", kind))
        }
    };
    match written {
        Err(error) if error.kind() == ErrorKind::Ambiguous => {
            Ok(PushOutcome::Ambiguous(error.to_string()))
        }
        other => other,
    }
}

/// Records that a create may have made already, or that are plainly the same: Mews has no
/// idempotency key.
pub(super) async fn find(
    provider: &MewsProvider,
    context: &MewsContext,
    push: &Push,
) -> Result<Vec<RemoteRecord>> {
    let writer = Writer { provider, context };
    match push.kind {
        EntityKind::Guest => writer.find_guests(push).await,
        EntityKind::Note => writer.find_notes(push).await,
        _ => Ok(Vec::new()),
    }
}

struct Writer<'a> {
    provider: &'a MewsProvider,
    context: &'a MewsContext,
}

impl Writer<'_> {
    async fn add_guest(&self, push: &Push) -> Result<PushOutcome> {
        if push.changed.text("last_name").is_none_or(str::is_empty) {
            return Err(Error::invalid(OPERATION, "Mews wants a family name"));
        }
        let mut body = guest_body(&push.changed)?;
        body.overwrite_existing = Some(false);
        body.chain_id = self.chain();
        let answer = self.provider.client().add_customer(&body).await?;
        match self.read(EntityKind::Guest, &answer) {
            Some(record) => Ok(PushOutcome::Applied(Box::new(record))),
            None => Err(self.unseen("the customer that was added")),
        }
    }

    /// Customers who may be the guest: by email, or else by their names.
    async fn find_guests(&self, push: &Push) -> Result<Vec<RemoteRecord>> {
        let said = |field: &str| {
            let text = push.changed.text(field).map(str::trim);
            text.filter(|text| !text.is_empty())
        };
        let names = (said("first_name"), said("last_name"));
        let client = self.provider.client();
        let mut found = Vec::new();
        if let Some(email) = said("email") {
            found = client
                .customers_like(self.chain(), Some(email), names)
                .await?;
        }
        if found.is_empty() && names.1.is_some() {
            found = client.customers_like(self.chain(), None, names).await?;
        }
        Ok(self.read_all(EntityKind::Guest, &found))
    }

    /// Notes of the reservation that say the same.
    async fn find_notes(&self, push: &Push) -> Result<Vec<RemoteRecord>> {
        let (Some(order), Some(text)) = (order(push), push.changed.text("text")) else {
            return Ok(Vec::new());
        };
        let client = self.provider.client();
        let page = fetch::notes_of(client, vec![order.to_owned()], Priority::High).await?;
        let mut notes = self.read_all(EntityKind::Note, &page.items);
        notes.retain(|note| note.fields.text("text").map(str::trim) == Some(text.trim()));
        Ok(notes)
    }

    async fn add_note(&self, push: &Push) -> Result<PushOutcome> {
        let (Some(order), Some(text)) = (order(push), push.changed.text("text")) else {
            return Err(Error::invalid(
                OPERATION,
                "a note at Mews says something about a reservation",
            ));
        };
        let client = self.provider.client();
        let body = NotesAdd {
            service_order_notes: vec![NoteAdd {
                order_id: order.to_owned(),
                text: text.to_owned(),
                r#type: NoteType::General,
            }],
            enterprise_id: client.config().enterprise_id.clone(),
        };
        let answer = client.add_notes(&body).await?;
        match self.answered_note(&answer) {
            Some(note) => Ok(PushOutcome::Applied(Box::new(note))),
            None => Err(self.unseen("the note that was added")),
        }
    }

    async fn update_note(&self, id: &str, push: &Push) -> Result<PushOutcome> {
        let known = NoteId::parse(id).ok_or_else(|| {
            Error::invalid(OPERATION, "not the id of a note of Mews").with("id", id)
        })?;
        let text = push.changed.text("text");
        let client = self.provider.client();
        let body = NotesUpdate {
            service_order_note_updates: vec![NoteUpdate {
                service_order_note_id: known.note,
                text: text.and_then(|text| Set::to(text.to_owned())),
            }],
            enterprise_id: client.config().enterprise_id.clone(),
        };
        let answer = client.update_notes(&body).await?;
        let answered = self.answered_note(&answer);
        let record = match answered.filter(|note| note.external_id == id) {
            Some(note) => note,
            None => self.after(EntityKind::Note, id).await?,
        };
        let shown = text.is_none() || record.fields.text("text") == text;
        self.applied(record, shown)
    }

    fn answered_note(&self, answer: &Value) -> Option<RemoteRecord> {
        self.read(EntityKind::Note, answer.pointer("/ServiceOrderNotes/0")?)
    }

    async fn update_guest(&self, id: &str, push: &Push) -> Result<PushOutcome> {
        let mut body = guest_body(&push.changed)?;
        body.customer_id = Some(id.to_owned());
        body.chain_id = self.chain();
        let answer = self.provider.client().update_customer(&body).await?;
        if let Some(record) = self.read(EntityKind::Guest, &answer) {
            return Ok(PushOutcome::Applied(Box::new(record)));
        }
        let record = self.after(EntityKind::Guest, id).await?;
        let shown = push
            .changed
            .iter()
            .any(|(field, value)| record.fields.get(field) == Some(value));
        self.applied(record, shown || push.changed.is_empty())
    }

    async fn update_room(&self, id: &str, push: &Push) -> Result<PushOutcome> {
        let condition = push.changed.get("condition");
        let body = ResourcesUpdate {
            resource_updates: vec![ResourceUpdate {
                resource_id: id.to_owned(),
                state: condition
                    .and_then(writable_condition)
                    .and_then(|state| Set::to(state.as_str().to_owned())),
            }],
            enterprise_id: self.provider.client().config().enterprise_id.clone(),
        };
        self.provider.client().update_resources(&body).await?;
        let record = self.after(EntityKind::Room, id).await?;
        let shown = condition.is_none_or(|wanted| record.fields.get("condition") == Some(wanted));
        self.applied(record, shown)
    }

    async fn update_reservation(&self, id: &str, push: &Push) -> Result<PushOutcome> {
        let changes_room = push.links.contains_key("room_id");
        let changes_persons = push.changed.contains("adults") || push.changed.contains("children");
        let now = if changes_room || changes_persons {
            Some(
                self.one(EntityKind::Reservation, id)
                    .await?
                    .ok_or_else(|| {
                        Error::not_found(OPERATION, "Mews no longer has the reservation")
                            .with("id", id)
                    })?,
            )
        } else {
            None
        };
        let pinned = changes_room && now.as_ref().is_some_and(is_pinned);
        let update = self.reservation_update(id, push, now.as_ref(), pinned)?;
        let mut answer = None;
        if pinned {
            let unpin = ReservationUpdate {
                reservation_id: id.to_owned(),
                assigned_resource_locked: Set::to(false),
                ..ReservationUpdate::default()
            };
            self.update(id, unpin).await?;
        }
        let bare = ReservationUpdate {
            reservation_id: id.to_owned(),
            ..ReservationUpdate::default()
        };
        if update != bare {
            let written = self.update(id, update).await;
            if written.is_err() && pinned {
                self.pin_again(id).await;
            }
            answer = Some(written?);
        }
        let cancels = push.changed.contains("status");
        if cancels {
            let body = ReservationsCancel {
                reservation_ids: vec![id.to_owned()],
                post_cancellation_fee: false,
                send_email: false,
                notes: CANCELLED.to_owned(),
                enterprise_id: self.provider.client().config().enterprise_id.clone(),
            };
            self.provider.client().cancel_reservations(&body).await?;
        }
        self.reservation_after(id, answer, cancels).await
    }

    fn reservation_update(
        &self,
        id: &str,
        push: &Push,
        now: Option<&RemoteRecord>,
        pinned: bool,
    ) -> Result<ReservationUpdate> {
        let text = |field: &str| {
            push.changed
                .get(field)
                .and_then(|value| Set::or_empty(value.as_str().map(str::to_owned)))
        };
        let link = |field: &str| {
            push.links
                .get(field)
                .and_then(|link| Set::or_empty(link.as_ref().map(|link| link.id.clone())))
        };
        let mut update = ReservationUpdate {
            reservation_id: id.to_owned(),
            channel_number: text("channel_number"),
            start_utc: text("arrival").map(whole_seconds).transpose()?,
            end_utc: text("departure").map(whole_seconds).transpose()?,
            assigned_resource_id: link("room_id"),
            requested_category_id: link("room_type_id"),
            purpose: text("purpose"),
            ..ReservationUpdate::default()
        };
        if pinned {
            update.assigned_resource_locked = Set::to(true);
        }
        if let Some(now) =
            now.filter(|_| push.changed.contains("adults") || push.changed.contains("children"))
        {
            let count = |field: &str| {
                let wanted = push.changed.get(field).or_else(|| now.fields.get(field));
                wanted.and_then(Value::as_i64).unwrap_or_default()
            };
            let current: Vec<PersonCount> = now
                .extra
                .get("PersonCounts")
                .and_then(|counts| serde_json::from_value(counts.clone()).ok())
                .unwrap_or_default();
            let counts = person_counts(
                count("adults"),
                count("children"),
                &current,
                &self.context.transform,
            )
            .map_err(cannot_say)?;
            update.person_counts = Set::to(counts);
        }
        Ok(update)
    }

    /// A change that failed must not leave a room unpinned that the desk had pinned: the next
    /// attempt would no longer know of it.
    async fn pin_again(&self, id: &str) {
        let pin = ReservationUpdate {
            reservation_id: id.to_owned(),
            assigned_resource_locked: Set::to(true),
            ..ReservationUpdate::default()
        };
        if let Err(error) = self.update(id, pin).await {
            tracing::warn!(reservation = id, %error, "the room stays unpinned at Mews");
        }
    }

    async fn update(&self, id: &str, update: ReservationUpdate) -> Result<Value> {
        let body = ReservationsUpdate {
            reservation_updates: vec![update],
            reprice: false,
            apply_cancellation_fee: false,
            reservation_id: id.to_owned(),
            enterprise_id: self.provider.client().config().enterprise_id.clone(),
        };
        self.provider.client().update_reservations(&body).await
    }

    /// The reservation after the write: as it is read then, which is the form that later syncs
    /// see, unless that read is older than the write's own answer.
    async fn reservation_after(
        &self,
        id: &str,
        answer: Option<Value>,
        cancels: bool,
    ) -> Result<PushOutcome> {
        let answered = answer
            .as_ref()
            .and_then(|answer| answer.pointer("/Reservations/0"))
            .and_then(|value| self.read(EntityKind::Reservation, value))
            .filter(|record| record.external_id == id);
        let read = self.one(EntityKind::Reservation, id).await;
        let record = match (read, answered) {
            (Ok(Some(read)), Some(answered)) if read.version < answered.version => {
                if cancels {
                    read
                } else {
                    answered
                }
            }
            (Ok(Some(read)), _) => read,
            (Ok(None) | Err(_), Some(answered)) if !cancels => answered,
            (Ok(None) | Err(_), _) => return Err(self.unseen("the reservation")),
        };
        let ended = ["cancelled", "no_show"].map(Value::from);
        let status = record.fields.get("status");
        let shown = !cancels || status.is_some_and(|status| ended.contains(status));
        self.applied(record, shown)
    }

    fn applied(&self, record: RemoteRecord, shown: bool) -> Result<PushOutcome> {
        if shown {
            Ok(PushOutcome::Applied(Box::new(record)))
        } else {
            Err(self.unseen("the change"))
        }
    }

    /// The record as it reads after a write that does not answer with it.
    async fn after(&self, kind: EntityKind, id: &str) -> Result<RemoteRecord> {
        match self.one(kind, id).await {
            Ok(Some(record)) => Ok(record),
            Ok(None) | Err(_) => Err(self.unseen("the record")),
        }
    }

    async fn one(&self, kind: EntityKind, id: &str) -> Result<Option<RemoteRecord>> {
        let ids = [id.to_owned()];
        let client = self.provider.client();
        let page = fetch::read(
            client,
            self.context,
            kind,
            Wanted::Ids(&ids),
            Priority::High,
        )
        .await?;
        Ok(page.items.iter().find_map(|item| self.read(kind, item)))
    }

    fn read_all(&self, kind: EntityKind, values: &[Value]) -> Vec<RemoteRecord> {
        values
            .iter()
            .filter_map(|value| self.read(kind, value))
            .collect()
    }

    fn read(&self, kind: EntityKind, value: &Value) -> Option<RemoteRecord> {
        match element(kind, value, self.context) {
            Element::Record(record) => Some(*record),
            Element::Parked(_) | Element::Foreign => None,
        }
    }

    fn unseen(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Ambiguous,
            OPERATION,
            format!("Mews took the write, but {what} cannot be seen yet"),
        )
    }

    /// Customers belong to the chain: a token of several properties must name it.
    fn chain(&self) -> Option<String> {
        let several = self.provider.client().config().enterprise_id.as_ref();
        several.and(self.context.enterprise.chain_id.clone())
    }
}

fn is_pinned(record: &RemoteRecord) -> bool {
    record.extra.get("AssignedResourceLocked") == Some(&json!(true))
}

/// Mews writes times in whole seconds of UTC.
fn whole_seconds(time: Set<String>) -> Result<Set<String>> {
    let value = time
        .value
        .map(|text| {
            chrono::DateTime::parse_from_rfc3339(&text)
                .map(|time| {
                    time.to_utc()
                        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
                })
                .map_err(|_| Error::invalid(OPERATION, "a time must be as in RFC 3339"))
        })
        .transpose()?;
    Ok(Set { value })
}

fn guest_body(changed: &FieldMap) -> Result<CustomerWrite> {
    let mut customer = Customer::default();
    write_guest(changed, &mut customer).map_err(cannot_say)?;
    Ok(CustomerWrite {
        title: customer.title,
        first_name: customer.first_name,
        last_name: customer.last_name,
        nationality_code: customer.nationality_code,
        preferred_language_code: customer.preferred_language_code,
        birth_date: customer.birth_date,
        email: customer.email,
        phone: customer.phone,
        loyalty_code: customer.loyalty_code,
        notes: customer.notes,
        classifications: Some(customer.classifications).filter(|list| !list.is_empty()),
        ..CustomerWrite::default()
    })
}

fn cannot_say(error: TransformError) -> Error {
    Error::invalid(OPERATION, "the change cannot be said to Mews").with_source(error)
}
