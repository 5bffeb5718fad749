use serde_json::Value;
use stayzr_core::{
    model::{Guest, LanguageTag},
    transform::{
        ConflictStrategy, Entity, FieldMap, FieldRule, TransformContext, TransformError,
        Transformed, Transformer,
    },
};

use super::text;
use crate::providers::mews::wire::Customer;

/// Between a customer and a guest.
#[derive(Debug, Clone, Copy, Default)]
pub struct GuestTransformer;

// `customers/update` takes plain values: a blank leaves the field as it is, so that nothing can be
// emptied.
const RULES: &[FieldRule] = &[
    FieldRule::shared("title").not_clearable(),
    FieldRule::shared("first_name").not_clearable(),
    FieldRule::shared("last_name").not_clearable(),
    FieldRule::shared("email").not_clearable(),
    FieldRule::shared("phone").not_clearable(),
    FieldRule::shared("nationality").not_clearable(),
    FieldRule::shared("language").not_clearable(),
    FieldRule::shared("birth_date").not_clearable(),
    FieldRule::shared("loyalty_code").not_clearable(),
    FieldRule::shared("notes").not_clearable(),
    FieldRule::shared("classifications")
        .not_clearable()
        .with_strategy(ConflictStrategy::MergeFields),
    FieldRule::remote("active"),
];

impl Transformer<Guest, Customer> for GuestTransformer {
    fn to_local(
        &self,
        remote: &Customer,
        _context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let mut fields = FieldMap::new();
        let mut extra = remote.extra.clone();
        for (field, value) in [
            ("title", &remote.title),
            ("first_name", &remote.first_name),
            ("last_name", &remote.last_name),
            ("email", &remote.email),
            ("phone", &remote.phone),
            ("loyalty_code", &remote.loyalty_code),
            ("notes", &remote.notes),
        ] {
            fields.insert(field, text(value.as_ref()));
        }
        let nationality = text(remote.nationality_code.as_ref());
        let country = nationality.and_then(country_code);
        if let (Some(vendor), None) = (nationality, &country) {
            extra.insert("NationalityCode".to_owned(), vendor.into());
        }
        fields.insert("nationality", country);
        let preferred = text(remote.preferred_language_code.as_ref());
        let tag = [preferred, text(remote.language_code.as_ref())]
            .into_iter()
            .flatten()
            .find_map(|tag| tag.parse::<LanguageTag>().ok());
        if let Some(vendor) = preferred.filter(|vendor| vendor.parse::<LanguageTag>().is_err()) {
            extra.insert("PreferredLanguageCode".to_owned(), vendor.into());
        }
        if let Some(vendor) = text(remote.language_code.as_ref()) {
            extra.insert("LanguageCode".to_owned(), vendor.into());
        }
        fields.insert("language", tag.map(|tag| tag.to_string()));
        fields.insert("birth_date", remote.birth_date.map(|date| date.to_string()));
        let mut classifications = remote.classifications.clone();
        classifications.sort();
        classifications.dedup();
        fields.insert("classifications", classifications);
        let merged = remote.merge_target_id.is_some();
        fields.insert("active", remote.is_active.unwrap_or(true) && !merged);
        Ok(Transformed {
            fields,
            links: Vec::new(),
            extra,
        })
    }

    fn to_remote(
        &self,
        local: &Guest,
        _context: &TransformContext,
    ) -> Result<Customer, TransformError> {
        let fields = local
            .to_fields()
            .map_err(|error| TransformError::new("guest", error.to_string()))?;
        let mut customer = Customer {
            is_active: Some(local.active),
            ..Customer::default()
        };
        write_guest(&fields, &mut customer)?;
        Ok(customer)
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

/// Sets those fields of a customer that are among `fields`; `null` empties them.
pub fn write_guest(fields: &FieldMap, customer: &mut Customer) -> Result<(), TransformError> {
    for (field, value) in fields.iter() {
        let text = || match value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            _ => Err(TransformError::new(field, "must be a text")),
        };
        match field {
            "title" => customer.title = text()?,
            "first_name" => customer.first_name = text()?,
            "last_name" => customer.last_name = text()?,
            "email" => customer.email = text()?,
            "phone" => customer.phone = text()?,
            "nationality" => customer.nationality_code = text()?,
            "language" => customer.preferred_language_code = text()?,
            "loyalty_code" => customer.loyalty_code = text()?,
            "notes" => customer.notes = text()?,
            "birth_date" => {
                customer.birth_date = text()?
                    .map(|date| date.parse())
                    .transpose()
                    .map_err(|_| TransformError::new(field, "must be a date as YYYY-MM-DD"))?;
            }
            "classifications" => {
                customer.classifications = match value {
                    Value::Null => Vec::new(),
                    Value::Array(items) => items
                        .iter()
                        .map(|item| item.as_str().map(str::to_owned))
                        .collect::<Option<_>>()
                        .ok_or_else(|| TransformError::new(field, "must be a list of texts"))?,
                    _ => return Err(TransformError::new(field, "must be a list of texts")),
                };
            }
            _ => {}
        }
    }
    Ok(())
}

/// Two letters in capitals; anything else is no country.
fn country_code(text: &str) -> Option<String> {
    let code = text.trim().to_ascii_uppercase();
    (code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase())).then_some(code)
}
