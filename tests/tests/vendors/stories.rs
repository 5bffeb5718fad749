//! The engine keeps a hotel and its vendor equal, whichever vendor it is and wherever rows are kept.

use std::time::Instant;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    ErrorKind,
    model::{RunMode, RunStatus},
    transform::EntityKind,
};
use stayzr_pms::sandbox::Fault;

use crate::{
    COUNTS,
    hotel::{Hotel, Shelf},
    vendor::{Key, Vendor},
};

const GUEST: EntityKind = EntityKind::Guest;
const RESERVATION: EntityKind = EntityKind::Reservation;

/// A vendor and a shelf for one story.
struct Stage {
    vendor: Box<dyn Vendor>,
    shelf: Shelf,
}

impl Stage {
    /// The hotel after its first backfill.
    async fn filled(self, settings: Value) -> (Hotel, Shelf) {
        let provider = self.vendor.connected(Key::Good, None);
        let hotel = Hotel::open(&self.shelf, self.vendor, provider, settings).await;
        let run = hotel.run(RunMode::Backfill).await;
        assert_eq!((run.parked, run.unknown), (0, 0), "{run:?}");
        // What was told of the hotel's beginnings is read already.
        hotel.vendor.told(&*hotel.provider).await;
        (hotel, self.shelf)
    }
}

macro_rules! stories {
    ($($story:ident)*) => {
        stories! { @ on_sqlite: $($story)* }
        stories! { @ on_postgres: $($story)* }
    };
    (@ $store:ident: $($story:ident)*) => {
        mod $store {
            stories! { @ $store mews: $($story)* }
            stories! { @ $store opera: $($story)* }
            stories! { @ $store cloudbeds: $($story)* }
        }
    };
    (@ $store:ident $vendor:ident: $($story:ident)*) => {
        mod $vendor {
            $(
                #[tokio::test]
                async fn $story() {
                    let Some(shelf) = crate::hotel::Shelf::$store().await else {
                        return;
                    };
                    let vendor = crate::$vendor::start(None).await;
                    let stage = super::super::Stage { vendor, shelf };
                    super::super::$story(stage).await.put_away().await;
                }
            )*
        }
    };
}

stories! {
    a_backfill_that_was_cut_goes_on_where_it_stood
    invariant_c_what_did_not_change_changes_no_row
    a_change_at_the_vendor_arrives_by_its_event
    a_change_whose_event_was_lost_is_found_by_reading
    invariant_b_an_edit_is_pushed_and_does_not_echo
    invariant_b_a_stale_read_takes_nothing_back
    invariant_b_each_strategy_decides_its_conflict
    invariant_f_a_push_that_had_its_effect_is_not_repeated
    invariant_f_a_guest_whose_making_was_not_answered_is_made_once
    invariant_f_a_note_whose_making_was_not_answered_is_made_once
    a_guest_merged_at_the_vendor_is_merged_here
    what_is_gone_is_marked_and_too_much_waits_for_a_person
    a_token_that_ended_is_renewed_on_the_way
    a_named_wait_is_kept
    invariant_u_a_status_that_nobody_knows_is_kept
}

async fn a_backfill_that_was_cut_goes_on_where_it_stood(stage: Stage) -> Shelf {
    let provider = stage.vendor.connected(Key::Good, None);
    let hotel = Hotel::open(&stage.shelf, stage.vendor, provider, Value::Null).await;
    let words = hotel.vendor.words();
    hotel
        .vendor
        .fault("cut_before", words.list_reservations, 1000);
    let cut = hotel
        .try_run(RunMode::Backfill)
        .await
        .expect_err("the line is cut");
    assert_eq!(cut.kind(), ErrorKind::Unavailable, "{cut}");
    let rooms = COUNTS.rooms as u64;
    let kept = hotel.count(EntityKind::Room).await;
    assert_eq!(kept, rooms, "what was read is kept");
    assert_eq!(hotel.count(RESERVATION).await, 0);
    let before = hotel.vendor.calls(words.list_rooms).await;

    hotel
        .vendor
        .control(reqwest::Method::DELETE, "faults", None)
        .await;
    let run = hotel.run(RunMode::Backfill).await;
    let after = hotel.vendor.calls(words.list_rooms).await;
    assert_eq!(after, before, "rooms were read before the cut");
    let reservations = COUNTS.reservations as u64;
    assert_eq!(hotel.count(RESERVATION).await, reservations, "{run:?}");
    assert_eq!(hotel.count(GUEST).await, COUNTS.guests as u64);
    stage.shelf
}

