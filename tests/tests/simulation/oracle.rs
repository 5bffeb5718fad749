//! What must hold once both sides have come to rest.

use std::collections::BTreeMap;

use serde_json::Value;
use stayzr_core::{
    model::{
        Change, ChangeOutcome, ChangeSource, ConflictStatus, ExternalRef, ResolutionChoice, RunMode,
    },
    queue::JobStatus,
    transform::{EntityKind, FieldMap},
};
use stayzr_pms::RemoteRecord;

use crate::{
    model::{LIMIT, WINDOW},
    script::GUESTS,
    world::{World, block, phone},
};

type Verdict = Result<(), String>;

/// Fields of each kind that both sides hold in the end.
const AGREED: &[(EntityKind, &[&str])] = &[
    (
        EntityKind::Guest,
        &["first_name", "last_name", "email", "notes", "phone"],
    ),
    (
        EntityKind::Reservation,
        &["status", "status_vendor", "arrival", "departure", "adults"],
    ),
    (EntityKind::Room, &["name", "condition"]),
    (EntityKind::Note, &["text"]),
];

/// Invariants B, G and U, and that every job came to an end.
pub fn judge(world: &mut World) -> Verdict {
    jobs(world)?;
    converged(world)?;
    one_sided(world)?;
    classifications(world)?;
    journal(world)?;
    clobbered(world)?;
    conflicts(world)?;
    merges(world)?;
    gone(world)?;
    people(world)?;
    creates(world)?;
    limit(world)
}

/// Invariant C: once quiet, reading everything again writes nothing and tells the vendor nothing.
pub fn quiet(world: &mut World) -> Verdict {
    let (before, writes) = (world.snapshot(), world.vendor.lock().writes);
    for mode in [RunMode::Backfill, RunMode::Incremental, RunMode::Reconcile] {
        world.run(mode)?;
    }
    let (after, told) = (world.snapshot(), world.vendor.lock().writes);
    if told != writes {
        return Err("C: an unchanged hotel was told something".to_owned());
    }
    match before == after {
        true => Ok(()),
        false => Err(format!(
            "C: an unchanged hotel was written: {}",
            difference(&before, &after)
        )),
    }
}

fn difference(before: &str, after: &str) -> String {
    before
        .lines()
        .zip(after.lines())
        .find(|(before, after)| before != after)
        .map_or_else(
            || "there are more or fewer lines".to_owned(),
            |(before, after)| format!("\n  {before}\n  {after}"),
        )
}

fn jobs(world: &World) -> Verdict {
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
    Ok(())
}

/// Records that are there, live, and mapped.
fn live(world: &World) -> Vec<RemoteRecord> {
    let state = world.vendor.lock();
    state
        .records
        .values()
        .filter(|record| record.merged_into.is_none())
        .cloned()
        .collect()
}

fn converged(world: &World) -> Verdict {
    for record in live(world) {
        let id = &record.external_id;
        let Some(row) = world.row_of(record.kind, id) else {
            return Err(format!("B: {} {id} is not here", record.kind));
        };
        for (kind, fields) in AGREED {
            for field in *fields {
                if *kind != record.kind {
                    continue;
                }
                let theirs = record.fields.get(field).unwrap_or(&Value::Null);
                let ours = row.fields.get(field).unwrap_or(&Value::Null);
                if !same(field, ours, theirs) {
                    return Err(format!("B: {id}.{field} is {ours} here and {theirs} there"));
                }
            }
        }
        if record.kind == EntityKind::Guest && row.fields.get("active") == Some(&Value::from(false))
        {
            return Err(format!("B: {id} is there and not active here"));
        }
    }
    Ok(())
}

/// Times are the same whatever their form.
fn same(field: &str, ours: &Value, theirs: &Value) -> bool {
    if ours == theirs {
        return true;
    }
    let time = |value: &Value| {
        let text = value.as_str()?;
        chrono::DateTime::parse_from_rfc3339(text).ok()
    };
    matches!(field, "arrival" | "departure") && time(ours).is_some() && time(ours) == time(theirs)
}

