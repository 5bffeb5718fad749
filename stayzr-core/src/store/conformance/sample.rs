//! Rows that scenarios start from.

use chrono::{NaiveDate, TimeDelta};
use serde_json::json;
use uuid::Uuid;

use crate::{
    clock::Clock,
    ids::{
        ApiTokenId, ChannelAccountId, GuestId, IntegrationId, OrganizationId, PropertyId,
        ReservationId, RoomId, RoomTypeId,
    },
    model::{
        Address, Channel, ChannelAccount, Guest, GuestOrigin, Integration, IntegrationStatus,
        Organization, PricingMode, Property, Reservation, ReservationStatus, Room, RoomCondition,
        RoomType,
    },
    port::{
        setup::{NewToken, Setup},
        sync::{Mapping, PageWrite, RowWrite, SyncStore},
    },
    tenant::{Principal, Role, TenantScope},
    transform::{Entity, EntityKind, EntityRow, FieldMap},
};

/// An organization.
pub fn organization(clock: &dyn Clock) -> Organization {
    Organization {
        id: OrganizationId::generate(clock),
        name: "Hotels of the coast".to_owned(),
        created_at: clock.now(),
    }
}

/// A token of an organization, with a hash of its own.
pub fn token(clock: &dyn Clock, organization_id: OrganizationId) -> NewToken {
    let token_id = ApiTokenId::generate(clock);
    NewToken {
        principal: Principal {
            token_id,
            name: "front desk".to_owned(),
            organization_id,
            role: Role::Admin,
            property_ids: Vec::new(),
        },
        hash: format!("hash-of-{token_id}"),
    }
}

/// A property with a name of its own.
pub fn property(clock: &dyn Clock, organization_id: OrganizationId) -> Property {
    let id = PropertyId::generate(clock);
    Property {
        id,
        organization_id,
        version: 1,
        created_at: clock.now(),
        updated_at: clock.now(),
        name: format!("Hotel {id}"),
        address: Address {
            city: Some("Lisboa".to_owned()),
            country_code: Some("PT".to_owned()),
            ..Address::default()
        },
        geo: None,
        time_zone: "Europe/Lisbon".to_owned(),
        currency: "EUR".parse().expect("the euro exists"),
        pricing: PricingMode::Gross,
        languages: vec!["pt-PT".parse().expect("Portuguese exists")],
        check_in: Some("15:00".to_owned()),
        check_out: Some("11:00".to_owned()),
        phone: None,
        email: None,
        website: None,
        amenities: Vec::new(),
        policies: Vec::new(),
    }
}

/// An organization with one property, stored. The scope is narrowed to the property.
pub async fn tenant<S: Setup + ?Sized>(store: &S, clock: &dyn Clock) -> TenantScope {
    let organization = organization(clock);
    let organization_id = organization.id;
    let token = token(clock, organization_id);
    store
        .create_organization(organization, token)
        .await
        .expect("an organization can be stored");
    another_property(store, clock, organization_id).await
}

/// One more property of an organization, stored. The scope is narrowed to it.
pub async fn another_property<S: Setup + ?Sized>(
    store: &S,
    clock: &dyn Clock,
    organization_id: OrganizationId,
) -> TenantScope {
    let property = property(clock, organization_id);
    let scope = TenantScope::property(organization_id, property.id);
    store
        .create_property(property)
        .await
        .expect("a property can be stored");
    scope
}

/// The property of a scope that is narrowed to one.
pub fn property_of(scope: TenantScope) -> PropertyId {
    scope.property_id.expect("the scope is narrowed")
}

/// The scope without its property.
pub fn widened(scope: TenantScope) -> TenantScope {
    TenantScope::organization(scope.organization_id)
}

/// A connection of a scope's property to a PMS.
pub fn integration(clock: &dyn Clock, scope: TenantScope) -> Integration {
    let id = IntegrationId::generate(clock);
    Integration {
        id,
        organization_id: scope.organization_id,
        property_id: property_of(scope),
        provider: "mews".to_owned(),
        account: format!("account-{id}"),
        remote_property_id: "enterprise-1".to_owned(),
        settings: json!({"base_url": "https://api.example.com", "interval_seconds": 60}),
        sealed: "sealed".to_owned(),
        status: IntegrationStatus::Active,
        created_at: clock.now(),
        updated_at: clock.now(),
    }
}

/// The WhatsApp account of a scope's property.
pub fn channel_account(clock: &dyn Clock, scope: TenantScope) -> ChannelAccount {
    let id = ChannelAccountId::generate(clock);
    ChannelAccount {
        id,
        organization_id: scope.organization_id,
        property_id: property_of(scope),
        channel: Channel::Whatsapp,
        address: format!("phone-number-{id}"),
        settings: json!({"api_version": "v23.0"}),
        sealed: "sealed".to_owned(),
        created_at: clock.now(),
        updated_at: clock.now(),
    }
}

