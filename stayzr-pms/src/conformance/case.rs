use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, Utc};
use serde_json::Value;
use stayzr_core::{
    Error, ErrorKind,
    model::ExternalRef,
    transform::{ColumnType, EntityKind, FieldMap, FieldRule},
};

use super::{
    Access, Act, Bench, Call, Done, Fault, Stop, Vendor,
    report::{ensure, fail},
    sample::samples,
};
use crate::provider::{
    Capabilities, PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteRecord,
};

/// So many pages no vendor of a bench has: whoever reads more of them is going round in circles.
const MOST_PAGES: usize = 500;

/// So many records are tried until one takes a change: reservations differ in what they allow.
const TRIED: usize = 40;

/// A span of the vendor's time.
pub(super) type Span = (DateTime<Utc>, DateTime<Utc>);

/// What a scenario works with: a fresh vendor and a provider connected to it.
pub struct Case<'a> {
    pub(super) bench: &'a dyn Bench,
    pub(super) vendor: Box<dyn Vendor>,
    pub(super) provider: Arc<dyn PmsProvider>,
}

/// A change that the vendor took.
pub(super) struct Taken {
    /// The record as it was read before.
    pub(super) before: RemoteRecord,
    /// What was asked for.
    pub(super) push: Push,
    /// The record as the push gave it back.
    pub(super) applied: RemoteRecord,
}

impl<'a> Case<'a> {
    pub(super) async fn open(bench: &'a dyn Bench) -> Result<Self, Error> {
        let vendor = bench.start().await?;
        let provider = vendor.provider(Access::Granted)?;
        Ok(Self {
            bench,
            vendor,
            provider,
        })
    }

    pub(super) fn capabilities(&self) -> &Capabilities {
        self.provider.capabilities()
    }

    /// A second provider on the same vendor, which knows nothing of what the first has seen.
    pub(super) fn another(&self) -> Result<Arc<dyn PmsProvider>, Stop> {
        Ok(self.vendor.provider(Access::Granted)?)
    }