/// Fields that only one side changes end as that side left them.
fn one_sided(world: &World) -> Verdict {
    for record in live(world) {
        let id = record.external_id.clone();
        if let Some(expected) = world.by_vendor.get(&(id.clone(), "last_name"))
            && record.fields.get("last_name") != Some(expected)
        {
            return Err(format!("B: {id}.last_name was changed there by us"));
        }
        let of_staff: &[&str] = match record.kind {
            EntityKind::Guest if id.starts_with('g') => &["first_name"],
            EntityKind::Reservation => &["departure"],
            EntityKind::Room => &["condition"],
            EntityKind::Note => &["text"],
            _ => &[],
        };
        let Some(row) = world.row_of(record.kind, &id) else {
            continue;
        };
        for field in of_staff {
            let last = lines(world, record.kind, row.id, field)
                .into_iter()
                .rfind(by_staff)
                .and_then(|line| line.new);
            if let Some(last) = last
                && row.fields.get(field) != Some(&last)
            {
                return Err(format!("B: the edit of {id}.{field} to {last} was lost"));
            }
        }
    }
    Ok(())
}

/// A classification that either side gave is kept by both.
fn classifications(world: &World) -> Verdict {
    for record in live(world) {
        if record.kind != EntityKind::Guest {
            continue;
        }
        let id = &record.external_id;
        let Some(row) = world.row_of(EntityKind::Guest, id) else {
            continue;
        };
        // Beside a dispute a person decides about lists too.
        let decided = world.conflicts().iter().any(|conflict| {
            conflict.entity_id == row.id && conflict.remote.contains("classifications")
        });
        let written_over = world.vendor.lock().written_over.contains(id);
        if decided || written_over {
            continue;
        }
        let has = |fields: &FieldMap, tag: &Value| {
            fields
                .get("classifications")
                .and_then(Value::as_array)
                .is_some_and(|list| list.contains(tag))
        };
        let mut given: Vec<Value> = world
            .tags
            .get(id)
            .into_iter()
            .flatten()
            .map(|tag| Value::from(tag.as_str()))
            .collect();
        for line in lines(world, EntityKind::Guest, row.id, "classifications") {
            if by_staff(&line) {
                given.extend(
                    line.new
                        .as_ref()
                        .and_then(Value::as_array)
                        .cloned()
                        .into_iter()
                        .flatten(),
                );
            }
        }
        for tag in given {
            if !has(&row.fields, &tag) || !has(&record.fields, &tag) {
                return Err(format!("B: {id} lost the classification {tag}"));
            }
        }
    }
    Ok(())
}

fn by_staff(line: &Change) -> bool {
    matches!(line.source, ChangeSource::Staff { .. }) && line.outcome == ChangeOutcome::Applied
}

fn lines(world: &World, kind: EntityKind, row: uuid::Uuid, field: &str) -> Vec<Change> {
    world
        .store
        .journal(world.scope.organization_id)
        .into_iter()
        .filter(|line| line.entity == kind && line.entity_id == row)
        .filter(|line| line.field.as_deref() == Some(field))
        .collect()
}

/// The journal tells the whole story of every field: what was before is what the line before left,
/// and the last line says what stands here now.
fn journal(world: &World) -> Verdict {
    let mut now: BTreeMap<(EntityKind, uuid::Uuid, String), Value> = BTreeMap::new();
    for line in world.store.journal(world.scope.organization_id) {
        let (Some(field), ChangeOutcome::Applied) = (line.field.clone(), line.outcome) else {
            continue;
        };
        if matches!(
            field.as_str(),
            "guest_id" | "merged_into" | "active" | "origin"
        ) {
            continue;
        }
        let key = (line.entity, line.entity_id, field);
        let old = line.old.clone().unwrap_or_default();
        if let Some(before) = now.get(&key)
            && *before != old
        {
            return Err(format!(
                "B: the journal has no line between {before} and {old}"
            ));
        }
        now.insert(key, line.new.clone().unwrap_or_default());
    }
    for ((kind, id, field), value) in now {
        if let Some(row) = world.row(kind, id) {
            let stands = row.fields.get(&field).unwrap_or(&Value::Null);
            if *stands != value {
                return Err(format!(
                    "B: {kind}.{field} is {stands}, and the journal says {value}"
                ));
            }
        }
    }
    Ok(())
}

