use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use stayzr_core::{
    Error, Result,
    limit::Priority,
    model::PmsEvent,
    port::backend::StayQuery,
    transform::{EntityKind, FieldRule, Transformer},
};

use super::{
    MewsClient, MewsConfig, MewsCredentials, RawPage,
    client::PAGE,
    context::{ContextCache, MewsContext},
    fetch::{self, Wanted},
    parse_event,
    position::{LONGEST_SPAN, Position},
    push, quote,
    record::{Element, element},
    transform::{
        GuestTransformer, NoteTransformer, PropertyTransformer, ReservationTransformer,
        RoomTransformer, RoomTypeTransformer, default_currency,
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

/// A connection to one property at Mews.
///
/// ```
/// use std::sync::Arc;
///
/// use stayzr_core::limit::LocalLimiter;
/// use stayzr_pms::{
///     PmsProvider,
///     config::ProviderConfig,
///     http::VendorHttp,
///     providers::mews::{MewsConfig, MewsCredentials, MewsProvider, QUOTA},
/// };
///
/// let config = ProviderConfig::default();
/// let limiter = Arc::new(LocalLimiter::new(config.quota(QUOTA)));
/// let http = VendorHttp::from_config(&config, limiter)?;
/// let credentials = MewsCredentials::new("client token", "access token");
/// let provider = MewsProvider::new(MewsConfig::from_provider(&config)?, credentials, http);
/// assert_eq!(provider.name(), "mews");
/// # Ok::<(), stayzr_core::Error>(())
/// ```
#[derive(Debug)]
pub struct MewsProvider {
    client: MewsClient,
    context: ContextCache,
}

/// A span of Mews' time.
type Span = (DateTime<Utc>, DateTime<Utc>);

static CAPABILITIES: LazyLock<Capabilities> = LazyLock::new(|| {
    let listed = [
        EntityKind::RoomType,
        EntityKind::Room,
        EntityKind::Guest,
        EntityKind::Reservation,
        EntityKind::Note,
    ];
    Capabilities {
        // Notes stand in the guest's record and the reservation's, not in a list of their own.
        read: [&[EntityKind::Property], listed.as_slice()].concat(),
        changed_since: listed.to_vec(),
        by_id: BTreeMap::from([
            (EntityKind::Property, 1),
            (EntityKind::Room, PAGE as usize),
            (EntityKind::Guest, PAGE as usize),
            (EntityKind::Reservation, PAGE as usize),
            (EntityKind::Note, PAGE as usize),
        ]),
        create: vec![EntityKind::Guest, EntityKind::Reservation, EntityKind::Note],
        update: vec![
            EntityKind::Room,
            EntityKind::Guest,
            EntityKind::Reservation,
            EntityKind::Note,
        ],
        quote: true,
        max_changed_span_seconds: Some(LONGEST_SPAN.num_seconds()),
        write_window: "Mews has no conditional write: a change made at the desk between the read \
                       and the write of the same field is overwritten"
            .to_owned(),
        desk: DeskCapabilities {
            availability: true,
            threads: true,
            products: true,
            orders: true,
            ..DeskCapabilities::default()
        },
    }
});

/// What the provider can do.
pub fn capabilities() -> &'static Capabilities {
    &CAPABILITIES
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

impl MewsProvider {
    /// A connection with these credentials.
    pub fn new(config: MewsConfig, credentials: MewsCredentials, http: VendorHttp) -> Self {
        Self {
            client: MewsClient::new(config, credentials, http),
            context: ContextCache::default(),
        }
    }

    /// Typed calls with the same credentials and the same limit.
    pub fn client(&self) -> &MewsClient {
        &self.client
    }

    /// What changes seldom, at most five minutes old.
    pub(super) async fn context(&self) -> Result<Arc<MewsContext>> {
        self.context.get(&self.client).await
    }

    /// The span that a kind is read in as a whole, where Mews lists it by a filter only. It ends in
    /// the future, since a clock of ours that is behind must not leave out what changed last.
    fn history(&self, kind: EntityKind, context: &MewsContext) -> Option<Span> {
        let start = self.client.config().history_start;
        let start = match kind {
            EntityKind::Guest => start,
            // Orders belong to the property, and are no older than it is at Mews.
            EntityKind::Note => match context.enterprise.created_utc {
                Some(created) => start.max(created - fetch::AHEAD),
                None => start,
            },
            _ => return None,
        };
        Some((start, Utc::now() + fetch::AHEAD))
    }

    async fn property(&self) -> Result<RecordPage> {
        let context = self.context.fresh(&self.client).await?;
        let value = serde_json::to_value(&context.enterprise).map_err(|error| {
            Error::internal("mews.fetch_page", "an enterprise is no JSON").with_source(error)
        })?;
        let page = RawPage {
            items: vec![value],
            cursor: None,
            vendor_now: context.now,
        };
        Ok(records(EntityKind::Property, &page, &context))
    }
}

fn records(kind: EntityKind, page: &RawPage, context: &MewsContext) -> RecordPage {
    let mut found = RecordPage {
        // A proxy may drop the date of an answer. The clock that came with the context is older,
        // and so never too late.
        vendor_now: page.vendor_now.or(context.now),
        ..RecordPage::default()
    };
    for item in &page.items {
        match element(kind, item, context) {
            Element::Record(record) => found.records.push(*record),
            Element::Parked(parked) => found.parked.push(parked),
            Element::Foreign => {}
        }
    }
    found
}

#[async_trait]
impl PmsProvider for MewsProvider {
    fn name(&self) -> &'static str {
        "mews"
    }

    fn capabilities(&self) -> &Capabilities {
        &CAPABILITIES
    }

    fn fields(&self, kind: EntityKind) -> &'static [FieldRule] {
        fields(kind)
    }

    async fn check(&self) -> Result<RemoteProperty> {
        let context = self.context.fresh(&self.client).await?;
        let enterprise = &context.enterprise;
        let currency = default_currency(enterprise).ok().flatten();
        Ok(RemoteProperty {
            id: enterprise.id.clone(),
            name: enterprise.name.clone().unwrap_or_default(),
            time_zone: enterprise.time_zone_identifier.clone().unwrap_or_default(),
            currency: currency.map(|currency| currency.code().to_owned()),
        })
    }

    async fn fetch_page(&self, query: &PageQuery) -> Result<RecordPage> {
        if query.kind == EntityKind::Property {
            return self.property().await;
        }
        let (position, context) = match &query.position {
            Some(position) => (Position::parse(position)?, self.context().await?),
            None => {
                // Rooms come with the category they belong to now.
                let context = if query.kind == EntityKind::Room {
                    self.context.fresh(&self.client).await?
                } else {
                    self.context().await?
                };
                let span = query.changed.or(self.history(query.kind, &context));
                (Position::start(span), context)
            }
        };
        let (page, position) =
            fetch::read_page(&self.client, &context, query.kind, position, Priority::Low).await?;
        let mut found = records(query.kind, &page, &context);
        found.next = position.next(page.cursor).map(|next| next.json());
        Ok(found)
    }

    async fn fetch_ids(&self, kind: EntityKind, ids: &[String]) -> Result<RecordPage> {
        let Some(most) = CAPABILITIES.by_id.get(&kind) else {
            return Err(
                Error::unsupported("mews.fetch_ids", "Mews does not give these by id")
                    .with("kind", kind),
            );
        };
        if ids.is_empty() {
            return Ok(RecordPage::default());
        }
        if ids.len() > *most {
            return Err(Error::invalid("mews.fetch_ids", "too many ids").with("most", most));
        }
        if kind == EntityKind::Property {
            let mut page = self.property().await?;
            page.records
                .retain(|record| ids.contains(&record.external_id));
            return Ok(page);
        }
        let context = self.context().await?;
        let page = fetch::read(
            &self.client,
            &context,
            kind,
            Wanted::Ids(ids),
            Priority::High,
        )
        .await?;
        Ok(records(kind, &page, &context))
    }

    async fn push(&self, change: &Push) -> Result<PushOutcome> {
        let context = self.context().await?;
        push::push(self, &context, change).await
    }

    async fn find(&self, change: &Push) -> Result<Vec<RemoteRecord>> {
        let context = self.context().await?;
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
