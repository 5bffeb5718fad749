//! Deliveries: one event that cannot be stored does not cost the others.

use serde_json::json;
use stayzr_core::{
    ErrorKind, flow::receive_events, model::Channel, port::conversation::Conversations,
};

use crate::hotel::{on_sqlite, text};

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