async fn invariant_c_what_did_not_change_changes_no_row(stage: Stage) -> Shelf {
    let (hotel, shelf) = stage.filled(Value::Null).await;
    for mode in [RunMode::Backfill, RunMode::Incremental] {
        let again = hotel.run(mode).await;
        assert_eq!((again.created, again.updated), (0, 0), "{again:?}");
        assert_eq!(again.unchanged, again.read, "{again:?}");
    }
    shelf
}

async fn a_change_at_the_vendor_arrives_by_its_event(stage: Stage) -> Shelf {
    let (hotel, shelf) = stage.filled(Value::Null).await;
    let guest = hotel.vendor.guests().await[0].clone();
    let change = json!({hotel.vendor.words().last_name: "Nogueira"});
    hotel.vendor.patch(&format!("guests/{guest}"), change).await;
    assert!(hotel.hear().await > 0, "the vendor tells of it");
    hotel.settle().await;
    assert_eq!(hotel.field(GUEST, &guest, "last_name").await, "Nogueira");
    shelf
}

async fn a_change_whose_event_was_lost_is_found_by_reading(stage: Stage) -> Shelf {
    let (hotel, shelf) = stage.filled(Value::Null).await;
    let guest = hotel.vendor.guests().await[1].clone();
    hotel.vendor.inject(events("drop_event"));
    let change = json!({hotel.vendor.words().phone: "+351 210 000 001"});
    hotel.vendor.patch(&format!("guests/{guest}"), change).await;
    assert_eq!(hotel.hear().await, 0);
    let run = hotel.run(RunMode::Incremental).await;
    assert_eq!((run.created, run.updated), (0, 1), "{run:?}");
    let phone = hotel.field(GUEST, &guest, "phone").await;
    assert_eq!(phone, "+351 210 000 001");
    shelf
}

async fn invariant_b_an_edit_is_pushed_and_does_not_echo(stage: Stage) -> Shelf {
    let (hotel, shelf) = stage.filled(Value::Null).await;
    let words = hotel.vendor.words();
    let guest = hotel.vendor.guests().await[0].clone();
    hotel.edit(&guest, "email", "corrected@example.com").await;
    // Somebody at the desk changes another field meanwhile.
    let change = json!({words.phone: "+351 210 000 002"});
    hotel.vendor.patch(&format!("guests/{guest}"), change).await;
    hotel.settle().await;
    let email = hotel.vendor.of_guest(&guest, words.email).await;
    assert_eq!(email, "corrected@example.com");
    let phone = hotel.field(GUEST, &guest, "phone").await;
    assert_eq!(phone, "+351 210 000 002");

    let stands = hotel.row(GUEST, &guest).await;
    hotel.hear().await;
    hotel.settle().await;
    let echo = hotel.run(RunMode::Incremental).await;
    assert_eq!((echo.created, echo.updated), (0, 0), "{echo:?}");
    assert_eq!(hotel.row(GUEST, &guest).await, stands);
    assert_eq!(hotel.vendor.calls(words.change_guest).await, 1);
    shelf
}

