//! Guards: nothing goes out that this turn does not support, nothing goes out twice, and the line
//! that announces a person is said once.

mod claims;
mod duplicate;
mod evidence;
mod figures;
mod grounding;
mod handoff;
mod polarity;
mod scan;
mod topic;

pub use duplicate::is_duplicate;
pub use evidence::Evidence;
pub use figures::{Figure, figures};
pub use grounding::{Problem, ProblemKind, Verdict, check, check_figures};
pub use handoff::{handoff_line, is_handoff_line};