/// A value of staff's gives way to the vendor only if the vendor changed it after it had it, or where
/// the vendor was to win; never to an older state.
fn clobbered(world: &World) -> Verdict {
    for guest in 0..GUESTS {
        let id = format!("g{guest}");
        let Some(mapping) = world.mapping(EntityKind::Guest, &id) else {
            continue;
        };
        let history: Vec<RemoteRecord> = {
            let state = world.vendor.lock();
            let all = state.history.iter();
            all.filter(|state| state.external_id == id)
                .cloned()
                .collect()
        };
        for field in ["first_name", "last_name", "email", "notes"] {
            let lines = lines(world, EntityKind::Guest, mapping.local_id, field);
            let places = |value: &Option<Value>| -> Vec<usize> {
                let states = history.iter().enumerate();
                states
                    .filter(|(_, state)| state.fields.get(field) == value.as_ref())
                    .map(|(at, _)| at)
                    .collect()
            };
            for (at, line) in lines.iter().enumerate() {
                let from_vendor = matches!(line.source, ChangeSource::Vendor { .. });
                if !from_vendor || line.outcome != ChangeOutcome::Applied {
                    continue;
                }
                let ours = lines[..at]
                    .iter()
                    .any(|edit| by_staff(edit) && edit.new == line.old);
                if !ours {
                    continue;
                }
                // Both sides came to say the same.
                if line.old == line.new {
                    continue;
                }
                // Under one mark nobody can tell of a state never seen whether it is the older: it is
                // taken, and what stands there in the end is read again. One that stood here before
                // our own write is doubted.
                let stood = lines[..at]
                    .iter()
                    .any(|before| before.old == line.new || before.new == line.new);
                let (had, took) = (places(&line.old), places(&line.new));
                let fresh = match (had.first(), took.last()) {
                    (Some(had), Some(took)) => {
                        let marks = (&history[*took].version, &history[*had].version);
                        marks.0 > marks.1 || (marks.0 == marks.1 && !stood)
                    }
                    _ => world.strategies.contains("REMOTE_WINS"),
                };
                if !fresh {
                    return Err(format!(
                        "B: {id}.{field} of staff, {:?}, gave way to {:?}",
                        line.old, line.new
                    ));
                }
            }
        }
    }
    Ok(())
}

/// One conflict is open at most for each row, none in the end, and while one is open the vendor
/// changes nothing of the row.
fn conflicts(world: &World) -> Verdict {
    let all = world.conflicts();
    if let Some(open) = all
        .iter()
        .find(|conflict| conflict.status == ConflictStatus::Open)
    {
        return Err(format!("B: still in conflict: {:?}", open.remote));
    }
    let journal = world.store.journal(world.scope.organization_id);
    for conflict in &all {
        let Some(ended) = conflict.resolution.as_ref().map(|resolution| resolution.at) else {
            return Err("B: a conflict ended and nobody knows how".to_owned());
        };
        // One that ended by itself ended with the page that was planned a moment before.
        let converged = conflict
            .resolution
            .as_ref()
            .is_some_and(|resolution| resolution.choice == ResolutionChoice::Converged);
        let still = match converged {
            true => ended - chrono::TimeDelta::minutes(1),
            false => ended,
        };
        let same_row = all.iter().filter(|other| {
            other.id != conflict.id
                && other.entity == conflict.entity
                && other.entity_id == conflict.entity_id
        });
        for other in same_row {
            let other_ended = other.resolution.as_ref().map(|resolution| resolution.at);
            if other.created_at > conflict.created_at
                && other.created_at < ended
                && other_ended > Some(conflict.created_at)
            {
                return Err("B: two conflicts were open about one row".to_owned());
            }
        }
        let touched = journal.iter().find(|line| {
            line.entity == conflict.entity
                && line.entity_id == conflict.entity_id
                && line.outcome == ChangeOutcome::Applied
                && !matches!(line.field.as_deref(), Some("merged_into" | "active"))
                && matches!(line.source, ChangeSource::Vendor { .. })
                && line.created_at > conflict.created_at
                && line.created_at < still
        });
        if let Some(line) = touched {
            return Err(format!(
                "B: the vendor changed {:?} of a row in conflict",
                line.field
            ));
        }
    }
    Ok(())
}