async fn invariant_b_a_stale_read_takes_nothing_back(stage: Stage) -> Shelf {
    let (hotel, shelf) = stage.filled(Value::Null).await;
    let words = hotel.vendor.words();
    let guest = hotel.vendor.guests().await[2].clone();
    hotel.edit(&guest, "phone", "+351 210 000 003").await;
    hotel.settle().await;
    // The vendor reads the state from before our push, by event and by window.
    let stale = Fault {
        kind: "stale_read".to_owned(),
        operation: None,
        count: 1000,
        retry_after: None,
    };
    hotel.vendor.inject(stale);
    let ids = [guest.clone()];
    let read = hotel
        .engine
        .targeted(hotel.scope, hotel.integration, GUEST, &ids, None);
    read.await.expect("a stale answer is an answer");
    hotel.run(RunMode::Incremental).await;
    let phone = hotel.field(GUEST, &guest, "phone").await;
    assert_eq!(phone, "+351 210 000 003", "a stale read took it back");
    hotel
        .vendor
        .control(reqwest::Method::DELETE, "faults", None)
        .await;
    hotel.run(RunMode::Incremental).await;
    let phone = hotel.field(GUEST, &guest, "phone").await;
    assert_eq!(phone, "+351 210 000 003");
    let there = hotel.vendor.of_guest(&guest, words.phone).await;
    assert_eq!(there, "+351 210 000 003");
    shelf
}

async fn invariant_b_each_strategy_decides_its_conflict(stage: Stage) -> Shelf {
    let (hotel, shelf) = stage
        .filled(json!({"conflicts": {"guest": {"fields": {
            "last_name": "MANUAL_REVIEW",
            "email": "REMOTE_WINS",
            "phone": "LOCAL_WINS",
        }}}}))
        .await;
    let words = hotel.vendor.words();
    let guests = hotel.vendor.guests().await;
    let sides = [
        (
            "email",
            words.email,
            "ours@example.com",
            "theirs@example.com",
        ),
        ("phone", words.phone, "+351 210 000 004", "+351 210 000 005"),
        ("last_name", words.last_name, "Ours", "Theirs"),
    ];
    for (guest, (field, there, ours, theirs)) in guests.iter().zip(sides) {
        hotel.edit(guest, field, ours).await;
        let change = json!({there: theirs});
        hotel.vendor.patch(&format!("guests/{guest}"), change).await;
    }
    hotel.hear().await;
    hotel.settle().await;

    let both = async |nth: usize| {
        let (field, there, ..) = sides[nth];
        let here = hotel.field(GUEST, &guests[nth], field).await;
        (here, hotel.vendor.of_guest(&guests[nth], there).await)
    };
    let agreed = |value: &str| (json!(value), json!(value));
    assert_eq!(both(0).await, agreed("theirs@example.com"));
    assert_eq!(both(1).await, agreed("+351 210 000 004"));
    assert_eq!(both(2).await, (json!("Ours"), json!("Theirs")));
    let open = hotel.open_conflicts().await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!(open[0].external_id, guests[2]);
    assert_eq!(open[0].local.text("last_name"), Some("Ours"));
    assert_eq!(open[0].remote.text("last_name"), Some("Theirs"));
    shelf
}

async fn invariant_f_a_push_that_had_its_effect_is_not_repeated(stage: Stage) -> Shelf {
    let (hotel, shelf) = stage.filled(Value::Null).await;
    let words = hotel.vendor.words();
    let guest = hotel.vendor.guests().await[3].clone();
    let faults = ["error_after_503", "cut", "half", "malformed", "timeout"];
    for (before, kind) in faults.into_iter().enumerate() {
        let email = format!("{kind}@example.com");
        hotel.edit(&guest, "email", &email).await;
        hotel.vendor.fault(kind, words.change_guest, 1);
        let failed = hotel.work().await;
        assert_eq!(failed.len(), 1, "{kind}: {failed:?}");
        assert_eq!(failed[0].kind(), ErrorKind::Ambiguous, "{kind}");
        let there = hotel.vendor.of_guest(&guest, words.email).await;
        assert_eq!(there, json!(email), "{kind}");
        let writes = hotel.vendor.calls(words.change_guest).await;
        assert_eq!(writes, before as u64 + 1, "{kind}: it was sent once");
        assert_eq!(hotel.field(GUEST, &guest, "email").await, json!(email));
    }
    shelf
}

