//! Deliveries: whose a message is, and what one that cannot be stored costs.

use serde_json::json;
use stayzr_core::{
    ErrorKind,
    flow::receive_events,
    model::{Channel, ChannelEvent, ContactChannel},
    port::{
        PageRequest, Store,
        conversation::Conversations,
        sync::{ContactWrite, PageWrite, RowWrite},
    },
    store::conformance::sample,
};

use crate::hotel::{Hotel, on_sqlite, text};

on_each_store! {
    a_guest_is_known_by_his_number_though_whatsapp_writes_it_otherwise
}

async fn a_guest_is_known_by_his_number_though_whatsapp_writes_it_otherwise<S: Store>(
    at: Hotel<S>,
) {
    let clock = at.clock.as_ref();
    let integration_id = sample::connected(&at.store, clock, at.scope).await;
    for (number, (dialled, written)) in [
        ("+351919999999", "351919999999"),
        // WhatsApp keeps a 1 that is no longer dialled in Mexico,
        ("+525512345678", "5215512345678"),
        // and knows older accounts of Brazil without the 9.
        ("+5531999999999", "553199999999"),
    ]
    .into_iter()
    .enumerate()
    {
        let guest = sample::guest(clock, at.scope, "Ana");
        let mut page = PageWrite::new(sample::widened(at.scope), integration_id);
        page.rows = vec![RowWrite::Insert(sample::row(&guest))];
        page.contacts = vec![ContactWrite {
            guest_id: guest.id,
            channel: ContactChannel::Phone,
            address: Some(dialled.to_owned()),
        }];
        at.store.apply_page(page).await.expect("a page");
        let id = format!("wamid.{number}");
        let ChannelEvent::Message(mut message) = at.event(text(&id, "Hello")) else {
            unreachable!("a message")
        };
        message.user_id = None;
        message.phone = Some(written.to_owned());
        let event = ChannelEvent::Message(message);
        let received = receive_events(&at.store, Channel::Whatsapp, &[event]).await;
        received.expect("the message can be stored");
        let page = PageRequest::default();
        let found = at.store.conversations(at.scope, &page).await;
        let newest = &found.expect("conversations").items[0];
        assert_eq!(newest.guest_id, guest.id, "{written}");
        assert_eq!(
            newest.reply_to.as_deref(),
            Some(written),
            "answered as given"
        );
    }
}

#[tokio::test]
async fn an_event_that_cannot_be_stored_does_not_hold_back_the_others() {
    let (_folder, at) = on_sqlite().await;
    let id = at.receives(text("wamid.1", "Hello")).await;
    let mut tx = at.store.begin().await.expect("a transaction");
    sqlx::query(
        "create trigger poison before insert on messages when new.text = 'poison'
         begin select raise(abort, 'no'); end",
    )
    .execute(&mut *tx)
    .await
    .expect("a trigger");
    tx.commit().await.expect("committed");

    let events = [
        at.event(text("wamid.2", "poison")),
        at.event(text("wamid.3", "When is breakfast?")),
    ];
    let received = receive_events(&at.store, Channel::Whatsapp, &events).await;

    assert_eq!(received.unwrap_err().kind(), ErrorKind::Invalid);
    let messages = at.store.messages(at.scope, id, 50).await.expect("messages");
    let texts: Vec<&str> = messages.iter().map(|message| &*message.text).collect();
    assert_eq!(json!(texts), json!(["Hello", "When is breakfast?"]));
}
