use serde_json::{Value, json};
use stayzr_core::{
    model::{Address, Currency, Geo, Property},
    transform::{FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer},
};

use super::{correctable, text, time_of_day};
use crate::providers::cloudbeds::wire::{Hotel, HotelAddress, HotelCurrency, HotelPolicy, told};

/// Between a hotel and a property. Cloudbeds is not told anything about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct PropertyTransformer;

// Amenities are names without hours and prices there, and ours. Whether prices hold the tax the API
// does not say, so the organization's setting stays.
const RULES: &[FieldRule] = &[
    correctable("name"),
    correctable("address"),
    correctable("geo"),
    FieldRule::remote("time_zone"),
    FieldRule::remote("currency"),
    FieldRule::local("pricing"),
    correctable("check_in"),
    correctable("check_out"),
    correctable("phone"),
    correctable("email"),
    FieldRule::local("website"),
    FieldRule::local("languages"),
    FieldRule::local("amenities"),
    FieldRule::local("policies"),
];

impl Transformer<Property, Hotel> for PropertyTransformer {
    fn to_local(
        &self,
        remote: &Hotel,
        _context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let mut fields = FieldMap::new();
        let mut extra = told(&remote.extra);
        let name = text(remote.property_name.as_ref())
            .ok_or_else(|| TransformError::new("propertyName", "is missing"))?;
        fields.insert("name", name);
        // Only one of the two calls has the zone.
        if let Some(zone) = text(remote.property_timezone.as_ref()) {
            if zone.parse::<chrono_tz::Tz>().is_err() {
                let reason = "is no time zone of IANA";
                return Err(TransformError::new("propertyTimezone", reason));
            }
            fields.insert("time_zone", zone);
        }
        if let Some(currency) = currency(remote)? {
            fields.insert("currency", currency.code());
        }
        if let Some(address) = remote.property_address.first() {
            fields.insert("address", json!(to_address(address)));
            fields.insert("geo", json!(to_geo(address)));
            if let Some(state) = text(address.state.as_ref()).filter(|state| !is_subdivision(state))
            {
                extra.insert("propertyState".to_owned(), Value::from(state));
            }
        }
        if let Some(policy) = remote.property_policy.first() {
            for (field, time) in [
                ("check_in", &policy.property_check_in_time),
                ("check_out", &policy.property_check_out_time),
            ] {
                let time = text(time.as_ref()).and_then(time_of_day);
                fields.insert(field, time.map(|time| time.format("%H:%M").to_string()));
            }
            let beyond = told(&policy.extra);
            if !beyond.is_empty() {
                extra.insert("propertyPolicy".to_owned(), Value::Object(beyond));
            }
        }
        for (field, value) in [
            ("phone", &remote.property_phone),
            ("email", &remote.property_email),
        ] {
            if value.is_some() {
                fields.insert(field, text(value.as_ref()));
            }
        }
        if let Some(language) = text(remote.property_primary_language.as_ref()) {
            extra.insert("propertyPrimaryLanguage".to_owned(), Value::from(language));
        }
        Ok(Transformed {
            fields,
            links: Vec::new(),
            extra,
        })
    }

    fn to_remote(
        &self,
        local: &Property,
        _context: &TransformContext,
    ) -> Result<Hotel, TransformError> {
        let address = &local.address;
        Ok(Hotel {
            property_name: Some(local.name.clone()),
            property_timezone: Some(local.time_zone.clone()),
            property_currency: vec![HotelCurrency {
                currency_code: Some(local.currency.code().to_owned()),
            }],
            property_phone: local.phone.clone(),
            property_email: local.email.clone(),
            property_address: vec![HotelAddress {
                line1: address.line1.clone(),
                line2: address.line2.clone(),
                city: address.city.clone(),
                state: address.subdivision_code.clone(),
                zip: address.postal_code.clone(),
                country: address.country_code.clone(),
                latitude: local.geo.map(|geo| geo.latitude.to_string()),
                longitude: local.geo.map(|geo| geo.longitude.to_string()),
            }],
            property_policy: vec![HotelPolicy {
                property_check_in_time: local.check_in.clone(),
                property_check_out_time: local.check_out.clone(),
                ..HotelPolicy::default()
            }],
            ..Hotel::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

/// The currency the property sells in; an error if it does not exist.
pub(in crate::providers::cloudbeds) fn currency(
    remote: &Hotel,
) -> Result<Option<Currency>, TransformError> {
    let code = remote
        .property_currency
        .first()
        .and_then(|currency| text(currency.currency_code.as_ref()));
    code.map(str::parse)
        .transpose()
        .map_err(|_| TransformError::new("propertyCurrency", "is no currency of ISO 4217"))
}

fn to_address(address: &HotelAddress) -> Address {
    let part = |value: &Option<String>| text(value.as_ref()).map(str::to_owned);
    Address {
        line1: part(&address.line1),
        line2: part(&address.line2),
        city: part(&address.city),
        postal_code: part(&address.zip),
        subdivision_code: part(&address.state).filter(|state| is_subdivision(state)),
        country_code: part(&address.country),
    }
}

/// Whether a state is a code, as in `OR`, or `US-OR`, rather than a name.
fn is_subdivision(state: &str) -> bool {
    let code = state.rsplit('-').next().unwrap_or(state);
    (1..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn to_geo(address: &HotelAddress) -> Option<Geo> {
    let degrees = |value: &Option<String>| text(value.as_ref())?.parse::<f64>().ok();
    let (latitude, longitude) = (degrees(&address.latitude)?, degrees(&address.longitude)?);
    // Nobody having entered a place reads as the sea off Africa.
    let entered = latitude != 0.0 || longitude != 0.0;
    (entered && latitude.abs() <= 90.0 && longitude.abs() <= 180.0).then_some(Geo {
        latitude,
        longitude,
    })
}
