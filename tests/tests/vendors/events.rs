//! Events come twice, in another order, or not at all, whoever sends them.

use serde_json::json;
use stayzr_pms::{PmsProvider, sandbox::Fault};

use crate::vendor::{Key, Limit, Vendor};

crate::for_every_vendor! { events:
    events_come_twice
    events_come_in_reverse
    events_are_lost
}

fn disturb(vendor: &dyn Vendor, kind: &str) {
    vendor.inject(Fault {
        kind: kind.to_owned(),
        operation: None,
        count: 1,
        retry_after: None,
    });
}

async fn rename(vendor: &dyn Vendor, guest: &str, name: &str) {
    let change = json!({vendor.words().last_name: name});
    vendor.patch(&format!("guests/{guest}"), change).await;
}

/// What the vendor tells, as one text.
async fn told(vendor: &dyn Vendor, provider: &dyn PmsProvider) -> String {
    let bodies = vendor.told(provider).await;
    bodies
        .iter()
        .map(|body| String::from_utf8_lossy(body).into_owned())
        .collect()
}

async fn events_come_twice(start: impl AsyncFn(Option<Limit>) -> Box<dyn Vendor>) {
    let vendor = start(None).await;
    let provider = vendor.connected(Key::Good, None);
    let guest = vendor.guests().await[0].clone();
    rename(&*vendor, &guest, "Once").await;
    let once = told(&*vendor, &*provider).await.matches(&guest).count();
    assert!(once > 0, "a change is told");
    disturb(&*vendor, "duplicate_event");
    rename(&*vendor, &guest, "Twice").await;
    assert_eq!(
        told(&*vendor, &*provider).await.matches(&guest).count(),
        2 * once
    );
    assert_eq!(told(&*vendor, &*provider).await, "");
}

async fn events_come_in_reverse(start: impl AsyncFn(Option<Limit>) -> Box<dyn Vendor>) {
    let vendor = start(None).await;
    let provider = vendor.connected(Key::Good, None);
    let guests = vendor.guests().await;
    for reversed in [false, true] {
        if reversed {
            disturb(&*vendor, "reorder_events");
        }
        for guest in &guests[..2] {
            rename(&*vendor, guest, &format!("Reversed {reversed}")).await;
        }
        let text = told(&*vendor, &*provider).await;
        let place = |guest: &str| text.find(guest).expect("it is told");
        assert_eq!(place(&guests[0]) > place(&guests[1]), reversed, "{text}");
    }
}

async fn events_are_lost(start: impl AsyncFn(Option<Limit>) -> Box<dyn Vendor>) {
    let vendor = start(None).await;
    let provider = vendor.connected(Key::Good, None);
    let guests = vendor.guests().await;
    disturb(&*vendor, "drop_event");
    rename(&*vendor, &guests[0], "Lost").await;
    assert_eq!(told(&*vendor, &*provider).await, "");
    assert_eq!(
        told(&*vendor, &*provider).await,
        "",
        "they do not come later"
    );
    rename(&*vendor, &guests[1], "Told").await;
    assert!(told(&*vendor, &*provider).await.contains(&guests[1]));
}
