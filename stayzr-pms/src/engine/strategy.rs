//! Who decides a conflict, by kind and field.

use std::collections::BTreeMap;

use stayzr_core::transform::{ConflictStrategy, EntityKind, FieldRule};

use crate::config::Conflicts;

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

    /// These strategies with those of a configuration on top.
    #[must_use]
    pub fn with_conflicts(mut self, conflicts: &BTreeMap<EntityKind, Conflicts>) -> Self {
        for (&kind, conflicts) in conflicts {
            if let Some(strategy) = conflicts.strategy {
                self = self.kind(kind, strategy);
            }
            for (field, strategy) in &conflicts.fields {
                self = self.field(kind, field.clone(), *strategy);
            }
        }
        self
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
