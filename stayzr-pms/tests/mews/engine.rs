//! The sync engine keeps a hotel and Mews equal.

use std::sync::Arc;

use async_trait::async_trait;
use chrono::Utc;
use serde_json::{Value, json};
use stayzr_core::{
    ErrorKind, Result,
    clock::SystemClock,
    flow::{CreateRequest, EditRequest, PushPolicy, create, edit},
    ids::{ApiTokenId, IntegrationId, OrganizationId, PropertyId},
    model::{
        Address, ChangeSource, Channel, Contact, ContactChannel, Integration, IntegrationStatus,
        Organization, PricingMode, Property, RunMode, SyncRun,
    },
    port::{
        conversation::{AcceptMessage, Conversations},
        entities::Entities,
        setup::{NewToken, Setup},
        sync::SyncStore,
    },
    queue::NewJob,
    store::memory::MemoryStore,
    tenant::{Principal, Role, TenantScope},
    transform::{EntityKind, EntityRow, FieldRule},
};
use stayzr_pms::{
    PmsProvider,
    engine::{Connect, EngineOptions, EnginePorts, PushReport, SyncEngine, SyncJob},
    providers::mews::{MewsProvider, capabilities, fields},
    sandbox::MewsSandbox,
};
use uuid::Uuid;

use crate::common::{Desk, fault, id, provider, sandbox};

#[derive(Debug)]
struct Opens(Arc<MewsProvider>);

#[async_trait]
impl Connect for Opens {
    async fn connect(&self, _: TenantScope, _: &Integration) -> Result<Arc<dyn PmsProvider>> {
        Ok(self.0.clone())
    }
}

struct Rules;

impl PushPolicy for Rules {
    fn rule(&self, _: &str, kind: EntityKind, field: &str) -> Option<FieldRule> {
        fields(kind)
            .iter()
            .find(|rule| rule.field == field)
            .copied()
    }

