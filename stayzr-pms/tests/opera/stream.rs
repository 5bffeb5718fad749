//! The stream of business events: nothing is lost and nothing is handed out twice, whatever breaks.

use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use stayzr_core::{ErrorKind, model::PmsEvent};
use stayzr_pms::{
    Desk, PmsProvider,
    desk::{EventBatch, EventFeed},
    providers::opera::{OperaConfig, OperaCredentials, OperaProvider, StreamConfig},
    sandbox::{Fault, OperaOptions, OperaSandbox},
};

use crate::common::{config, options, quick_http, user};

struct Stream {
    sandbox: OperaSandbox,
    provider: OperaProvider,
    /// What was saved.
    position: Option<Value>,
}

fn streaming(sandbox: &OperaSandbox) -> OperaConfig {
    let mut config = config(sandbox.base_url());
    config.stream = Some(StreamConfig {
        chain_code: sandbox.chain_code(),
        wait_seconds: 2,
        reconnect_seconds: 0,
    });
    config
}

fn connected(sandbox: &OperaSandbox) -> OperaProvider {
    OperaProvider::new(streaming(sandbox), user(), quick_http())
}

/// A reader that saved its place before anything happened.
async fn stream_of(options: OperaOptions) -> Stream {
    let sandbox = OperaSandbox::start(options).await.unwrap();
    Stream {
        provider: connected(&sandbox),
        sandbox,
        position: Some(json!({"offset": "0"})),
    }
}

async fn stream() -> Stream {
    stream_of(options()).await
}

impl Stream {
    /// The next batch, which is not kept yet.
    async fn peek(&self) -> Option<EventBatch> {
        let after = self.position.as_ref();
        self.provider.next_events(after).await.unwrap()
    }

    /// Rooms of the next batch, which is kept.
    async fn take(&mut self) -> Vec<String> {
        let Some(batch) = self.peek().await else {
            return Vec::new();
        };
        self.position.clone_from(&batch.position);
        self.rooms(&batch)
    }

    /// Rooms of batches until there are so many.
    async fn rooms_of(&mut self, count: usize) -> Vec<String> {
        let mut rooms = Vec::new();
        while rooms.len() < count {
            let more = self.take().await;
            assert!(!more.is_empty(), "{rooms:?} and no more");
            rooms.extend(more);
        }
        rooms
    }

    fn rooms(&self, batch: &EventBatch) -> Vec<String> {
        let events = self.provider.parse_event(&batch.body).unwrap();
        let named = events.into_iter().map(|event| match event {
            PmsEvent::Changed {
                record,
                remote_property_id,
            } if remote_property_id == "SAND01" => record.id,
            other => panic!("{other:?}"),
        });
        named.collect()
    }

    /// A maid says how a room is, differently from before.
    async fn clean(&self, room: &str) {
        let client = stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap();
        let url = format!("{}/_sandbox/rooms/{room}", self.sandbox.base_url());
        let was: Value = client.get(&url).send().await.unwrap().json().await.unwrap();
        let status = &was["housekeeping"]["housekeepingRoomStatus"]["housekeepingRoomStatus"];
        let word = if status == "Clean" { "Dirty" } else { "Clean" };
        let change = json!({"housekeepingRoomStatus": word});
        let answer = client.patch(&url).json(&change).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    fn fault(&self, kind: &str, operation: Option<&str>) {
        let fault = Fault {
            kind: kind.to_owned(),
            operation: operation.map(str::to_owned),
            count: 1,
            retry_after: None,
        };
        self.sandbox.inject(fault).unwrap();
    }
}

#[tokio::test]
async fn changes_come_in_order_as_they_happen_and_the_place_is_the_last_one() {
    let mut stream = stream().await;
    let feed = stream.provider.capabilities().desk.events;
    assert_eq!(feed, Some(EventFeed::Account));
    for room in ["101", "102", "103"] {
        stream.clean(room).await;
    }
    assert_eq!(stream.rooms_of(3).await, ["101", "102", "103"]);
    assert_eq!(stream.position, Some(json!({"offset": "103"})));
    stream.clean("104").await;
    assert_eq!(stream.take().await, ["104"]);
    // Another process goes on behind what was saved.
    drop(std::mem::replace(
        &mut stream.provider,
        connected(&stream.sandbox),
    ));
    stream.clean("105").await;
    let mut rooms = Vec::new();
    // The place of the first reader is freed when its connection is noticed to be gone.
    while rooms.is_empty() {
        match stream.provider.next_events(stream.position.as_ref()).await {
            Ok(batch) => rooms = batch.map(|batch| stream.rooms(&batch)).unwrap_or_default(),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}"),
        }
    }
    assert_eq!(rooms, ["105"]);
}

#[tokio::test]
async fn a_batch_that_was_not_kept_comes_again() {
    let mut stream = stream().await;
    stream.clean("101").await;
    let first = stream.peek().await.unwrap();
    let again = stream.peek().await.unwrap();
    assert_eq!(again, first);
    assert_eq!(stream.take().await, ["101"]);
    // Whoever goes back to an older place hears everything behind it again.
    stream.clean("102").await;
    assert_eq!(stream.take().await, ["102"]);
    stream.position = Some(json!({"offset": "0"}));
    let mut rooms = Vec::new();
    while rooms.len() < 2 {
        let after = stream.position.clone();
        if let Ok(Some(batch)) = stream.provider.next_events(after.as_ref()).await {
            stream.position.clone_from(&batch.position);
            rooms.extend(stream.rooms(&batch));
        }
    }
    assert_eq!(rooms, ["101", "102"]);
}

