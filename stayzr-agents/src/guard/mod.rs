//! Guards: nothing goes out that this turn does not support, nothing goes out twice, and the line
//! that announces a person is said once.

mod claims;
mod duplicate;
mod figures;
mod grounding;
mod handoff;
mod polarity;
mod topic;

pub use duplicate::is_duplicate;
pub use figures::{Figure, figures};
pub use grounding::{Evidence, Problem, ProblemKind, Verdict, check, check_figures};
pub use handoff::{handoff_line, is_handoff_line};