/// A room type of a scope's property.
pub fn room_type(clock: &dyn Clock, scope: TenantScope, name: &str) -> RoomType {
    RoomType {
        id: RoomTypeId::generate(clock),
        organization_id: scope.organization_id,
        property_id: property_of(scope),
        version: 1,
        created_at: clock.now(),
        updated_at: clock.now(),
        name: name.to_owned(),
        short_name: None,
        description: None,
        kind: Some("Room".to_owned()),
        capacity: Some(2),
        extra_capacity: None,
        active: true,
    }
}

/// A room of a scope's property.
pub fn room(clock: &dyn Clock, scope: TenantScope, name: &str) -> Room {
    Room {
        id: RoomId::generate(clock),
        organization_id: scope.organization_id,
        property_id: property_of(scope),
        version: 1,
        created_at: clock.now(),
        updated_at: clock.now(),
        name: name.to_owned(),
        room_type_id: None,
        floor: None,
        condition: RoomCondition::Clean,
        condition_vendor: None,
        active: true,
    }
}

/// A guest of a scope's organization.
pub fn guest(clock: &dyn Clock, scope: TenantScope, first_name: &str) -> Guest {
    Guest {
        merged_into: None,
        id: GuestId::generate(clock),
        organization_id: scope.organization_id,
        version: 1,
        created_at: clock.now(),
        updated_at: clock.now(),
        origin: GuestOrigin::Pms,
        title: None,
        first_name: Some(first_name.to_owned()),
        last_name: Some("Silva".to_owned()),
        email: None,
        phone: None,
        nationality: Some("PT".to_owned()),
        language: Some("pt-PT".parse().expect("Portuguese exists")),
        birth_date: NaiveDate::from_ymd_opt(1983, 12, 31),
        loyalty_code: None,
        notes: None,
        classifications: Vec::new(),
        active: true,
    }
}

/// Two nights of a guest at a scope's property, from tomorrow.
pub fn reservation(clock: &dyn Clock, scope: TenantScope, guest_id: GuestId) -> Reservation {
    Reservation {
        id: ReservationId::generate(clock),
        organization_id: scope.organization_id,
        property_id: property_of(scope),
        version: 1,
        created_at: clock.now(),
        updated_at: clock.now(),
        number: None,
        guest_id: Some(guest_id),
        room_type_id: None,
        room_id: None,
        status: ReservationStatus::Confirmed,
        status_vendor: Some("Confirmed".to_owned()),
        arrival: clock.now() + TimeDelta::days(1),
        departure: clock.now() + TimeDelta::days(3),
        adults: 2,
        children: 0,
        rate_vendor: None,
        channel_number: None,
        purpose: None,
        origin: None,
        cancelled_at: None,
        cancellation_reason: None,
    }
}

/// The row of an entity.
pub fn row<T: Entity>(entity: &T) -> EntityRow {
    let fields = entity.to_fields().expect("an entity has fields");
    let mut value = serde_json::to_value(entity).expect("an entity is JSON");
    let kind = T::KIND;
    value["kind"] = json!(kind);
    value["fields"] = json!({});
    if kind == EntityKind::Property {
        value["property_id"] = value["id"].clone();
    }
    let row: EntityRow = serde_json::from_value(value).expect("an entity has a row");
    EntityRow { fields, ..row }
}

/// A connection of a scope's property to a PMS, stored.
pub async fn connected<S: Setup + ?Sized>(
    store: &S,
    clock: &dyn Clock,
    scope: TenantScope,
) -> IntegrationId {
    let integration = integration(clock, scope);
    let id = integration.id;
    store
        .create_integration(integration)
        .await
        .expect("an integration can be stored");
    id
}

/// Stores rows of a property and its organization, as a page of an integration of its own.
pub async fn store_rows<S: Setup + SyncStore + ?Sized>(
    store: &S,
    clock: &dyn Clock,
    scope: TenantScope,
    rows: Vec<EntityRow>,
) {
    let integration_id = connected(store, clock, scope).await;
    let mut page = PageWrite::new(widened(scope), integration_id);
    page.rows = rows.into_iter().map(RowWrite::Insert).collect();
    store.apply_page(page).await.expect("rows can be stored");
}

/// The first mapping of a row.
pub fn mapping(
    clock: &dyn Clock,
    integration_id: IntegrationId,
    kind: EntityKind,
    external_id: &str,
    local_id: Uuid,
) -> Mapping {
    Mapping {
        gone_at: None,
        integration_id,
        entity: kind,
        external_id: external_id.to_owned(),
        local_id,
        base: FieldMap::new(),
        version: Some("2026-06-09T10:00:00Z".to_owned()),
        hash: "hash".to_owned(),
        extra: json!({}),
        merged_into: None,
        revision: 1,
        updated_at: clock.now(),
    }
}