    fn creates(&self, _: &str, kind: EntityKind) -> bool {
        capabilities().create.contains(&kind)
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

/// A hotel that is connected to a sandbox.
struct Hotel {
    store: Arc<MemoryStore>,
    engine: SyncEngine,
    scope: TenantScope,
    property_id: PropertyId,
    integration: IntegrationId,
}

fn staff() -> ChangeSource {
    ChangeSource::Staff {
        actor: "ann".to_owned(),
    }
}

impl Hotel {
    async fn open(sandbox: &MewsSandbox) -> Self {
        let clock = Arc::new(SystemClock);
        let store = Arc::new(MemoryStore::new(clock.clone()));
        let organization_id = OrganizationId::generate(&SystemClock);
        let property_id = PropertyId::generate(&SystemClock);
        let integration = IntegrationId::generate(&SystemClock);
        let now = Utc::now();
        let principal = Principal {
            token_id: ApiTokenId::generate(&SystemClock),
            name: "front desk".to_owned(),
            organization_id,
            role: Role::Admin,
            property_ids: Vec::new(),
        };
        let organization = Organization {
            id: organization_id,
            name: "Aurelia".to_owned(),
            created_at: now,
        };
        let token = NewToken {
            principal,
            hash: "00".to_owned(),
        };
        store
            .create_organization(organization, token)
            .await
            .unwrap();
        let property = Property {
            id: property_id,
            organization_id,
            version: 1,
            created_at: now,
            updated_at: now,
            name: "To be connected".to_owned(),
            address: Address::default(),
            geo: None,
            time_zone: "UTC".to_owned(),
            currency: "USD".parse().unwrap(),
            pricing: PricingMode::Gross,
            languages: Vec::new(),
            check_in: None,
            check_out: None,
            phone: None,
            email: None,
            website: None,
            amenities: Vec::new(),
            policies: Vec::new(),
        };
        store.create_property(property).await.unwrap();
        let connected = Integration {
            id: integration,
            organization_id,
            property_id,
            provider: "mews".to_owned(),
            account: "account".to_owned(),
            remote_property_id: sandbox.enterprise_id(),
            settings: Value::Null,
            sealed: String::new(),
            status: IntegrationStatus::Active,
            created_at: now,
            updated_at: now,
        };
        store.create_integration(connected).await.unwrap();
        let ports = EnginePorts {
            sync: store.clone(),
            entities: store.clone(),
            queue: store.clone(),
        };
        let connect = Arc::new(Opens(Arc::new(provider(sandbox))));
        Self {
            engine: SyncEngine::new(ports, connect, clock, EngineOptions::default()),
            store,
            scope: TenantScope::property(organization_id, property_id),
            property_id,
            integration,
        }
    }

    async fn run(&self, mode: RunMode) -> SyncRun {
        self.engine
            .run(self.scope, self.integration, mode, None)
            .await
            .unwrap()
    }

    async fn push(&self, kind: EntityKind, local: Uuid) -> Result<PushReport> {
        self.engine
            .push(self.scope, self.integration, kind, local, None)
            .await
    }

    /// The whole organization: a guest without a stay belongs to no property.
    fn everywhere(&self) -> TenantScope {
        TenantScope::organization(self.scope.organization_id)
    }

    async fn local(&self, kind: EntityKind, id: Uuid) -> Option<EntityRow> {
        let scope = self.everywhere();
        self.store.row(scope, kind, id).await.unwrap()
    }

    /// The row of a record; none where it is not mapped.
    async fn row(&self, kind: EntityKind, id: &str) -> Option<EntityRow> {
        let ids = [id.to_owned()];
        let known = self
            .store
            .mappings(self.everywhere(), self.integration, kind, &ids)
            .await
            .unwrap();
        let local = known.first()?.local_id;
        self.local(kind, local).await
    }

    async fn field(&self, kind: EntityKind, id: &str, field: &str) -> Value {
        let row = self.row(kind, id).await.expect("the record is mapped");
        row.fields.get(field).cloned().unwrap_or_default()
    }

    /// What staff make here: the row's id.
    async fn create(&self, kind: EntityKind, set: &[(&str, Value)]) -> Uuid {
        let request = CreateRequest {
            id: None,
            kind,
            property_id: Some(self.property_id),
            set: set
                .iter()
                .map(|(field, value)| ((*field).to_owned(), value.clone()))
                .collect(),
            source: staff(),
        };
        let made = create(&*self.store, &Rules, &SystemClock, self.scope, request).await;
        made.unwrap().id
    }

    async fn message(&self, phone: &str) -> stayzr_core::port::conversation::AcceptedMessage {
        let message = AcceptMessage {
            scope: self.scope,
            property_id: self.property_id,
            channel: Channel::Api,
            channel_account_id: None,
            guest_id: None,
            conversation_id: None,
            contacts: vec![Contact {
                channel: ContactChannel::Phone,
                address: phone.to_owned(),
            }],
            reply_to: None,
            name: None,
            vendor_message_id: Some(Uuid::now_v7().to_string()),
            kind: "text".to_owned(),
            text: "Good evening".to_owned(),
            sent_at: Utc::now(),
            enqueue_turn: false,
        };
        self.store.accept_message(message).await.unwrap()
    }
}

#[tokio::test]
async fn invariant_c_what_did_not_change_at_mews_changes_no_row_here() {
    let sandbox = sandbox().await;
    let hotel = Hotel::open(&sandbox).await;
    let first = hotel.run(RunMode::Backfill).await;
    assert_eq!(first.parked, 0, "{first:?}");
    assert_eq!(first.unknown, 0, "{first:?}");
    for mode in [RunMode::Backfill, RunMode::Incremental] {
        let again = hotel.run(mode).await;
        assert_eq!((again.created, again.updated), (0, 0), "{again:?}");
        assert_eq!(again.unchanged, again.read, "{again:?}");
    }
}

#[tokio::test]
async fn everything_of_a_guest_merged_at_mews_hangs_on_the_one_who_remains() {
    let sandbox = sandbox().await;
    let (hotel, desk) = (Hotel::open(&sandbox).await, Desk(&sandbox));
    let booked = desk.reservation(|one| one["State"] == "Confirmed").await;
    let from = booked["AccountId"].as_str().unwrap().to_owned();
    let guests = desk.get("guests").await;
    let others = guests.as_array().unwrap();
    let into = id(others.iter().find(|guest| id(guest) != from).unwrap());
    let phone = "+351911000111";
    desk.patch(&format!("guests/{from}"), json!({"Phone": phone}))
        .await;
    hotel.run(RunMode::Backfill).await;
    let wrote = hotel.message(phone).await;
    let before = hotel.row(EntityKind::Guest, &from).await.unwrap().id;
    assert_eq!(Uuid::from(wrote.guest_id), before);

    let (status, merged) = desk
        .post(&format!("guests/{from}/merge"), json!({"into": into}))
        .await;
    assert_eq!((status, &merged["MergeTargetId"]), (200, &json!(into)));
    let run = hotel.run(RunMode::Incremental).await;
    assert_eq!(run.parked, 0, "{run:?}");

    let remains = hotel.row(EntityKind::Guest, &into).await.unwrap().id;
    let merged = hotel.local(EntityKind::Guest, before).await.unwrap();
    assert_eq!(
        merged.fields.text("merged_into"),
        Some(&*remains.to_string())
    );
    assert_eq!(merged.fields.get("active"), Some(&json!(false)));
    for one in desk.get("reservations").await.as_array().unwrap() {
        if one["AccountId"] == json!(into) {
            let guest = hotel
                .field(EntityKind::Reservation, &id(one), "guest_id")
                .await;
            assert_eq!(guest, json!(remains));
        }
        assert_ne!(one["AccountId"], json!(from));
    }
    let again = hotel.message(phone).await;
    assert_eq!(Uuid::from(again.guest_id), remains);
    assert_eq!(again.conversation_id, wrote.conversation_id);
}

#[tokio::test]
async fn a_merge_that_cannot_be_is_refused_by_the_desk() {
    let sandbox = sandbox().await;
    let desk = Desk(&sandbox);
    let guests = desk.get("guests").await;
    let (one, other, third) = (id(&guests[0]), id(&guests[1]), id(&guests[2]));
    let merge = |from: String, into: String| {
        let desk = Desk(&sandbox);
        async move {
            let path = format!("guests/{from}/merge");
            desk.post(&path, json!({"into": into})).await.0
        }
    };
    assert_eq!(merge(one.clone(), one.clone()).await, 409);
    assert_eq!(merge(one.clone(), "nobody".to_owned()).await, 409);
    assert_eq!(merge(one.clone(), other.clone()).await, 200);
    assert_eq!(merge(one.clone(), third.clone()).await, 409, "once");
    assert_eq!(merge(third, one).await, 409, "not into who is gone");
    assert_eq!(desk.post("guests/x/merge", json!({})).await.0, 400);
}

#[tokio::test]
async fn invariant_f_an_answer_lost_after_the_effect_makes_no_second_guest() {
    let sandbox = sandbox().await;
    let (hotel, desk) = (Hotel::open(&sandbox).await, Desk(&sandbox));
    hotel.run(RunMode::Backfill).await;
    let set = [
        ("first_name", json!("Thea")),
        ("last_name", json!("Carbone")),
        ("email", json!("thea@quotidiano.example")),
    ];
    let local = hotel.create(EntityKind::Guest, &set).await;
    sandbox.inject(fault("cut", "customers/add", 1)).unwrap();
    let lost = hotel.push(EntityKind::Guest, local).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Ambiguous);

    hotel.push(EntityKind::Guest, local).await.unwrap();

    let stats = desk.stats().await;
    assert_eq!(stats["calls"]["customers/add"], 1);
    let guests = desk.get("guests").await;
    let theas: Vec<&Value> = guests
        .as_array()
        .unwrap()
        .iter()
        .filter(|guest| guest["Email"] == "thea@quotidiano.example")
        .collect();
    assert_eq!(theas.len(), 1);
    let row = hotel.row(EntityKind::Guest, &id(theas[0])).await;
    assert_eq!(row.map(|row| row.id), Some(local));
}

#[tokio::test]
async fn invariant_f_an_answer_lost_after_the_effect_makes_no_second_note() {
    let sandbox = sandbox().await;
    let (hotel, desk) = (Hotel::open(&sandbox).await, Desk(&sandbox));
    hotel.run(RunMode::Backfill).await;
    let booked = id(&desk.reservation(|one| one["State"] == "Confirmed").await);
    let stay = hotel.row(EntityKind::Reservation, &booked).await.unwrap();
    let before = desk.get("notes").await.as_array().unwrap().len();
    let set = [
        ("reservation_id", json!(stay.id)),
        ("text", json!("A quiet room, please")),
    ];
    let local = hotel.create(EntityKind::Note, &set).await;
    sandbox
        .inject(fault("cut", "serviceOrderNotes/add", 1))
        .unwrap();
    let lost = hotel.push(EntityKind::Note, local).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Ambiguous);

