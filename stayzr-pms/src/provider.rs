//! What a PMS can do, as the engine sees it.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stayzr_core::{
    Result,
    model::{ExternalRef, PmsEvent, Quote},
    port::{backend::StayQuery, sync::ParkedRecord},
    transform::{EntityKind, FieldMap, FieldRule},
};

use crate::desk::{Desk, DeskCapabilities};

/// A record of a vendor in our shape: what crosses the line between provider and engine.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteRecord {
    /// What kind of record.
    pub kind: EntityKind,
    /// The vendor's id.
    pub external_id: String,
    /// The vendor's own mark of this state, such that a later state has a greater text: a time in
    /// UTC with all its digits (Mews: `UpdatedUtc` to the microsecond), a number padded with
    /// zeros. Marks are compared as text, only with marks of the same record and never with a
    /// clock of ours; a form that varies, such as a fraction that is left out where it is zero,
    /// makes later states look older and loses them. None where the vendor has no mark: the
    /// content alone says what is news then.
    pub version: Option<String>,
    /// The fields the record has a say in. A field it does not carry is absent.
    pub fields: FieldMap,
    /// Links to other records, by the name of our field; the engine turns them into our ids.
    pub links: BTreeMap<&'static str, Option<ExternalRef>>,
    /// The record that this one was merged into.
    pub merged_into: Option<String>,
    /// What the record holds beyond our model, unknown fields included.
    pub extra: Map<String, Value>,
    /// Values of known fields that we do not know: kept as they came, and counted.
    pub unknown: Vec<UnknownValue>,
}

/// A value that a vendor sent and we do not know, such as a new status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownValue {
    /// The vendor's name of the field.
    pub field: String,
    /// The vendor's value.
    pub value: String,
}

/// One page of records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RecordPage {
    /// The records that could be read.
    pub records: Vec<RemoteRecord>,
    /// The records that could not, with the reason.
    pub parked: Vec<ParkedRecord>,
    /// Where the next page starts; none after the last.
    pub next: Option<Value>,
    /// The vendor's clock when the page was read, where it tells it.
    pub vendor_now: Option<DateTime<Utc>>,
}

/// Which records to read.
#[derive(Debug, Clone, PartialEq)]
pub struct PageQuery {
    /// What kind.
    pub kind: EntityKind,
    /// Only those that changed in this span of the vendor's time (start inclusive, end exclusive);
    /// none for all. Only asked of kinds in [`Capabilities::changed_since`].
    pub changed: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// [`RecordPage::next`] of the page before.
    pub position: Option<Value>,
}

/// A change to be made at the vendor.
#[derive(Debug, Clone, PartialEq)]
pub struct Push {
    /// What kind of record.
    pub kind: EntityKind,
    /// The vendor's id; none creates the record.
    pub external_id: Option<String>,
    /// The last state both sides agreed on.
    pub base: FieldMap,
    /// Fields to set, all of them writable by [`PmsProvider::fields`]. Links stand in `links`.
    pub changed: FieldMap,
    /// Links to set, by the name of our field.
    pub links: BTreeMap<String, Option<ExternalRef>>,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq)]
pub enum PushOutcome {
    /// Done. The record as the vendor now gives it, from its answer or from a read after it.
    Applied(Box<RemoteRecord>),
    /// The vendor cannot set, or cannot empty, these fields; nothing was sent.
    Unsupported(Vec<String>),
    /// It may have happened: look before doing it again.
    Ambiguous(String),
}

/// What a provider can do, as plain data. The default is nothing.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Capabilities {
    /// Kinds that can be read.
    pub read: Vec<EntityKind>,
    /// Kinds that can be asked for by what changed since a time.
    pub changed_since: Vec<EntityKind>,
    /// Kinds that can be asked for by id, and how many ids one call takes.
    pub by_id: BTreeMap<EntityKind, usize>,
    /// Kinds that can be created.
    pub create: Vec<EntityKind>,
    /// Kinds that can be changed.
    pub update: Vec<EntityKind>,
    /// Whether stays can be priced.
    pub quote: bool,
    /// The longest span that one changed-since query takes, in seconds.
    pub max_changed_span_seconds: Option<i64>,
    /// What stands between reading a record before a push and writing it: `none` where the
    /// vendor's write is conditional, else a sentence that names the window.
    pub write_window: String,
    /// What it can do beyond records.
    #[serde(default)]
    pub desk: DeskCapabilities,
}

