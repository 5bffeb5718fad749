//! The sandbox keeps the vendor's rules.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::Utc;
use http_body_util::{BodyExt, Empty};
use hyper::{Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use secrecy::SecretString;
use serde_json::{Value, json};
use stayzr_core::{clock::ManualClock, transform::EntityKind};
use stayzr_pms::sandbox::{HotelProfile, MewsSandbox, SandboxOptions};

use crate::common::{Desk, all, id, provider, sandbox, start};

async fn call(sandbox: &MewsSandbox, operation: &str, mut body: Value) -> (u16, Value) {
    body["ClientToken"] = json!("sandbox-client-token");
    body["AccessToken"] = json!("sandbox-access-token");
    body["Client"] = json!("Test 1.0.0");
    raw(sandbox, operation, body).await
}

async fn raw(sandbox: &MewsSandbox, operation: &str, body: Value) -> (u16, Value) {
    let client = stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap();
    let url = format!("{}/api/connector/v1/{operation}", sandbox.base_url());
    let response = client.post(url).json(&body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn requests_that_mews_refuses_are_refused() {
    let sandbox = sandbox().await;
    let limitation = json!({"Count": 10});
    let extent = json!({"Customers": true, "Addresses": false});
    let span = json!({"StartUtc": "2026-01-01T00:00:00Z", "EndUtc": "2026-04-02T00:00:00Z"});
    for (operation, body, status) in [
        ("Customers/getAll", json!({}), 404),
        ("customers/getAll/", json!({}), 404),
        ("reservations/getAll", json!({}), 404),
        ("services/getAll", json!({}), 400),
        (
            "services/getAll",
            json!({"Limitation": {"Count": 1001}}),
            400,
        ),
        (
            "services/getAll",
            json!({"Limitation": {"Count": 10, "Cursor": "gone"}}),
            400,
        ),
        (
            "customers/getAll",
            json!({"Limitation": limitation, "Extent": extent}),
            400,
        ),
        (
            "customers/getAll",
            json!({"Limitation": limitation, "Emails": ["x"]}),
            400,
        ),
        (
            "customers/getAll",
            json!({"Limitation": limitation, "Extent": extent, "UpdatedUtc": span}),
            400,
        ),
        (
            "customers/getAll",
            json!({"Limitation": limitation, "Extent": extent, "CustomerIds": vec!["x"; 1001]}),
            400,
        ),
        ("resources/getAll", json!({"Limitation": limitation}), 400),
        (
            "resourceCategories/getAll",
            json!({"Limitation": limitation}),
            400,
        ),
        ("rates/getAll", json!({"Limitation": limitation}), 400),
        ("reservations/cancel", json!({"ReservationIds": ["x"]}), 400),
        ("customers/add", json!({"LastName": "X"}), 400),
    ] {
        let (found, answer) = call(&sandbox, operation, body.clone()).await;
        assert_eq!(found, status, "{operation} {body}: {answer}");
        assert!(answer["Message"].is_string() && answer["RequestId"].is_string());
    }
    let (status, _) = raw(
        &sandbox,
        "services/getAll",
        json!({"Limitation": limitation}),
    )
    .await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn a_span_has_its_start_and_not_its_end() {
    let sandbox = sandbox().await;
    let guest = Desk(&sandbox).get("guests").await[0].clone();
    let at = guest["UpdatedUtc"].as_str().unwrap();
    let count = |start: String, end: String| {
        let body = json!({
            "Limitation": {"Count": 1000}, "CustomerIds": [id(&guest)],
            "Extent": {"Customers": true, "Addresses": false},
            "UpdatedUtc": {"StartUtc": start, "EndUtc": end},
        });
        let sandbox = &sandbox;
        async move {
            let (status, answer) = call(sandbox, "customers/getAll", body).await;
            assert_eq!(status, 200);
            answer["Customers"].as_array().unwrap().len()
        }
    };
    let time: chrono::DateTime<chrono::Utc> = at.parse().unwrap();
    let shifted = |seconds| (time + chrono::TimeDelta::seconds(seconds)).to_rfc3339();
    assert_eq!(count(shifted(0), shifted(1)).await, 1);
    assert_eq!(count(shifted(-1), shifted(0)).await, 0);
    assert_eq!(count(shifted(0), shifted(0)).await, 1);
}

#[tokio::test]
async fn the_limit_holds_in_any_window() {
    let sandbox = start(SandboxOptions {
        limit: 5,
        limit_window: Duration::from_secs(1),
        clock: Arc::new(ManualClock::new(Utc::now())),
        ..SandboxOptions::default()
    })
    .await;
    let mut refused = 0;
    for _ in 0..8 {
        let (status, _) = call(&sandbox, "configuration/get", json!({})).await;
        refused += u32::from(status == 429);
    }
    assert_eq!(refused, 3);
}

#[tokio::test]
async fn a_hotel_that_names_its_rooms_has_these_of_these_types() {
    let mut options = SandboxOptions::default();
    let types = &mut options.hotel.room_types;
    types.truncate(2);
    types[0].rooms = vec!["101".to_owned(), "1203".to_owned()];
    types[1].rooms = vec!["102".to_owned()];
    let names: Vec<String> = types.iter().map(|kind| kind.name.clone()).collect();
    let sandbox = start(options).await;
    let provider = provider(&sandbox);
    let types = all(&provider, EntityKind::RoomType, None).await.records;
    let rooms = all(&provider, EntityKind::Room, None).await.records;
    let found: BTreeMap<String, (String, String)> = rooms
        .iter()
        .map(|room| {
            let link = room.links["room_type_id"].as_ref().unwrap();
            let of = types.iter().find(|one| one.external_id == link.id).unwrap();
            let text = |field: &str| room.fields.text(field).unwrap().to_owned();
            let name = of.fields.text("name").unwrap().to_owned();
            (text("name"), (text("floor"), name))
        })
        .collect();
    let expected = [("101", "1", 0), ("102", "1", 1), ("1203", "12", 0)]
        .map(|(name, floor, of)| (name.to_owned(), (floor.to_owned(), names[of].clone())));
    assert_eq!(found, BTreeMap::from(expected));
}

#[tokio::test]
async fn the_seed_makes_a_house_with_guests_in_arriving_and_gone_and_no_room_twice() {
    let sandbox = sandbox().await;
    let reservations = Desk(&sandbox).get("reservations").await;
    let reservations = reservations.as_array().unwrap();
    assert_eq!(reservations.len(), 150);
    let mut states: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rooms: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    for one in reservations {
        let text = |key: &str| one[key].as_str().unwrap();
        *states.entry(text("State")).or_default() += 1;
        if let Some(room) = one["AssignedResourceId"].as_str() {
            let stay = (text("ScheduledStartUtc"), text("ScheduledEndUtc"));
            rooms.entry(room).or_default().push(stay);
        }
    }
    for (state, least) in [
        ("Started", 5),
        ("Processed", 20),
        ("Confirmed", 20),
        ("Canceled", 2),
        ("Optional", 1),
    ] {
        assert!(
            states.get(state).is_some_and(|count| *count >= least),
            "{state}: {states:?}"
        );
    }
    for stays in rooms.values_mut() {
        stays.sort_unstable();
        assert!(
            stays.windows(2).all(|pair| pair[0].1 < pair[1].0),
            "{stays:?}"
        );
    }
}

#[tokio::test]
async fn ids_follow_from_seed_and_hotel_and_changes_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let options = || SandboxOptions {
        state_file: Some(folder.path().join("mews.json")),
        ..SandboxOptions::default()
    };
    let first = start(options()).await;
    let (address, enterprise) = (first.address(), first.enterprise_id());
    let guest = id(&Desk(&first).get("guests").await[0]);
    let path = format!("guests/{guest}");
    let patched = Desk(&first)
        .patch(&path, json!({"FirstName": "Kept"}))
        .await;
    let (status, added) = Desk(&first)
        .post("guests", json!({"LastName": "Walkin"}))
        .await;
    assert_eq!(status, 201);
    first.shutdown().await;

    let second = start(options()).await;
    assert_eq!(second.enterprise_id(), enterprise);
    assert_eq!(second.address(), address, "the same port while it is free");
    assert_eq!(Desk(&second).get(&path).await, patched);
    let walkin = Desk(&second).get(&format!("guests/{}", id(&added))).await;
    assert_eq!(walkin["LastName"], "Walkin");
    second.shutdown().await;

    let elsewhere = start(SandboxOptions::default()).await;
    assert_eq!(elsewhere.enterprise_id(), enterprise);
    assert_eq!(id(&Desk(&elsewhere).get("guests").await[0]), guest);
    let other = start(SandboxOptions {
        hotel: HotelProfile {
            slug: "other".to_owned(),
            ..HotelProfile::default()
        },
        ..SandboxOptions::default()
    })
    .await;
    assert_ne!(other.enterprise_id(), enterprise);
}

#[tokio::test]
async fn no_two_states_of_a_record_have_the_same_version() {
    let sandbox = sandbox().await;
    let desk = Desk(&sandbox);
    let path = format!("guests/{}", id(&desk.get("guests").await[0]));
    let mut last = String::new();
    for number in 0..3 {
        let patched = desk
            .patch(&path, json!({"Notes": number.to_string()}))
            .await;
        let updated = patched["UpdatedUtc"].as_str().unwrap().to_owned();
        assert!(updated > last && updated.len() == 20, "{updated}");
        last = updated;
    }
    let same = desk.patch(&path, json!({"Notes": "2"})).await;
    assert_eq!(same["UpdatedUtc"], last.as_str(), "nothing changed");
}

type Received = Arc<Mutex<Vec<(String, Value)>>>;

/// Answers the first webhook with 500 and the others with 200.
async fn endpoint() -> (String, Received) {
    let received = Received::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?token=t", listener.local_addr().unwrap());
    let kept = Arc::clone(&received);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let kept = Arc::clone(&kept);
            let service = service_fn(move |request: http::Request<Incoming>| {
                let kept = Arc::clone(&kept);
                async move {
                    let target = request.uri().to_string();
                    let body = request.into_body().collect().await.unwrap().to_bytes();
                    let mut kept = kept.lock().unwrap();
                    kept.push((target, serde_json::from_slice(&body).unwrap()));
                    let mut response = Response::new(Empty::<bytes::Bytes>::new());
                    if kept.len() == 1 {
                        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                    }
                    Ok::<_, std::convert::Infallible>(response)
                }
            });
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    (url, received)
}

#[tokio::test]
async fn a_change_is_told_until_it_is_acknowledged_and_names_ids_only() {
    let (url, received) = endpoint().await;
    let sandbox = sandbox().await;
    let desk = Desk(&sandbox);
    let guest = id(&desk.get("guests").await[0]);
    desk.patch(&format!("guests/{guest}"), json!({"Notes": "a"}))
        .await;
    desk.patch(&format!("guests/{guest}"), json!({"Notes": "b"}))
        .await;
    let (_, unsent) = desk.post("deliver", json!({})).await;
    assert_eq!(unsent["waiting"], 1, "one event for one record");
    sandbox.set_webhook(Some(SecretString::from(url)));
    let (_, refused) = desk.post("deliver", json!({})).await;
    assert_eq!(
        (&refused["delivered"], &refused["status"]),
        (&json!(0), &json!(500))
    );
    let (_, taken) = desk.post("deliver", json!({})).await;
    assert_eq!(
        (&taken["delivered"], &taken["waiting"]),
        (&json!(1), &json!(0))
    );
    let received = received.lock().unwrap();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0], received[1], "the same again");
    let (target, body) = &received[1];
    assert_eq!(target, "/hook?token=t");
    assert_eq!(body["EnterpriseId"], sandbox.enterprise_id());
    let event = json!({"Discriminator": "CustomerUpdated", "Value": {"Id": guest}});
    assert_eq!(body["Events"], json!([event]));
}

#[tokio::test]
async fn a_fault_that_does_not_exist_is_refused() {
    let sandbox = sandbox().await;
    let desk = Desk(&sandbox);
    assert_eq!(
        desk.post("faults", json!({"kind": "earthquake"})).await.0,
        400
    );
    let fault = json!({"kind": "error_503", "operation": "configuration.get", "count": 1});
    assert_eq!(desk.post("faults", fault).await.0, 200);
    assert_eq!(call(&sandbox, "configuration/get", json!({})).await.0, 503);
    assert_eq!(call(&sandbox, "configuration/get", json!({})).await.0, 200);
}