async fn invariant_f_a_guest_whose_making_was_not_answered_is_made_once(stage: Stage) -> Shelf {
    let (hotel, shelf) = stage.filled(Value::Null).await;
    if !hotel.provider.capabilities().create.contains(&GUEST) {
        // It makes guests only with their reservations.
        return shelf;
    }
    let words = hotel.vendor.words();
    let set = [
        ("first_name", json!("Thea")),
        ("last_name", json!("Carbone")),
        ("email", json!("thea@quotidiano.example")),
    ];
    let local = hotel.create(GUEST, &set).await;
    hotel.vendor.fault("cut", words.create_guest, 1);
    let failed = hotel.work().await;
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].kind(), ErrorKind::Ambiguous);
    assert_eq!(hotel.vendor.calls(words.create_guest).await, 1);
    let mut theas = Vec::new();
    for guest in hotel.vendor.guests().await {
        let email = hotel.vendor.of_guest(&guest, words.email).await;
        theas.extend((email == "thea@quotidiano.example").then_some(guest));
    }
    assert_eq!(theas.len(), 1, "{theas:?}");
    assert_eq!(hotel.row(GUEST, &theas[0]).await.id, local);
    shelf
}

async fn invariant_f_a_note_whose_making_was_not_answered_is_made_once(stage: Stage) -> Shelf {
    let (hotel, shelf) = stage.filled(Value::Null).await;
    let note = EntityKind::Note;
    if !hotel.provider.capabilities().create.contains(&note) {
        // It keeps no notes that we could write.
        return shelf;
    }
    let words = hotel.vendor.words();
    let booked = hotel.vendor.ids("reservations").await[0].clone();
    let stay = hotel.row(RESERVATION, &booked).await.id;
    let before = hotel.count(note).await;
    let set = [
        ("reservation_id", json!(stay)),
        ("text", json!("A quiet room, please")),
    ];
    hotel.create(note, &set).await;
    hotel.vendor.fault("cut", words.create_note, 1);
    let failed = hotel.work().await;
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0].kind(), ErrorKind::Ambiguous);
    assert_eq!(hotel.vendor.calls(words.create_note).await, 1);
    let echo = hotel.run(RunMode::Incremental).await;
    assert_eq!((echo.created, echo.updated), (0, 0), "{echo:?}");
    assert_eq!(hotel.count(note).await, before + 1);
    shelf
}

async fn a_guest_merged_at_the_vendor_is_merged_here(stage: Stage) -> Shelf {
    let (hotel, shelf) = stage.filled(Value::Null).await;
    let guests = hotel.vendor.guests().await;
    let (from, into) = (&guests[0], &guests[1]);
    if !hotel.vendor.merge(from, into).await {
        // Its API tells of no merges: there is nothing to follow.
        return shelf;
    }
    hotel.hear().await;
    hotel.settle().await;
    let run = hotel.run(RunMode::Incremental).await;
    assert_eq!(run.parked, 0, "{run:?}");
    let remains = hotel.row(GUEST, into).await.id;
    let merged = hotel.field(GUEST, from, "merged_into").await;
    assert_eq!(merged, json!(remains));
    assert_eq!(hotel.field(GUEST, from, "active").await, false);
    shelf
}

