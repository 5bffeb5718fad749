//! The kit that a provider is held to: what [`PmsProvider`](crate::PmsProvider) promises, as
//! scenarios that any provider can be run against.
//!
//! A crate with a provider depends on it for its tests and writes a [`Bench`]: how a simulated vendor
//! is started, seen and disturbed. One test then runs everything:
//!
//! ```no_run
//! # async fn conforms(bench: &dyn stayzr_pms::conformance::Bench) {
//! let report = stayzr_pms::conformance::run(bench).await;
//! println!("{report}");
//! report.assert();
//! # }
//! ```
//!
//! Every scenario starts a vendor of its own. It passes, fails, or is skipped with a reason; a skip of
//! what the provider declares in its [`Capabilities`](crate::Capabilities) is a failure, since what is
//! claimed must be shown. Everything that is traced meanwhile is searched for the bench's secrets.
//!
//! [`SCENARIOS`] lists them; a single one is run by [`run_one`], or called by its name with a
//! [`Case`], as it is an ordinary function.

pub mod access;
mod bench;
pub mod by_id;
mod capture;
mod case;
pub mod changed;
pub mod creating;
pub mod events;
pub mod faults;
pub mod gone;
pub mod laws;
pub mod paging;
pub mod quotes;
pub mod reading;
mod report;
mod sample;
mod scenario;
pub mod secrecy;
pub mod writing;

pub use bench::{Access, Act, Bench, Call, Done, EventExample, Fault, Says, Vendor};
pub use case::Case;
pub use report::{Outcome, Report, Stop, Verdict};
pub use scenario::{Claim, SCENARIOS, Scenario, run, run_one};
