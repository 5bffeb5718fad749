//! The state of all queues: where each job stands and which one is next.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    Error, Result,
    clock::Clock,
    ids::{JobId, OrganizationId},
    queue::{Claimed, Job, JobOutcome, JobStatus, Lease, NewJob, Queue},
};

pub(super) type Time = DateTime<Utc>;

/// A queue and an organization; inbox jobs without one share a lane.
pub(super) type LaneKey = (Queue, Option<OrganizationId>);

/// Why a job can be claimed or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Ready,
    /// Waits for `next_retry_at`.
    Delayed,
    /// An older unfinished job has its key.
    Blocked,
    Held,
    Done,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) job: Job,
    /// The order in which jobs came.
    pub(super) number: u64,
    pub(super) place: Place,
}

#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) ready: BTreeSet<(Reverse<i16>, u64, JobId)>,
    /// When a job of this lane was last claimed, in turns of its queue.
    pub(super) served: u64,
}

/// Jobs of all queues.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    pub(super) entries: BTreeMap<JobId, Entry>,
    pub(super) last_number: u64,
    pub(super) last_turn: u64,
    pub(super) lanes: BTreeMap<LaneKey, Lane>,
    pub(super) delayed: BTreeSet<(Queue, Time, u64, JobId)>,
    pub(super) held: BTreeSet<(Queue, Time, JobId)>,
    /// Unfinished jobs of a key, the oldest first.
    pub(super) keys: HashMap<(LaneKey, String), BTreeMap<u64, JobId>>,
    /// Unclaimed jobs of a dedupe key.
    pub(super) waiting: HashMap<(LaneKey, String), BTreeSet<JobId>>,
    /// FAILED jobs of records that were put aside.
    pub(super) parked: HashMap<(LaneKey, String), JobId>,
}

impl Jobs {
    /// Refuses jobs that cannot be stored, before anything is.
    pub(super) fn check_new(jobs: &[NewJob]) -> Result<()> {
        if jobs.iter().any(|job| job.max_attempts < 1) {
            return Err(Error::invalid(
                "memory.enqueue",
                "a job needs at least one attempt",
            ));
        }
        match jobs
            .iter()
            .find(|job| job.scope.is_none() && job.queue != Queue::WebhookInbox)
        {
            Some(job) => Err(Error::invalid(
                "memory.enqueue",
                "only jobs of the inbox may have no organization",
            )
            .with("queue", job.queue)),
            None => Ok(()),
        }
    }

    /// Stores a job, or returns the one that waits under its dedupe key.
    pub(super) fn enqueue(&mut self, new: NewJob, clock: &dyn Clock) -> JobId {
        self.insert(JobId::generate(clock), new, clock.now())
    }

    pub(super) fn insert(&mut self, id: JobId, new: NewJob, now: Time) -> JobId {
        let lane = (new.queue, new.scope.map(|scope| scope.organization_id));
        if let Some(dedupe) = &new.dedupe_key
            && let Some(waiting) = self.waiting.get(&(lane, dedupe.clone()))
            && let Some(first) = waiting.first()
        {
            return *first;
        }
        self.last_number += 1;
        let number = self.last_number;
        let entry = Entry {
            job: job(id, new, now),
            number,
            place: Place::Done,
        };
        self.entries.insert(id, entry);
        self.wait(id, number, now);
        id
    }