/// A connection to one property at one vendor.
///
/// This is what keeping both sides equal needs; everything beyond it stands in [`Desk`], and a
/// provider that has none leaves it out.
///
/// Errors have the kinds of [`stayzr_core::ErrorKind`]; the engine retries by them alone.
#[async_trait]
pub trait PmsProvider: Send + Sync + fmt::Debug {
    /// The provider's name: `mews`.
    fn name(&self) -> &'static str;

    /// What it can do.
    fn capabilities(&self) -> &Capabilities;

    /// What may be done with each field of a kind; a field without a rule is ours alone.
    fn fields(&self, kind: EntityKind) -> &'static [FieldRule];

    /// Asks the vendor who we are: the property's id and name there. Fails with a sentence that
    /// says what to do where the credentials are wrong.
    async fn check(&self) -> Result<RemoteProperty>;

    /// One page of records. Pages of a query together hold every record that matches and did not
    /// change meanwhile. Calls to the vendor have [`stayzr_core::limit::Priority::Low`]: reading
    /// many records leaves the burst of the vendor's limit to writes and webhooks. Those of the
    /// other methods have `High`.
    async fn fetch_page(&self, query: &PageQuery) -> Result<RecordPage>;

    /// Records by id, at most [`Capabilities::by_id`] of them. Ids the vendor does not know are
    /// missing from the page.
    async fn fetch_ids(&self, kind: EntityKind, ids: &[String]) -> Result<RecordPage>;

    /// Makes a change at the vendor, and only that: whatever the vendor would do by default
    /// beside it (emails, fees, new prices) is switched off.
    async fn push(&self, push: &Push) -> Result<PushOutcome>;

    /// Records at the vendor that a create may have made already, or that are plainly the same: asked
    /// before every create, because an answer may have been lost and vendors' creates are not
    /// idempotent. Guests by email, telephone and name; notes by their reservation and text. An
    /// empty list where the vendor has none or cannot be asked.
    async fn find(&self, push: &Push) -> Result<Vec<RemoteRecord>> {
        let _ = push;
        Ok(Vec::new())
    }

    /// Prices of a stay by room type, whose ids are the vendor's in [`RemoteQuote`].
    async fn quote(&self, stay: &StayQuery) -> Result<Vec<RemoteQuote>>;

    /// What a webhook body says happened. Unknown events are [`PmsEvent::Unknown`], never errors;
    /// an error means that the body is not the vendor's at all.
    fn parse_event(&self, body: &[u8]) -> Result<Vec<PmsEvent>>;

    /// The vendor's front desk, for what goes beyond records; none where nothing does. What it can
    /// do stands in [`Capabilities::desk`].
    fn desk(&self) -> Option<&dyn Desk> {
        None
    }
}

/// Who the vendor says we are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteProperty {
    /// The property's id at the vendor.
    pub id: String,
    /// Its name there.
    pub name: String,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Its default currency.
    pub currency: Option<String>,
}

/// A price by the vendor's ids.
#[derive(Debug, Clone, PartialEq)]
pub struct RemoteQuote {
    /// The room type at the vendor.
    pub room_type: ExternalRef,
    /// The price, with our room type's id left to the engine to fill.
    pub rate: String,
    /// The whole stay.
    pub total: stayzr_core::model::Money,
}

/// Turns a vendor's prices into ours, given our room types by the vendor's ids and their names.
pub fn resolve_quotes(
    quotes: Vec<RemoteQuote>,
    stay: &StayQuery,
    room_types: &BTreeMap<String, (stayzr_core::ids::RoomTypeId, String)>,
) -> Vec<Quote> {
    quotes
        .into_iter()
        .filter_map(|quote| {
            let (room_type_id, room_type) = room_types.get(&quote.room_type.id)?.clone();
            Some(Quote {
                room_type_id,
                room_type,
                rate: quote.rate,
                arrival: stay.arrival,
                departure: stay.departure,
                total: quote.total,
                free: None,
            })
        })
        .collect()
}
