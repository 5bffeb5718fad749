//! Stories that once failed, and what was wrong.

/// (seed, why it failed)
pub const KEPT: &[(u64, &str)] = &[];
