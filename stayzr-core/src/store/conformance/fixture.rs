//! Hotels, rows and jobs that the scenarios begin with.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    Error, Result,
    clock::{Clock, ManualClock},
    ids::{
        ApiTokenId, ChangeId, ChannelAccountId, GuestId, IntegrationId, OrganizationId, PropertyId,
        ReservationId,
    },
    model::{
        Address, Change, ChangeOutcome, ChangeSource, Channel, ChannelAccount, Guest, GuestOrigin,
        Integration, IntegrationStatus, Organization, PricingMode, Property, Reservation,
        ReservationStatus,
    },
    port::{
        PageRequest,
        directory::Directory,
        queue::JobQueue,
        setup::{NewToken, Setup},
        sync::Mapping,
    },
    queue::{Claimed, Job, JobFilter, JobOutcome, NewJob, Queue},
    tenant::{Principal, Role, TenantScope, hash_token},
    transform::{Entity, EntityKind, EntityRow, FieldMap},
};

/// How long the scenarios' leases hold.
pub const LEASE: Duration = Duration::from_secs(60);

/// An organization with one property, one integration and one channel account.
#[derive(Debug, Clone)]
pub struct Hotel {
    /// The whole organization.
    pub scope: TenantScope,
    /// The property.
    pub property_id: PropertyId,
    /// Its PMS.
    pub integration: Integration,
    /// Its WhatsApp number.
    pub account: ChannelAccount,
    /// Hash of the organization's first token.
    pub token_hash: String,
    /// Who that token belongs to.
    pub principal: Principal,
}

impl Hotel {
    /// The one property.
    pub fn property_scope(&self) -> TenantScope {
        TenantScope::property(self.scope.organization_id, self.property_id)
    }

    /// A job of this organization with a payload that tells it from others.
    pub fn job(&self, queue: Queue, name: &str) -> NewJob {
        NewJob::new(queue, self.scope, json!({ "name": name }))
    }
}

/// A new organization with all that belongs to it.
pub async fn hotel<S: Setup + ?Sized>(store: &S, clock: &ManualClock) -> Result<Hotel> {
    let organization_id = OrganizationId::generate(clock);
    let principal = Principal {
        token_id: ApiTokenId::generate(clock),
        name: "conformance".to_owned(),
        organization_id,
        role: Role::Admin,
        property_ids: Vec::new(),
    };
    let token_hash = hash_token(&clock.uuid().to_string());
    let organization = Organization {
        id: organization_id,
        name: format!("Organization {organization_id}"),
        created_at: clock.now(),
    };
    let token = NewToken {
        principal: principal.clone(),
        hash: token_hash.clone(),
    };
    store.create_organization(organization, token).await?;
    let property = property(organization_id, clock)?;
    let property_id = property.id;
    store.create_property(property).await?;
    let integration = integration(organization_id, property_id, clock);
    store.create_integration(integration.clone()).await?;
    let account = account(organization_id, property_id, clock);
    store.create_channel_account(account.clone()).await?;
    Ok(Hotel {
        scope: TenantScope::organization(organization_id),
        property_id,
        integration,
        account,
        token_hash,
        principal,
    })
}

/// Another property of the same organization, with an integration and a channel account.
pub async fn sister<S: Setup + ?Sized>(
    store: &S,
    hotel: &Hotel,
    clock: &ManualClock,
) -> Result<Hotel> {
    let organization_id = hotel.scope.organization_id;
    let property = property(organization_id, clock)?;
    let property_id = property.id;
    store.create_property(property).await?;
    let integration = integration(organization_id, property_id, clock);
    store.create_integration(integration.clone()).await?;
    let account = account(organization_id, property_id, clock);
    store.create_channel_account(account.clone()).await?;
    Ok(Hotel {
        property_id,
        integration,
        account,
        ..hotel.clone()
    })
}

