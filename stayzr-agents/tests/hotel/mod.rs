//! A hotel in memory for tests of the concierge: knowledge, a back end with reservations, rooms and
//! prices, and a guest who writes.
// Each test file uses its own part of the hotel.
#![allow(dead_code, clippy::unwrap_used)]

use std::{
    fs,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use stayzr_agents::{
    AgentConcierge,
    knowledge::{EmbeddedIndex, InProcessKnowledge, KnowledgeBase, NewDocument, OfflineEmbedder},
    model::{ChatModel, OfflineModel},
    tool::PassageSearch,
};
use stayzr_core::{
    Error, Result,
    clock::{Clock, ManualClock},
    ids::{
        ConversationId, GuestId, MessageId, OrganizationId, PropertyId, ReservationId, RoomTypeId,
        ServiceRequestId,
    },
    model::{
        Author, Availability, Channel, Conversation, ConversationStatus, Direction, Guest,
        GuestOrigin, Message, MessageStatus, Money, PropertyBrief, Quote, Reservation,
        ReservationStatus, ServiceRequest, ServiceRequestStatus, Turn,
    },
    port::{
        backend::{HotelBackend, ReservationView, ServiceRequestInput, StayQuery},
        concierge::{Concierge, TurnRequest},
    },
    tenant::TenantScope,
};

/// What the back end holds and was asked.
pub(crate) struct Backend {
    clock: Arc<ManualClock>,
    pub(crate) broken: AtomicBool,
    pub(crate) requests: Mutex<Vec<ServiceRequestInput>>,
    /// Whose the reservation is.
    pub(crate) owner: GuestId,
}

#[async_trait]
impl HotelBackend for Backend {
    async fn property(&self, _: TenantScope, _: PropertyId) -> Result<PropertyBrief> {
        Err(Error::not_found("test.property", "not asked here"))
    }

    async fn reservations(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        guest_id: GuestId,
        number: Option<&str>,
    ) -> Result<Vec<ReservationView>> {
        self.up()?;
        let view = |number: &str, owner: GuestId| ReservationView {
            reservation: Reservation {
                id: ReservationId::generate(self.clock.as_ref()),
                organization_id: scope.organization_id,
                property_id,
                version: 1,
                created_at: self.clock.now(),
                updated_at: self.clock.now(),
                number: Some(number.to_owned()),
                guest_id: Some(owner),
                room_type_id: None,
                room_id: None,
                status: ReservationStatus::Confirmed,
                status_vendor: None,
                arrival: "2026-12-03T15:00:00Z".parse().unwrap(),
                departure: "2026-12-06T12:00:00Z".parse().unwrap(),
                adults: 2,
                children: 1,
                rate_vendor: None,
                channel_number: None,
                purpose: None,
                origin: None,
                cancelled_at: None,
                cancellation_reason: None,
            },
            room_type: Some("River Double".to_owned()),
            room: None,
            arrival_date: "2026-12-03".parse().unwrap(),
            departure_date: "2026-12-06".parse().unwrap(),
        };
        // A careless back end that shows too much: the tool must still show only the guest's own.
        let stranger = GuestId::generate(self.clock.as_ref());
        Ok([view("AUR-48213", self.owner), view("AUR-99999", stranger)]
            .into_iter()
            .filter(|_| guest_id == self.owner)
            .filter(|view| number.is_none() || view.reservation.number.as_deref() == number)
            .collect())
    }

    async fn availability(
        &self,
        _: TenantScope,
        _: PropertyId,
        _: &StayQuery,
    ) -> Result<Vec<Availability>> {
        self.up()?;
        let room = |name: &str, capacity, free| Availability {
            room_type_id: RoomTypeId::generate(self.clock.as_ref()),
            room_type: name.to_owned(),
            capacity: Some(capacity),
            free,
        };
        Ok(vec![
            room("River Double", 2, 3),
            room("Douro Suite", 4, 1),
            room("Single", 1, 2),
        ])
    }

    async fn quote(&self, _: TenantScope, _: PropertyId, stay: &StayQuery) -> Result<Vec<Quote>> {
        self.up()?;
        Ok(vec![Quote {
            room_type_id: RoomTypeId::generate(self.clock.as_ref()),
            room_type: "River Double".to_owned(),
            rate: "Flexible".to_owned(),
            arrival: stay.arrival,
            departure: stay.departure,
            total: Money::new("438.00".parse().unwrap(), "EUR".parse().unwrap()),
            free: Some(3),
        }])
    }

    async fn create_service_request(
        &self,
        scope: TenantScope,
        property_id: PropertyId,
        request: ServiceRequestInput,
    ) -> Result<ServiceRequest> {
        self.up()?;
        self.requests.lock().unwrap().push(request.clone());
        Ok(ServiceRequest {
            id: ServiceRequestId::generate(self.clock.as_ref()),
            organization_id: scope.organization_id,
            property_id,
            version: 1,
            guest_id: request.guest_id,
            reservation_id: None,
            conversation_id: request.conversation_id,
            category: request.category,
            description: request.description,
            status: ServiceRequestStatus::Open,
            status_vendor: None,
            due_at: None,
            created_at: self.clock.now(),
            updated_at: self.clock.now(),
        })
    }
}

impl Backend {
    fn up(&self) -> Result<()> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Error::unavailable(
                "test.backend",
                "the hotel's system is down",
            ));
        }
        Ok(())
    }
}

