//! A hundred who call at once ask for one token.

use std::sync::Arc;

use stayzr_core::transform::EntityKind;
use stayzr_pms::{PageQuery, PmsProvider};

use crate::vendor::{Key, Limit, Vendor};

crate::for_every_vendor! { tokens: a_hundred_calls_share_one_token }

async fn a_hundred_calls_share_one_token(start: impl AsyncFn(Option<Limit>) -> Box<dyn Vendor>) {
    let vendor = start(None).await;
    let Some(asks) = vendor.asks_for_tokens() else {
        // Its tokens are given once and do not end.
        return;
    };
    hundred(&vendor.connected(Key::Good, None)).await;
    assert_eq!(vendor.calls(asks).await, 1);
}

async fn hundred(provider: &Arc<dyn PmsProvider>) {
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let provider = Arc::clone(provider);
            let query = PageQuery {
                kind: EntityKind::RoomType,
                changed: None,
                position: None,
            };
            tokio::spawn(async move { provider.fetch_page(&query).await })
        })
        .collect();
    for call in calls {
        let page = call.await.expect("it ends").expect("it is let in");
        assert_eq!(page.records.len(), 5);
    }
}
