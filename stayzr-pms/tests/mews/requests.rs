//! What we send has the shape of the vendor's own requests.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use stayzr_core::{model::ExternalRef, port::backend::StayQuery, transform::EntityKind};
use stayzr_pms::{PmsProvider, Push, sandbox::MewsSandbox};

use crate::common::{Desk, all, applied, change, example, id, provider_at, sandbox};

pub type Seen = Arc<Mutex<BTreeMap<String, Value>>>;

/// Passes every call on to the sandbox and keeps the last body of each operation.
pub async fn recorder(sandbox: &MewsSandbox) -> (String, Seen) {
    let seen = Seen::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let target = sandbox.base_url().to_owned();
    let kept = Arc::clone(&seen);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let (target, kept) = (target.clone(), Arc::clone(&kept));
            let service = service_fn(move |request: http::Request<Incoming>| {
                let (target, kept) = (target.clone(), Arc::clone(&kept));
                async move {
                    let path = request.uri().path().to_owned();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let operation = path.trim_start_matches("/api/connector/v1/").to_owned();
                    kept.lock()
                        .unwrap()
                        .insert(operation, serde_json::from_slice(&body).unwrap());
                    let client = stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap();
                    let passed = client.post(format!("{target}{path}")).body(body);
                    let answer = passed.send().await.unwrap();
                    let status = answer.status();
                    let mut response =
                        Response::new(Full::new(answer.bytes().await.unwrap_or(Bytes::new())));
                    *response.status_mut() = status;
                    Ok::<_, std::convert::Infallible>(response)
                }
            });
            let mut server = http1::Builder::new();
            // Like a proxy that drops the date of an answer.
            server.auto_date_header(false);
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    (format!("http://{address}"), seen)
}

pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Every key of ours is one of theirs, with a value of the same type.
fn within(path: &str, ours: &Value, theirs: &Value) {
    assert_eq!(kind(ours), kind(theirs), "{path}");
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (key, value) in ours {
                let known = theirs
                    .get(key)
                    .unwrap_or_else(|| panic!("{path}: the vendor has no {key}"));
                within(&format!("{path}/{key}"), value, known);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            for value in ours {
                within(path, value, &theirs[0]);
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn the_vendors_clock_is_known_where_answers_carry_no_date() {
    let sandbox = sandbox().await;
    let (base_url, _) = recorder(&sandbox).await;
    let before = chrono::Utc::now() - chrono::TimeDelta::seconds(2);
    let page = all(&provider_at(&base_url), EntityKind::Reservation, None).await;
    let now = page.vendor_now.expect("from configuration/get");
    assert!(before <= now && now <= chrono::Utc::now(), "{now}");
}

#[tokio::test]
async fn every_request_is_within_the_vendors_example_and_has_what_is_required() {
    let sandbox = sandbox().await;
    let (base_url, seen) = recorder(&sandbox).await;
    let provider = provider_at(&base_url);
    let desk = Desk(&sandbox);

    for kind in provider.capabilities().read.clone() {
        all(&provider, kind, None).await;
    }
    // What a backfill asks is seen before a guest is looked for.
    let listed = seen.lock().unwrap()["customers/getAll"].clone();
    assert!(listed["UpdatedUtc"].is_object(), "{listed}");
    let now = chrono::Utc::now();
    all(
        &provider,
        EntityKind::Reservation,
        Some((now - chrono::TimeDelta::days(1), now)),
    )
    .await;
    let today = now.date_naive();
    let stay = StayQuery {
        arrival: today,
        departure: today + chrono::Days::new(2),
        persons: 2,
    };
    provider.quote(&stay).await.unwrap();

    let guest = [
        ("title", json!("Miss")),
        ("first_name", json!("Thea")),
        ("last_name", json!("Carbone")),
        ("birth_date", json!("1985-09-30")),
        ("email", json!("thea@quotidiano.example")),
        ("phone", json!("+39 06 555 5555")),
        ("notes", json!("Check-in notturno.")),
        ("classifications", json!(["FriendOrFamily", "Media"])),
    ];
    let add = Push {
        external_id: None,
        ..change(EntityKind::Guest, "", &guest)
    };
    provider.find(&add).await.unwrap();
    let added = applied(provider.push(&add).await.unwrap());
    let update = change(EntityKind::Guest, &added.external_id, &guest);
    applied(provider.push(&update).await.unwrap());

    let booked = desk
        .reservation(|one| one["State"] == "Confirmed" && one["AssignedResourceId"].is_string())
        .await;
    let mut push = change(
        EntityKind::Reservation,
        &id(&booked),
        &[
            ("arrival", json!("2030-01-01T15:00:00Z")),
            ("departure", json!("2030-01-03T11:00:00Z")),
            ("adults", json!(2)),
            ("children", json!(1)),
            ("channel_number", json!("TW48ZP")),
            ("purpose", json!("Business")),
        ],
    );
    for (field, kind, key) in [
        ("room_id", EntityKind::Room, "AssignedResourceId"),
        (
            "room_type_id",
            EntityKind::RoomType,
            "RequestedResourceCategoryId",
        ),
    ] {
        let link = ExternalRef {
            kind,
            id: booked[key].as_str().unwrap().to_owned(),
        };
        push.links.insert(field.to_owned(), Some(link));
    }
    applied(provider.push(&push).await.unwrap());
    let mut note = change(EntityKind::Note, "", &[("text", json!("Shaken"))]);
    note.external_id = None;
    let stay = ExternalRef {
        kind: EntityKind::Reservation,
        id: id(&booked),
    };
    note.links.insert("reservation_id".to_owned(), Some(stay));
    let added = applied(provider.push(&note).await.unwrap());
    let text = [("text", json!("Shaken, not stirred."))];
    let stir = change(EntityKind::Note, &added.external_id, &text);
    applied(provider.push(&stir).await.unwrap());

    let cancel = change(
        EntityKind::Reservation,
        &id(&booked),
        &[("status", json!("cancelled"))],
    );
    applied(provider.push(&cancel).await.unwrap());
    let room = desk.get("rooms").await[0].clone();
    let clean = change(
        EntityKind::Room,
        &id(&room),
        &[("condition", json!("out_of_service"))],
    );
    applied(provider.push(&clean).await.unwrap());

    let seen = seen.lock().unwrap().clone();
    let required: [(&str, &[&str]); 17] = [
        ("configuration/get", &[]),
        ("services/getAll", &["Limitation"]),
        ("ageCategories/getAll", &["Limitation"]),
        ("resourceCategories/getAll", &["ServiceIds", "Limitation"]),
        ("resourceCategoryAssignments/getAll", &["Limitation"]),
        ("resources/getAll", &["Extent", "Limitation"]),
        (
            "customers/getAll",
            &["Extent", "Limitation", "FirstNames", "LastNames"],
        ),
        ("reservations/getAll/2023-06-06", &["Limitation"]),
        ("rates/getAll", &["ServiceIds"]),
        ("serviceOrderNotes/getAll", &["Types", "Limitation"]),
        ("serviceOrderNotes/add", &["ServiceOrderNotes"]),
        ("serviceOrderNotes/update", &["ServiceOrderNoteUpdates"]),
        (
            "rates/getPricing",
            &["RateId", "FirstTimeUnitStartUtc", "LastTimeUnitStartUtc"],
        ),
        ("customers/add", &["LastName", "OverwriteExisting"]),
        ("customers/update", &["CustomerId"]),
        (
            "reservations/update",
            &[
                "ReservationId",
                "ReservationUpdates",
                "Reprice",
                "ApplyCancellationFee",
            ],
        ),
        (
            "reservations/cancel",
            &[
                "ReservationIds",
                "Notes",
                "PostCancellationFee",
                "SendEmail",
            ],
        ),
    ];
    for (operation, keys) in required {
        let body = seen
            .get(operation)
            .unwrap_or_else(|| panic!("{operation} was not called"));
        for key in ["ClientToken", "AccessToken", "Client"].iter().chain(keys) {
            assert!(!body[key].is_null(), "{operation} lacks {key}: {body}");
        }
    }
    for (operation, body) in &seen {
        let file = format!("{}.request.json", operation.replace('/', "."));
        let has_example = [
            "customers",
            "reservations",
            "resources.",
            "resourceCategoryAssignments",
            "services",
            "ageCategories",
            "rates.getPricing",
            "serviceOrderNotes.update",
        ]
        .iter()
        .any(|start| file.starts_with(start))
            && !file.contains("cancel");
        if let Some(theirs) = has_example.then(|| example(&file)).flatten() {
            within(operation, body, &theirs);
        }
    }
    let update = &seen["reservations/update"];
    assert_eq!(update["Reprice"], false);
    assert_eq!(update["ApplyCancellationFee"], false);
    assert_eq!(seen["reservations/cancel"]["SendEmail"], false);
}
