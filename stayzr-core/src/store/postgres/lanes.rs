//! Whose turn it is, and up to where each lane was read, as this process knows it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::queue::Queue;

/// How often what is known here is written to `job_lanes`, and how often jobs behind a position are
/// looked for.
const UPKEEP: Duration = Duration::from_secs(1);

/// What processes keep in memory of the lanes; `job_lanes` has it about a second later.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    queues: Mutex<HashMap<Queue, Known>>,
}

#[derive(Debug, Default)]
struct Known {
    lanes: HashMap<(String, i32), Place>,
    served: i64,
    upkeep: Option<Instant>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    position: i64,
    served: i64,
}

/// A lane as a statement takes it.
#[derive(Debug, Serialize)]
pub(super) struct Lane {
    lane: String,
    priority: i32,
    position: i64,
    served: i64,
}

impl Lanes {
    /// What is known of a queue's lanes.
    pub(super) fn of(&self, queue: Queue) -> Vec<Lane> {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = queues.get(&queue) else {
            return Vec::new();
        };
        known
            .lanes
            .iter()
            .map(|((lane, priority), place)| Lane {
                lane: lane.clone(),
                priority: *priority,
                position: place.position,
                served: place.served,
            })
            .collect()
    }

    /// Remembers a claim that was committed: of which lanes, up to which seq. `latest` is the
    /// highest turn of any lane, of this process or another.
    pub(super) fn advance(&self, queue: Queue, latest: i64, claimed: &[(String, i32, i64)]) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let known = queues.entry(queue).or_default();
        known.served = known.served.max(latest) + 1;
        for (lane, priority, seq) in claimed {
            let place = known.lanes.entry((lane.clone(), *priority)).or_default();
            place.position = place.position.max(*seq);
            // All priorities of a lane have had the turn.
            let turn = known.served;
            for ((other, _), place) in &mut known.lanes {
                if other == lane {
                    place.served = turn;
                }
            }
        }
    }

    /// Whether it is time to write down what is known and to look behind the positions.
    pub(super) fn is_upkeep_due(&self, queue: Queue) -> bool {
        let queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        queues
            .get(&queue)
            .and_then(|known| known.upkeep)
            .is_none_or(|due| Instant::now() >= due)
    }

    /// The upkeep was done and took so long: at most a twentieth of the time goes into it.
    pub(super) fn upkeep_done(&self, queue: Queue, took: Duration) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let known = queues.entry(queue).or_default();
        known.upkeep = Some(Instant::now() + UPKEEP.max(took * 20));
    }
}

#[cfg(test)]
mod tests {
    use super::Lanes;
    use crate::queue::Queue;

    #[test]
    fn a_lane_has_one_turn_whatever_its_priorities() {
        let lanes = Lanes::default();
        let queue = Queue::PmsSyncQueue;
        lanes.advance(queue, 0, &[("a".into(), 0, 5), ("a".into(), 9, 7)]);
        lanes.advance(queue, 0, &[("b".into(), 0, 6)]);
        lanes.advance(queue, 0, &[("a".into(), 9, 3)]);
        let mut known: Vec<(String, i32, i64, i64)> = lanes
            .of(queue)
            .into_iter()
            .map(|lane| (lane.lane, lane.priority, lane.position, lane.served))
            .collect();
        known.sort();
        let expected = [
            ("a".to_owned(), 0, 5, 3),
            ("a".to_owned(), 9, 7, 3),
            ("b".to_owned(), 0, 6, 2),
        ];
        assert_eq!(known, expected);
    }
}
