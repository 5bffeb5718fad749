//! What people at the hotel do.

use std::sync::Mutex;

use serde_json::{Value, json};
use stayzr_core::{
    clock::Clock,
    flow::{CreateRequest, EditRequest, PushPolicy, ResolveRequest, create, edit, resolve},
    ids::IntegrationId,
    model::{ChangeSource, Channel, ConflictStatus, Contact, ContactChannel, ResolutionChoice},
    port::conversation::{AcceptMessage, Conversations},
    queue::NewJob,
    tenant::TenantScope,
    transform::{EntityKind, FieldMap, FieldRule},
};
use stayzr_pms::engine::SyncJob;
use uuid::Uuid;

use super::{World, phone};
use crate::{
    model::{map, rules},
    pause::pause,
    script::PEOPLE,
};

/// The process of the people who work at the hotel: it never crashes.
const FRONT_DESK: usize = 9;

/// What the vendor may be told.
struct Rules;

impl PushPolicy for Rules {
    fn rule(&self, _: &str, kind: EntityKind, field: &str) -> Option<FieldRule> {
        rules(kind).iter().find(|rule| rule.field == field).copied()
    }

    fn creates(&self, _: &str, kind: EntityKind) -> bool {
        matches!(kind, EntityKind::Guest | EntityKind::Note)
    }

    fn push_job(
        &self,
        scope: TenantScope,
        id: IntegrationId,
        kind: EntityKind,
        row: Uuid,
    ) -> NewJob {
        SyncJob::push(scope, id, kind, row)
    }
}

fn staff() -> ChangeSource {
    ChangeSource::Staff {
        actor: "front desk".to_owned(),
    }
}

impl World {
    pub(super) fn edit(&mut self, kind: EntityKind, external: &str, set: Value) {
        let Some(row) = self.row_of(kind, external) else {
            return;
        };
        let (wire, clock, scope) = (self.wire.clone(), self.clock.clone(), self.everything());
        let request = EditRequest {
            kind,
            id: row.id,
            set: map(set),
            // What staff saw: a list is made of what stood there.
            expected_version: Some(row.version),
            source: staff(),
        };
        self.spawn(FRONT_DESK, async move {
            // Refused where somebody was faster: then it was no edit.
            drop(edit(&*wire, &Rules, &*clock, scope, request).await);
        });
    }

    pub(super) fn message(&mut self, person: usize, n: usize) {
        debug_assert!(person < PEOPLE, "people are numbered");
        self.wrote.insert(person);
        let digits = phone(person).trim_start_matches('+').to_owned();
        let contact = |channel, address| Contact { channel, address };
        let command = AcceptMessage {
            scope: self.scope,
            property_id: self.property_id,
            channel: Channel::Whatsapp,
            channel_account_id: None,
            guest_id: None,
            conversation_id: None,
            contacts: vec![
                contact(ContactChannel::Whatsapp, digits.clone()),
                contact(ContactChannel::Phone, phone(person)),
            ],
            reply_to: Some(digits),
            name: Some(format!("Given{person}")),
            vendor_message_id: Some(format!("wamid.{n}")),
            kind: "text".to_owned(),
            text: "Is there a pool?".to_owned(),
            sent_at: self.clock.now(),
            enqueue_turn: false,
        };
        let (store, broken) = (self.store.clone(), self.broken.clone());
        self.spawn(FRONT_DESK, async move {
            pause().await;
            if let Err(error) = store.accept_message(command).await {
                note(&broken, format!("a message was refused: {error}"));
            }
        });
    }

    pub(super) fn make(&mut self, kind: EntityKind, set: Value) {
        let (wire, clock, scope) = (self.wire.clone(), self.clock.clone(), self.scope);
        let broken = self.broken.clone();
        let request = CreateRequest {
            id: None,
            kind,
            property_id: None,
            set: map(set),
            source: staff(),
        };
        self.spawn(FRONT_DESK, async move {
            if let Err(error) = create(&*wire, &Rules, &*clock, scope, request).await {
                note(&broken, format!("a {kind} could not be made: {error}"));
            }
        });
    }

    /// Staff decides every open conflict.
    pub fn resolve(&mut self, choice: ResolutionChoice) {
        let open: Vec<_> = self
            .conflicts()
            .into_iter()
            .filter(|conflict| conflict.status == ConflictStatus::Open)
            .collect();
        for conflict in open {
            let (wire, clock) = (self.wire.clone(), self.clock.clone());
            let scope = self.everything();
            self.spawn(FRONT_DESK, async move {
                let fields: FieldMap = match choice {
                    ResolutionChoice::Fields => {
                        let names = conflict.remote.names().enumerate();
                        names
                            .map(|(at, name)| {
                                let side = if at % 2 == 0 { "local" } else { "remote" };
                                (name.to_owned(), json!(side))
                            })
                            .collect()
                    }
                    _ => FieldMap::new(),
                };
                let request = ResolveRequest {
                    conflict_id: conflict.id,
                    choice,
                    fields,
                    expected_revision: Some(conflict.revision),
                    source: staff(),
                };
                // Refused where the vendor said something else meanwhile.
                drop(resolve(&*wire, &Rules, &*clock, scope, request).await);
            });
        }
    }
}

fn note(broken: &Mutex<Option<String>>, what: String) {
    if let Ok(mut broken) = broken.lock() {
        broken.get_or_insert(what);
    }
}
