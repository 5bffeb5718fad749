use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use async_trait::async_trait;
use stayzr_core::{
    Error, Result,
    model::PmsEvent,
    port::backend::StayQuery,
    transform::{EntityKind, FieldMap, FieldRule, Transformer},
};

use super::{
    CloudbedsClient, CloudbedsConfig, CloudbedsCredentials, CredentialStore, RawPage,
    client::PAGE,
    context::{CloudbedsContext, ContextCache},
    fetch::{self, Position},
    parse_event, push, quote,
    record::{self, collect},
    transform::{
        GuestTransformer, NoteOwner, NoteTransformer, PropertyTransformer, ReservationTransformer,
        RoomTransformer, RoomTypeTransformer, currency,
    },
};
use crate::{
    desk::{Desk, DeskCapabilities},
    http::VendorHttp,
    provider::{
        Capabilities, PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteProperty,
        RemoteQuote, RemoteRecord,
    },
};

/// A connection to one property at Cloudbeds.
///
/// ```
/// use std::sync::Arc;
///
/// use stayzr_core::limit::LocalLimiter;
/// use stayzr_pms::{
///     PmsProvider,
///     config::ProviderConfig,
///     http::VendorHttp,
///     providers::cloudbeds::{CloudbedsConfig, CloudbedsCredentials, CloudbedsProvider, QUOTA},
/// };
///
/// let config = ProviderConfig::default();
/// let limiter = Arc::new(LocalLimiter::new(config.quota(QUOTA)));
/// let http = VendorHttp::from_config(&config, limiter)?;
/// let credentials = CloudbedsCredentials::api_key("cbat_…");
/// let provider =
///     CloudbedsProvider::new(CloudbedsConfig::from_provider(&config)?, credentials, http, None);
/// assert_eq!(provider.name(), "cloudbeds");
/// # Ok::<(), stayzr_core::Error>(())
/// ```
#[derive(Debug)]
pub struct CloudbedsProvider {
    pub(super) client: CloudbedsClient,
    pub(super) context: ContextCache,
}

/// Guests that one fetch by id asks for: each costs a call.
const GUESTS: usize = 25;

/// Notes that one fetch by id asks for: each owner costs a call.
const NOTES: usize = 25;

static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(|| Capabilities {
    read: vec![
        EntityKind::Property,
        EntityKind::RoomType,
        EntityKind::Room,
        EntityKind::Guest,
        EntityKind::Reservation,
        EntityKind::Note,
    ],
    changed_since: vec![EntityKind::Guest, EntityKind::Reservation, EntityKind::Note],
    by_id: BTreeMap::from([
        (EntityKind::Property, 1),
        (EntityKind::RoomType, PAGE),
        (EntityKind::Room, 1000),
        (EntityKind::Guest, GUESTS),
        (EntityKind::Reservation, PAGE),
        (EntityKind::Note, NOTES),
    ]),
    create: vec![EntityKind::Reservation, EntityKind::Note],
    update: vec![EntityKind::Room, EntityKind::Guest, EntityKind::Reservation],
    quote: true,
    max_changed_span_seconds: None,
    write_window: "Cloudbeds has no conditional write: a change made at the desk between the read \
                   and the write of the same field is overwritten"
        .to_owned(),
    desk: DeskCapabilities {
        availability: true,
        subscriptions: true,
        ..DeskCapabilities::default()
    },
});

impl CloudbedsProvider {
    /// A connection with these credentials. Where they are tokens, renewed ones go to `store`;
    /// without one they are lost with this connection.
    pub fn new(
        config: CloudbedsConfig,
        credentials: CloudbedsCredentials,
        http: VendorHttp,
        store: Option<Arc<dyn CredentialStore>>,
    ) -> Self {
        Self {
            client: CloudbedsClient::new(config, credentials, http, store),
            context: ContextCache::default(),
        }
    }

    /// Typed calls with the same credentials and the same limit.
    pub fn client(&self) -> &CloudbedsClient {
        &self.client
    }

    /// Adds a person to a reservation beside its main guest: Cloudbeds makes guests only there.
    /// `fields` are those of a guest that [`PmsProvider::fields`] calls writable.
    pub async fn add_guest(&self, reservation: &str, fields: &FieldMap) -> Result<RemoteRecord> {
        let context = self.context.get(&self.client).await?;
        push::add_guest(self, &context, reservation, fields).await
    }

    async fn property(&self) -> Result<RecordPage> {
        let context = self.context.fresh(&self.client).await?;
        let page = RawPage {
            items: vec![context.raw.clone()],
            vendor_now: context.now,
            ..RawPage::default()
        };
        Ok(records(EntityKind::Property, &page, &context))
    }

    /// A page of notes: those of some reservations.
    async fn notes(&self, query: &PageQuery, context: &CloudbedsContext) -> Result<RecordPage> {
        let position = Position::parse(query.position.as_ref())?;
        let (page, next) = fetch::noted(&self.client, context, query.changed, &position).await?;
        let owners = page
            .items
            .iter()
            .filter_map(|item| fetch::id(item, "reservationID"))
            .map(NoteOwner::Reservation);
        let mut found = self.notes_of(owners.collect(), context).await?;
        found.vendor_now = page.vendor_now.or(context.now);
        found.next = next.map(|next| next.json());
        Ok(found)
    }