/// A property that is not stored yet.
pub fn property(organization_id: OrganizationId, clock: &ManualClock) -> Result<Property> {
    let id = PropertyId::generate(clock);
    let now = clock.now();
    Ok(Property {
        id,
        organization_id,
        version: 1,
        created_at: now,
        updated_at: now,
        name: format!("Hotel {id}"),
        address: Address {
            city: Some("Évora".to_owned()),
            country_code: Some("PT".to_owned()),
            ..Address::default()
        },
        geo: None,
        time_zone: "Europe/Lisbon".to_owned(),
        currency: "EUR".parse()?,
        pricing: PricingMode::Gross,
        languages: vec!["pt-PT".parse()?, "en".parse()?],
        check_in: Some("15:00".to_owned()),
        check_out: Some("11:00".to_owned()),
        phone: None,
        email: None,
        website: None,
        amenities: Vec::new(),
        policies: Vec::new(),
    })
}

/// An integration that is not stored yet.
pub fn integration(
    organization_id: OrganizationId,
    property_id: PropertyId,
    clock: &ManualClock,
) -> Integration {
    let now = clock.now();
    Integration {
        id: IntegrationId::generate(clock),
        organization_id,
        property_id,
        provider: "mews".to_owned(),
        account: clock.uuid().to_string(),
        remote_property_id: clock.uuid().to_string(),
        settings: json!({ "base_url": "https://example.com", "interval_seconds": 60 }),
        sealed: "v1.key.sealed".to_owned(),
        status: IntegrationStatus::Active,
        created_at: now,
        updated_at: now,
    }
}

/// A channel account that is not stored yet.
pub fn account(
    organization_id: OrganizationId,
    property_id: PropertyId,
    clock: &ManualClock,
) -> ChannelAccount {
    let now = clock.now();
    ChannelAccount {
        id: ChannelAccountId::generate(clock),
        organization_id,
        property_id,
        channel: Channel::Whatsapp,
        address: clock.uuid().to_string(),
        settings: json!({}),
        sealed: "v1.key.sealed".to_owned(),
        created_at: now,
        updated_at: now,
    }
}

/// A guest that is not stored yet, as the row that a sync would insert.
pub fn guest(hotel: &Hotel, clock: &ManualClock) -> Result<EntityRow> {
    let now = clock.now();
    let guest = Guest {
        merged_into: None,
        id: GuestId::generate(clock),
        organization_id: hotel.scope.organization_id,
        version: 1,
        created_at: now,
        updated_at: now,
        origin: GuestOrigin::Pms,
        title: None,
        first_name: Some("Zoë".to_owned()),
        last_name: Some("O'Brien 李".to_owned()),
        email: Some("zoe@example.com".to_owned()),
        phone: None,
        nationality: Some("IE".to_owned()),
        language: Some("en-IE".parse()?),
        birth_date: chrono::NaiveDate::from_ymd_opt(1980, 2, 29),
        loyalty_code: None,
        notes: Some("likes \"quotes\" and\nlines".to_owned()),
        classifications: vec!["VIP".to_owned()],
        active: true,
    };
    Ok(EntityRow {
        kind: EntityKind::Guest,
        id: guest.id.uuid(),
        organization_id: guest.organization_id,
        property_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
        fields: guest.to_fields()?,
    })
}

/// A reservation that is not stored yet, as the row that a sync would insert.
pub fn reservation(hotel: &Hotel, guest: Option<Uuid>, clock: &ManualClock) -> Result<EntityRow> {
    let now = clock.now();
    let reservation = Reservation {
        id: ReservationId::generate(clock),
        organization_id: hotel.scope.organization_id,
        property_id: hotel.property_id,
        version: 1,
        created_at: now,
        updated_at: now,
        number: Some("R-1".to_owned()),
        guest_id: guest.map(GuestId::from),
        room_type_id: None,
        room_id: None,
        status: ReservationStatus::Confirmed,
        status_vendor: Some("Confirmed".to_owned()),
        arrival: now + TimeDelta::days(3) + TimeDelta::microseconds(1),
        departure: now + TimeDelta::days(5),
        adults: 2,
        children: 0,
        rate_vendor: None,
        channel_number: None,
        purpose: None,
        origin: None,
        cancelled_at: None,
        cancellation_reason: None,
    };
    Ok(EntityRow {
        kind: EntityKind::Reservation,
        id: reservation.id.uuid(),
        organization_id: reservation.organization_id,
        property_id: Some(hotel.property_id),
        version: 1,
        created_at: now,
        updated_at: now,
        fields: reservation.to_fields()?,
    })
}

