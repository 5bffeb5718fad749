//! What becomes of a row whose record the vendor no longer has.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    Error, ErrorKind, Result,
    clock::Clock,
    ids::ChangeId,
    model::{Change, ChangeOutcome, ChangeSource, Conflict},
    port::sync::{Cursor, Mapping, PageWrite, RowWrite, RunCounts},
    transform::{EntityKind, EntityRow, FieldMap},
};
use uuid::Uuid;

use super::{
    dispute::{Held, conflict, held_here},
    notes::Notes,
    session::{Progress, Session, SyncEngine},
};

/// At most so many records are marked in one command.
pub(super) const MARKED_AT_ONCE: usize = 500;

/// What is set in a row whose record is gone.
pub(super) const SET_WHEN_GONE: [&str; 4] =
    ["active", "status", "cancelled_at", "cancellation_reason"];

/// Why a row is no longer in use, and why a reservation was cancelled.
pub(super) const REASON: &str = "no longer at the PMS";

impl SyncEngine {
    /// Marks records as gone, at most [`MARKED_AT_ONCE`], and moves the run's cursor with them.
    /// Those that are gone, merged or erased already are left alone. Edits that were never sent
    /// stay in the row and the journal. A row in conflict stays as it is: what would be set waits
    /// with the conflict.
    pub(super) async fn mark_gone(
        &self,
        session: &Session,
        kind: EntityKind,
        ids: &[String],
        progress: &mut Progress<'_>,
        cursor: Option<Cursor>,
    ) -> Result<()> {
        for _ in 0..self.options.replans.max(1) {
            let mappings = self.mappings(session, kind, ids.iter()).await?;
            let locals: Vec<Uuid> = mappings.values().map(|mapping| mapping.local_id).collect();
            let rows = self.rows(session, kind, &locals).await?;
            let departure = self.depart(session, progress.run.mode.as_str(), mappings, &rows);
            let gone = i64::try_from(departure.mappings.len()).unwrap_or(i64::MAX);
            let counts = RunCounts {
                gone,
                ..RunCounts::default()
            };
            if gone == 0 && cursor.is_none() {
                return Ok(());
            }
            let write = PageWrite {
                lease: progress.lease.cloned(),
                run: Some((progress.id(), counts)),
                cursor: cursor.clone(),
                ..departure
            };
            match self.ports.sync.apply_page(write).await {
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    self.hold(progress.lease).await?;
                }
                marked => {
                    marked?;
                    progress.add(counts);
                    return Ok(());
                }
            }
        }
        Err(Error::conflict(
            "sync.gone",
            "the rows keep changing while they are marked as gone: the run goes on when it is tried again",
        )
        .with("kind", kind))
    }

    fn depart(
        &self,
        session: &Session,
        event: &str,
        mappings: HashMap<String, Mapping>,
        rows: &HashMap<Uuid, EntityRow>,
    ) -> PageWrite {
        let source = ChangeSource::Vendor {
            integration_id: session.integration.id,
            event: event.to_owned(),
        };
        let mut write = PageWrite::new(session.scope, session.integration.id);
        let mut live: Vec<Mapping> = mappings
            .into_values()
            .filter(|mapping| {
                mapping.gone_at.is_none()
                    && mapping.merged_into.is_none()
                    && !Notes::of(mapping).erased
            })
            .collect();
        live.sort_by(|one, other| one.external_id.cmp(&other.external_id));
        let now = self.clock.now();
        for mut mapping in live {
            let Some(row) = rows.get(&mapping.local_id) else {
                write.mappings.push(without_record(mapping, now));
                continue;
            };
            let notes = Notes::of(&mapping);
            if notes.is_open() {
                let line = journal_of(&*self.clock, &source, &mapping, row)(None, None);
                write.changes.push(Change {
                    outcome: ChangeOutcome::Refused,
                    reason: Some(format!("{REASON}: it waits for a conflict to be decided")),
                    ..line
                });
                let conflict = self.wait_gone(session, &mut mapping, row, notes);
                write.conflicts.push(conflict);
            } else {
                let set = departed(row.kind, &row.fields, now);
                let journal = journal(&*self.clock, &source, &mapping, row, &set);
                write.changes.extend(journal);
                // Agreed, so that nothing of it is pushed, and what comes back is taken.
                mapping.base.extend(&set);
                if !set.is_empty() {
                    write.rows.push(RowWrite::Update {
                        kind: row.kind,
                        id: row.id,
                        expected_version: row.version,
                        set,
                    });
                }
            }
            write.mappings.push(without_record(mapping, now));
        }
        write
    }

    /// Lets wait, with the conflict about a row, what is set in a row whose record is gone.
    fn wait_gone(
        &self,
        session: &Session,
        mapping: &mut Mapping,
        row: &EntityRow,
        mut notes: Notes,
    ) -> Conflict {
        let mut held = Held::noted(&notes);
        // As the row would stand if the vendor's side were taken.
        let mut taken = row.fields.clone();
        taken.extend(&notes.held());
        let set = departed(row.kind, &taken, self.clock.now());
        // What the vendor never spoke of was never edited either.
        let mut base = row.fields.only(set.names());
        base.extend(&mapping.base);
        mapping.base = base;
        held.wait_for(set);
        let (clock, id) = (&*self.clock, mapping.external_id.as_str());
        let conflict = conflict(
            clock,
            session.integration.id,
            (id, row),
            &mapping.base,
            &held,
        );
        notes.ours = held_here(row, &held);
        notes.disputed = held.disputed;
        notes.waiting = held.waiting;
        notes.write(mapping);
        conflict
    }
}

