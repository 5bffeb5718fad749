//! Recorded requests of the vendors, read from where `STAYZR_SHARED` points to.
#![cfg(all(feature = "agent", feature = "receiver"))]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may stop at what it did not expect"
)]

use std::path::PathBuf;

use serde_json::{Value, json};
use stayzr_core::{
    chrono::{DateTime, Utc},
    model::ChannelEvent,
};
use stayzr_webhooks::{
    channels::{
        email::{EmailEvent, EmailState},
        postmark, resend, whatsapp,
    },
    manifest::verify_manifest_file,
};

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("STAYZR_SHARED")
        .map(|shared| PathBuf::from(shared).join("vectors/webhooks"));
    if folder.is_none() {
        println!("skipped: STAYZR_SHARED names no recorded requests");
    }
    folder
}

#[test]
fn every_recorded_request_gets_its_verdict_reason_status_and_answer() {
    let Some(folder) = folder() else { return };
    let report = verify_manifest_file(&folder.join("manifest.json")).unwrap();
    assert!(report.disagree.is_empty(), "{:#?}", report.disagree);
    assert_eq!((report.n, report.agree), (92, 92));
    assert!(report.skipped.is_empty(), "{:?}", report.skipped);
}

#[test]
fn every_recorded_message_is_read_as_expected() {
    let Some(folder) = folder() else { return };
    let manifest = std::fs::read(folder.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let mut seen = 0;
    for case in manifest["cases"].as_array().unwrap() {
        let expected = &case["expect"]["parsed"];
        if case["scheme"] != "meta_hub_sha256" || expected.is_null() {
            continue;
        }
        let body = std::fs::read(folder.join(case["request"]["body_file"].as_str().unwrap()));
        let events = whatsapp::parse(&body.unwrap(), DateTime::<Utc>::UNIX_EPOCH).unwrap();
        let got = match expected["kind"].as_str() {
            Some(_) => one(&events, expected),
            None => batch(&events),
        };
        assert_eq!(&got, expected, "{}", case["id"]);
        seen += 1;
    }
    assert!(seen >= 17, "only {seen} cases say what they hold");
}

#[test]
fn every_recorded_email_event_is_read_as_expected() {
    let Some(folder) = folder() else { return };
    let manifest = std::fs::read(folder.join("manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let mut seen = 0;
    for case in manifest["cases"].as_array().unwrap() {
        let expected = &case["expect"]["parsed"];
        if expected.is_null() {
            continue;
        }
        let body = std::fs::read(folder.join(case["request"]["body_file"].as_str().unwrap()));
        let body = body.unwrap();
        let (event, name, id) = match case["scheme"].as_str().unwrap() {
            "standard_webhooks" => (resend::parse(&body), "type", "email_id"),
            "postmark_basic_or_header" if expected["record_type"].is_null() => {
                (postmark::parse_inbound(&body), "record_type", "message_id")
            }
            "postmark_basic_or_header" => (postmark::parse(&body), "record_type", "message_id"),
            _ => continue,
        };
        match event.unwrap() {
            EmailEvent::Outcome(outcome) => {
                assert_eq!(outcome.email_id, expected[id], "{}", case["id"]);
                assert_eq!(
                    outcome.state,
                    state(expected[name].as_str().unwrap()),
                    "{}",
                    case["id"]
                );
                assert_eq!(outcome.recipient.as_deref(), Some("guest@example.com"));
                assert!(outcome.at.is_some(), "{}", case["id"]);
            }
            EmailEvent::Received(email) => {
                assert_eq!(email.email_id, expected[id], "{}", case["id"]);
                assert_eq!(email.attachments, 1);
                assert_eq!(email.text, expected["stripped"].as_str().map(str::to_owned));
                assert_eq!(
                    email.mailbox_hash,
                    expected["mailbox_hash"].as_str().map(str::to_owned)
                );
            }
            other => panic!("{}: {other:?}", case["id"]),
        }
        seen += 1;
    }
    assert!(seen >= 18, "only {seen} cases say what they hold");
}

/// What the vendors' names of an outcome mean.
fn state(name: &str) -> EmailState {
    match name {
        "email.sent" => EmailState::Sent,
        "email.scheduled" => EmailState::Scheduled,
        "email.delivered" | "Delivery" => EmailState::Delivered,
        "email.delivery_delayed" => EmailState::Delayed,
        "email.complained" | "SpamComplaint" => EmailState::Complained,
        "email.opened" | "Open" => EmailState::Opened,
        "email.clicked" | "Click" => EmailState::Clicked,
        "email.bounced" | "Bounce" => EmailState::BouncedForGood,
        "email.failed" => EmailState::Failed,
        "email.suppressed" | "SubscriptionChange" => EmailState::Suppressed,
        other => panic!("no state for {other}"),
    }
}

/// A delivery of several accounts, in the words of the manifest.
fn batch(events: &[ChannelEvent]) -> Value {
    let (mut messages, mut accounts) = (Vec::new(), Vec::new());
    let (mut statuses, mut ignored) = (Vec::new(), Vec::new());
    for event in events {
        match event {
            ChannelEvent::Message(message) => {
                messages.push(message.vendor_message_id.clone());
                accounts.push(message.account.clone());
            }
            ChannelEvent::Status(status) => {
                statuses.push((status.vendor_message_id.clone(), status.status.as_str()));
            }
            ChannelEvent::Unknown { name } => ignored.push(name.clone()),
        }
    }
    json!({"messages": messages, "statuses": statuses, "phone_number_ids": accounts,
           "ignored_fields": ignored})
}

/// The only event of a delivery, in those words of the manifest that `expected` uses.
fn one(events: &[ChannelEvent], expected: &Value) -> Value {
    let [event] = events else {
        panic!("{} events: {events:?}", events.len())
    };
    let all = match event {
        ChannelEvent::Message(message) => {
            let extra = &message.extra;
            let content = &extra[&message.kind];
            let reply = content["type"]
                .as_str()
                .map_or(&Value::Null, |kind| &content[kind]);
            json!({
                "kind": "message", "type": message.kind, "message_id": message.vendor_message_id,
                "phone_number_id": message.account, "wa_id": message.phone,
                "user_id": message.user_id, "text": message.text,
                "username": extra["profile"]["username"], "media_id": content["id"],
                "caption": message.text, "reply_id": reply["id"],
                "context_id": extra["context"]["id"], "payload": content["payload"],
                "latitude": content["latitude"], "longitude": content["longitude"],
                "target_id": content["message_id"], "emoji": content["emoji"],
                "error_code": extra["errors"][0]["code"],
            })
        }
        ChannelEvent::Status(status) => json!({
            "kind": "status", "status": status.status, "message_id": status.vendor_message_id,
            "error_code": status.error.as_deref().map(code),
        }),
        ChannelEvent::Unknown { name } => json!({
            "kind": "error", "error_code": name.strip_prefix("errors.").map(code),
        }),
    };
    let words = expected.as_object().unwrap().keys();
    words
        .map(|word| (word.clone(), all[word].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn code(text: &str) -> Option<u64> {
    text.split(' ').next()?.parse().ok()
}
