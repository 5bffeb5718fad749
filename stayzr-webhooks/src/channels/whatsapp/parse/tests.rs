use proptest::prelude::*;
use serde_json::json;

use super::*;

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_781_000_005, 0).unwrap()
}

fn of_value(value: Value) -> Vec<ChannelEvent> {
    let body = json!({"object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]});
    parse(body.to_string().as_bytes(), at()).unwrap()
}

fn of_message(mut message: Value) -> InboundMessage {
    message["from"] = json!("16505551234");
    message["id"] = json!("wamid.1");
    message["timestamp"] = json!("1781000000");
    let value = json!({"metadata": {"phone_number_id": "10"}, "messages": [message]});
    match of_value(value).pop() {
        Some(ChannelEvent::Message(message)) => message,
        other => panic!("no message but {other:?}"),
    }
}

#[test]
fn words_are_found_in_every_kind_of_message() {
    for (message, expected) in [
        (json!({"type": "text", "text": {"body": "Hi"}}), "Hi"),
        (
            json!({"type": "button", "button": {"payload": "STOP", "text": "Stop it"}}),
            "Stop it",
        ),
        (
            json!({"type": "interactive", "interactive": {"type": "list_reply",
            "list_reply": {"id": "late_14", "title": "Late check-out"}}}),
            "Late check-out",
        ),
        (
            json!({"type": "interactive", "interactive": {"type": "button_reply",
            "button_reply": {"id": "yes", "title": "Confirm"}}}),
            "Confirm",
        ),
        (
            json!({"type": "interactive", "interactive": {"type": "nfm_reply",
            "nfm_reply": {"name": "flow", "body": "Sent", "response_json": "{}"}}}),
            "Sent",
        ),
        (
            json!({"type": "image", "image": {"id": "1", "caption": "Leaking tap"}}),
            "Leaking tap",
        ),
        (
            json!({"type": "audio", "audio": {"id": "1", "voice": true}}),
            "",
        ),
        (
            json!({"type": "location", "location": {"latitude": 48.13, "longitude": 11.57}}),
            "48.13, 11.57",
        ),
        (
            json!({"type": "location", "location": {"latitude": 48.13, "longitude": 11.57,
            "name": "Marienplatz", "address": "80331 München"}}),
            "Marienplatz, 80331 München",
        ),
        (
            json!({"type": "reaction", "reaction": {"message_id": "wamid.0", "emoji": "👍"}}),
            "👍",
        ),
        (
            json!({"type": "reaction", "reaction": {"message_id": "wamid.0"}}),
            "",
        ),
        (
            json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "Bo Li"},
            "phones": [{"phone": "+49 89 1"}]}]}),
            "Bo Li, +49 89 1",
        ),
        (
            json!({"type": "hologram", "hologram": {"caption": "new"}}),
            "new",
        ),
        (
            json!({"type": "unsupported", "errors": [{"code": 131_051}]}),
            "",
        ),
        (json!({}), ""),
    ] {
        assert_eq!(of_message(message.clone()).text, expected, "{message}");
    }
}

#[test]
fn the_rest_of_a_message_is_kept() {
    let message = of_message(json!({"type": "image", "image": {"id": "1003"},
        "context": {"id": "wamid.OUT"}}));
    assert_eq!(
        message.extra,
        json!({"image": {"id": "1003"}, "context": {"id": "wamid.OUT"}})
    );
    assert_eq!(message.sent_at.timestamp(), 1_781_000_000);
}

#[test]
fn invariant_u_what_is_not_known_costs_nothing_beside_it() {
    let events = of_value(
        json!({"metadata": {"phone_number_id": 10}, "new_in_2027": [1],
        "messages": [7, {"id": "wamid.0", "type": "text"}, {"type": "system", "id": "wamid.s",
            "from": "1", "system": {"type": "user_changed_number"}},
            {"id": "wamid.2", "from": "1", "type": "text", "text": {"body": "kept"}}],
        "statuses": [{"id": "wamid.3", "status": "warning"}, {"status": "sent"},
            {"id": "wamid.3", "status": "read", "timestamp": 1_781_000_001}]}),
    );
    let names: Vec<_> = events
        .iter()
        .map(|event| match event {
            ChannelEvent::Message(message) => message.text.as_str(),
            ChannelEvent::Status(status) => status.status.as_str(),
            ChannelEvent::Unknown { name } => name,
        })
        .collect();
    assert_eq!(
        names,
        [
            "messages.unknown.incomplete",
            "messages.text.incomplete",
            "messages.system.user_changed_number",
            "kept",
            "statuses.warning",
            "statuses.sent.incomplete",
            "read",
        ]
    );
}

#[test]
fn our_own_id_comes_back_with_a_status_and_a_foreign_one_is_ignored() {
    let ours = "0190b7c2-0000-7000-8000-000000000000";
    let events = of_value(json!({"metadata": {"phone_number_id": "10"}, "statuses": [
        {"id": "wamid.1", "status": "failed", "biz_opaque_callback_data": ours,
         "errors": [{"code": 131_047, "title": "Re-engagement message"}]},
        {"id": "wamid.2", "status": "sent", "biz_opaque_callback_data": "R-1001"}]}));
    let [ChannelEvent::Status(failed), ChannelEvent::Status(sent)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(failed.message_id, Some(ours.parse().unwrap()));
    assert_eq!(
        failed.error.as_deref(),
        Some("131047 Re-engagement message")
    );
    assert_eq!(
        failed.at,
        at(),
        "a status without a time happened when it came"
    );
    assert_eq!((sent.message_id, &sent.error), (None, &None));
}

#[test]
fn a_body_that_is_no_json_object_is_corrupt_and_not_quoted() {
    for body in [&b"{\"secret words\""[..], b"[]", b"\xff", b""] {
        let error = parse(body, at()).unwrap_err();
        assert_eq!(error.kind(), stayzr_core::ErrorKind::Corrupt);
        assert!(!format!("{error:?}").contains("secret words"));
    }
}

#[test]
fn deliveries_of_other_products_and_fields_are_named() {
    let events = parse(br#"{"object":"page","entry":[]}"#, at()).unwrap();
    assert_eq!(
        events,
        [ChannelEvent::Unknown {
            name: "object.page".to_owned()
        }]
    );
}

#[test]
fn half_an_emoji_does_not_cost_the_message() {
    let body = r#"{"object":"whatsapp_business_account","entry":[{"changes":[{"field":"messages",
        "value":{"metadata":{"phone_number_id":"10"},"messages":[{"from":"1","id":"wamid.1",
        "type":"text","text":{"body":"hello \ud83d"}}]}}]}]}"#;
    let events = parse(body.as_bytes(), at()).unwrap();
    let [ChannelEvent::Message(message)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(message.text, "hello \u{fffd}");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z_]{0,8}".prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "id",
        "from",
        "type",
        "text",
        "body",
        "metadata",
        "phone_number_id",
        "messages",
        "statuses",
        "contacts",
        "profile",
        "errors",
        "interactive",
        "location",
        "status",
        "timestamp",
        "other",
    ]);
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn invariant_u_no_shape_of_a_delivery_is_an_error(
        value in any_json(),
        messages in any_json(),
        statuses in any_json(),
    ) {
        of_value(value);
        of_value(json!({"metadata": {"phone_number_id": "10"}, "contacts": messages,
            "messages": [messages], "statuses": [statuses], "errors": statuses}));
    }
}
