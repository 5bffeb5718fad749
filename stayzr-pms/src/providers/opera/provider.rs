use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use async_trait::async_trait;
use stayzr_core::{
    Error, Result,
    limit::Priority,
    model::PmsEvent,
    port::backend::StayQuery,
    transform::{EntityKind, FieldRule, Transformer},
};

use super::{
    OperaClient, OperaConfig, OperaCredentials,
    context::{ContextCache, OperaContext},
    fetch::{self, RawPage},
    page::Position,
    parse_event, push, quote,
    record::{self, collect},
    stream::EventStream,
    transform::{
        GuestTransformer, PropertyTransformer, ReservationTransformer, RoomTransformer,
        RoomTypeTransformer,
    },
};
use crate::{
    desk::{Desk, DeskCapabilities, EventFeed},
    http::VendorHttp,
    provider::{
        Capabilities, PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteProperty,
        RemoteQuote, RemoteRecord,
    },
};

/// A connection to one hotel on OPERA Cloud.
///
/// ```
/// use std::sync::Arc;
///
/// use stayzr_core::limit::LocalLimiter;
/// use stayzr_pms::{
///     PmsProvider,
///     config::ProviderConfig,
///     http::VendorHttp,
///     providers::opera::{OperaConfig, OperaCredentials, OperaProvider, QUOTA},
/// };
///
/// let config = ProviderConfig::parse(&serde_json::json!({
///     "base_url": "https://gateway.example",
///     "vendor": {"hotel_id": "HOTEL1", "external_system": "STAYZR"}
/// }))?;
/// let limiter = Arc::new(LocalLimiter::new(config.quota(QUOTA)));
/// let http = VendorHttp::from_config(&config, limiter)?;
/// let credentials = OperaCredentials::parse(
///     &r#"{"client_id": "app", "client_secret": "…", "app_key": "…", "enterprise_id": "ENT1"}"#.into(),
/// )?;
/// let provider = OperaProvider::new(OperaConfig::from_provider(&config)?, credentials, http);
/// assert_eq!(provider.name(), "opera");
/// # Ok::<(), stayzr_core::Error>(())
/// ```
#[derive(Debug)]
pub struct OperaProvider {
    client: OperaClient,
    context: ContextCache,
    capabilities: Capabilities,
    stream: Option<EventStream>,
}

static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(|| Capabilities {
    read: vec![
        EntityKind::Property,
        EntityKind::RoomType,
        EntityKind::Room,
        EntityKind::Guest,
        EntityKind::Reservation,
    ],
    changed_since: Vec::new(),
    by_id: BTreeMap::from([
        (EntityKind::Property, 1),
        (EntityKind::RoomType, 1000),
        (EntityKind::Room, 1000),
        (EntityKind::Guest, fetch::PROFILES),
        (EntityKind::Reservation, fetch::RESERVATIONS),
    ]),
    create: vec![EntityKind::Guest],
    update: vec![EntityKind::Room, EntityKind::Guest, EntityKind::Reservation],
    quote: true,
    max_changed_span_seconds: None,
    write_window: "OPERA has no conditional write: a change made at the desk between the read and \
                   the write of the same field is overwritten"
        .to_owned(),
    desk: DeskCapabilities {
        events: Some(EventFeed::Property),
        reservation_messages: true,
        ..DeskCapabilities::default()
    },
});

/// What the provider can do.
pub fn capabilities() -> &'static Capabilities {
    &CAPABILITIES
}

impl OperaProvider {
    /// A connection with these credentials.
    pub fn new(config: OperaConfig, credentials: OperaCredentials, http: VendorHttp) -> Self {
        let stream = config.stream.clone().map(EventStream::new);
        let mut capabilities = CAPABILITIES.clone();
        if stream.is_some() {
            capabilities.desk.events = Some(EventFeed::Account);
        }
        let has_services = !config.services.is_empty();
        capabilities.desk.products = has_services;
        capabilities.desk.orders = has_services;
        Self {
            client: OperaClient::new(config, credentials, http),
            context: ContextCache::default(),
            capabilities,
            stream,
        }
    }

