//! Every job came to an end, and no call too many was made.

use std::sync::atomic::Ordering;

use serde_json::Value;
use stayzr_core::{port::sync::ParkedRecord, queue::JobStatus};

use super::{Verdict, live};
use crate::{
    model::{LIMIT, WINDOW},
    world::World,
};

pub(super) fn jobs(world: &World) -> Verdict {
    if world.wire.overran.load(Ordering::Relaxed) {
        return Err("D: something was written under a lease that was lost".to_owned());
    }
    for status in [JobStatus::Pending, JobStatus::Processing] {
        if let Some(job) = world.jobs(status).first() {
            return Err(format!("D: a job never ended: {}", job.payload));
        }
    }
    for job in world.jobs(JobStatus::Failed) {
        let Some(reason) = &job.last_error else {
            return Err(format!("D: a job failed without a reason: {}", job.payload));
        };
        let of_stay = job.payload.get("kind") == Some(&Value::from("reservation"));
        if reason.starts_with("status") && of_stay {
            return Err(format!("U: an unknown status was no record: {reason}"));
        }
    }
    put_aside(world)
}

/// No record that can be read stands put aside.
fn put_aside(world: &World) -> Verdict {
    let failed = world.jobs(JobStatus::Failed);
    for record in live(world) {
        let name = ParkedRecord::dedupe_key(world.integration_id, record.kind, &record.external_id);
        if let Some(job) = failed
            .iter()
            .find(|job| job.dedupe_key.as_deref() == Some(&name))
        {
            let (id, why) = (record.external_id, job.last_error.as_deref());
            return Err(format!("D: {id} is read and stands put aside: {why:?}"));
        }
    }
    Ok(())
}

/// Invariant G: no window sees more calls than the vendor allows.
pub(super) fn limit(world: &World) -> Verdict {
    let state = world.vendor.lock();
    let calls = &state.calls;
    let limit = LIMIT as usize;
    let window = chrono::TimeDelta::from_std(WINDOW).unwrap_or_default();
    for (at, first) in calls.iter().enumerate() {
        if let Some(last) = calls.get(at + limit)
            && *last - *first < window
        {
            return Err(format!("G: more than {limit} calls in {WINDOW:?}"));
        }
    }
    Ok(())
}
