//! What becomes of a row whose record the vendor no longer has.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    Error, ErrorKind, Result,
    clock::Clock,
    ids::ChangeId,
    model::{Change, ChangeOutcome, ChangeSource},
    port::sync::{Cursor, Mapping, PageWrite, RowWrite, RunCounts},
    transform::{EntityKind, EntityRow, FieldMap},
};
use uuid::Uuid;

use super::{
    notes::Notes,
    session::{Progress, Session, SyncEngine},
};

/// At most so many records are marked in one command.
pub(super) const MARKED_AT_ONCE: usize = 500;

/// Why a row is no longer in use, and why a reservation was cancelled.
pub(super) const REASON: &str = "no longer at the PMS";

impl SyncEngine {
    /// Marks records as gone, at most [`MARKED_AT_ONCE`], and moves the run's cursor with them.
    /// Those that are gone, merged or erased already are left alone. Edits that were never sent
    /// stay in the row and the journal.
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
        for mapping in live {
            let row = rows.get(&mapping.local_id);
            let set = row
                .map(|row| departed(row, self.clock.now()))
                .unwrap_or_default();
            if let Some(row) = row {
                let journal = journal(&*self.clock, &source, &mapping, row, &set);
                write.changes.extend(journal);
                if !set.is_empty() {
                    write.rows.push(RowWrite::Update {
                        kind: row.kind,
                        id: row.id,
                        expected_version: row.version,
                        set: set.clone(),
                    });
                }
            }
            write
                .mappings
                .push(without_record(mapping, &set, self.clock.now()));
        }
        write
    }
}

/// What is set in a row whose record is gone.
fn departed(row: &EntityRow, now: DateTime<Utc>) -> FieldMap {
    let mut set = FieldMap::new();
    if row.fields.get("active") == Some(&Value::Bool(true)) {
        set.insert("active", false);
    }
    if row.kind == EntityKind::Reservation
        && !matches!(
            row.fields.text("status"),
            Some("cancelled" | "departed" | "no_show")
        )
    {
        set.insert("status", "cancelled");
        set.insert("cancelled_at", json!(now));
        set.insert("cancellation_reason", REASON);
    }
    set
}

/// One line for each field, or one for a row that stays as it is.
fn journal(
    clock: &dyn Clock,
    source: &ChangeSource,
    mapping: &Mapping,
    row: &EntityRow,
    set: &FieldMap,
) -> Vec<Change> {
    let line = |field: Option<&str>, new: Option<&Value>| Change {
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
    };
    match set.is_empty() {
        true => vec![line(None, None)],
        false => set
            .iter()
            .map(|(field, new)| line(Some(field), Some(new)))
            .collect(),
    }
}

/// The mapping of a record that is gone. What was set in the row is agreed, so that nothing of it
/// is pushed and a record that comes back is news; so is whatever it says then.
fn without_record(mapping: Mapping, set: &FieldMap, now: DateTime<Utc>) -> Mapping {
    let mut base = mapping.base;
    base.extend(set);
    Mapping {
        base,
        hash: String::new(),
        gone_at: Some(now),
        revision: mapping.revision + 1,
        updated_at: now,
        ..mapping
    }
}
