//! The sender against a server that answers as WhatsApp's Cloud API does.
#![cfg(feature = "meta-send")]
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at what it did not expect"
)]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use secrecy::SecretString;
use serde_json::{Value, json};
use stayzr_core::{
    Error, ErrorKind,
    chrono::{DateTime, TimeDelta, Utc},
    clock::ManualClock,
    model::ChannelAccount,
    port::outbound::{OutboundMessage, SendOutcome, Sender},
};
use stayzr_webhooks::{
    channels::whatsapp::{AccessTokens, WhatsappConfig, WhatsappSender},
    default_client,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const TOKEN: &str = "EAAG-token";

/// What the server does with a request.
enum Reply {
    /// Answers.
    With(u16, &'static str, String),
    /// Reads the request and hangs up.
    HangUp,
    /// Reads the request and says nothing.
    Silence,
    /// Begins an answer and hangs up.
    HalfAnswer,
}

/// A server that takes requests apart and answers them in turn.
struct Graph {
    url: String,
    requests: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Graph {
    async fn new(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            let mut replies = VecDeque::from(replies);
            let mut silent = Vec::new();
            while let Some(reply) = replies.pop_front() {
                let (mut stream, _) = listener.accept().await.unwrap();
                let request = read_request(&mut stream).await;
                seen.lock().unwrap().push(request);
                match reply {
                    Reply::With(status, headers, body) => {
                        let head = format!(
                            "HTTP/1.1 {status} X\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n",
                            body.len()
                        );
                        stream.write_all(head.as_bytes()).await.unwrap();
                        stream.write_all(body.as_bytes()).await.unwrap();
                        stream.shutdown().await.unwrap();
                    }
                    Reply::HalfAnswer => {
                        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"messages\":";
                        stream.write_all(head).await.unwrap();
                    }
                    Reply::HangUp => {}
                    Reply::Silence => silent.push(stream),
                }
            }
            // Silence lasts for as long as the test does.
            std::future::pending::<()>().await;
        });
        Self { url, requests }
    }

    async fn answering(status: u16, body: Value) -> Self {
        Self::new(vec![Reply::With(status, "", body.to_string())]).await
    }

    fn sender(&self) -> WhatsappSender {
        let tokens = |_: &ChannelAccount| Ok(SecretString::from(TOKEN));
        sender(&self.url, Arc::new(tokens))
    }

    fn requests(&self) -> Vec<(String, Value)> {
        self.requests.lock().unwrap().clone()
    }
}

async fn read_request(stream: &mut TcpStream) -> (String, Value) {
    let mut bytes = Vec::new();
    loop {
        stream.read_buf(&mut bytes).await.unwrap();
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        while bytes.len() < end + 4 + length {
            stream.read_buf(&mut bytes).await.unwrap();
        }
        return (head, serde_json::from_slice(&bytes[end + 4..]).unwrap());
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_781_000_000, 0).unwrap()
}

fn sender(url: &str, tokens: Arc<dyn AccessTokens>) -> WhatsappSender {
    let config = WhatsappConfig {
        base_url: url.to_owned(),
        timeout_seconds: 1,
        ..WhatsappConfig::default()
    };
    let clock = Arc::new(ManualClock::new(now()));
    WhatsappSender::new(&config, tokens, clock, default_client().unwrap()).unwrap()
}

fn message() -> OutboundMessage {
    let id = "0190b7c2-0000-7000-8000-000000000000";
    let at = now();
    serde_json::from_value::<stayzr_core::model::Message>(json!({
        "id": id, "organization_id": id, "conversation_id": id, "direction": "outbound",
        "author": "concierge", "text": "Breakfast is from 7 to 10:30 ☕", "kind": "text",
        "status": "sending", "vendor_message_id": null, "error": null, "trace": null,
        "created_at": at, "updated_at": at,
    }))
    .map(|message| OutboundMessage {
        message,
        account: serde_json::from_value(json!({
            "id": id, "organization_id": id, "property_id": id, "channel": "whatsapp",
            "address": "106540352242922", "settings": {}, "created_at": at, "updated_at": at,
        }))
        .unwrap(),
        to: "16505551234".to_owned(),
        in_reply_to: Some("wamid.IN".to_owned()),
        last_inbound_at: Some(at - TimeDelta::hours(1)),
    })
    .unwrap()
}

fn taken() -> Value {
    json!({"messaging_product": "whatsapp", "contacts": [{"input": "1", "wa_id": "1"}],
           "messages": [{"id": "wamid.OUT"}]})
}

fn refused(code: Value) -> Value {
    json!({"error": {"message": "(#1) quoting Breakfast", "type": "OAuthException", "code": code,
           "error_data": {"messaging_product": "whatsapp", "details": "quoting Breakfast"},
           "fbtrace_id": "AbC_1"}})
}

#[tokio::test]
async fn a_reply_goes_out_in_the_shape_of_the_cloud_api() {
    let graph = Graph::answering(200, taken()).await;
    let outcome = graph.sender().send(&message()).await;
    assert_eq!(
        outcome,
        SendOutcome::Sent {
            vendor_message_id: "wamid.OUT".to_owned()
        }
    );

    let requests = graph.requests();
    let [(head, body)] = &requests[..] else {
        panic!("sent {} times", requests.len())
    };
    assert!(
        head.starts_with("POST /v25.0/106540352242922/messages HTTP/1.1"),
        "{head}"
    );
    assert!(
        head.contains(&format!("authorization: Bearer {TOKEN}")),
        "{head}"
    );
    assert!(head.contains("content-type: application/json"), "{head}");
    let expected = json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": "16505551234",
        "type": "text", "text": {"preview_url": false, "body": "Breakfast is from 7 to 10:30 ☕"},
        "context": {"message_id": "wamid.IN"},
        "biz_opaque_callback_data": "0190b7c2-0000-7000-8000-000000000000",
    });
    assert_eq!(body, &expected);
}

