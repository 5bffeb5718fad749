use chrono::{TimeDelta, Utc};
use serde_json::Value;
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
    transform::{NoteId, is_out_of_order, writable_condition, write_guest},
    wire::{
        ActivityState, BlockType, Customer, CustomerWrite, CustomersAdd, CustomersUpdate, Interval,
        NoteAdd, NoteType, NoteUpdate, NotesAdd, NotesUpdate, ResourceBlockAdd, ResourceBlocksAdd,
        ResourceBlocksDelete, ResourceBlocksGetAll, ResourceUpdate, ResourcesUpdate, Set, seconds,
    },
};
use crate::provider::{PmsProvider, Push, PushOutcome, RemoteRecord};

pub(super) const OPERATION: &str = "mews.push";

/// What a block is called; Mews wants a name.
const BLOCK: &str = "Out of order (Stayzr)";

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
        (EntityKind::Reservation, None) => writer.add_reservation(push).await,
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
        EntityKind::Reservation => writer.find_reservations(push).await,
        _ => Ok(Vec::new()),
    }
}

pub(super) struct Writer<'a> {
    pub(super) provider: &'a MewsProvider,
    pub(super) context: &'a MewsContext,
}

impl Writer<'_> {
    async fn add_guest(&self, push: &Push) -> Result<PushOutcome> {
        if push.changed.text("last_name").is_none_or(str::is_empty) {
            return Err(Error::invalid(OPERATION, "Mews wants a family name"));
        }
        let body = CustomersAdd {
            customer: self.customer(&push.changed)?,
            overwrite_existing: false,
            ..CustomersAdd::default()
        };
        let answer = self.provider.client().send(&body).await?;
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
        let answer = client.send(&body).await?;
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
        let answer = client.send(&body).await?;
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
        let body = CustomersUpdate {
            customer_id: id.to_owned(),
            customer: self.customer(&push.changed)?,
            ..CustomersUpdate::default()
        };
        let answer = self.provider.client().send(&body).await?;
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
        if condition.is_some_and(is_out_of_order) {
            self.close_room(id).await?;
        } else {
            if push.base.get("condition").is_some_and(is_out_of_order) {
                self.open_room(id).await?;
            }
            let state = condition.and_then(writable_condition);
            let body = ResourcesUpdate {
                resource_updates: vec![ResourceUpdate {
                    resource_id: id.to_owned(),
                    state: state.and_then(|state| Set::to(state.as_str().to_owned())),
                    ..ResourceUpdate::default()
                }],
                enterprise_id: self.provider.client().config().enterprise_id.clone(),
            };
            self.provider.client().send(&body).await?;
        }
        let record = self.after(EntityKind::Room, id).await?;
        let shown = condition.is_none_or(|wanted| record.fields.get("condition") == Some(wanted));
        self.applied(record, shown)
    }

    /// Blocks a room from now on. One that is blocked already stays as it is: an answer may have
    /// been lost.
    async fn close_room(&self, id: &str) -> Result<()> {
        if !self.blocks(id).await?.is_empty() {
            return Ok(());
        }
        let client = self.provider.client();
        // A clock of Mews that is behind must not see a block of the future.
        let start = Utc::now() - TimeDelta::minutes(1);
        let length = TimeDelta::hours(client.config().out_of_order_hours.into());
        let body = ResourceBlocksAdd {
            resource_blocks: vec![ResourceBlockAdd {
                resource_id: id.to_owned(),
                name: BLOCK.to_owned(),
                r#type: Some(BlockType::OutOfOrder),
                start_utc: seconds(start),
                end_utc: seconds(start + length),
                notes: None,
            }],
            enterprise_id: client.config().enterprise_id.clone(),
        };
        client.send(&body).await.map(drop)
    }

    /// Lifts the blocks that keep a room out of order now.
    async fn open_room(&self, id: &str) -> Result<()> {
        let blocks = self.blocks(id).await?;
        if blocks.is_empty() {
            return Ok(());
        }
        let client = self.provider.client();
        let body = ResourceBlocksDelete {
            resource_block_ids: blocks,
            enterprise_id: client.config().enterprise_id.clone(),
        };
        client.send(&body).await.map(drop)
    }

    /// Blocks that keep a room out of order now.
    async fn blocks(&self, id: &str) -> Result<Vec<String>> {
        let client = self.provider.client();
        let now = Utc::now();
        let body = ResourceBlocksGetAll {
            assigned_resource_ids: Some(vec![id.to_owned()]),
            activity_states: Some(vec![ActivityState::Active]),
            colliding_utc: Some(Interval::new(now, now + TimeDelta::seconds(1))),
            enterprise_ids: client.config().enterprises(),
            ..ResourceBlocksGetAll::default()
        };
        let blocks = client.list(body).await?.into_iter();
        Ok(blocks
            .filter(|block| block.r#type == Some(BlockType::OutOfOrder))
            .filter(|block| block.is_active != Some(false))
            .map(|block| block.id)
            .collect())
    }

    pub(super) fn applied(&self, record: RemoteRecord, shown: bool) -> Result<PushOutcome> {
        if shown {
            Ok(PushOutcome::Applied(Box::new(record)))
        } else {
            Err(self.unseen("the change"))
        }
    }

    /// The record as it reads after a write that does not answer with it.
    pub(super) async fn after(&self, kind: EntityKind, id: &str) -> Result<RemoteRecord> {
        match self.one(kind, id).await {
            Ok(Some(record)) => Ok(record),
            Ok(None) | Err(_) => Err(self.unseen("the record")),
        }
    }

    pub(super) async fn one(&self, kind: EntityKind, id: &str) -> Result<Option<RemoteRecord>> {
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

    pub(super) fn read_all(&self, kind: EntityKind, values: &[Value]) -> Vec<RemoteRecord> {
        values
            .iter()
            .filter_map(|value| self.read(kind, value))
            .collect()
    }

    pub(super) fn read(&self, kind: EntityKind, value: &Value) -> Option<RemoteRecord> {
        match element(kind, value, self.context) {
            Element::Record(record) => Some(*record),
            Element::Parked(_) | Element::Foreign => None,
        }
    }

    pub(super) fn unseen(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Ambiguous,
            OPERATION,
            format!("Mews took the write, but {what} cannot be seen yet"),
        )
    }

    fn customer(&self, changed: &FieldMap) -> Result<CustomerWrite> {
        let mut customer = Customer::default();
        write_guest(changed, &mut customer).map_err(cannot_say)?;
        Ok(CustomerWrite {
            chain_id: self.chain(),
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

    /// Customers belong to the chain: a token of several properties must name it.
    fn chain(&self) -> Option<String> {
        let several = self.provider.client().config().enterprise_id.as_ref();
        several.and(self.context.enterprise.chain_id.clone())
    }
}

pub(super) fn cannot_say(error: TransformError) -> Error {
    Error::invalid(OPERATION, "the change cannot be said to Mews").with_source(error)
}