    /// Claims jobs and returns with them those that ran out of attempts meanwhile.
    pub(super) fn claim(
        &mut self,
        queue: Queue,
        worker: &str,
        limit: u32,
        until: Time,
        now: Time,
    ) -> (Vec<Claimed>, Vec<JobId>) {
        let failed = self.reclaim(queue, now);
        while let Some((_, at, _, id)) = self
            .delayed
            .range((queue, Time::MIN_UTC, 0, nil())..)
            .next()
            .copied()
            .filter(|(of, at, ..)| *of == queue && *at <= now)
        {
            let entry = self.entries.get(&id);
            let number = entry.map_or(0, |entry| entry.number);
            self.delayed.remove(&(queue, at, number, id));
            self.place(id, Place::Ready);
        }
        let mut claimed = Vec::new();
        for _ in 0..limit {
            let next = self
                .lanes
                .iter()
                .filter(|((of, _), lane)| *of == queue && !lane.ready.is_empty())
                .min_by_key(|(_, lane)| lane.served)
                .map(|(key, _)| *key);
            let Some(lane) = next.and_then(|key| self.lanes.get_mut(&key)) else {
                break;
            };
            self.last_turn += 1;
            lane.served = self.last_turn;
            let Some((_, _, id)) = lane.ready.first().copied() else {
                break;
            };
            claimed.extend(self.hold(id, worker, until, now));
        }
        (claimed, failed)
    }

    fn hold(&mut self, id: JobId, worker: &str, until: Time, now: Time) -> Option<Claimed> {
        self.leave(id);
        let entry = self.entries.get_mut(&id)?;
        let job = &mut entry.job;
        job.status = JobStatus::Processing;
        job.attempts += 1;
        job.next_retry_at = None;
        job.locked_by = Some(worker.to_owned());
        job.locked_until = Some(until);
        job.updated_at = now;
        entry.place = Place::Held;
        let job = job.clone();
        self.held.insert((job.queue, until, id));
        let lease = Lease {
            job_id: id,
            queue: job.queue,
            worker: worker.to_owned(),
            attempt: job.attempts,
            scope: job.scope(),
            until,
        };
        Some(Claimed { job, lease })
    }

    /// Frees jobs whose lease ran out; returns those that had their last attempt.
    fn reclaim(&mut self, queue: Queue, now: Time) -> Vec<JobId> {
        let expired: Vec<JobId> = self
            .held
            .range((queue, Time::MIN_UTC, nil())..)
            .take_while(|(of, until, _)| *of == queue && *until <= now)
            .map(|(.., id)| *id)
            .collect();
        let mut failed = Vec::new();
        for id in expired {
            let Some(entry) = self.entries.get(&id) else {
                continue;
            };
            let error = "the lease ran out".to_owned();
            if entry.job.attempts >= entry.job.max_attempts {
                self.retire(id, JobStatus::Failed, Some(error), now);
                failed.push(id);
            } else {
                self.release(id, Some(error), None, now);
            }
        }
        failed
    }

    /// The job of a lease that holds; [`crate::ErrorKind::Conflict`] if it was lost or ran out.
    pub(super) fn check(&self, lease: &Lease, now: Time) -> Result<&Job> {
        self.entries
            .get(&lease.job_id)
            .map(|entry| &entry.job)
            .filter(|job| {
                job.status == JobStatus::Processing
                    && job.queue == lease.queue
                    && job.locked_until.is_some_and(|until| until > now)
                    && job.attempts == lease.attempt
                    && job.locked_by.as_deref() == Some(lease.worker.as_str())
            })
            .ok_or_else(|| {
                Error::conflict("memory.lease", "the lease was lost").with("job_id", lease.job_id)
            })
    }

    pub(super) fn extend(&mut self, lease: &Lease, until: Time, now: Time) -> Result<Lease> {
        self.check(lease, now)?;
        let id = lease.job_id;
        if let Some(entry) = self.entries.get_mut(&id)
            && let Some(before) = entry.job.locked_until.replace(until)
        {
            self.held.remove(&(lease.queue, before, id));
            self.held.insert((lease.queue, until, id));
        }
        Ok(Lease {
            until,
            ..lease.clone()
        })
    }