#[tokio::test]
async fn a_guest_without_a_number_is_addressed_by_user_id() {
    let graph = Graph::answering(200, taken()).await;
    let outbound = OutboundMessage {
        to: "BR.9982107731".to_owned(),
        in_reply_to: None,
        ..message()
    };
    graph.sender().send(&outbound).await;
    let body = &graph.requests()[0].1;
    assert_eq!(body["recipient"], "BR.9982107731");
    assert!(
        body.get("to").is_none() && body.get("context").is_none(),
        "{body}"
    );
}

#[tokio::test]
async fn an_account_may_have_an_address_and_version_of_its_own() {
    let graph = Graph::answering(200, taken()).await;
    let mut outbound = message();
    outbound.account.settings =
        json!({"base_url": format!("{}/_sandbox/", graph.url), "api_version": "v26.0"});
    outbound.account.address = "a/b?c".to_owned();
    let tokens = |_: &ChannelAccount| Ok(SecretString::from(TOKEN));
    sender("http://127.0.0.1:9", Arc::new(tokens))
        .send(&outbound)
        .await;
    let head = &graph.requests()[0].0;
    assert!(
        head.starts_with("POST /_sandbox/v26.0/a%2Fb%3Fc/messages "),
        "{head}"
    );
}

#[tokio::test]
async fn an_error_is_judged_by_its_code_whatever_the_status() {
    for (status, code, expected) in [
        (400, json!(131_047), "failed"),
        (401, json!(190), "failed"),
        (500, json!(0), "failed"),
        (403, json!(230), "failed"),
        (400, json!(130_429), "retry 5"),
        (429, json!("130429"), "retry 5"),
        (400, json!(131_056), "retry 16"),
        (500, json!(131_000), "retry 10"),
        (200, json!(131_026), "failed"),
        (500, json!(999_999), "failed"),
    ] {
        let graph = Graph::answering(status, refused(code.clone())).await;
        let outcome = graph.sender().send(&message()).await;
        assert_eq!(brief(&outcome), expected, "{status} {code}: {outcome:?}");
        let shown = format!("{outcome:?}");
        assert!(shown.contains("AbC_1"), "{shown}");
        assert!(
            !shown.contains("Breakfast") && !shown.contains(TOKEN),
            "{shown}"
        );
    }
}

fn brief(outcome: &SendOutcome) -> String {
    match outcome {
        SendOutcome::Sent { .. } => "sent".to_owned(),
        SendOutcome::Retry { after, .. } => format!("retry {}", after.as_secs()),
        SendOutcome::Failed { .. } => "failed".to_owned(),
        SendOutcome::Ambiguous { .. } => "ambiguous".to_owned(),
    }
}

