//! No vendor ever counts more calls than it allows, whoever makes them.

use std::time::Duration;

use serde_json::Value;
use stayzr_core::model::RunMode;

use crate::{
    hotel::{Hotel, Shelf},
    vendor::{Key, Limit, Vendor},
};

crate::for_every_vendor! { limits: invariant_g_the_vendor_never_counts_more_than_its_limit }

/// Few calls in a span so long that a busy machine does not move calls together.
const NARROW: Limit = (10, Duration::from_secs(3));

async fn invariant_g_the_vendor_never_counts_more_than_its_limit(
    start: impl AsyncFn(Option<Limit>) -> Box<dyn Vendor>,
) {
    let vendor = start(Some(NARROW)).await;
    let provider = vendor.connected(Key::Good, Some(NARROW));
    let shelf = Shelf::on_sqlite().await.expect("a file");
    let hotel = Hotel::open(&shelf, vendor, provider, Value::Null).await;
    hotel.run(RunMode::Backfill).await;
    // A desk and an interval do not wait for each other.
    for (nth, guest) in hotel.vendor.guests().await.iter().take(4).enumerate() {
        let email = format!("limit-{nth}@example.com");
        hotel.edit(guest, "email", &email).await;
    }
    let (run, failed) = tokio::join!(hotel.try_run(RunMode::Incremental), hotel.work());
    run.expect("the run ends well");
    assert!(failed.is_empty(), "{failed:?}");
    let stats = hotel.vendor.get("stats").await;
    assert_eq!(stats["refused_by_limit"], 0, "{stats}");
    let (most, total) = (&stats["most_in_window"], &stats["total_calls"]);
    assert!(most.as_u64() <= Some(NARROW.0 as u64), "{stats}");
    assert!(total.as_u64() > Some(NARROW.0 as u64), "{stats}");
}
