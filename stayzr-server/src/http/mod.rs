//! The HTTP side: a `matchit` route table on hyper, layers around it, problems as RFC 9457.

mod auth;
mod body;
mod call;
mod idempotency;
mod layers;
mod metrics;
mod problem;
mod query;
mod router;
mod server;
mod slice;

pub use auth::Caller;
pub use body::{Body, BodyError, json, no_content, text};
pub use call::Call;
pub use layers::{Edge, Stack, stack};
pub use metrics::Metrics;
pub use problem::Problem;
pub use query::Query;
pub use router::{Access, Handled, Params, Route, RouteTable, Router, raw, route};
pub use server::{Bound, bind};
pub use slice::page_of;