#[tokio::test]
async fn invariant_f_what_may_have_been_sent_is_ambiguous_and_sent_once() {
    for reply in [
        Reply::HangUp,
        Reply::Silence,
        Reply::HalfAnswer,
        Reply::With(200, "", "{}".to_owned()),
        Reply::With(200, "", r#"{"messages":[]}"#.to_owned()),
        Reply::With(500, "", "<html>".to_owned()),
        Reply::With(502, "", String::new()),
        Reply::With(504, "", String::new()),
        Reply::With(408, "", String::new()),
    ] {
        // A second attempt of the client would be answered, and counted.
        let again = Reply::With(200, "", taken().to_string());
        let graph = Graph::new(vec![reply, again]).await;
        let outcome = graph.sender().send(&message()).await;
        assert_eq!(brief(&outcome), "ambiguous", "{outcome:?}");
        assert_eq!(graph.requests().len(), 1);
    }
}

#[tokio::test]
async fn what_was_certainly_not_sent_is_tried_again_or_failed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let tokens = |_: &ChannelAccount| Ok(SecretString::from(TOKEN));
    let outcome = sender(&closed, Arc::new(tokens)).send(&message()).await;
    assert_eq!(brief(&outcome), "retry 5", "{outcome:?}");

    for (reply, expected) in [
        (
            Reply::With(429, "retry-after: 42\r\n", String::new()),
            "retry 42",
        ),
        (
            Reply::With(429, "retry-after: 999999\r\n", String::new()),
            "retry 3600",
        ),
        (
            Reply::With(
                429,
                "retry-after: Fri, 31 Dec 2100 23:59:59 GMT\r\n",
                String::new(),
            ),
            "retry 3600",
        ),
        (Reply::With(429, "", "slow down".to_owned()), "retry 10"),
        (Reply::With(404, "", "not here".to_owned()), "failed"),
        (
            Reply::With(307, "location: /elsewhere\r\n", String::new()),
            "failed",
        ),
    ] {
        let graph = Graph::new(vec![reply]).await;
        assert_eq!(brief(&graph.sender().send(&message()).await), expected);
        assert_eq!(graph.requests().len(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_sent_fails_before_anything_leaves() {
    let graph = Graph::new(Vec::new()).await;
    let day = TimeDelta::hours(24);
    let aged = |age| OutboundMessage {
        last_inbound_at: age,
        ..message()
    };
    let saying = |text: String| {
        let mut outbound = message();
        outbound.message.text = text;
        outbound
    };
    let mut elsewhere = message();
    elsewhere.account.channel = stayzr_core::model::Channel::Api;
    for (outbound, reason) in [
        (
            aged(Some(now() - day - TimeDelta::seconds(1))),
            "outside the 24 h window, needs a template",
        ),
        (aged(None), "outside the 24 h window, needs a template"),
        (
            saying("é".repeat(4097)),
            "the message is longer than 4096 characters",
        ),
        (saying(" \n".to_owned()), "the message is empty"),
        (
            OutboundMessage {
                to: String::new(),
                ..message()
            },
            "the guest has no address on WhatsApp",
        ),
        (elsewhere, "the account is not one of WhatsApp"),
    ] {
        let outcome = graph.sender().send(&outbound).await;
        assert_eq!(
            outcome,
            SendOutcome::Failed {
                error: reason.to_owned()
            }
        );
    }
    assert!(graph.requests().is_empty());
}

#[tokio::test]
async fn the_limits_themselves_are_inside() {
    let mut outbound = OutboundMessage {
        last_inbound_at: Some(now() - TimeDelta::hours(24)),
        ..message()
    };
    outbound.message.text = "é".repeat(4096);
    let graph = Graph::answering(200, taken()).await;
    assert_eq!(brief(&graph.sender().send(&outbound).await), "sent");
}

#[tokio::test]
async fn a_token_that_cannot_be_had_now_is_asked_for_later() {
    for (kind, expected) in [
        (ErrorKind::Unavailable, "retry 7"),
        (ErrorKind::Corrupt, "failed"),
    ] {
        let tokens = move |_: &ChannelAccount| {
            Err(Error::new(kind, "token", "sealed").with_retry_after(Duration::from_secs(7)))
        };
        let outcome = sender("http://127.0.0.1:9", Arc::new(tokens))
            .send(&message())
            .await;
        assert_eq!(brief(&outcome), expected, "{outcome:?}");
    }
}

#[test]
fn the_default_client_needs_no_tls_provider_in_the_process() {
    default_client().unwrap();
}

#[test]
fn a_wrong_configuration_is_refused_when_built() {
    let build = |config: &WhatsappConfig| {
        let tokens = |_: &ChannelAccount| Ok(SecretString::from(TOKEN));
        let clock = Arc::new(ManualClock::new(now()));
        WhatsappSender::new(config, Arc::new(tokens), clock, default_client().unwrap())
            .err()
            .map(|error| error.kind())
    };
    let good = WhatsappConfig::default();
    assert_eq!(build(&good), None);
    for wrong in [
        WhatsappConfig {
            base_url: "graph.facebook.com".to_owned(),
            ..good.clone()
        },
        WhatsappConfig {
            base_url: "ftp://graph.facebook.com".to_owned(),
            ..good.clone()
        },
        WhatsappConfig {
            api_version: "25".to_owned(),
            ..good.clone()
        },
        WhatsappConfig {
            api_version: "v25.0/../x".to_owned(),
            ..good.clone()
        },
        WhatsappConfig {
            timeout_seconds: 0,
            ..good.clone()
        },
    ] {
        assert_eq!(build(&wrong), Some(ErrorKind::Invalid), "{wrong:?}");
    }
    assert!(serde_json::from_value::<WhatsappConfig>(json!({"base": "x"})).is_err());
}
