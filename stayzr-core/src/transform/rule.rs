use serde::{Deserialize, Serialize};

/// What happens to a field that both sides changed differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConflictStrategy {
    /// The vendor's value is taken; ours is journalled.
    RemoteWins,
    /// Our value stays and is pushed; the vendor's is journalled.
    #[default]
    LocalWins,
    /// Lists are united; any other field goes to its own strategy, by default ours.
    MergeFields,
    /// A person decides; until then the row stays as it is.
    ManualReview,
}

/// Which side may change a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The vendor: what stands here is a copy.
    Remote,
    /// We: the vendor neither reads nor writes it.
    Local,
    /// Both.
    Shared,
}

/// What may be done with a field, and who decides a conflict about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldRule {
    /// The field of our model.
    pub field: &'static str,
    /// Which side may change it.
    pub owner: Owner,
    /// Whether the vendor's API can set it.
    pub writable: bool,
    /// Whether the vendor's API can empty it.
    pub clearable: bool,
    /// Who decides a conflict; none leaves it to the entity's strategy.
    pub strategy: Option<ConflictStrategy>,
}

impl FieldRule {
    /// A field that only the vendor changes.
    pub const fn remote(field: &'static str) -> Self {
        Self {
            field,
            owner: Owner::Remote,
            writable: false,
            clearable: false,
            strategy: None,
        }
    }

    /// A field that both sides change and the vendor's API can set and empty.
    pub const fn shared(field: &'static str) -> Self {
        Self {
            field,
            owner: Owner::Shared,
            writable: true,
            clearable: true,
            strategy: None,
        }
    }

    /// A field that the vendor does not know.
    pub const fn local(field: &'static str) -> Self {
        Self {
            field,
            owner: Owner::Local,
            writable: false,
            clearable: false,
            strategy: None,
        }
    }

    /// The same field, which the vendor's API cannot empty.
    #[must_use]
    pub const fn not_clearable(mut self) -> Self {
        self.clearable = false;
        self
    }

    /// The same field with a strategy of its own.
    #[must_use]
    pub const fn with_strategy(mut self, strategy: ConflictStrategy) -> Self {
        self.strategy = Some(strategy);
        self
    }
}
