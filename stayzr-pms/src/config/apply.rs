use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use serde_json::Value;
use stayzr_core::{
    Error, Result,
    model::PmsEvent,
    port::backend::StayQuery,
    transform::{ColumnType, EntityKind, FieldRule},
};

use super::{Mappings, ProviderConfig};
use crate::{
    desk::Desk,
    provider::{
        Capabilities, PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteProperty,
        RemoteQuote, RemoteRecord,
    },
};

impl ProviderConfig {
    /// The provider as this configuration wants it: only with its `entities`, and with its
    /// `mappings` of fields. Where it names neither, the provider itself.
    ///
    /// A kind that is left out reads as one that has no records. A field that is mapped takes what
    /// the vendor's record holds under another key, or nothing, and is never told to the vendor.
    /// [`stayzr_core::ErrorKind::Invalid`] for a field that the provider does not read.
    pub fn apply(&self, provider: Arc<dyn PmsProvider>) -> Result<Arc<dyn PmsProvider>> {
        if self.entities.is_none() && self.mappings.is_empty() {
            return Ok(provider);
        }
        for (kind, mapped) in &self.mappings {
            let known = provider.fields(*kind);
            let is_known = |field: &str| known.iter().any(|rule| rule.field == field);
            if let Some(field) = mapped.keys().find(|field| !is_known(field)) {
                let why = "this provider has no such field to be mapped";
                return Err(Error::invalid("provider_config.apply", why)
                    .with("key", format!("mappings.{kind}.{field}")));
            }
        }
        let mut capabilities = provider.capabilities().clone();
        if let Some(entities) = &self.entities {
            for kinds in [
                &mut capabilities.read,
                &mut capabilities.changed_since,
                &mut capabilities.create,
                &mut capabilities.update,
            ] {
                kinds.retain(|kind| entities.contains(kind));
            }
            capabilities.by_id.retain(|kind, _| entities.contains(kind));
        }
        Ok(Arc::new(Configured {
            provider,
            capabilities,
            entities: self.entities.clone(),
            mappings: self.mappings.clone(),
        }))
    }
}

#[derive(Debug)]
struct Configured {
    provider: Arc<dyn PmsProvider>,
    capabilities: Capabilities,
    entities: Option<BTreeSet<EntityKind>>,
    mappings: Mappings,
}

impl Configured {
    fn is_kept(&self, kind: EntityKind) -> bool {
        self.entities.as_ref().is_none_or(|all| all.contains(&kind))
    }

    fn page(&self, mut page: RecordPage) -> RecordPage {
        for record in &mut page.records {
            self.map(record);
        }
        page
    }

    fn map(&self, record: &mut RemoteRecord) {
        for (field, key) in self.mappings.get(&record.kind).into_iter().flatten() {
            let Some(column) = column(record.kind, field) else {
                continue;
            };
            record.fields.remove(column);
            let held = key.as_ref().and_then(|key| found(record, key));
            if let Some(value) = held {
                record.fields.insert(column, value);
            }
        }
    }
}

/// What a record holds under a key of the vendor, as text; parts of a path stand between slashes.
fn found(record: &RemoteRecord, key: &str) -> Option<Value> {
    let mut parts = key.split('/');
    let mut at = record.extra.get(parts.next()?)?;
    for part in parts {
        at = match at {
            Value::Array(items) => items.get(part.parse::<usize>().ok()?)?,
            other => other.get(part)?,
        };
    }
    match at {
        Value::String(text) if text.trim().is_empty() => Some(Value::Null),
        Value::String(_) | Value::Null => Some(at.clone()),
        Value::Number(_) | Value::Bool(_) => Some(at.to_string().into()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The name of a field of ours that holds text, which is what can be mapped.
pub(super) fn column(kind: EntityKind, field: &str) -> Option<&'static str> {
    let mut columns = kind.columns().iter();
    let found = columns.find(|column| column.name == field && column.kind == ColumnType::Text);
    found.map(|column| column.name)
}

#[async_trait]
impl PmsProvider for Configured {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn fields(&self, kind: EntityKind) -> &'static [FieldRule] {
        self.provider.fields(kind)
    }

    async fn check(&self) -> Result<RemoteProperty> {
        self.provider.check().await
    }

    async fn fetch_page(&self, query: &PageQuery) -> Result<RecordPage> {
        if !self.is_kept(query.kind) {
            return Ok(RecordPage::default());
        }
        self.provider
            .fetch_page(query)
            .await
            .map(|page| self.page(page))
    }

    async fn fetch_ids(&self, kind: EntityKind, ids: &[String]) -> Result<RecordPage> {
        if !self.is_kept(kind) {
            return Ok(RecordPage::default());
        }
        self.provider
            .fetch_ids(kind, ids)
            .await
            .map(|page| self.page(page))
    }

    async fn push(&self, push: &Push) -> Result<PushOutcome> {
        let empty = BTreeMap::new();
        let mapped = self.mappings.get(&push.kind).unwrap_or(&empty);
        let refused: Vec<String> = mapped
            .keys()
            .filter(|field| push.changed.get(field.as_str()).is_some())
            .cloned()
            .collect();
        if !refused.is_empty() {
            return Ok(PushOutcome::Unsupported(refused));
        }
        let outcome = self.provider.push(push).await?;
        Ok(match outcome {
            PushOutcome::Applied(mut record) => {
                self.map(&mut record);
                PushOutcome::Applied(record)
            }
            other => other,
        })
    }

    async fn find(&self, push: &Push) -> Result<Vec<RemoteRecord>> {
        let mut found = self.provider.find(push).await?;
        for record in &mut found {
            self.map(record);
        }
        Ok(found)
    }

    async fn quote(&self, stay: &StayQuery) -> Result<Vec<RemoteQuote>> {
        self.provider.quote(stay).await
    }

    fn parse_event(&self, body: &[u8]) -> Result<Vec<PmsEvent>> {
        self.provider.parse_event(body)
    }

    fn desk(&self) -> Option<&dyn Desk> {
        self.provider.desk()
    }
}
