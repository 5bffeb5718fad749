//! Edits, changes, duplicates, stale reads, lost answers and crashes in any order.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use chrono::TimeDelta;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};
use stayzr_core::{
    model::ConflictStatus,
    transform::{ConflictStrategy, EntityKind::Guest},
};

use crate::{
    hotel::{Hotel, edit_row},
    vendor::Answer,
};

const GUESTS: [&str; 2] = ["ada", "alan"];

/// What must stand on both sides in the end, for fields that only one side changes.
type Expected = BTreeMap<(&'static str, &'static str), Value>;

struct World {
    hotel: Hotel,
    rng: StdRng,
    expected: Expected,
    steps: u32,
    log: Vec<String>,
    /// First names that were edited in the middle of a step.
    raced: Arc<Mutex<Vec<(&'static str, Value)>>>,
}

impl World {
    async fn step(&mut self) {
        self.steps += 1;
        self.hotel.vendor.lock().pushes_at_once = self.rng.random_bool(0.5);
        let value = json!(format!("v{}", self.steps));
        let guest = *GUESTS.choose(&mut self.rng).unwrap();
        if self.rng.random_bool(0.3) {
            self.race(&value).await;
        }
        match self.rng.random_range(0..14) {
            // Only staff touch the first name, only the vendor the last name, both the email.
            0..3 => {
                self.log.push(format!("edit {guest} first_name {value}"));
                self.expected.insert((guest, "first_name"), value.clone());
                self.hotel
                    .edit(Guest, guest, json!({"first_name": value}))
                    .await;
            }
            3 => {
                self.log.push(format!("edit {guest} email {value}"));
                self.hotel.edit(Guest, guest, json!({"email": value})).await;
            }
            4..6 => {
                let at_once = self.rng.random_bool(0.5);
                let field = ["last_name", "email"].choose(&mut self.rng).unwrap();
                self.log
                    .push(format!("vendor {guest} {field} {value} {at_once}"));
                if *field == "last_name" {
                    self.expected.insert((guest, "last_name"), value.clone());
                }
                let change = json!({*field: value});
                match at_once {
                    true => self.hotel.vendor.change_at_once(Guest, guest, change),
                    false => self.hotel.vendor.change(Guest, guest, change),
                }
            }
            6 => {
                self.log.push(format!("read {guest}"));
                self.hotel.read(Guest, guest).await;
            }
            7..9 => {
                let history = self.hotel.vendor.lock().history.clone();
                let of_guest: Vec<_> = history
                    .into_iter()
                    .filter(|record| record.external_id == guest)
                    .collect();
                let stale = of_guest.choose(&mut self.rng).unwrap().clone();
                self.log.push(format!(
                    "stale read {guest} {:?} {:?}",
                    stale.version, stale.fields
                ));
                self.hotel.vendor.lock().stale_reads.push_back(stale);
                self.hotel.read(Guest, guest).await;
            }
            9 => {
                let answer = match self.rng.random_range(0..4) {
                    0 => Answer::Stale,
                    1 => Answer::Lost,
                    2 => Answer::Ambiguous { done: true },
                    _ => Answer::Ambiguous { done: false },
                };
                self.log.push(format!("push {guest} {answer:?}"));
                self.hotel.vendor.lock().answers.push_back(answer);
                // A lost answer is a crash after the write: nothing of it is saved.
                let _ = self.hotel.push(Guest, guest).await;
                self.hotel.vendor.lock().answers.clear();
            }
            10 => {
                self.log.push(format!("push {guest}"));
                let _ = self.hotel.push(Guest, guest).await;
            }
            11 => {
                self.log.push("incremental".to_owned());
                self.hotel.incremental().await;
            }
            12 => {
                self.log.push("drain".to_owned());
                self.hotel.drain().await;
            }
            _ => {
                // Our clock runs as it likes.
                let seconds = self.rng.random_range(0..40);
                self.log.push(format!("wait {seconds}"));
                self.hotel.clock.advance(TimeDelta::seconds(seconds));
            }
        }
    }

    fn note_raced(&mut self) {
        let raced = std::mem::take(&mut *self.raced.lock().unwrap());
        for (guest, value) in raced {
            self.expected.insert((guest, "first_name"), value);
        }
    }

