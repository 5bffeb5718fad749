//! The moves of a job between its places.

use std::cmp::Reverse;

use super::jobs::{Jobs, Place, Time, lane_of};
use crate::{ids::JobId, queue::JobStatus};

impl Jobs {
    /// Puts an unfinished job where it has to wait, as the last that came.
    pub(super) fn wait(&mut self, id: JobId, number: u64, now: Time) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.job.status = JobStatus::Pending;
        let lane = lane_of(&entry.job);
        if let Some(key) = entry.job.key.clone() {
            self.keys.entry((lane, key)).or_default().insert(number, id);
        }
        if let Some(dedupe) = entry.job.dedupe_key.clone() {
            self.waiting.entry((lane, dedupe)).or_default().insert(id);
        }
        self.settle(id, now);
    }

    /// Gives a held job back.
    pub(super) fn release(
        &mut self,
        id: JobId,
        error: Option<String>,
        at: Option<Time>,
        now: Time,
    ) {
        self.leave(id);
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let job = &mut entry.job;
        job.locked_by = None;
        job.locked_until = None;
        job.last_error = error;
        job.next_retry_at = at;
        job.updated_at = now;
        let number = entry.number;
        self.wait(id, number, now);
    }

    /// Ends a job and lets the next one with its key through.
    pub(super) fn retire(
        &mut self,
        id: JobId,
        status: JobStatus,
        error: Option<String>,
        now: Time,
    ) {
        self.leave(id);
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let job = &mut entry.job;
        job.status = status;
        job.last_error = error;
        job.next_retry_at = None;
        job.locked_by = None;
        job.locked_until = None;
        job.updated_at = now;
        entry.place = Place::Done;
        let (lane, number) = (lane_of(job), entry.number);
        let Some(key) = job.key.clone() else {
            return;
        };
        let key = (lane, key);
        let next = self.keys.get_mut(&key).and_then(|jobs| {
            jobs.remove(&number);
            jobs.values().next().copied()
        });
        match next {
            Some(next) => {
                if self
                    .entries
                    .get(&next)
                    .is_some_and(|entry| entry.place == Place::Blocked)
                {
                    self.settle(next, now);
                }
            }
            None => {
                self.keys.remove(&key);
            }
        }
    }

    /// Decides whether a pending job is blocked, delayed or ready.
    pub(super) fn settle(&mut self, id: JobId, now: Time) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let first = entry.job.key.as_ref().and_then(|key| {
            let jobs = self.keys.get(&(lane_of(&entry.job), key.clone()))?;
            jobs.values().next().copied()
        });
        let place = if first.is_some_and(|first| first != id) {
            Place::Blocked
        } else if entry.job.next_retry_at.is_some_and(|at| at > now) {
            Place::Delayed
        } else {
            Place::Ready
        };
        self.place(id, place);
    }

    pub(super) fn place(&mut self, id: JobId, place: Place) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.place = place;
        let job = &entry.job;
        match place {
            Place::Ready => {
                let lane = self.lanes.entry(lane_of(job)).or_default();
                lane.ready.insert((Reverse(job.priority), entry.number, id));
            }
            Place::Delayed => {
                let at = job.next_retry_at.unwrap_or(job.created_at);
                self.delayed.insert((job.queue, at, entry.number, id));
            }
            Place::Blocked | Place::Held | Place::Done => {}
        }
    }

    /// Takes a job out of the place where it is.
    pub(super) fn leave(&mut self, id: JobId) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let (job, number) = (&entry.job, entry.number);
        let lane = lane_of(job);
        match entry.place {
            Place::Ready => {
                if let Some(lane) = self.lanes.get_mut(&lane) {
                    lane.ready.remove(&(Reverse(job.priority), number, id));
                }
            }
            Place::Delayed => {
                let at = job.next_retry_at.unwrap_or(job.created_at);
                self.delayed.remove(&(job.queue, at, number, id));
            }
            Place::Held => {
                if let Some(until) = job.locked_until {
                    self.held.remove(&(job.queue, until, id));
                }
            }
            Place::Blocked | Place::Done => {}
        }
        if let Some(dedupe) = job.dedupe_key.clone() {
            let key = (lane, dedupe);
            if let Some(waiting) = self.waiting.get_mut(&key) {
                waiting.remove(&id);
                if waiting.is_empty() {
                    self.waiting.remove(&key);
                }
            }
        }
    }
}