/// The record that a link leads to in the end, along merges.
fn leads_to(world: &World, link: &ExternalRef) -> Option<String> {
    let state = world.vendor.lock();
    let mut id = link.id.clone();
    for _ in 0..GUESTS {
        let record = state.records.get(&(EntityKind::Guest, id.clone()))?;
        match &record.merged_into {
            Some(into) => id.clone_from(into),
            None => return Some(id),
        }
    }
    None
}

/// What hangs on a guest hangs on who he turned out to be.
fn merges(world: &World) -> Verdict {
    for record in live(world) {
        let Some(link) = record.links.get("guest_id").and_then(Option::as_ref) else {
            continue;
        };
        let Some(guest) = leads_to(world, link) else {
            continue;
        };
        let ours = world
            .row_of(EntityKind::Reservation, &record.external_id)
            .and_then(|row| row.fields.text("guest_id").map(str::to_owned));
        let expected = world
            .mapping(EntityKind::Guest, &guest)
            .map(|mapping| mapping.local_id.to_string());
        if ours != expected {
            return Err(format!(
                "B: {} belongs to {guest} there, to {ours:?} and not {expected:?} here",
                record.external_id
            ));
        }
    }
    let merged: Vec<RemoteRecord> = {
        let state = world.vendor.lock();
        let all = state.records.values();
        all.filter(|record| record.merged_into.is_some())
            .cloned()
            .collect()
    };
    for record in merged {
        let Some(row) = world.row_of(EntityKind::Guest, &record.external_id) else {
            continue;
        };
        if row.fields.get("active") != Some(&Value::from(false)) {
            let mapping = world.mapping(EntityKind::Guest, &record.external_id);
            return Err(format!(
                "B: {} was merged and is active: {mapping:?}, {:?}",
                record.external_id, row.fields
            ));
        }
    }
    Ok(())
}

/// What the vendor no longer has is marked, and nothing else.
fn gone(world: &World) -> Verdict {
    for (kind, ids) in world.known() {
        for id in ids {
            let there = {
                let state = world.vendor.lock();
                state.records.contains_key(&(kind, id.clone()))
            };
            let Some(mapping) = world.mapping(kind, &id) else {
                // It came and went before anybody looked.
                continue;
            };
            if mapping.merged_into.is_some() {
                continue;
            }
            if mapping.gone_at.is_some() == there {
                return Err(format!(
                    "B: {id} is there: {there}; gone: {:?}",
                    mapping.gone_at
                ));
            }
        }
    }
    Ok(())
}

/// Who wrote and who is a guest of the vendor's with the same telephone is one guest; relatives who
/// share one are two.
fn people(world: &World) -> Verdict {
    for &person in &world.born {
        let Some(row) = world.row_of(EntityKind::Guest, &format!("p{person}")) else {
            return Err(format!("B: p{person} is not here"));
        };
        let (store, scope) = (world.store.clone(), world.everything());
        let contact = stayzr_core::model::Contact {
            channel: stayzr_core::model::ContactChannel::Phone,
            address: phone(person),
        };
        let owner = block(async move {
            stayzr_core::port::entities::Entities::guest_by_contact(&*store, scope, &[contact])
                .await
        });
        let owner = owner.ok().flatten().map(stayzr_core::ids::GuestId::uuid);
        if owner != Some(row.id) {
            return Err(format!("B: the telephone of p{person} leads elsewhere"));
        }
    }
    if world.families == 2 {
        let first = world
            .mapping(EntityKind::Guest, "f0")
            .map(|mapping| mapping.local_id);
        let second = world
            .mapping(EntityKind::Guest, "f1")
            .map(|mapping| mapping.local_id);
        if first.is_none() || first == second {
            return Err("B: relatives became one guest".to_owned());
        }
    }
    Ok(())
}

/// Who was entered here is made there once.
fn creates(world: &World) -> Verdict {
    for email in &world.entered {
        let made = {
            let state = world.vendor.lock();
            let wanted = Value::from(email.as_str());
            let all = state.records.values();
            all.filter(|record| record.fields.get("email") == Some(&wanted))
                .count()
        };
        if made != 1 {
            return Err(format!("B: {email} was entered once and made {made} times"));
        }
    }
    Ok(())
}

/// Invariant G: no window sees more calls than the vendor allows.
fn limit(world: &World) -> Verdict {
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
