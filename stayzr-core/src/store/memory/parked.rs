//! Jobs that stand FAILED for records that were put aside.

use super::jobs::{self, Entry, Jobs, LaneKey, Place, Time};
use crate::{
    clock::Clock,
    ids::JobId,
    queue::{JobStatus, NewJob},
};

impl Jobs {
    /// Stores a FAILED job with this reason, or brings the one that stands for the same up to
    /// date. Returns whether anything is new.
    pub(super) fn park(&mut self, new: NewJob, reason: &str, clock: &dyn Clock) -> bool {
        let now = clock.now();
        let lane = (new.queue, new.scope.map(|scope| scope.organization_id));
        let key = (lane, new.dedupe_key.clone().unwrap_or_default());
        let standing = self
            .parked
            .get(&key)
            .and_then(|id| self.entries.get_mut(id));
        if let Some(entry) = standing
            && entry.job.status == JobStatus::Failed
        {
            let other = entry.job.last_error.as_deref() != Some(reason);
            if other {
                entry.job.last_error = Some(reason.to_owned());
                entry.job.updated_at = now;
            }
            return other;
        }
        let id = JobId::generate(clock);
        let mut job = jobs::job(id, new, now);
        job.status = JobStatus::Failed;
        job.last_error = Some(reason.to_owned());
        self.parked.insert(key, id);
        self.last_number += 1;
        let number = self.last_number;
        self.entries.insert(
            id,
            Entry {
                job,
                number,
                place: Place::Done,
            },
        );
        true
    }

    /// Ends the FAILED job that stands for a record under this key: it was read.
    pub(super) fn unpark(&mut self, lane: LaneKey, dedupe_key: String, now: Time) {
        let key = (lane, dedupe_key);
        let standing = self
            .parked
            .get(&key)
            .and_then(|id| self.entries.get_mut(id));
        if let Some(entry) = standing
            && entry.job.status == JobStatus::Failed
        {
            entry.job.status = JobStatus::Completed;
            entry.job.updated_at = now;
            self.parked.remove(&key);
        }
    }
}
