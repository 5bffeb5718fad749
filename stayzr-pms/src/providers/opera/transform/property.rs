use chrono::NaiveTime;
use serde_json::{Value, json};
use stayzr_core::{
    model::{Address, Currency, Geo, Property},
    transform::{FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer},
};

use super::{correctable, lookup};
use crate::providers::opera::wire::{Hotel, HotelAddress};

/// Between a hotel and a property. OPERA is not told anything about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct PropertyTransformer;

// Whether prices hold the tax depends on the rate there, so the organization's setting stays.
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
    correctable("website"),
    FieldRule::local("languages"),
    FieldRule::local("amenities"),
    FieldRule::local("policies"),
];

impl Transformer<Property, Hotel> for PropertyTransformer {
    fn to_local(
        &self,
        remote: &Hotel,
        context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let mut fields = FieldMap::new();
        let mut extra = remote.extra.clone();
        let name = remote.name.as_deref();
        fields.insert(
            "name",
            name.ok_or_else(|| TransformError::new("hotelName", "is missing"))?,
        );
        let zone = context
            .lookups
            .get(lookup::TIME_ZONE)
            .and_then(Value::as_str);
        if let Some(zone) = zone {
            fields.insert("time_zone", zone);
        }
        if let Some(zone) = remote
            .time_zone
            .as_deref()
            .filter(|named| Some(*named) != zone)
        {
            extra.insert("timeZoneRegion".to_owned(), json!(zone));
        }
        let currency = remote
            .currency
            .as_deref()
            .and_then(|code| code.parse::<Currency>().ok());
        if let Some(currency) = context.currency.or(currency) {
            fields.insert("currency", currency.code());
        }
        if let Some(address) = &remote.address {
            fields.insert("address", json!(to_address(address)));
        }
        if let Some((latitude, longitude)) = remote.geo {
            // Nobody having entered a place reads as the sea off Africa.
            let entered = latitude != 0.0 || longitude != 0.0;
            let real = entered && latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
            let geo = Geo {
                latitude,
                longitude,
            };
            fields.insert("geo", json!(real.then_some(geo)));
        }
        for (field, time) in [
            ("check_in", remote.check_in),
            ("check_out", remote.check_out),
        ] {
            if let Some(time) = time {
                fields.insert(field, time.format("%H:%M").to_string());
            }
        }
        for (field, value) in [
            ("phone", &remote.phone),
            ("email", &remote.email),
            ("website", &remote.website),
        ] {
            if let Some(value) = value {
                fields.insert(field, value.as_str());
            }
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
        let time = |text: &Option<String>| {
            let text = text.as_deref()?;
            NaiveTime::parse_from_str(text, "%H:%M").ok()
        };
        let address = &local.address;
        let lines = [&address.line1, &address.line2];
        Ok(Hotel {
            name: Some(local.name.clone()),
            time_zone: Some(local.time_zone.clone()),
            currency: Some(local.currency.code().to_owned()),
            check_in: time(&local.check_in),
            check_out: time(&local.check_out),
            geo: local.geo.map(|geo| (geo.latitude, geo.longitude)),
            address: Some(HotelAddress {
                lines: lines.into_iter().flatten().cloned().collect(),
                city: address.city.clone(),
                postal_code: address.postal_code.clone(),
                state: address.subdivision_code.clone(),
                country: address.country_code.clone(),
            }),
            phone: local.phone.clone(),
            email: local.email.clone(),
            website: local.website.clone(),
            ..Hotel::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

fn to_address(address: &HotelAddress) -> Address {
    let is_code = |code: &&String| {
        (1..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let mut lines = address.lines.iter().cloned();
    Address {
        line1: lines.next(),
        line2: lines.next(),
        city: address.city.clone(),
        postal_code: address.postal_code.clone(),
        subdivision_code: address.state.as_ref().filter(is_code).cloned(),
        country_code: address
            .country
            .as_ref()
            .filter(|code| code.len() == 2)
            .cloned(),
    }
}
