//! One text for every vendor: the engine with each provider against each sandbox, on each store;
//! what a wrong set-up is told; and that the sandboxes misbehave as they say.
//!
//! A vendor's own file says how it is started, what its names are and how it tells of changes. What
//! only one vendor has is tested with its provider.

#![allow(unreachable_pub, reason = "the modules of one test")]

mod cloudbeds;
mod events;
mod faults;
mod hotel;
mod limits;
mod mailbox;
mod mews;
mod opera;
mod refusals;
mod stories;
mod tokens;
mod vendor;

use std::time::Duration;

use stayzr_pms::sandbox::Counts;

/// Small hotels, since every story reads one whole.
const COUNTS: Counts = Counts {
    rooms: 8,
    guests: 12,
    reservations: 20,
};

/// For stories that are not about limits.
const UNLIMITED: vendor::Limit = (100_000, Duration::from_secs(1));

/// How long a call hangs that is not answered: longer than a provider waits here.
const HANG: Duration = Duration::from_secs(5);

/// Each of these, for every vendor.
macro_rules! for_every_vendor {
    ($file:ident: $($test:ident)*) => {
        crate::for_every_vendor! { @ mews $file: $($test)* }
        crate::for_every_vendor! { @ opera $file: $($test)* }
        crate::for_every_vendor! { @ cloudbeds $file: $($test)* }
    };
    (@ $vendor:ident $file:ident: $($test:ident)*) => {
        mod $vendor {
            $(
                #[tokio::test]
                async fn $test() {
                    super::$test(crate::$vendor::start).await;
                }
            )*
        }
    };
}
pub(crate) use for_every_vendor;
