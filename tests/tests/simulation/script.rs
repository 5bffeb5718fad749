//! What happens in a seed, as data, so that a failing story can be made shorter.

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use stayzr_core::model::{ResolutionChoice, RunMode};

use crate::model::CallFault;

/// Guests that the vendor has from the start.
pub const GUESTS: usize = 4;

/// People who may write to us and may be guests of the vendor's.
pub const PEOPLE: usize = 2;

/// Who decides conflicts about guests.
pub const STRATEGIES: [&str; 4] = ["LOCAL_WINS", "REMOTE_WINS", "MERGE_FIELDS", "MANUAL_REVIEW"];

/// Something that happens.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Staff edits a guest.
    Edit(usize, &'static str),
    /// Staff gives a guest a classification.
    Tag(usize),
    /// Staff moves a departure.
    Depart(usize, i64),
    /// Staff sets a room's condition.
    Clean(usize, &'static str),
    /// Staff rewrites a note.
    Rewrite(usize),
    /// The vendor changes a guest; its replica lags so many seconds.
    Change(usize, &'static str, i64),
    /// The vendor gives a guest a classification.
    ChangeTag(usize),
    /// The vendor changes a reservation's status, to one that nobody knows or to one that we do.
    Status(usize, bool),
    /// The vendor merges the first guest into the second.
    Merge(usize, usize),
    /// The vendor deletes a guest (false) or a reservation (true).
    Delete(bool, usize),
    /// What was deleted last is there again.
    Revive,
    /// A person becomes a guest of the vendor's.
    Born(usize),
    /// Two relatives become guests of the vendor's with one telephone.
    Family,
    /// A person writes.
    Message(usize),
    /// Staff enters a guest.
    Enter,
    /// Staff writes a note about a reservation.
    Remark(usize),
    /// Webhooks arrive, in any order, perhaps twice.
    Deliver { most: usize, twice: bool },
    /// Webhooks are lost.
    Lose(usize),
    /// A run is asked for.
    Run(RunMode),
    /// The vendor's next calls fail.
    Fail(Vec<CallFault>),
    /// Time passes, in seconds.
    Wait(i64),
    /// The vendor's clock is moved, by seconds.
    Skew(i64),
    /// Staff decides a conflict.
    Resolve(ResolutionChoice),
    /// A guest's record cannot be read, or can be again.
    Garble(usize, bool),
    /// A process is no more, and another takes its place.
    Crash(usize),
    /// From now on replicas show so many seconds late what we wrote.
    Lag(i64),
    /// Somebody else decides conflicts from now on.
    Policy(&'static str),
}

/// A step: what happens, and how the processes go on after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub event: Event,
    /// Decides whose turn it is.
    pub seed: u64,
    /// So many turns until the next step.
    pub turns: u32,
    /// Makes values of this step unlike all others.
    pub number: usize,
}

/// A seed's story: who decides conflicts at first, and the steps.
#[derive(Debug, Clone)]
pub struct Script {
    pub strategy: &'static str,
    pub skew: i64,
    pub steps: Vec<Step>,
}

impl Script {
    pub fn of(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let strategy = pick(&mut rng, &STRATEGIES);
        let skew = pick(&mut rng, &[0, 0, 2, -2, 45, -45, 86_400, -86_400]);
        let count = rng.random_range(12..40);
        let steps = (0..count)
            .map(|number| Step {
                event: event(&mut rng),
                seed: rng.random(),
                turns: pick(&mut rng, &[0, 1, 3, 8, 25, 80]),
                number,
            })
            .collect();
        Self {
            strategy,
            skew,
            steps,
        }
    }
}

fn pick<T: Copy>(rng: &mut StdRng, from: &[T]) -> T {
    *from.choose(rng).expect("a choice is never empty")
}

fn event(rng: &mut StdRng) -> Event {
    let guest = rng.random_range(0..GUESTS);
    let lag = pick(rng, &[0, 0, 0, 5, 60]);
    match rng.random_range(0..100) {
        0..14 => Event::Edit(
            guest,
            pick(rng, &["first_name", "first_name", "email", "notes"]),
        ),
        14..16 => Event::Tag(guest),
        16..20 => Event::Depart(guest, rng.random_range(2..9)),
        20..22 => Event::Clean(
            rng.random_range(0..2),
            pick(rng, &["clean", "dirty", "inspected"]),
        ),
        22..24 => Event::Rewrite(0),
        24..38 => Event::Change(
            guest,
            pick(rng, &["last_name", "email", "email", "notes"]),
            lag,
        ),
        38..40 => Event::ChangeTag(guest),
        40..43 => Event::Status(guest, rng.random_bool(0.5)),
        43..45 => Event::Merge(guest, (guest + rng.random_range(1..GUESTS)) % GUESTS),
        45..47 => Event::Delete(rng.random_bool(0.5), guest),
        47 => Event::Revive,
        48..50 => Event::Born(rng.random_range(0..PEOPLE)),
        50 => Event::Family,
        51..53 => Event::Message(rng.random_range(0..PEOPLE)),
        53..55 => Event::Enter,
        55 => Event::Remark(guest),
        56..64 => Event::Deliver {
            most: rng.random_range(1..8),
            twice: rng.random_bool(0.3),
        },
        64..66 => Event::Lose(rng.random_range(1..4)),
        66..74 => Event::Run(pick(
            rng,
            &[
                RunMode::Incremental,
                RunMode::Incremental,
                RunMode::Backfill,
                RunMode::Reconcile,
            ],
        )),
        74..80 => Event::Fail(
            (0..rng.random_range(1..4))
                .map(|_| {
                    pick(
                        rng,
                        &[
                            CallFault::TooMany(Some(20)),
                            CallFault::TooMany(None),
                            CallFault::Down,
                            CallFault::TooHeavy,
                            CallFault::LostRequest,
                            CallFault::LostAnswer,
                            CallFault::LostAnswer,
                        ],
                    )
                })
                .collect(),
        ),
        80..89 => Event::Wait(pick(rng, &[0, 1, 4, 20, 90, 600])),
        89 => Event::Skew(pick(rng, &[1, 3, -3, 60, 3_600])),
        90..92 => Event::Resolve(pick(
            rng,
            &[
                ResolutionChoice::Local,
                ResolutionChoice::Remote,
                ResolutionChoice::Fields,
            ],
        )),
        92..94 => Event::Garble(guest, rng.random_bool(0.5)),
        94 => Event::Lag(pick(rng, &[0, 2, 30, 60])),
        95..98 => Event::Crash(rng.random_range(0..2)),
        _ => Event::Policy(pick(rng, &STRATEGIES)),
    }
}
