use serde_json::{Value, json};
use stayzr_core::{
    model::{Address, Currency, Geo, PricingMode, Property},
    transform::{FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer},
};

use super::{correctable, lookup, text};
use crate::providers::mews::wire::{CurrencySetting, Enterprise, EnterpriseAddress};

/// Between an enterprise and a property. Mews cannot be told anything about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct PropertyTransformer;

// Languages, amenities and policies are ours: Mews knows its default language only.
const RULES: &[FieldRule] = &[
    correctable("name"),
    correctable("address"),
    correctable("geo"),
    FieldRule::remote("time_zone"),
    FieldRule::remote("currency"),
    FieldRule::remote("pricing"),
    correctable("check_in"),
    correctable("check_out"),
    correctable("phone"),
    correctable("email"),
    correctable("website"),
    FieldRule::local("languages"),
    FieldRule::local("amenities"),
    FieldRule::local("policies"),
];

impl Transformer<Property, Enterprise> for PropertyTransformer {
    fn to_local(
        &self,
        remote: &Enterprise,
        context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let mut fields = FieldMap::new();
        let mut extra = remote.extra.clone();
        let name =
            text(remote.name.as_ref()).ok_or_else(|| TransformError::new("Name", "is missing"))?;
        fields.insert("name", name);
        let zone = text(remote.time_zone_identifier.as_ref())
            .ok_or_else(|| TransformError::new("TimeZoneIdentifier", "is missing"))?;
        if zone.parse::<chrono_tz::Tz>().is_err() {
            return Err(TransformError::new(
                "TimeZoneIdentifier",
                "is no time zone of IANA",
            ));
        }
        fields.insert("time_zone", zone);
        let currency = default_currency(remote)?
            .ok_or_else(|| TransformError::new("Currencies", "none is the default"))?;
        fields.insert("currency", currency.code());
        fields.insert("pricing", json!(pricing(remote)));
        if let Some(address) = &remote.address {
            fields.insert("address", json!(to_address(address)));
            fields.insert("geo", json!(to_geo(address)));
        }
        for (field, value) in [
            ("phone", &remote.phone),
            ("email", &remote.email),
            ("website", &remote.website_url),
        ] {
            fields.insert(field, text(value.as_ref()));
        }
        for (field, key) in [
            ("check_in", lookup::CHECK_IN),
            ("check_out", lookup::CHECK_OUT),
        ] {
            if let Some(time) = context.lookups.get(key) {
                fields.insert(field, time.clone());
            }
        }
        if let Some(other) = remote
            .pricing
            .as_deref()
            .filter(|mode| !["Gross", "Net"].contains(mode))
        {
            extra.insert("Pricing".to_owned(), other.into());
        }
        let address = remote.address.as_ref().map(|address| &address.extra);
        if let Some(beyond) = address.filter(|beyond| !beyond.is_empty()) {
            extra.insert("Address".to_owned(), Value::Object(beyond.clone()));
        }
        if let Some(language) = &remote.default_language_code {
            extra.insert(
                "DefaultLanguageCode".to_owned(),
                Value::from(language.clone()),
            );
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
    ) -> Result<Enterprise, TransformError> {
        let address = &local.address;
        Ok(Enterprise {
            name: Some(local.name.clone()),
            time_zone_identifier: Some(local.time_zone.clone()),
            pricing: Some(
                match local.pricing {
                    PricingMode::Gross => "Gross",
                    PricingMode::Net => "Net",
                }
                .to_owned(),
            ),
            currencies: vec![CurrencySetting {
                currency: local.currency.code().to_owned(),
                is_default: true,
                is_enabled: true,
            }],
            address: Some(EnterpriseAddress {
                line1: address.line1.clone(),
                line2: address.line2.clone(),
                city: address.city.clone(),
                postal_code: address.postal_code.clone(),
                country_code: address.country_code.clone(),
                country_subdivision_code: address.subdivision_code.clone(),
                latitude: local.geo.map(|geo| geo.latitude),
                longitude: local.geo.map(|geo| geo.longitude),
                ..EnterpriseAddress::default()
            }),
            email: local.email.clone(),
            phone: local.phone.clone(),
            website_url: local.website.clone(),
            ..Enterprise::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

/// The currency prices are in where nothing else is said; an error if it does not exist.
pub(in crate::providers::mews) fn default_currency(
    remote: &Enterprise,
) -> Result<Option<Currency>, TransformError> {
    let only = match remote.currencies.as_slice() {
        [only] => Some(only),
        _ => None,
    };
    let found = remote
        .currencies
        .iter()
        .find(|currency| currency.is_default)
        .or(only);
    found
        .map(|currency| currency.currency.parse())
        .transpose()
        .map_err(|_| TransformError::new("Currencies", "the default is no currency of ISO 4217"))
}

pub(in crate::providers::mews) fn pricing(remote: &Enterprise) -> PricingMode {
    match remote.pricing.as_deref() {
        Some("Net") => PricingMode::Net,
        _ => PricingMode::Gross,
    }
}

fn to_address(address: &EnterpriseAddress) -> Address {
    let part = |value: &Option<String>| text(value.as_ref()).map(str::to_owned);
    Address {
        line1: part(&address.line1),
        line2: part(&address.line2),
        city: part(&address.city),
        postal_code: part(&address.postal_code),
        subdivision_code: part(&address.country_subdivision_code),
        country_code: part(&address.country_code),
    }
}

/// A pair that cannot be read either way round is left out. Mews' own example has the two
/// swapped; where only the swap makes sense, it is taken.
fn to_geo(address: &EnterpriseAddress) -> Option<Geo> {
    let (latitude, longitude) = (address.latitude?, address.longitude?);
    let possible =
        |latitude: f64, longitude: f64| latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    if possible(latitude, longitude) {
        Some(Geo {
            latitude,
            longitude,
        })
    } else if possible(longitude, latitude) {
        Some(Geo {
            latitude: longitude,
            longitude: latitude,
        })
    } else {
        None
    }
}
