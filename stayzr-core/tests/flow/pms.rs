//! A PMS that knows the hotel's guests, and what may be pushed to it.

use serde_json::{Value, json};
use stayzr_core::{
    clock::Clock,
    flow::PushPolicy,
    ids::{ConflictId, GuestId, IntegrationId},
    model::{Change, ChangeSource, Conflict, ConflictStatus, Contact, ContactChannel, Guest},
    port::{
        PageRequest, Store,
        edit::ChangeFilter,
        sync::{Mapping, PageWrite, RowWrite},
    },
    queue::{Job, JobFilter, NewJob, Queue},
    store::conformance::sample,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap, FieldRule},
};
use uuid::Uuid;

use crate::hotel::Hotel;

/// Knows every field of a guest: `title` is its own, `phone` cannot be emptied, `notes` not be set.
/// Makes notes.
pub(crate) struct Pms;

impl PushPolicy for Pms {
    fn rule(&self, _: &str, kind: EntityKind, field: &str) -> Option<FieldRule> {
        let column = kind.columns().iter().find(|column| column.name == field)?;
        Some(match column.name {
            "title" => FieldRule::remote("title"),
            "phone" => FieldRule::shared("phone").not_clearable(),
            "notes" => FieldRule {
                writable: false,
                ..FieldRule::shared("notes")
            },
            name => FieldRule::shared(name),
        })
    }

    fn creates(&self, _: &str, kind: EntityKind) -> bool {
        kind == EntityKind::Note
    }

    fn push_job(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        id: Uuid,
    ) -> NewJob {
        let payload = json!({ "push": kind, "id": id, "integration_id": integration_id });
        NewJob::new(Queue::PmsSyncQueue, scope, payload)
    }
}

pub(crate) fn fields(values: Value) -> FieldMap {
    serde_json::from_value(values).expect("an object")
}

pub(crate) fn staff() -> ChangeSource {
    ChangeSource::Staff {
        actor: "Rui".to_owned(),
    }
}

/// A guest whom the PMS knows.
pub(crate) struct Known {
    pub(crate) integration_id: IntegrationId,
    pub(crate) row: EntityRow,
}

impl<S: Store> Hotel<S> {
    /// Stores a guest that both sides agree on.
    pub(crate) async fn knows_ana(&self) -> Known {
        let clock = self.clock.as_ref();
        let integration_id = sample::connected(&self.store, clock, self.scope).await;
        let row = sample::row(&Guest {
            last_name: Some("Silva".to_owned()),
            email: Some("ana@example.com".to_owned()),
            ..sample::guest(clock, self.scope, "Ana")
        });
        let mut page = PageWrite::new(self.scope, integration_id);
        page.mappings = vec![Mapping {
            base: row.fields.clone(),
            extra: json!({ "_stayzr": { "disputed": { "kept": 1 } } }),
            ..sample::mapping(clock, integration_id, row.kind, "g-1", row.id)
        }];
        page.rows = vec![RowWrite::Insert(row.clone())];
        self.store.apply_page(page).await.expect("a page");
        Known {
            integration_id,
            row,
        }
    }

    /// Staff corrected the email and the family name; the PMS says otherwise, and something beside.
    pub(crate) async fn is_disputed(&self, known: &Known) -> Conflict {
        let clock = self.clock.as_ref();
        let local = fields(json!({ "email": "ours@example.com", "last_name": "Sylva" }));
        let mut page = PageWrite::new(self.scope, known.integration_id);
        page.rows = vec![RowWrite::Update {
            kind: EntityKind::Guest,
            id: known.row.id,
            expected_version: 1,
            set: local.clone(),
        }];
        let conflict = Conflict {
            id: ConflictId::generate(clock),
            organization_id: self.scope.organization_id,
            integration_id: known.integration_id,
            entity: EntityKind::Guest,
            entity_id: known.row.id,
            external_id: "g-1".to_owned(),
            base: known.row.fields.only(local.names()),
            local,
            remote: fields(json!({ "email": "theirs@example.com", "last_name": "Silveira" })),
            waiting: fields(json!({ "phone": "912 345 678", "loyalty_code": "L-1" })),
            status: ConflictStatus::Open,
            resolution: None,
            revision: 1,
            created_at: clock.now(),
            updated_at: clock.now(),
        };
        page.conflicts = vec![conflict.clone()];
        self.store.apply_page(page).await.expect("a page");
        conflict
    }

    pub(crate) async fn mapping(&self, known: &Known) -> Mapping {
        let ids = [known.row.id];
        let (scope, id) = (self.scope, known.integration_id);
        let found = self
            .store
            .mappings_of(scope, id, known.row.kind, &ids)
            .await;
        found.expect("mappings").pop().expect("it is mapped")
    }

    pub(crate) async fn journal(&self, kind: EntityKind, id: Uuid) -> Vec<Change> {
        let scope = sample::widened(self.scope);
        let (filter, page) = (ChangeFilter::of(kind, id), PageRequest::default());
        let found = self.store.changes(scope, &filter, &page).await;
        found.expect("the journal").items
    }

    pub(crate) async fn pushes(&self) -> Vec<Job> {
        let filter = JobFilter {
            queue: Some(Queue::PmsSyncQueue),
            status: None,
        };
        let scope = sample::widened(self.scope);
        let found = self
            .store
            .jobs(scope, &filter, &PageRequest::default())
            .await;
        found.expect("jobs").items
    }

    pub(crate) async fn leads(&self, channel: ContactChannel, address: &str) -> Option<GuestId> {
        let contact = Contact {
            channel,
            address: address.to_owned(),
        };
        let found = self.store.guest_by_contact(self.scope, &[contact]).await;
        found.expect("contacts")
    }
}