    async fn notes_of(
        &self,
        owners: BTreeSet<NoteOwner>,
        context: &CloudbedsContext,
    ) -> Result<RecordPage> {
        let mut found = RecordPage::default();
        for owner in owners {
            let page = fetch::notes(&self.client, &owner).await?;
            found.vendor_now = found.vendor_now.or(page.vendor_now);
            for item in &page.items {
                collect(&mut found, record::note(&owner, item, &context.transform));
            }
        }
        Ok(found)
    }
}

fn records(kind: EntityKind, page: &RawPage, context: &CloudbedsContext) -> RecordPage {
    let mut found = RecordPage {
        // A proxy may drop the date of an answer. The clock that came with the context is older,
        // and so never too late.
        vendor_now: page.vendor_now.or(context.now),
        ..RecordPage::default()
    };
    for item in &page.items {
        collect(&mut found, record::read(kind, item, &context.transform));
    }
    found
}

#[async_trait]
impl PmsProvider for CloudbedsProvider {
    fn name(&self) -> &'static str {
        "cloudbeds"
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn fields(&self, kind: EntityKind) -> &'static [FieldRule] {
        fields(kind)
    }

    async fn check(&self) -> Result<RemoteProperty> {
        let context = self.context.fresh(&self.client).await?;
        let hotel = &context.hotel;
        let currency = currency(hotel).ok().flatten();
        Ok(RemoteProperty {
            id: hotel.id.clone(),
            name: hotel.property_name.clone().unwrap_or_default(),
            time_zone: hotel.property_timezone.clone().unwrap_or_default(),
            currency: currency.map(|currency| currency.code().to_owned()),
        })
    }

    async fn fetch_page(&self, query: &PageQuery) -> Result<RecordPage> {
        if query.kind == EntityKind::Property {
            return self.property().await;
        }
        let context = self.context.get(&self.client).await?;
        if query.kind == EntityKind::Note {
            return self.notes(query, &context).await;
        }
        let position = Position::parse(query.position.as_ref())?;
        let (page, next) =
            fetch::read_page(&self.client, &context, query.kind, query.changed, &position).await?;
        let mut found = records(query.kind, &page, &context);
        found.next = next.map(|next| next.json());
        Ok(found)
    }

    async fn fetch_ids(&self, kind: EntityKind, ids: &[String]) -> Result<RecordPage> {
        let operation = "cloudbeds.fetch_ids";
        let Some(most) = CAPABILITIES.by_id.get(&kind) else {
            let why = "Cloudbeds does not give these by id";
            return Err(Error::unsupported(operation, why).with("kind", kind));
        };
        if ids.is_empty() {
            return Ok(RecordPage::default());
        }
        if ids.len() > *most {
            return Err(Error::invalid(operation, "too many ids").with("most", most));
        }
        if kind == EntityKind::Property {
            let mut page = self.property().await?;
            page.records
                .retain(|record| ids.contains(&record.external_id));
            return Ok(page);
        }
        let context = self.context.get(&self.client).await?;
        let page = match kind {
            EntityKind::RoomType => fetch::room_types(&self.client, ids).await?,
            EntityKind::Guest => fetch::guests(&self.client, ids).await?,
            EntityKind::Reservation => fetch::reservations(&self.client, ids).await?,
            EntityKind::Note => return self.notes_by_id(ids, &context).await,
            _ => fetch::all_rooms(&self.client).await?,
        };
        let mut found = records(kind, &page, &context);
        found
            .records
            .retain(|record| ids.contains(&record.external_id));
        found.parked.retain(|parked| {
            let id = parked.external_id.as_ref();
            id.is_none_or(|id| ids.contains(id))
        });
        Ok(found)
    }

    async fn push(&self, change: &Push) -> Result<PushOutcome> {
        let context = self.context.get(&self.client).await?;
        push::push(self, &context, change).await
    }

    async fn find(&self, change: &Push) -> Result<Vec<RemoteRecord>> {
        let context = self.context.get(&self.client).await?;
        push::find(self, &context, change).await
    }

    async fn quote(&self, stay: &StayQuery) -> Result<Vec<RemoteQuote>> {
        let context = self.context.get(&self.client).await?;
        quote::quote(&self.client, &context, stay).await
    }

    fn parse_event(&self, body: &[u8]) -> Result<Vec<PmsEvent>> {
        parse_event(body)
    }

    fn desk(&self) -> Option<&dyn Desk> {
        Some(self)
    }
}

impl CloudbedsProvider {
    /// Notes by the ids that we know them by; an id without a number stands for all of its owner.
    async fn notes_by_id(&self, ids: &[String], context: &CloudbedsContext) -> Result<RecordPage> {
        let wanted: Vec<(NoteOwner, Option<&str>)> =
            ids.iter().filter_map(|id| NoteOwner::parse(id)).collect();
        let owners = wanted.iter().map(|(owner, _)| owner.clone()).collect();
        let mut found = self.notes_of(owners, context).await?;
        found.records.retain(|record| {
            ids.contains(&record.external_id)
                || NoteOwner::parse(&record.external_id)
                    .is_some_and(|(owner, _)| wanted.contains(&(owner, None)))
        });
        Ok(found)
    }
}

/// What may be done with each field of a kind.
pub fn fields(kind: EntityKind) -> &'static [FieldRule] {
    match kind {
        EntityKind::Property => PropertyTransformer.fields(),
        EntityKind::RoomType => RoomTypeTransformer.fields(),
        EntityKind::Room => RoomTransformer.fields(),
        EntityKind::Guest => GuestTransformer.fields(),
        EntityKind::Reservation => ReservationTransformer.fields(),
        EntityKind::Note => NoteTransformer.fields(),
        EntityKind::ServiceRequest => &[],
    }
}