    hotel.push(EntityKind::Note, local).await.unwrap();

    let notes = desk.get("notes").await;
    let notes = notes.as_array().unwrap();
    assert_eq!(notes.len(), before + 1);
    let made = notes
        .iter()
        .find(|note| note["Text"] == "A quiet room, please")
        .unwrap();
    assert_eq!(made["OrderId"], json!(booked));
    let known = format!("{booked}/{}", id(made));
    let row = hotel.row(EntityKind::Note, &known).await.unwrap();
    assert_eq!(row.id, local);
    assert_eq!(row.fields.text("kind_vendor"), Some("General"));
    let echo = hotel.run(RunMode::Incremental).await;
    assert_eq!((echo.created, echo.updated), (0, 0), "{echo:?}");
}

#[tokio::test]
async fn a_note_is_edited_on_both_sides_and_its_end_is_seen_by_the_sweep() {
    let sandbox = sandbox().await;
    let (hotel, desk) = (Hotel::open(&sandbox).await, Desk(&sandbox));
    let booked = id(&desk.reservation(|one| one["State"] == "Confirmed").await);
    let note = json!({"OrderId": booked, "Text": "Late", "Type": "SpecialRequest"});
    let (status, note) = desk.post("notes", note).await;
    assert_eq!(status, 201);
    hotel.run(RunMode::Backfill).await;
    let known = format!("{booked}/{}", id(&note));
    let row = hotel.row(EntityKind::Note, &known).await.unwrap();
    let stay = hotel.row(EntityKind::Reservation, &booked).await.unwrap();
    assert_eq!(row.fields.get("reservation_id"), Some(&json!(stay.id)));
    assert_eq!(row.fields.text("kind"), Some("special_request"));

    let request = EditRequest {
        kind: EntityKind::Note,
        id: row.id,
        set: [("text".to_owned(), json!("Late, about 22:00"))]
            .into_iter()
            .collect(),
        expected_version: None,
        source: staff(),
    };
    edit(&*hotel.store, &Rules, &SystemClock, hotel.scope, request)
        .await
        .unwrap();
    let report = hotel.push(EntityKind::Note, row.id).await.unwrap();
    assert_eq!(report.sent, ["text"]);
    let path = format!("notes/{}", id(&note));
    assert_eq!(desk.get(&path).await["Text"], "Late, about 22:00");

    desk.patch(&path, json!({"Text": "Late, about 23:00"}))
        .await;
    hotel.run(RunMode::Incremental).await;
    let text = hotel.field(EntityKind::Note, &known, "text").await;
    assert_eq!(text, "Late, about 23:00");

    desk.delete(&path).await;
    hotel.run(RunMode::Reconcile).await;
    let active = hotel.field(EntityKind::Note, &known, "active").await;
    assert_eq!(active, json!(false));
}

