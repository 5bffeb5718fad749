//! Who decides a conflict, by kind and field.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use stayzr_core::{
    Error, Result,
    transform::{ConflictStrategy, EntityKind, FieldRule},
};

use crate::config::Conflicts;

/// The setting of an integration that holds its strategies:
/// [`ProviderConfig::conflicts`](crate::config::ProviderConfig::conflicts).
pub const STRATEGIES_SETTING: &str = "conflicts";

/// Who decides where both sides changed a field differently. A field's strategy goes before its
/// kind's, and both before the provider's rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strategies {
    default: ConflictStrategy,
    kinds: BTreeMap<EntityKind, ConflictStrategy>,
    fields: BTreeMap<(EntityKind, String), ConflictStrategy>,
}

impl Strategies {
    /// One strategy for everything.
    pub fn all(strategy: ConflictStrategy) -> Self {
        Self {
            default: strategy,
            ..Self::default()
        }
    }

    /// Sets the strategy of a kind.
    #[must_use]
    pub fn kind(mut self, kind: EntityKind, strategy: ConflictStrategy) -> Self {
        self.kinds.insert(kind, strategy);
        self
    }

    /// Sets the strategy of a field.
    #[must_use]
    pub fn field(
        mut self,
        kind: EntityKind,
        field: impl Into<String>,
        strategy: ConflictStrategy,
    ) -> Self {
        self.fields.insert((kind, field.into()), strategy);
        self
    }

    /// These strategies with those in an integration's settings on top.
    /// [`stayzr_core::ErrorKind::Invalid`] names a key or value that means nothing.
    pub fn with_settings(mut self, settings: &Value) -> Result<Self> {
        let Some(chosen) = settings.get(STRATEGIES_SETTING) else {
            return Ok(self);
        };
        let chosen: BTreeMap<EntityKind, Conflicts> =
            Deserialize::deserialize(chosen).map_err(|error| {
                Error::invalid("sync.settings", format!("cannot be read: {error}"))
                    .with("key", STRATEGIES_SETTING)
            })?;
        for (kind, conflicts) in chosen {
            if let Some(strategy) = conflicts.strategy {
                self = self.kind(kind, strategy);
            }
            for (field, strategy) in conflicts.fields {
                self = self.field(kind, field, strategy);
            }
        }
        Ok(self)
    }

    /// The strategy of a kind.
    pub fn of(&self, kind: EntityKind) -> ConflictStrategy {
        self.kinds.get(&kind).copied().unwrap_or(self.default)
    }

    /// A provider's rules with the strategies chosen here; where the vendor cannot change records
    /// of this kind, no field is writable.
    pub fn rules(&self, kind: EntityKind, rules: &[FieldRule], updates: bool) -> Vec<FieldRule> {
        rules
            .iter()
            .map(|rule| FieldRule {
                writable: rule.writable && updates,
                strategy: self
                    .fields
                    .get(&(kind, rule.field.to_owned()))
                    .copied()
                    .or(self.kinds.get(&kind).copied())
                    .or(rule.strategy),
                ..*rule
            })
            .collect()
    }
}