#[tokio::test]
async fn a_line_that_breaks_loses_nothing_and_repeats_nothing() {
    let mut stream = stream().await;
    for (code, room) in [(1006, "101"), (1000, "102"), (4504, "103"), (4401, "104")] {
        stream.clean(room).await;
        assert_eq!(stream.take().await, [room], "{code}");
        stream.sandbox.hang_up(code);
        stream.clean("110").await;
        assert_eq!(stream.rooms_of(1).await, ["110"], "{code}");
    }
}

#[tokio::test]
async fn what_comes_twice_is_handed_out_once_and_what_is_lost_comes_when_it_is_read_again() {
    let mut stream = stream().await;
    stream.clean("101").await;
    assert_eq!(stream.take().await, ["101"]);
    stream.fault("duplicate_event", None);
    stream.clean("102").await;
    stream.clean("103").await;
    assert_eq!(stream.rooms_of(2).await, ["102", "103"]);
    let before = stream.position.clone();
    stream.fault("drop_event", None);
    stream.clean("104").await;
    stream.clean("105").await;
    let rooms = stream.rooms_of(1).await;
    assert!(!rooms.contains(&"104".to_owned()), "{rooms:?}");
    drop(std::mem::replace(
        &mut stream.provider,
        connected(&stream.sandbox),
    ));
    stream.position = before;
    let mut rooms = Vec::new();
    while rooms.len() < 2 {
        let after = stream.position.clone();
        if let Ok(Some(batch)) = stream.provider.next_events(after.as_ref()).await {
            stream.position.clone_from(&batch.position);
            rooms.extend(stream.rooms(&batch));
        }
    }
    assert_eq!(rooms, ["104", "105"]);
}

#[tokio::test]
async fn a_token_that_ends_ends_no_stream() {
    let short = OperaOptions {
        token_life: Duration::from_secs(1),
        ..options()
    };
    let mut stream = stream_of(short).await;
    for round in 0..4 {
        stream.clean("101").await;
        assert_eq!(stream.rooms_of(1).await, ["101"], "{round}");
        tokio::time::timeout(Duration::from_secs(2), stream.provider.check())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stream.peek().await, None, "{round}");
    }
}

#[tokio::test]
async fn invariant_b_the_stream_does_not_tell_us_of_our_own_writes() {
    use stayzr_core::transform::EntityKind;
    let mut stream = stream().await;
    stream.clean("101").await;
    assert_eq!(stream.take().await, ["101"]);
    let room = stream
        .provider
        .fetch_ids(EntityKind::Room, &["101".to_owned()])
        .await
        .unwrap();
    let now = room.records[0].fields.text("condition").unwrap().to_owned();
    let other = if now == "clean" { "dirty" } else { "clean" };
    let push = crate::common::change(EntityKind::Room, "101", &[("condition", json!(other))]);
    stream.provider.push(&push).await.unwrap();
    assert_eq!(stream.peek().await, None);
}

#[tokio::test]
async fn one_reader_at_a_time_and_the_other_is_told_so() {
    let mut stream = stream().await;
    stream.clean("101").await;
    assert_eq!(stream.take().await, ["101"]);
    let other = connected(&stream.sandbox);
    let error = other.next_events(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("stop the other one"), "{error}");
    stream.clean("102").await;
    assert_eq!(stream.take().await, ["102"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_told_by_what_to_do() {
    let stream = stream().await;
    let other_chain = {
        let mut config = streaming(&stream.sandbox);
        config.stream.as_mut().unwrap().chain_code = "OTHER".to_owned();
        OperaProvider::new(config, user(), quick_http())
    };
    let error = other_chain.next_events(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.to_string().contains("chain_code"), "{error}");

    let wrong_key = OperaCredentials::parse(&SecretString::from(
        json!({"client_id": "sandbox-client", "client_secret": "sandbox-client-secret",
            "app_key": "00000000-0000-4000-8000-000000000000", "enterprise_id": "SANDBOX"})
        .to_string(),
    ));
    let wrong_key =
        OperaProvider::new(streaming(&stream.sandbox), wrong_key.unwrap(), quick_http());
    let error = wrong_key.next_events(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);

    for (fault, kind, word) in [
        ("error_400", ErrorKind::Invalid, "approved"),
        ("error_404", ErrorKind::Invalid, "base_url"),
        ("error_503", ErrorKind::Unavailable, "fault"),
        ("html", ErrorKind::Invalid, "base_url"),
        ("cut_before", ErrorKind::Unavailable, "network"),
        ("rate_limit", ErrorKind::RateLimited, "too often"),
    ] {
        let provider = connected(&stream.sandbox);
        stream.fault(fault, Some("subscriptions"));
        let error = provider.next_events(None).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{fault}: {error}");
        assert!(error.to_string().contains(word), "{fault}: {error}");
        let shown = format!("{error:?}");
        assert!(
            !shown.contains("41ecd082") && !shown.contains("key="),
            "{shown}"
        );
    }
    let error = stream
        .provider
        .next_events(Some(&json!({"page": 1})))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}