/// What is set in a row whose record is gone.
fn departed(kind: EntityKind, fields: &FieldMap, now: DateTime<Utc>) -> FieldMap {
    let mut set = FieldMap::new();
    if fields.get("active") == Some(&Value::Bool(true)) {
        set.insert("active", false);
    }
    if kind == EntityKind::Reservation
        && !matches!(
            fields.text("status"),
            Some("cancelled" | "departed" | "no_show")
        )
    {
        set.insert("status", "cancelled");
        set.insert("cancelled_at", json!(now));
        set.insert("cancellation_reason", REASON);
    }
    if kind == EntityKind::ServiceRequest
        && !matches!(fields.text("status"), Some("done" | "cancelled"))
    {
        set.insert("status", "cancelled");
    }
    set
}

/// What waits without what waits because the record was gone: it is back, and says itself what of
/// it holds.
pub(super) fn not_departed(mut waiting: FieldMap) -> FieldMap {
    if waiting.get("active") == Some(&Value::Bool(false)) {
        waiting.remove("active");
    }
    if waiting.text("cancellation_reason") == Some(REASON) {
        for field in SET_WHEN_GONE {
            waiting.remove(field);
        }
    }
    waiting
}

/// One line for each field, or one for a row that stays as it is.
fn journal(
    clock: &dyn Clock,
    source: &ChangeSource,
    mapping: &Mapping,
    row: &EntityRow,
    set: &FieldMap,
) -> Vec<Change> {
    let line = journal_of(clock, source, mapping, row);
    match set.is_empty() {
        true => vec![line(None, None)],
        false => set
            .iter()
            .map(|(field, new)| line(Some(field), Some(new)))
            .collect(),
    }
}

/// Makes lines of the journal about a row and its record: of a field and what it is to be.
fn journal_of<'a>(
    clock: &'a dyn Clock,
    source: &'a ChangeSource,
    mapping: &'a Mapping,
    row: &'a EntityRow,
) -> impl Fn(Option<&str>, Option<&Value>) -> Change + 'a {
    move |field, new| Change {
        id: ChangeId::generate(clock),
        organization_id: row.organization_id,
        entity: row.kind,
        entity_id: row.id,
        external_id: Some(mapping.external_id.clone()),
        field: field.map(str::to_owned),
        base: field.and_then(|field| mapping.base.get(field).cloned()),
        old: field.and_then(|field| row.fields.get(field).cloned()),
        new: new.cloned(),
        source: source.clone(),
        outcome: ChangeOutcome::Applied,
        reason: Some(REASON.to_owned()),
        created_at: clock.now(),
    }
}

/// The mapping of a record that is gone; one that comes back is news, whatever it says then.
fn without_record(mapping: Mapping, now: DateTime<Utc>) -> Mapping {
    Mapping {
        hash: String::new(),
        gone_at: Some(now),
        revision: mapping.revision + 1,
        updated_at: now,
        ..mapping
    }
}