/// The mapping of a row that is stored for the first time.
pub fn mapping(hotel: &Hotel, row: &EntityRow, external: &str, clock: &ManualClock) -> Mapping {
    Mapping {
        gone_at: None,
        integration_id: hotel.integration.id,
        entity: row.kind,
        external_id: external.to_owned(),
        local_id: row.id,
        base: row.fields.clone(),
        version: Some("2026-03-01T12:00:00Z".to_owned()),
        hash: row.fields.hash(),
        extra: json!({ "Unknown": [1, 2.5, null, "é"] }),
        merged_into: None,
        revision: 1,
        updated_at: clock.now(),
    }
}

/// A line of the journal about a field of a row.
pub fn change(hotel: &Hotel, row: (EntityKind, Uuid), field: &str, clock: &ManualClock) -> Change {
    Change {
        external_id: None,
        id: ChangeId::generate(clock),
        organization_id: hotel.scope.organization_id,
        entity: row.0,
        entity_id: row.1,
        field: Some(field.to_owned()),
        base: None,
        old: Some(json!("old")),
        new: Some(json!("new")),
        source: ChangeSource::Staff {
            actor: "conformance".to_owned(),
        },
        outcome: ChangeOutcome::Applied,
        reason: None,
        created_at: clock.now(),
    }
}

/// One field with one value.
pub fn field(name: &str, value: impl Into<Value>) -> FieldMap {
    [(name.to_owned(), value.into())].into_iter().collect()
}

/// Lets every lease run out and ends every job of a queue, so that a scenario sees only its own.
pub async fn quiet<S>(store: &S, clock: &ManualClock, queue: Queue) -> Result<()>
where
    S: Directory + JobQueue + ?Sized,
{
    clock.advance(TimeDelta::days(2));
    loop {
        let claimed = claim(store, queue, 100).await?;
        if claimed.is_empty() {
            return Ok(());
        }
        for job in claimed {
            complete(store, &job).await?;
        }
    }
}

/// Claims for a worker named `worker`.
pub async fn claim<S: Directory + ?Sized>(
    store: &S,
    queue: Queue,
    limit: u32,
) -> Result<Vec<Claimed>> {
    store.claim(queue, "worker", limit, LEASE).await
}

/// Claims one job that must be there.
pub async fn claim_one<S: Directory + ?Sized>(store: &S, queue: Queue) -> Result<Claimed> {
    claim(store, queue, 1)
        .await?
        .pop()
        .ok_or_else(|| Error::internal("conformance.claim", "no job could be claimed"))
}

/// Completes a job.
pub async fn complete<S: JobQueue + ?Sized>(store: &S, claimed: &Claimed) -> Result<()> {
    let outcome = JobOutcome::Completed;
    store.finish(&claimed.lease, outcome, Vec::new()).await
}

/// The name that [`Hotel::job`] gave a job.
pub fn name(job: &Job) -> &str {
    job.payload["name"].as_str().unwrap_or_default()
}

/// All jobs of a queue of a hotel, the newest first.
pub async fn jobs_of<S>(store: &S, hotel: &Hotel, queue: Queue) -> Result<Vec<Job>>
where
    S: JobQueue + ?Sized,
{
    let filter = JobFilter {
        queue: Some(queue),
        status: None,
    };
    let page = PageRequest::default();
    Ok(store.jobs(hotel.scope, &filter, &page).await?.items)
}

/// Lets the leases that hold now run out.
pub fn expire(clock: &ManualClock) {
    clock.advance(TimeDelta::seconds(61));
}