#[tokio::test]
async fn staff_confirm_a_stay_and_close_a_room_and_open_it_again() {
    let sandbox = sandbox().await;
    let (hotel, desk) = (Hotel::open(&sandbox).await, Desk(&sandbox));
    let held = id(&desk.reservation(|one| one["State"] == "Optional").await);
    let room = id(&desk.get("rooms").await[0]);
    desk.patch(&format!("rooms/{room}"), json!({"State": "Clean"}))
        .await;
    hotel.run(RunMode::Backfill).await;
    for (kind, record, field, value) in [
        (EntityKind::Reservation, &held, "status", "confirmed"),
        (EntityKind::Room, &room, "condition", "out_of_order"),
        (EntityKind::Room, &room, "condition", "dirty"),
    ] {
        let row = hotel.row(kind, record).await.unwrap();
        let request = EditRequest {
            kind,
            id: row.id,
            set: [(field.to_owned(), json!(value))].into_iter().collect(),
            expected_version: None,
            source: staff(),
        };
        edit(&*hotel.store, &Rules, &SystemClock, hotel.scope, request)
            .await
            .unwrap();
        let report = hotel.push(kind, row.id).await.unwrap();
        assert_eq!(report.sent, [field]);
        hotel.run(RunMode::Incremental).await;
        assert_eq!(hotel.field(kind, record, field).await, value);
    }
    let path = format!("reservations/{held}");
    assert_eq!(desk.get(&path).await["State"], "Confirmed");
    let blocks = desk.get("blocks").await;
    assert_eq!(blocks.as_array().unwrap().len(), 1);
    assert_eq!(blocks[0]["IsActive"], false);
    assert_eq!(desk.stats().await["emails_sent"], 0);
}
