use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::{FieldMap, FieldRule};
use crate::model::{Currency, ExternalRef, PricingMode};

/// What a provider fetched once and every transformation needs. Plain data.
#[derive(Debug, Clone)]
pub struct TransformContext {
    /// The property's time zone.
    pub time_zone: Tz,
    /// The property's currency, where known.
    pub currency: Option<Currency>,
    /// The property's country (ISO 3166-1 alpha-2), which national telephone numbers need.
    pub country: Option<String>,
    /// Whether the vendor prices gross or net.
    pub pricing: PricingMode,
    /// The vendor's clock, where it tells it.
    pub now: DateTime<Utc>,
    /// What else the provider fetched, such as room → room type, by its own names.
    pub lookups: std::collections::BTreeMap<String, Value>,
}

/// A vendor's record in our shape.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Transformed {
    /// The fields the vendor's record has a say in. A field it does not carry is absent; one it
    /// carries empty is `null`.
    pub fields: FieldMap,
    /// Links to other records, by the name of our field: `guest_id` → the vendor's customer.
    pub links: Vec<(&'static str, Option<ExternalRef>)>,
    /// What the vendor's record holds beyond our model, unknown fields included.
    pub extra: Map<String, Value>,
}

/// A record that cannot be transformed: it is put aside with this reason and the rest goes on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct TransformError {
    /// The vendor's field.
    pub field: String,
    /// Why it cannot be read or written.
    pub reason: String,
}

impl TransformError {
    /// A field that cannot be transformed, and why.
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason: reason.into(),
        }
    }
}

/// Transforms between one of our entities and a vendor's **read** shape of it.
///
/// Implementations are pure. `to_remote(to_local(r))` gives back every field of `r` that
/// [`Transformer::fields`] calls writable.
pub trait Transformer<TLocal, TRemote>: Send + Sync {
    /// The vendor's record in our shape.
    fn to_local(
        &self,
        remote: &TRemote,
        context: &TransformContext,
    ) -> Result<Transformed, TransformError>;

    /// Our entity in the vendor's read shape: fields the vendor cannot be told are empty.
    fn to_remote(
        &self,
        local: &TLocal,
        context: &TransformContext,
    ) -> Result<TRemote, TransformError>;

    /// What may be done with each field of `TLocal`; a field without a rule is ours alone.
    fn fields(&self) -> &'static [FieldRule];
}
