use std::{str::FromStr, sync::Arc};

use bytes::Bytes;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde_json::Value;
use stayzr_core::{ids::PropertyId, mask::mask_cards, model::ChangeSource, tenant::TenantScope};

use super::{Caller, Problem, Query};
use crate::state::ServerState;

/// A request on its way to its handler: matched, authenticated, its body read.
#[derive(Debug)]
pub struct Call {
    /// What the server runs on.
    pub state: Arc<ServerState>,
    /// Method, target and headers.
    pub parts: Parts,
    /// The query, decoded.
    pub query: Query,
    /// The body.
    pub body: Bytes,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) caller: Option<Caller>,
}

impl Call {
    /// Who calls. Routes with [`super::Access::Public`] have nobody.
    pub fn caller(&self) -> Result<&Caller, Problem> {
        self.caller
            .as_ref()
            .ok_or_else(|| Problem::of(stayzr_core::ErrorKind::Unauthorized))
    }

    /// What the call may touch.
    pub fn scope(&self) -> Result<TenantScope, Problem> {
        Ok(self.caller()?.scope)
    }

    /// The caller, as the journal names who changes something.
    pub fn staff(&self) -> Result<ChangeSource, Problem> {
        Ok(ChangeSource::Staff {
            actor: self.caller()?.principal.name.clone(),
        })
    }

    /// An id of the path. One that is no UUID is nobody's: 404.
    pub fn id<T: FromStr>(&self, name: &str, what: &str) -> Result<T, Problem> {
        self.param(name)
            .and_then(|value| value.parse().ok())
            .ok_or_else(|| Problem::not_found(what))
    }

    /// A parameter of the path.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON of a type.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        read_json(&self.body)
    }

    /// The body as JSON of a type, with card numbers in its texts masked: for what is stored as it
    /// came.
    pub fn masked_json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        read_json(&mask_cards(&self.body))
    }

    /// The scope narrowed to a property that a body names.
    pub async fn scope_of(&self, property_id: PropertyId) -> Result<TenantScope, Problem> {
        let caller = self.caller()?;
        let bound = &caller.principal.property_ids;
        let visible = caller.scope.sees(Some(property_id))
            && (bound.is_empty() || bound.contains(&property_id));
        let organization = TenantScope::organization(caller.scope.organization_id);
        let kind = stayzr_core::transform::EntityKind::Property;
        if visible
            && self
                .state
                .store
                .row(organization, kind, property_id.uuid())
                .await?
                .is_some()
        {
            return Ok(TenantScope::property(
                caller.scope.organization_id,
                property_id,
            ));
        }
        Err(Problem::not_found("property"))
    }
}

fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if contains_escaped_nul(body) {
        return Err(Problem::invalid("texts must not hold a NUL character"));
    }
    serde_json::from_slice(body).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "does not fit",
            _ => "is not JSON",
        };
        Problem::invalid(format!("the body {what}: {error}"))
            .with("line", error.line())
            .with("column", error.column())
    })
}

/// Whether a text in the JSON holds U+0000, which PostgreSQL cannot store.
fn contains_escaped_nul(body: &[u8]) -> bool {
    fn walk(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(walk),
            Value::Object(map) => map
                .iter()
                .any(|(key, value)| key.contains('\0') || walk(value)),
            _ => false,
        }
    }
    body.windows(6).any(|window| window == b"\\u0000")
        && serde_json::from_slice::<Value>(body).is_ok_and(|value| walk(&value))
}
