use serde_json::json;
use stayzr_core::{
    model::{Guest as Local, LanguageTag},
    transform::{FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer},
};

use super::{correctable, lookup};
use crate::providers::opera::wire::{Profile, Says};

/// Between a profile of a person and a guest.
#[derive(Debug, Clone, Copy, Default)]
pub struct GuestTransformer;

// Whether a write empties what it leaves blank OPERA does not document. Titles, nationalities and
// languages are codes of the hotel's own lists, so that what is corrected here stays here.
const RULES: &[FieldRule] = &[
    correctable("title"),
    FieldRule::shared("first_name").not_clearable(),
    FieldRule::shared("last_name").not_clearable(),
    FieldRule::shared("email").not_clearable(),
    FieldRule::shared("phone").not_clearable(),
    correctable("nationality"),
    correctable("language"),
    FieldRule::shared("birth_date").not_clearable(),
    FieldRule::remote("active"),
];

impl Transformer<Local, Profile> for GuestTransformer {
    fn to_local(
        &self,
        remote: &Profile,
        context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let gone = remote.is_anonymized;
        let mut fields = FieldMap::new();
        let mut extra = remote.extra.clone();
        // Whatever stands in place of what the person asked to have removed is not the person's.
        let mut say = |field: &str, is_said: bool, value: Option<&str>| {
            if is_said || gone {
                fields.insert(field, value.filter(|_| !gone).map(str::to_owned));
            }
        };
        say("title", remote.says.person, remote.title.as_deref());
        say(
            "first_name",
            remote.says.person,
            remote.given_name.as_deref(),
        );
        say("last_name", remote.says.person, remote.surname.as_deref());
        say("email", remote.says.emails, remote.email.as_deref());
        say("phone", remote.says.telephones, remote.phone.as_deref());
        let birth = remote.birth_date.map(|date| date.to_string());
        say("birth_date", remote.says.person, birth.as_deref());
        let nation = remote.nationality.as_deref();
        let code = nation
            .filter(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()));
        say("nationality", remote.says.person, code);
        let language = remote
            .language
            .as_deref()
            .and_then(|code| tag(code, context));
        say("language", language.is_some(), language.as_deref());
        fields.insert("active", !gone && remote.is_active);
        for (key, value, known) in [
            ("nationality", nation, code.is_some()),
            ("language", remote.language.as_deref(), language.is_some()),
        ] {
            if let Some(value) = value.filter(|_| !known) {
                extra.insert(key.to_owned(), json!(value));
            }
        }
        if gone {
            extra.clear();
            extra.insert("anonymizationStatus".to_owned(), json!("Anonymized"));
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
        context: &TransformContext,
    ) -> Result<Profile, TransformError> {
        let language = local.language.as_ref().and_then(|tag| code(tag, context));
        Ok(Profile {
            kind: Some("Guest".to_owned()),
            title: local.title.clone(),
            given_name: local.first_name.clone(),
            surname: local.last_name.clone(),
            email: local.email.clone(),
            phone: local.phone.clone(),
            nationality: local.nationality.clone(),
            language,
            birth_date: local.birth_date,
            is_active: local.active,
            says: Says {
                person: true,
                emails: true,
                telephones: true,
            },
            ..Profile::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

/// The language that a code of OPERA stands for: what is configured, or what the code itself says.
fn tag(code: &str, context: &TransformContext) -> Option<String> {
    let named = context
        .lookups
        .get(lookup::LANGUAGES)
        .and_then(|languages| languages.get(code)?.as_str());
    // A single letter is OPERA's own and means nothing elsewhere.
    let tag: LanguageTag = named
        .or(Some(code).filter(|code| code.len() > 1))?
        .parse()
        .ok()?;
    Some(tag.to_string())
}

/// The code that stands for a language.
fn code(tag: &LanguageTag, context: &TransformContext) -> Option<String> {
    let tag = tag.to_string();
    let languages = context.lookups.get(lookup::LANGUAGES)?.as_object()?;
    let known = languages.iter().find(|(_, meant)| **meant == tag.as_str());
    Some(known.map_or(tag, |(code, _)| code.clone()))
}
