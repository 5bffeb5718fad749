use serde_json::{Value, json};
use stayzr_core::{
    model::Guest as Local,
    transform::{
        Entity, FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer,
    },
};

use super::text;
use crate::providers::cloudbeds::wire::{Form, Guest, told};

/// Between a guest there and here.
#[derive(Debug, Clone, Copy, Default)]
pub struct GuestTransformer;

// Cloudbeds keeps a country of residence, which is no nationality, and neither languages nor loyalty
// numbers. That `putGuest` empties what is sent blank it does not document.
const RULES: &[FieldRule] = &[
    FieldRule::shared("first_name").not_clearable(),
    FieldRule::shared("last_name").not_clearable(),
    FieldRule::shared("email").not_clearable(),
    FieldRule::shared("phone").not_clearable(),
    FieldRule::shared("birth_date").not_clearable(),
    FieldRule::remote("active"),
];

impl Transformer<Local, Guest> for GuestTransformer {
    fn to_local(
        &self,
        remote: &Guest,
        _context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let gone = remote.is_anonymized == Some(true);
        let mut fields = FieldMap::new();
        // Whatever stands in place of what the person asked to have removed is not the person's.
        let said = |value: Option<&str>| value.filter(|_| !gone).map(str::to_owned);
        let (first, last) = names(remote);
        fields.insert("first_name", said(first));
        fields.insert("last_name", said(last));
        fields.insert("email", said(text(remote.guest_email.as_ref())));
        let phone = text(remote.guest_phone.as_ref()).or(text(remote.guest_cell_phone.as_ref()));
        fields.insert("phone", said(phone));
        let birth = remote.guest_birth_date.filter(|_| !gone);
        fields.insert("birth_date", birth.map(|date| date.to_string()));
        let merged = remote.is_merged == Some(true) || merged_into(remote).is_some();
        fields.insert("active", !gone && !merged);
        let mut extra = told(&remote.extra);
        if let Some(cell) = text(remote.guest_cell_phone.as_ref()) {
            extra.insert("guestCellPhone".to_owned(), cell.into());
        }
        if gone {
            extra.clear();
            extra.insert("isAnonymized".to_owned(), json!(true));
        }
        Ok(Transformed {
            fields,
            links: Vec::new(),
            extra,
        })
    }

    fn to_remote(
        &self,
        local: &Local,
        _context: &TransformContext,
    ) -> Result<Guest, TransformError> {
        let fields = local
            .to_fields()
            .map_err(|error| TransformError::new("guest", error.to_string()))?;
        let part = |field: &str| fields.text(field).map(str::to_owned);
        Ok(Guest {
            guest_first_name: part("first_name"),
            guest_last_name: part("last_name"),
            guest_email: part("email"),
            guest_phone: part("phone"),
            guest_birth_date: local.birth_date,
            ..Guest::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

/// The guest that this one was merged into.
pub(in crate::providers::cloudbeds) fn merged_into(remote: &Guest) -> Option<&str> {
    text(remote.new_guest_id.as_ref())
        .filter(|id| *id != "0" && *id != remote.id && remote.is_merged != Some(false))
}

/// Given and family name: the parts, or what the whole name falls into.
fn names(remote: &Guest) -> (Option<&str>, Option<&str>) {
    let parts = (
        text(remote.guest_first_name.as_ref()),
        text(remote.guest_last_name.as_ref()),
    );
    match (parts, text(remote.guest_name.as_ref())) {
        ((None, None), Some(whole)) => match whole.rsplit_once(' ') {
            Some((first, last)) => (Some(first.trim_end()), Some(last)),
            None => (None, Some(whole)),
        },
        _ => parts,
    }
}

/// Fields of a guest, as `putGuest` and `postGuest` take them.
pub fn guest_form(fields: &FieldMap, form: &mut Form) -> Result<(), TransformError> {
    for (field, key) in [
        ("first_name", "guestFirstName"),
        ("last_name", "guestLastName"),
        ("email", "guestEmail"),
        ("phone", "guestPhone"),
        ("birth_date", "guestBirthDate"),
    ] {
        match fields.get(field) {
            None | Some(Value::Null) => {}
            Some(Value::String(value)) if field == "birth_date" => {
                let date: chrono::NaiveDate = value
                    .parse()
                    .map_err(|_| TransformError::new(field, "must be a date as YYYY-MM-DD"))?;
                form.day(key, date);
            }
            Some(Value::String(value)) => {
                form.text(key, value.clone());
            }
            Some(_) => return Err(TransformError::new(field, "must be a text")),
        }
    }
    Ok(())
}
