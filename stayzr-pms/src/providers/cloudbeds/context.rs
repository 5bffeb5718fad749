use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use stayzr_core::{Error, Result, model::PricingMode, transform::TransformContext};
use tokio::sync::Mutex;

use super::{
    CloudbedsClient,
    transform::{currency, lookup, time_of_day},
    wire::{Hotel, read_element},
};

/// How long what changes seldom is kept.
const KEPT: Duration = Duration::from_secs(300);

/// What changes seldom and every page needs: the property, its zone and its house times.
#[derive(Debug)]
pub(super) struct CloudbedsContext {
    pub(super) hotel: Hotel,
    /// Both answers about the property in one.
    pub(super) raw: Value,
    /// Cloudbeds' clock when this was read.
    pub(super) now: Option<DateTime<Utc>>,
    pub(super) transform: TransformContext,
}

/// Keeps the context for some minutes.
#[derive(Debug, Default)]
pub(super) struct ContextCache(Mutex<Option<(Instant, Arc<CloudbedsContext>)>>);

impl ContextCache {
    /// The context, at most five minutes old.
    pub(super) async fn get(&self, client: &CloudbedsClient) -> Result<Arc<CloudbedsContext>> {
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
    pub(super) async fn fresh(&self, client: &CloudbedsClient) -> Result<Arc<CloudbedsContext>> {
        *self.0.lock().await = None;
        self.get(client).await
    }
}

async fn load(client: &CloudbedsClient) -> Result<CloudbedsContext> {
    let operation = "cloudbeds.getHotels";
    let hotels = client.hotels().await?;
    let id = |hotel: &Value| match hotel.get("propertyID") {
        Some(Value::String(id)) => Some(id.clone()),
        Some(Value::Number(id)) => Some(id.to_string()),
        _ => None,
    };
    let found = match client.property_id() {
        Some(wanted) => hotels
            .items
            .iter()
            .find(|hotel| id(hotel).as_ref() == Some(&wanted)),
        None if hotels.items.len() > 1 => {
            return Err(Error::invalid(
                operation,
                "the credentials cover several properties: set property_id in the vendor settings",
            ));
        }
        None => hotels.items.first(),
    };
    let hotel = found.ok_or_else(|| {
        Error::invalid(
            operation,
            "Cloudbeds does not show the property: check property_id in the vendor settings, and \
             that the credentials have the scope read:hotel",
        )
    })?;
    if let Some(id) = id(hotel) {
        client.set_property(&id);
    }
    let mut raw: Map<String, Value> = hotel.as_object().cloned().unwrap_or_default();
    if let Value::Object(details) = client.hotel_details().await? {
        raw.extend(details);
    }
    let raw = Value::Object(raw);
    let hotel: Hotel = read_element(&raw).map_err(|(field, reason)| {
        Error::corrupt(operation, "the property cannot be read")
            .with("field", field)
            .with("reason", reason)
    })?;
    // Every time of Cloudbeds is local: without the zone none can be read.
    let zone = hotel.property_timezone.as_deref().unwrap_or_default();
    let zone: chrono_tz::Tz = zone.parse().map_err(|_| {
        Error::invalid(
            operation,
            "the property has no time zone of IANA at Cloudbeds: set it there",
        )
    })?;
    let transform = transform_context(&hotel, zone);
    Ok(CloudbedsContext {
        hotel,
        raw,
        now: hotels.vendor_now,
        transform,
    })
}

/// What transformations need of a property in this zone.
pub(super) fn transform_context(hotel: &Hotel, zone: chrono_tz::Tz) -> TransformContext {
    let mut lookups = BTreeMap::new();
    if let Some(policy) = hotel.property_policy.first() {
        for (key, time) in [
            (lookup::CHECK_IN, &policy.property_check_in_time),
            (lookup::CHECK_OUT, &policy.property_check_out_time),
        ] {
            if let Some(time) = time.as_deref().and_then(time_of_day) {
                lookups.insert(key.to_owned(), json!(time.format("%H:%M").to_string()));
            }
        }
    }
    let address = hotel.property_address.first();
    TransformContext {
        time_zone: zone,
        currency: currency(hotel).ok().flatten(),
        country: address.and_then(|address| address.country.clone()),
        pricing: PricingMode::Gross,
        now: Utc::now(),
        lookups,
    }
}