    pub(super) async fn context(&self) -> Result<Arc<OperaContext>> {
        self.context.get(&self.client).await
    }

    pub(super) fn stream(&self) -> Option<&EventStream> {
        self.stream.as_ref()
    }

    /// Typed calls with the same credentials and the same limit.
    pub fn client(&self) -> &OperaClient {
        &self.client
    }

    /// Reservations that this external system made under this id of its own: what a create that was
    /// never answered may have made.
    pub async fn made_by(&self, system: &str, id: &str) -> Result<Vec<RemoteRecord>> {
        let context = self.context.get(&self.client).await?;
        let items = fetch::reservations_of(&self.client, system, id).await?;
        let page = RawPage {
            items,
            vendor_now: None,
        };
        Ok(records(EntityKind::Reservation, &page, &context).records)
    }

    async fn property(&self) -> Result<RecordPage> {
        let context = self.context.fresh(&self.client).await?;
        let page = RawPage {
            items: vec![context.raw.clone()],
            vendor_now: context.now,
        };
        Ok(records(EntityKind::Property, &page, &context))
    }
}

fn records(kind: EntityKind, page: &RawPage, context: &OperaContext) -> RecordPage {
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
impl PmsProvider for OperaProvider {
    fn name(&self) -> &'static str {
        "opera"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn fields(&self, kind: EntityKind) -> &'static [FieldRule] {
        fields(kind)
    }

    async fn check(&self) -> Result<RemoteProperty> {
        let context = self.context.fresh(&self.client).await?;
        let hotel = &context.hotel;
        let currency = context.transform.currency;
        Ok(RemoteProperty {
            id: hotel.id.clone(),
            name: hotel.name.clone().unwrap_or_default(),
            time_zone: context.transform.time_zone.name().to_owned(),
            currency: currency.map(|currency| currency.code().to_owned()),
        })
    }

    async fn fetch_page(&self, query: &PageQuery) -> Result<RecordPage> {
        let operation = "opera.fetch_page";
        if query.changed.is_some() || !CAPABILITIES.read.contains(&query.kind) {
            let why = "OPERA cannot be asked this";
            return Err(Error::unsupported(operation, why).with("kind", query.kind));
        }
        if query.kind == EntityKind::Property {
            return self.property().await;
        }
        let context = self.context.get(&self.client).await?;
        let position = Position::parse(query.position.as_ref())?;
        let (page, next) = fetch::read_page(&self.client, &context, query.kind, &position).await?;
        let mut found = records(query.kind, &page, &context);
        found.next = next.map(|next| next.json());
        Ok(found)
    }

    async fn fetch_ids(&self, kind: EntityKind, ids: &[String]) -> Result<RecordPage> {
        let operation = "opera.fetch_ids";
        let Some(most) = CAPABILITIES.by_id.get(&kind) else {
            let why = "OPERA does not give these by id";
            return Err(Error::unsupported(operation, why).with("kind", kind));
        };
        if ids.is_empty() {
            return Ok(RecordPage::default());
        }
        if ids.len() > *most {
            return Err(Error::invalid(operation, "too many ids").with("most", most));
        }
        let mut found = if kind == EntityKind::Property {
            self.property().await?
        } else {
            let context = self.context.get(&self.client).await?;
            let client = &self.client;
            let page = match kind {
                EntityKind::Guest => fetch::profiles(client, ids, Priority::High).await?,
                EntityKind::Reservation => fetch::reservations(client, ids).await?,
                _ => fetch::all(client, kind).await?,
            };
            records(kind, &page, &context)
        };
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
        let context = self.context().await?;
        quote::quote(&self.client, &context, stay).await
    }

    fn parse_event(&self, body: &[u8]) -> Result<Vec<PmsEvent>> {
        parse_event(body)
    }

    fn desk(&self) -> Option<&dyn Desk> {
        Some(self)
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
        EntityKind::Note | EntityKind::ServiceRequest => &[],
    }
}