    /// Has something happen between what the next step reads and what it writes.
    async fn race(&mut self, value: &Value) {
        let guest = *GUESTS.choose(&mut self.rng).unwrap();
        let local = self.hotel.row(Guest, guest).await.id;
        let early = self.rng.random_bool(0.5);
        let racing = self.hotel.racing.clone();
        if self.rng.random_bool(0.5) {
            let value = json!(format!("raced {}", value.as_str().unwrap()));
            self.log
                .push(format!("race: edit {guest} first_name {value} {early}"));
            // The step that it races with makes no edit of its own to this field.
            let (store, clock) = (self.hotel.store.clone(), self.hotel.clock.clone());
            let scope = self.hotel.everything();
            let edited = self.raced.clone();
            let event = async move {
                edit_row(
                    &*store,
                    &clock,
                    scope,
                    Guest,
                    local,
                    json!({"first_name": value}),
                )
                .await;
                edited.lock().unwrap().push((guest, value));
            };
            match early {
                true => racing.after_mappings(event),
                false => racing.before_apply(event),
            }
        } else {
            self.log.push(format!("race: push {guest} {early}"));
            let (engine, scope) = (self.hotel.engine.clone(), self.hotel.scope);
            let id = self.hotel.integration_id;
            let event = async move {
                let _ = engine.push(scope, id, Guest, local, None).await;
            };
            match early {
                true => racing.after_mappings(event),
                false => racing.before_apply(event),
            }
        }
    }

    async fn settle(&mut self) {
        // What is left to people is settled once somebody else decides.
        self.hotel.decide_by(ConflictStrategy::LocalWins);
        for _ in 0..3 {
            self.hotel.quiet().await;
            for guest in GUESTS {
                self.hotel.read(Guest, guest).await;
            }
        }
        self.hotel.quiet().await;
    }

    async fn judge(&self, seed: u64) {
        let story = || format!("seed {seed}:\n{}", self.log.join("\n"));
        for guest in GUESTS {
            let row = self.hotel.row(Guest, guest).await;
            let record = self.hotel.vendor.record(Guest, guest);
            for field in ["first_name", "last_name", "email"] {
                let (ours, theirs) = (row.fields.get(field), record.fields.get(field));
                assert_eq!(ours, theirs, "{guest}.{field} converges; {}", story());
                if let Some(expected) = self.expected.get(&(guest, field)) {
                    assert_eq!(ours, Some(expected), "{guest}.{field} is kept; {}", story());
                }
            }
        }
        for guest in GUESTS {
            let conflicts = self.hotel.conflicts(Guest, guest).await;
            assert!(
                conflicts
                    .iter()
                    .all(|conflict| conflict.status == ConflictStatus::Resolved),
                "{guest} waits for nobody; {}",
                story()
            );
        }
        let pushes = self.hotel.vendor.pushes().len();
        self.hotel.incremental().await;
        self.hotel.drain().await;
        assert_eq!(
            self.hotel.vendor.pushes().len(),
            pushes,
            "quiet; {}",
            story()
        );
    }
}

async fn simulate(seed: u64, sqlite: bool) {
    // Who wins a conflict must not matter to a field that only one side changes.
    let strategies = [
        ConflictStrategy::LocalWins,
        ConflictStrategy::RemoteWins,
        ConflictStrategy::ManualReview,
    ];
    let mut hotel = match sqlite {
        true => Hotel::on_sqlite(Value::Null).await,
        false => Hotel::open().await,
    };
    hotel.decide_by(strategies[usize::try_from(seed % 3).unwrap()]);
    crate::hotel::furnish(&hotel.vendor);
    hotel.backfill().await;
    let mut world = World {
        hotel,
        rng: StdRng::seed_from_u64(seed),
        expected: Expected::new(),
        steps: 0,
        log: Vec::new(),
        raced: Arc::default(),
    };
    for _ in 0..30 {
        world.step().await;
        world.note_raced();
    }
    world.settle().await;
    world.note_raced();
    world.judge(seed).await;
}

fn setting(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// `STAYZR_SIMULATION_SEEDS` runs more of them, `STAYZR_SIMULATION_FIRST` others.
#[tokio::test]
async fn invariant_b_no_interleaving_loses_an_edit_and_both_sides_converge() {
    let first = setting("STAYZR_SIMULATION_FIRST", 0);
    for seed in first..first + setting("STAYZR_SIMULATION_SEEDS", 300) {
        simulate(seed, false).await;
    }
}

#[tokio::test]
async fn invariant_b_nor_does_one_on_sqlite() {
    for seed in 0..6 {
        simulate(seed, true).await;
    }
}