/// The hotel with its guest.
pub(crate) struct Hotel {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) backend: Arc<Backend>,
    pub(crate) search: Arc<dyn PassageSearch>,
    pub(crate) scope: TenantScope,
    pub(crate) property: PropertyBrief,
    pub(crate) guest: Guest,
    pub(crate) conversation: Conversation,
}

impl Hotel {
    /// The hotel `name` of the demo.
    pub(crate) async fn demo(demo: &Path, name: &str) -> Self {
        let text =
            fs::read_to_string(demo.join("properties").join(format!("{name}.json"))).unwrap();
        let mut property: Value = serde_json::from_str(&text).unwrap();
        let documents = fs::read_dir(demo.join("knowledge").join(name))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                (name, fs::read(&path).unwrap())
            })
            .collect();
        property["currency"] = json!("EUR");
        property["time_zone"] = json!("Europe/Lisbon");
        Self::of(property, documents).await
    }

    /// A small hotel with a few documents.
    pub(crate) async fn small() -> Self {
        let property = json!({
            "name": "Casa do Rio",
            "address": {"line1": "Rua Nova 12", "city": "Porto", "postal_code": "4050-001", "country_code": "PT"},
            "time_zone": "Europe/Lisbon",
            "currency": "EUR",
            "check_in": "15:00",
            "check_out": "11:00",
            "languages": ["pt", "en"],
            "phone": "+351 220 000 111",
            "email": "hello@casa.example",
            "website": null,
            "amenities": [{"name": "Gym", "hours": "06:00-22:00"}],
            "policies": [{"topic": "Smoking", "text": "The house is smoke-free."}],
        });
        let breakfast = "# Breakfast\n\nBreakfast is served from 07:00 to 10:30 in the garden room. \
            Breakfast costs EUR 18 per adult.\n\n# Wifi\n\nThe wifi network is called CasaGuest. The \
            wifi password is printed on the key card; staff never send the wifi password by message.\n\n\
            # Pets\n\nPets are not allowed in the hotel.\n";
        let parking = "service,detail,price\nGarage,Underground garage with 20 spaces,EUR 24 per night\n\
            Electric car charging,Two chargers in the garage,EUR 0.45 per kWh\n";
        Self::of(
            property,
            vec![
                ("guide.md".to_owned(), breakfast.into()),
                ("parking.csv".to_owned(), parking.into()),
            ],
        )
        .await
    }

    async fn of(mut property: Value, documents: Vec<(String, Vec<u8>)>) -> Self {
        let now: DateTime<Utc> = "2026-11-22T10:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let organization_id = OrganizationId::generate(clock.as_ref());
        let property_id = PropertyId::generate(clock.as_ref());
        property["id"] = json!(property_id);
        for field in ["website", "email", "phone"] {
            if property.get(field).is_none() {
                property[field] = Value::Null;
            }
        }
        let property: PropertyBrief = serde_json::from_value(property).unwrap();
        let scope = TenantScope::property(organization_id, property_id);
        let store = Arc::new(InProcessKnowledge::default());
        let index = Arc::new(EmbeddedIndex::new(store.clone()));
        let knowledge = KnowledgeBase::new(store, index, Arc::new(OfflineEmbedder), clock.clone());
        for (file_name, content) in documents {
            let category = file_name.split('.').next().unwrap_or("general").to_owned();
            knowledge
                .put(
                    scope,
                    NewDocument {
                        property_id: Some(property_id),
                        category,
                        file_name,
                        content_type: String::new(),
                        content,
                    },
                )
                .await
                .unwrap();
        }
        let guest_id = GuestId::generate(clock.as_ref());
        let guest = Guest {
            merged_into: None,
            id: guest_id,
            organization_id,
            version: 1,
            created_at: now,
            updated_at: now,
            origin: GuestOrigin::Pms,
            title: None,
            first_name: Some("Ana".to_owned()),
            last_name: Some("Silva".to_owned()),
            email: None,
            phone: None,
            nationality: None,
            language: None,
            birth_date: None,
            loyalty_code: None,
            notes: None,
            classifications: Vec::new(),
            active: true,
        };
        let conversation = Conversation {
            id: ConversationId::generate(clock.as_ref()),
            organization_id,
            property_id,
            guest_id,
            channel: Channel::Api,
            channel_account_id: None,
            reply_to: None,
            status: ConversationStatus::Open,
            language: Some("en".parse().unwrap()),
            last_inbound_at: None,
            created_at: now,
            updated_at: now,
        };
        Self {
            backend: Arc::new(Backend {
                clock: clock.clone(),
                broken: AtomicBool::new(false),
                requests: Mutex::default(),
                owner: guest_id,
            }),
            search: Arc::new(knowledge),
            clock,
            scope,
            property,
            guest,
            conversation,
        }
    }

    /// A concierge with this model.
    pub(crate) fn concierge(&self, model: Arc<dyn ChatModel>) -> AgentConcierge {
        AgentConcierge::new(
            model,
            self.backend.clone(),
            self.search.clone(),
            self.clock.clone(),
        )
    }

    /// What the offline concierge answers.
    pub(crate) async fn ask(&self, text: &str) -> Turn {
        self.talk(Arc::new(OfflineModel), &[(Author::Guest, text)])
            .await
    }

    /// What a concierge with this model answers to the last of these messages.
    pub(crate) async fn talk(&self, model: Arc<dyn ChatModel>, history: &[(Author, &str)]) -> Turn {
        let request = self.request(history);
        self.concierge(model).respond(&request).await.unwrap()
    }

    /// A turn over this history.
    pub(crate) fn request(&self, history: &[(Author, &str)]) -> TurnRequest {
        TurnRequest {
            scope: self.scope,
            property: self.property.clone(),
            guest: self.guest.clone(),
            conversation: self.conversation.clone(),
            history: history
                .iter()
                .map(|(author, text)| self.message(*author, text))
                .collect(),
            trace_id: "trace-1".to_owned(),
        }
    }

    fn message(&self, author: Author, text: &str) -> Message {
        Message {
            id: MessageId::generate(self.clock.as_ref()),
            organization_id: self.scope.organization_id,
            conversation_id: self.conversation.id,
            direction: match author {
                Author::Guest => Direction::Inbound,
                _ => Direction::Outbound,
            },
            author,
            text: text.to_owned(),
            kind: "text".to_owned(),
            status: MessageStatus::Received,
            vendor_message_id: None,
            error: None,
            citations: Vec::new(),
            trace: None,
            created_at: self.clock.now(),
            updated_at: self.clock.now(),
        }
    }
}