async fn what_is_gone_is_marked_and_too_much_waits_for_a_person(stage: Stage) -> Shelf {
    let brake = json!({"reconcile": {"max_missing_share": 0.1, "min_missing": 1}});
    let (hotel, shelf) = stage.filled(brake).await;
    let ids = hotel.vendor.ids("reservations").await;
    let lose = async |id: &String| {
        let path = format!("reservations/{id}");
        hotel
            .vendor
            .control(reqwest::Method::DELETE, &path, None)
            .await
    };
    let first = expected(&*hotel.vendor).await;
    lose(&first).await;
    let run = hotel.run(RunMode::Reconcile).await;
    assert_eq!((run.status, run.gone), (RunStatus::Completed, 1), "{run:?}");
    let status = hotel.field(RESERVATION, &first, "status").await;
    assert_eq!(status, "cancelled");

    for id in ids.iter().filter(|id| **id != first).take(9) {
        lose(id).await;
    }
    let run = hotel.run(RunMode::Reconcile).await;
    assert_eq!((run.status, run.gone), (RunStatus::Stopped, 0), "{run:?}");
    assert!(run.error.is_some_and(|why| why.contains('9')));
    let accepted = hotel
        .engine
        .reconcile(hotel.scope, hotel.integration, true, None)
        .await
        .expect("a person said so");
    assert_eq!(accepted.gone, 9, "{accepted:?}");
    shelf
}

async fn a_token_that_ended_is_renewed_on_the_way(stage: Stage) -> Shelf {
    let provider = stage.vendor.connected(Key::Ended, None);
    let hotel = Hotel::open(&stage.shelf, stage.vendor, provider, Value::Null).await;
    let run = hotel.try_run(RunMode::Backfill).await;
    match hotel.vendor.asks_for_tokens() {
        Some(asks) => {
            let run = run.expect("the token is renewed");
            assert_eq!(run.status, RunStatus::Completed, "{run:?}");
            assert!((1..=2).contains(&hotel.vendor.calls(asks).await));
        }
        // Its tokens do not end: a refusal is one.
        None => assert_eq!(
            run.expect_err("a key of another").kind(),
            ErrorKind::Unauthorized
        ),
    }
    stage.shelf
}

async fn a_named_wait_is_kept(stage: Stage) -> Shelf {
    let (hotel, shelf) = stage.filled(Value::Null).await;
    let list = hotel.vendor.words().list_reservations;
    for dated in [false, true] {
        // A date has whole seconds, so that the last one may be cut short.
        let date = Utc::now() + TimeDelta::seconds(3);
        let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let wait = if dated { date } else { "1".to_owned() };
        hotel.vendor.inject(Fault {
            kind: "rate_limit".to_owned(),
            operation: Some(list.to_owned()),
            count: 1,
            retry_after: Some(wait.clone()),
        });
        let began = Instant::now();
        let run = hotel.run(RunMode::Backfill).await;
        let took = began.elapsed().as_secs_f64();
        assert!(took >= 1.0, "{wait}: after {took} s");
        assert_eq!(run.unchanged, run.read, "{run:?}");
    }
    shelf
}

async fn invariant_u_a_status_that_nobody_knows_is_kept(stage: Stage) -> Shelf {
    let (hotel, shelf) = stage.filled(Value::Null).await;
    let words = hotel.vendor.words();
    let id = expected(&*hotel.vendor).await;
    let change = json!({words.status: "TELEPORTED"});
    hotel
        .vendor
        .patch(&format!("reservations/{id}"), change)
        .await;
    let run = hotel.run(RunMode::Incremental).await;
    assert_eq!(run.parked, 0, "{run:?}");
    assert!(run.unknown > 0, "{run:?}");
    let kept = hotel.field(RESERVATION, &id, "status_vendor").await;
    assert_eq!(kept, "TELEPORTED");
    shelf
}

fn events(kind: &str) -> Fault {
    Fault {
        kind: kind.to_owned(),
        operation: None,
        count: 1,
        retry_after: None,
    }
}

/// A reservation whose guest is expected.
async fn expected(vendor: &dyn Vendor) -> String {
    let words = vendor.words();
    let all = vendor.get("reservations").await;
    let mut all = all.as_array().expect("a list").iter();
    let found = all.find(|one| one[words.status] == words.expected);
    vendor.id(found.expect("somebody is expected"))
}
