//! A vendor that serves pages of guests from memory, at once and without a limit.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use stayzr_core::{
    Error, Result,
    model::PmsEvent,
    port::backend::StayQuery,
    transform::{EntityKind, FieldMap, FieldRule},
};
use stayzr_pms::{
    Capabilities, PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteProperty,
    RemoteQuote, RemoteRecord,
};

const PAGE: usize = 1_000;

const FIELDS: &[FieldRule] = &[
    FieldRule::shared("first_name"),
    FieldRule::shared("last_name"),
    FieldRule::shared("email"),
    FieldRule::shared("phone"),
    FieldRule::shared("nationality"),
    FieldRule::shared("language"),
    FieldRule::shared("notes"),
    FieldRule::shared("classifications"),
    FieldRule::remote("loyalty_code"),
    FieldRule::remote("active"),
];

/// The guests of a hotel, made on the way: the vendor's own memory does not grow with them.
#[derive(Debug)]
pub(super) struct Vendor {
    records: usize,
    capabilities: Capabilities,
    resident: Mutex<Vec<f64>>,
}

impl Vendor {
    pub(super) fn new(records: usize) -> Self {
        Self {
            records,
            capabilities: Capabilities {
                read: vec![EntityKind::Guest],
                changed_since: Vec::new(),
                by_id: BTreeMap::new(),
                create: Vec::new(),
                update: Vec::new(),
                quote: false,
                max_changed_span_seconds: None,
                write_window: "none".to_owned(),
                ..Capabilities::default()
            },
            resident: Mutex::default(),
        }
    }

    /// The greatest resident memory, in MiB, during the first and the last quarter of the pages
    /// that were read since this was last asked.
    pub(super) fn take_resident(&self) -> (f64, f64) {
        let seen =
            std::mem::take(&mut *self.resident.lock().unwrap_or_else(PoisonError::into_inner));
        let quarter = seen.len().div_ceil(4);
        let most = |part: &[f64]| part.iter().copied().fold(0.0, f64::max);
        (
            most(&seen[..quarter.min(seen.len())]),
            most(&seen[seen.len().saturating_sub(quarter)..]),
        )
    }
}

/// A guest as a PMS gives one.
pub(super) fn record(number: usize) -> RemoteRecord {
    let mut fields = FieldMap::new();
    fields.insert("first_name", format!("Ana {number}"));
    fields.insert("last_name", format!("Ferreira {}", number % 1_000));
    fields.insert("email", format!("ana.{number}@example.com"));
    fields.insert("phone", format!("+35191{:07}", number % 10_000_000));
    fields.insert("nationality", "PT");
    fields.insert("language", "pt");
    fields.insert("notes", Value::Null);
    fields.insert("classifications", json!(["Returning"]));
    fields.insert("loyalty_code", format!("LL{number}"));
    fields.insert("active", true);
    let mut extra = Map::new();
    extra.insert("Number".to_owned(), json!(number.to_string()));
    RemoteRecord {
        kind: EntityKind::Guest,
        external_id: external_id(number),
        version: Some("2026-06-01T00:00:00Z".to_owned()),
        fields,
        links: BTreeMap::new(),
        merged_into: None,
        extra,
        unknown: Vec::new(),
    }
}

/// The vendor's id of a guest: a UUID, as vendors like them.
pub(super) fn external_id(number: usize) -> String {
    format!("fadd5bb6-b428-45d5-94f8-{number:012}")
}

#[async_trait]
impl PmsProvider for Vendor {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn fields(&self, kind: EntityKind) -> &'static [FieldRule] {
        match kind {
            EntityKind::Guest => FIELDS,
            _ => &[],
        }
    }

    async fn check(&self) -> Result<RemoteProperty> {
        Err(unasked())
    }

    async fn fetch_page(&self, query: &PageQuery) -> Result<RecordPage> {
        let from = query.position.as_ref().and_then(Value::as_u64).unwrap_or(0);
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let to = from.saturating_add(PAGE).min(self.records);
        self.resident
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(resident());
        Ok(RecordPage {
            records: (from..to).map(record).collect(),
            parked: Vec::new(),
            next: (to < self.records).then(|| json!(to)),
            vendor_now: None,
        })
    }

    async fn fetch_ids(&self, _: EntityKind, _: &[String]) -> Result<RecordPage> {
        Err(unasked())
    }

    async fn push(&self, _: &Push) -> Result<PushOutcome> {
        Err(unasked())
    }

    async fn quote(&self, _: &StayQuery) -> Result<Vec<RemoteQuote>> {
        Err(unasked())
    }

    fn parse_event(&self, _: &[u8]) -> Result<Vec<PmsEvent>> {
        Err(unasked())
    }
}

fn unasked() -> Error {
    Error::unsupported("memory.vendor", "this vendor only serves pages")
}

/// The memory of this process in MiB.
fn resident() -> f64 {
    let pages: f64 = std::fs::read_to_string("/proc/self/statm")
        .unwrap_or_default()
        .split_whitespace()
        .nth(1)
        .and_then(|pages| pages.parse().ok())
        .unwrap_or(0.0);
    pages * 4096.0 / (1024.0 * 1024.0)
}
