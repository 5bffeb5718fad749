//! Two-way transformation between a vendor's shapes and ours, and the three-way merge that keeps
//! a correction made on either side.
//!
//! [`Transformer`] is typed and lives inside a provider. Everything beside it, such as diff,
//! merge, base, journal and hashes, works on [`FieldMap`]s and knows no entity type.

mod entity;
mod fields;
mod merge;
mod rule;
mod transformer;

pub use entity::{Column, ColumnType, Entity, EntityKind, EntityRow};
pub use fields::FieldMap;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) use fields::canonical_value;
pub use merge::{FieldConflict, MergeInput, MergeOutcome, RefusedField, merge};
pub use rule::{ConflictStrategy, FieldRule, Owner};
pub use transformer::{TransformContext, TransformError, Transformed, Transformer};