    /// The rules of fields that a kind lets us write; empty where the kind cannot be changed.
    pub(super) fn writable(&self, kind: EntityKind) -> Vec<&'static FieldRule> {
        if !self.capabilities().update.contains(&kind) {
            return Vec::new();
        }
        let rules = self.provider.fields(kind).iter();
        rules.filter(|rule| rule.writable).collect()
    }

    /// Every page of a query.
    pub(super) async fn pages(
        &self,
        provider: &dyn PmsProvider,
        kind: EntityKind,
        changed: Option<Span>,
    ) -> Result<Vec<RecordPage>, Stop> {
        let mut pages: Vec<RecordPage> = Vec::new();
        let mut position = None;
        loop {
            let query = PageQuery {
                kind,
                changed,
                position,
            };
            let page = provider.fetch_page(&query).await?;
            position = page.next.clone();
            pages.push(page);
            if position.is_none() {
                return Ok(pages);
            }
            ensure(pages.len() < MOST_PAGES, || {
                format!("{kind}: the pages do not end; is `next` none after the last?")
            })?;
        }
    }

    /// Every page of a kind as one.
    pub(super) async fn whole(
        &self,
        kind: EntityKind,
        changed: Option<Span>,
    ) -> Result<RecordPage, Stop> {
        let pages = self.pages(&*self.provider, kind, changed).await?;
        let mut whole = RecordPage::default();
        for page in pages {
            whole.records.extend(page.records);
            whole.parked.extend(page.parked);
        }
        Ok(whole)
    }

    /// A record as it is read now: by id where the provider can, else from all pages.
    pub(super) async fn one(
        &self,
        kind: EntityKind,
        id: &str,
    ) -> Result<Option<RemoteRecord>, Stop> {
        let page = if self.capabilities().by_id.contains_key(&kind) {
            self.provider.fetch_ids(kind, &[id.to_owned()]).await?
        } else {
            self.whole(kind, None).await?
        };
        let mut records = page.records.into_iter();
        Ok(records.find(|record| record.external_id == id))
    }

    /// The same of a record that must be there.
    pub(super) async fn there(&self, kind: EntityKind, id: &str) -> Result<RemoteRecord, Stop> {
        let record = self.one(kind, id).await?;
        record.ok_or_else(|| fail(format!("{kind} {id} is at the vendor and is not read")))
    }

    /// Ids of a kind, by the desk's list or else as they are read.
    pub(super) async fn ids(&self, kind: EntityKind) -> Result<Vec<String>, Stop> {
        if let Some(ids) = self.vendor.ids(kind).await? {
            return Ok(ids);
        }
        let mut ids = Vec::new();
        for record in self.whole(kind, None).await?.records {
            if !ids.contains(&record.external_id) {
                ids.push(record.external_id);
            }
        }
        Ok(ids)
    }

    /// The first kind and record for which this can happen at the vendor, and what came of it.
    pub(super) async fn first_act(
        &self,
        kinds: &[EntityKind],
        act: Act,
    ) -> Result<(EntityKind, String, Done), Stop> {
        for kind in kinds {
            let Some(id) = self.ids(*kind).await?.into_iter().next() else {
                continue;
            };
            if let Some(done) = self.vendor.act(act.clone(), *kind, &id).await? {
                return Ok((*kind, id, done));
            }
        }
        Err(Stop::Skip(format!("{act:?} cannot happen at this vendor")))
    }

    /// The first kind whose calls of this sort can go wrong in this way; they do from now on.
    pub(super) async fn first_fault(
        &self,
        kinds: &[EntityKind],
        call: fn(EntityKind) -> Call,
        fault: &Fault,
        times: u32,
    ) -> Result<EntityKind, Stop> {
        for kind in kinds {
            // What the provider reads once and keeps is read before.
            self.ids(*kind).await?;
            if self.vendor.fault(fault.clone(), call(*kind), times).await? {
                return Ok(*kind);
            }
        }
        Err(Stop::Skip(format!(
            "{fault:?} cannot happen at this vendor"
        )))
    }

    /// A change of one field that the vendor takes, tried on record after record. None where it
    /// takes none of the samples on any.
    pub(super) async fn change(
        &self,
        kind: EntityKind,
        field: &str,
    ) -> Result<Option<Taken>, Stop> {
        for id in self.ids(kind).await?.iter().take(TRIED) {
            let Some(before) = self.one(kind, id).await? else {
                continue;
            };
            if before.merged_into.is_some() {
                continue;
            }
            for push in self.wishes(&before, field).await? {
                match self.provider.push(&push).await {
                    Ok(PushOutcome::Applied(applied)) => {
                        return Ok(Some(Taken {
                            before,
                            push,
                            applied: *applied,
                        }));
                    }
                    Ok(PushOutcome::Unsupported(_)) => {}
                    Ok(PushOutcome::Ambiguous(why)) => {
                        return Err(fail(format!(
                            "{kind}.{field}: nothing went wrong, and the push is ambiguous: {why}"
                        )));
                    }
                    Err(error) if is_refusal(&error) => {}
                    Err(error) => return Err(fail(format!("{kind}.{field}: {error}"))),
                }
            }
        }
        Ok(None)
    }

    /// A change that the vendor takes of the first field of a kind for which there is one.
    pub(super) async fn any_change(&self, kind: EntityKind) -> Result<Taken, Stop> {
        for rule in self.writable(kind) {
            if let Some(taken) = self.change(kind, rule.field).await? {
                return Ok(taken);
            }
        }
        Err(fail(format!(
            "{kind}: declared in `update`, and no field could be changed; give the bench samples"
        )))
    }

    /// Pushes that set a field to something it is not.
    pub(super) async fn wishes(&self, now: &RemoteRecord, field: &str) -> Result<Vec<Push>, Stop> {
        let kind = now.kind;
        let push = Push {
            kind,
            external_id: Some(now.external_id.clone()),
            base: now.fields.clone(),
            changed: FieldMap::new(),
            links: BTreeMap::new(),
        };
        if let Some(target) = link_target(kind, field) {
            let current = now.links.get(field).and_then(Option::as_ref);
            let ids = self.ids(target).await?;
            let others = ids
                .into_iter()
                .map(|id| ExternalRef { kind: target, id })
                .filter(|link| Some(link) != current);
            let to = |link| Push {
                links: BTreeMap::from([(field.to_owned(), Some(link))]),
                ..push.clone()
            };
            return Ok(others.take(12).map(to).collect());
        }
        let values = self.bench.samples(kind, field);
        let values = values.unwrap_or_else(|| samples(now, field));
        let is_new = |value: &Value| now.fields.get(field) != Some(value);
        let to = |value: Value| Push {
            changed: [(field.to_owned(), value)].into_iter().collect(),
            ..push.clone()
        };
        Ok(values.into_iter().filter(is_new).map(to).collect())
    }
}

/// The kind that a field of ours links to, if it is a link.
pub(super) fn link_target(kind: EntityKind, field: &str) -> Option<EntityKind> {
    let is_link = |column: &&stayzr_core::transform::Column| {
        column.name == field && column.kind == ColumnType::Uuid
    };
    kind.columns().iter().find(is_link)?;
    Some(match field {
        "room_type_id" => EntityKind::RoomType,
        "room_id" => EntityKind::Room,
        "reservation_id" => EntityKind::Reservation,
        _ => EntityKind::Guest,
    })
}

/// Whether the vendor refused what was asked: trying the same again does not help.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Invalid
            | ErrorKind::Forbidden
            | ErrorKind::Conflict
            | ErrorKind::NotFound
            | ErrorKind::Unsupported
    )
}