    /// Ends an attempt; returns whether the job is FAILED now.
    pub(super) fn finish(&mut self, lease: &Lease, outcome: JobOutcome, now: Time) -> Result<bool> {
        let job = self.check(lease, now)?;
        let (id, last) = (job.id, job.attempts >= job.max_attempts);
        let error = job.last_error.clone();
        match outcome {
            JobOutcome::Completed => self.retire(id, JobStatus::Completed, error, now),
            JobOutcome::Failed { error } => {
                self.retire(id, JobStatus::Failed, Some(error), now);
                return Ok(true);
            }
            JobOutcome::Retry { error, .. } if last => {
                self.retire(id, JobStatus::Failed, Some(error), now);
                return Ok(true);
            }
            JobOutcome::Retry { error, after } => {
                let wait = TimeDelta::from_std(after).unwrap_or(TimeDelta::MAX);
                let at = now.checked_add_signed(wait).unwrap_or(Time::MAX_UTC);
                self.release(id, Some(error), Some(at), now);
            }
            JobOutcome::Released => {
                if let Some(entry) = self.entries.get_mut(&id) {
                    entry.job.attempts -= 1;
                }
                self.release(id, error, None, now);
            }
        }
        Ok(false)
    }

    /// Puts a FAILED job back.
    pub(super) fn retry(&mut self, id: JobId, now: Time) -> Result<Job> {
        let entry = self.entries.get_mut(&id);
        let Some(entry) = entry.filter(|entry| entry.job.status == JobStatus::Failed) else {
            return Err(Error::conflict(
                "memory.retry",
                "only a FAILED job can be retried",
            ));
        };
        entry.job.attempts = 0;
        entry.job.updated_at = now;
        entry.job.next_retry_at = None;
        self.last_number += 1;
        entry.number = self.last_number;
        let number = entry.number;
        self.wait(id, number, now);
        self.job(id)
            .cloned()
            .ok_or_else(|| Error::internal("memory.retry", "the job is gone"))
    }

    /// Ends a PENDING job.
    pub(super) fn cancel(&mut self, id: JobId, now: Time) -> Result<Job> {
        if self
            .job(id)
            .is_none_or(|job| job.status != JobStatus::Pending)
        {
            return Err(Error::conflict(
                "memory.cancel",
                "only a PENDING job can be cancelled",
            ));
        }
        self.retire(id, JobStatus::Failed, Some("cancelled".to_owned()), now);
        self.job(id)
            .cloned()
            .ok_or_else(|| Error::internal("memory.cancel", "the job is gone"))
    }

    /// Forgets jobs that ended so before a time.
    pub(super) fn drop_finished(&mut self, status: JobStatus, before: Time) {
        self.entries
            .retain(|_, entry| entry.job.status != status || entry.job.updated_at >= before);
    }

    pub(super) fn job(&self, id: JobId) -> Option<&Job> {
        self.entries.get(&id).map(|entry| &entry.job)
    }

    /// All jobs, the newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Job> {
        self.entries.values().rev().map(|entry| &entry.job)
    }

    /// When the oldest unclaimed job became due.
    pub(super) fn oldest_due(&self, now: Time, of: impl Fn(&Job) -> bool) -> Option<Time> {
        self.newest()
            .filter(|job| job.status == JobStatus::Pending && of(job))
            .map(|job| job.next_retry_at.unwrap_or(job.created_at))
            .filter(|due| *due <= now)
            .min()
    }
}

pub(super) fn lane_of(job: &Job) -> LaneKey {
    (job.queue, job.organization_id)
}

fn nil() -> JobId {
    JobId::from(uuid::Uuid::nil())
}

pub(super) fn job(id: JobId, new: NewJob, now: Time) -> Job {
    Job {
        id,
        queue: new.queue,
        organization_id: new.scope.map(|scope| scope.organization_id),
        property_id: new.scope.and_then(|scope| scope.property_id),
        status: JobStatus::Pending,
        attempts: 0,
        max_attempts: new.max_attempts,
        last_error: None,
        next_retry_at: new.run_at.filter(|at| *at > now),
        locked_by: None,
        locked_until: None,
        payload: new.payload,
        key: new.key,
        dedupe_key: new.dedupe_key,
        priority: new.priority,
        traceparent: new.traceparent,
        created_at: now,
        updated_at: now,
    }
}
