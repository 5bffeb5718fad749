use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    Error, Result,
    limit::Priority,
    model::{Currency, PricingMode},
    transform::TransformContext,
};
use tokio::sync::Mutex;

use super::{
    OperaClient, OperaConfig,
    client::Place,
    fetch::pair,
    transform::lookup,
    wire::{Hotel, Node},
};

/// How long what changes seldom is kept.
const KEPT: Duration = Duration::from_secs(300);

/// What changes seldom and every page needs: the hotel, its zone and its house times.
#[derive(Debug)]
pub(super) struct OperaContext {
    pub(super) hotel: Hotel,
    /// The hotel as it came.
    pub(super) raw: Value,
    /// OPERA's clock when this was read.
    pub(super) now: Option<DateTime<Utc>>,
    pub(super) transform: TransformContext,
}

impl OperaContext {
    /// The day it is at the hotel. The business date is this one or the day before.
    pub(super) fn today(&self) -> NaiveDate {
        Utc::now()
            .with_timezone(&self.transform.time_zone)
            .date_naive()
    }
}

/// Keeps the context for some minutes.
#[derive(Debug, Default)]
pub(super) struct ContextCache(Mutex<Option<(Instant, Arc<OperaContext>)>>);

impl ContextCache {
    /// The context, at most five minutes old.
    pub(super) async fn get(&self, client: &OperaClient) -> Result<Arc<OperaContext>> {
        let mut kept = self.0.lock().await;
        if let Some((read, context)) = kept.as_ref()
            && read.elapsed() < KEPT
        {
            return Ok(Arc::clone(context));
        }
        let context = Arc::new(load(client).await?);
        *kept = Some((Instant::now(), Arc::clone(&context)));
        Ok(context)
    }

    /// The context, read anew.
    pub(super) async fn fresh(&self, client: &OperaClient) -> Result<Arc<OperaContext>> {
        *self.0.lock().await = None;
        self.get(client).await
    }
}

const OPERATION: &str = "opera.getHotel";

async fn load(client: &OperaClient) -> Result<OperaContext> {
    let place = Place {
        operation: "getHotel",
        module: "ent/config/v1",
        parts: &["hotels", client.hotel_id()],
    };
    let query = vec![pair("fetchInstructions", "General")];
    let (body, now) = client.get(place, query, Priority::High).await?;
    let hotel = body
        .as_ref()
        .map(|body| Node::of(body).at("hotelConfigInfo"));
    let raw = hotel.and_then(|hotel| hotel.0).cloned().ok_or_else(|| {
        Error::invalid(
            OPERATION,
            "OPERA does not show the hotel: check hotel_id in the vendor settings, and the roles of \
             the integration user",
        )
    })?;
    let mut hotel = Hotel::read(&raw).map_err(|(field, reason)| {
        Error::corrupt(OPERATION, "the hotel cannot be read")
            .with("field", field)
            .with("reason", reason)
    })?;
    if hotel.id.is_empty() {
        client.hotel_id().clone_into(&mut hotel.id);
    }
    let transform = transform_context(&hotel, client.config())?;
    Ok(OperaContext {
        hotel,
        raw,
        now,
        transform,
    })
}

/// What transformations need of a hotel. What is configured goes before what OPERA says, whose names
/// of time zones need not be IANA's.
pub(super) fn transform_context(hotel: &Hotel, config: &OperaConfig) -> Result<TransformContext> {
    let named = config.time_zone.as_deref().or(hotel.time_zone.as_deref());
    let zone: chrono_tz::Tz = named.and_then(|name| name.parse().ok()).ok_or_else(|| {
        // Every date of OPERA is local: without the zone none can be read.
        Error::invalid(
            OPERATION,
            "OPERA names no time zone of IANA for the hotel: set time_zone in the vendor settings",
        )
    })?;
    let code = config.currency.as_deref().or(hotel.currency.as_deref());
    let currency: Option<Currency> = code.and_then(|code| code.parse().ok());
    let mut lookups = BTreeMap::from([
        (lookup::LANGUAGES.to_owned(), json!(config.languages)),
        (lookup::TIME_ZONE.to_owned(), json!(zone.name())),
    ]);
    for (key, time) in [
        (lookup::CHECK_IN, hotel.check_in),
        (lookup::CHECK_OUT, hotel.check_out),
    ] {
        if let Some(time) = time {
            lookups.insert(key.to_owned(), json!(time.format("%H:%M").to_string()));
        }
    }
    let address = hotel.address.as_ref();
    Ok(TransformContext {
        time_zone: zone,
        currency,
        country: address.and_then(|address| address.country.clone()),
        pricing: PricingMode::Gross,
        now: Utc::now(),
        lookups,
    })
}
