use std::collections::BTreeSet;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::{Error, ErrorKind, Result, limit::Priority, transform::EntityKind};

use super::{
    MewsClient, RawPage,
    client::PAGE,
    context::MewsContext,
    transform::NoteId,
    wire::{
        ActivityState, CategoriesGetAll, CustomerExtent, CustomersGetAll, Interval, Limitation,
        NotesGetAll, ReservationsGetAll, ResourceExtent, ResourcesGetAll,
    },
};

/// The longest span Mews takes is three months, the shortest three of which have 89 days. One is
/// left for widening.
pub(super) const LONGEST_SPAN: TimeDelta = TimeDelta::days(88);

/// A span is not cut below this after a 408.
const SHORTEST_SPAN: TimeDelta = TimeDelta::minutes(10);

/// A vendor that says nothing is slow or gone. It is asked for less this often: each silence costs
/// the whole time of a call, while a job holds its lease.
const SILENCES: u32 = 2;

/// How often a position is made lighter after a silence.
const STEPS_AFTER_SILENCE: u32 = 3;

/// How far Mews' clock may be ahead of ours where ours ends a span.
pub(super) const AHEAD: TimeDelta = TimeDelta::days(1);

/// The end of a span is moved by this, since a clock of Mews may be ahead of the one that made it.
const SKEW: TimeDelta = TimeDelta::seconds(60);

pub(super) const CATEGORIES: (&str, &str) = (
    "resourceCategories/getAll",
    "mews.resourceCategories.getAll",
);
const RESOURCES: (&str, &str) = ("resources/getAll", "mews.resources.getAll");
const CUSTOMERS: (&str, &str) = ("customers/getAll", "mews.customers.getAll");
const NOTES: (&str, &str) = ("serviceOrderNotes/getAll", "mews.serviceOrderNotes.getAll");
const NOTE_LIST: &str = "ServiceOrderNotes";
const RESERVATIONS: (&str, &str) = ("reservations/getAll/2023-06-06", "mews.reservations.getAll");

/// Where a walk through a list stands. Spans of time are walked from the newest back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The walk as a whole; none where the list is not walked by time.
    span: Option<Span>,
    /// Mews' cursor in the part that is read now.
    cursor: Option<String>,
    /// Records on a page.
    count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Span {
    /// Where the walk ends.
    floor: DateTime<Utc>,
    /// The end of the part that is read now.
    end: DateTime<Utc>,
    /// How long parts are, in seconds. A part that was read lets the next be twice as long.
    part: i64,
}

impl Span {
    fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        let second = TimeDelta::seconds(1);
        Self {
            floor: start.duration_trunc(second).unwrap_or(start),
            end: end.duration_trunc(second).unwrap_or(end) + second + SKEW,
            part: LONGEST_SPAN.num_seconds(),
        }
    }

    fn start(&self) -> DateTime<Utc> {
        self.floor.max(self.end - TimeDelta::seconds(self.part))
    }
}

impl Position {
    pub(super) fn start(changed: Option<(DateTime<Utc>, DateTime<Utc>)>) -> Self {
        Self {
            span: changed.map(|(start, end)| Span::new(start, end)),
            cursor: None,
            count: PAGE,
        }
    }

    pub(super) fn parse(value: &Value) -> Result<Self> {
        Self::deserialize(value).map_err(|error| {
            Error::invalid("mews.fetch_page", "not a position of this provider").with_source(error)
        })
    }

    pub(super) fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn updated(&self) -> Option<Interval> {
        self.span
            .as_ref()
            .map(|span| Interval::new(span.start(), span.end))
    }

    fn limitation(&self) -> Option<Limitation> {
        Some(Limitation {
            count: self.count,
            cursor: self.cursor.clone(),
        })
    }

    /// What follows a page with this cursor; none once everything is read.
    pub(super) fn next(&self, cursor: Option<String>) -> Option<Self> {
        if cursor.is_some() {
            return Some(Self {
                cursor,
                ..self.clone()
            });
        }
        let span = self.span?;
        (span.start() > span.floor).then(|| Self {
            span: Some(Span {
                end: span.start(),
                part: (span.part * 2).min(LONGEST_SPAN.num_seconds()),
                ..span
            }),
            cursor: None,
            count: self.count,
        })
    }

    /// The same place with less to ask for, after a 408; none if it cannot be less. A part that is
    /// cut is read from its start: reading a record twice does no harm.
    pub(super) fn lighter(&self) -> Option<Self> {
        if let Some(span) = self.span {
            let length = span.end - span.start();
            if length > SHORTEST_SPAN {
                return Some(Self {
                    span: Some(Span {
                        part: (length / 2).num_seconds(),
                        ..span
                    }),
                    cursor: None,
                    count: self.count,
                });
            }
        }
        (self.count > 50).then(|| Self {
            count: self.count / 2,
            ..self.clone()
        })
    }
}

/// Which records to read, at one position or by id.
pub(super) enum Wanted<'a> {
    At(&'a Position),
    Ids(&'a [String]),
}

impl Wanted<'_> {
    fn ids(&self) -> Option<Vec<String>> {
        match self {
            Self::At(_) => None,
            Self::Ids(ids) => Some(ids.to_vec()),
        }
    }

    fn updated(&self) -> Option<Interval> {
        match self {
            Self::At(position) => position.updated(),
            Self::Ids(_) => None,
        }
    }

    fn limitation(&self) -> Option<Limitation> {
        match self {
            Self::At(position) => position.limitation(),
            Self::Ids(_) => Some(Limitation {
                count: PAGE,
                cursor: None,
            }),
        }
    }

    fn count(&self) -> u32 {
        match self {
            Self::At(position) => position.count,
            Self::Ids(_) => PAGE,
        }
    }
}

/// Reads records of a kind as they come.
pub(super) async fn read(
    client: &MewsClient,
    context: &MewsContext,
    kind: EntityKind,
    wanted: Wanted<'_>,
    priority: Priority,
) -> Result<RawPage> {
    let enterprise_ids = client.config().enterprises();
    let (ids, updated_utc, limitation) = (wanted.ids(), wanted.updated(), wanted.limitation());
    let count = wanted.count();
    match kind {
        EntityKind::RoomType => {
            let body = CategoriesGetAll {
                service_ids: context.service_ids.clone(),
                updated_utc,
                activity_states: Some(vec![ActivityState::Active, ActivityState::Deleted]),
                enterprise_ids,
                limitation,
            };
            client
                .page(CATEGORIES, "ResourceCategories", priority, &body, count)
                .await
        }
        EntityKind::Room => {
            let body = ResourcesGetAll {
                resource_ids: ids,
                extent: ResourceExtent {
                    resources: true,
                    inactive: true,
                },
                updated_utc,
                enterprise_ids,
                limitation,
            };
            client
                .page(RESOURCES, "Resources", priority, &body, count)
                .await
        }
        EntityKind::Guest => {
            let chain = enterprise_ids.and(context.enterprise.chain_id.clone());
            let body = CustomersGetAll {
                chain_ids: chain.map(|id| vec![id]),
                customer_ids: ids,
                updated_utc,
                activity_states: Some(vec![ActivityState::Active, ActivityState::Deleted]),
                extent: CustomerExtent {
                    customers: true,
                    addresses: false,
                },
                limitation,
                ..CustomersGetAll::default()
            };
            client
                .page(CUSTOMERS, "Customers", priority, &body, count)
                .await
        }
        EntityKind::Reservation => {
            // Ids of a webhook may be of any service; what is no stay is left out afterwards.
            let services = ids.is_none().then(|| context.service_ids.clone());
            let body = ReservationsGetAll {
                reservation_ids: ids,
                service_ids: services,
                updated_utc,
                enterprise_ids,
                limitation,
            };
            client
                .page(RESERVATIONS, "Reservations", priority, &body, count)
                .await
        }
        EntityKind::Note => {
            if let Some(ids) = ids {
                return notes_by_id(client, &ids, priority).await;
            }
            let body = NotesGetAll {
                updated_utc,
                types: NotesGetAll::all_types(),
                enterprise_ids,
                limitation,
                ..NotesGetAll::default()
            };
            let mut page = client
                .page(NOTES, NOTE_LIST, priority, &body, count)
                .await?;
            keep_stays(client, context, &mut page, priority).await?;
            Ok(page)
        }
        EntityKind::Property => Err(Error::internal(
            "mews.fetch_page",
            "a property is not a list",
        )),
    }
}

/// Reads the page at a position, with less at a time where Mews asks for it, and says where it was
/// read in the end.
pub(super) async fn read_page(
    client: &MewsClient,
    context: &MewsContext,
    kind: EntityKind,
    mut position: Position,
    priority: Priority,
) -> Result<(RawPage, Position)> {
    let mut silences = 0;
    loop {
        let error = match read(client, context, kind, Wanted::At(&position), priority).await {
            Ok(page) => return Ok((page, position)),
            Err(error) => error,
        };
        if error.kind() != ErrorKind::Timeout {
            return Err(error);
        }
        let mut steps = 1;
        if !says_so(&error) {
            if silences == SILENCES {
                let operation = error.operation().to_owned();
                let message = "Mews does not answer in time, even where it is asked for little";
                return Err(Error::unavailable(operation, message).with_source(error));
            }
            silences += 1;
            steps = STEPS_AFTER_SILENCE;
        }
        for _ in 0..steps {
            match position.lighter() {
                Some(lighter) => position = lighter,
                None => return Err(error),
            }
        }
    }
}

/// Whether a timeout is Mews' own word (408) rather than our patience that ended.
fn says_so(error: &Error) -> bool {
    error.context().iter().any(|(key, _)| *key == "status")
}

/// Notes of these orders, of any number of pages.
pub(super) async fn notes_of(
    client: &MewsClient,
    orders: Vec<String>,
    priority: Priority,
) -> Result<RawPage> {
    let mut whole = RawPage::default();
    let mut body = NotesGetAll {
        service_order_ids: Some(orders),
        types: NotesGetAll::all_types(),
        enterprise_ids: client.config().enterprises(),
        ..NotesGetAll::default()
    };
    loop {
        body.limitation = Some(Limitation {
            count: PAGE,
            cursor: whole.cursor.take(),
        });
        let page = client.page(NOTES, NOTE_LIST, priority, &body, PAGE).await?;
        whole.items.extend(page.items);
        whole.vendor_now = whole.vendor_now.or(page.vendor_now);
        whole.cursor = page.cursor;
        if whole.cursor.is_none() {
            return Ok(whole);
        }
    }
}

/// Notes by their ids here, which name their orders.
async fn notes_by_id(client: &MewsClient, ids: &[String], priority: Priority) -> Result<RawPage> {
    let wanted: BTreeSet<NoteId> = ids.iter().filter_map(|id| NoteId::parse(id)).collect();
    let orders: BTreeSet<&String> = wanted.iter().map(|id| &id.order).collect();
    if orders.is_empty() {
        return Ok(RawPage::default());
    }
    let orders = orders.into_iter().cloned().collect();
    let mut page = notes_of(client, orders, priority).await?;
    page.items.retain(|note| {
        let text = |key| note.get(key).and_then(Value::as_str).map(str::to_owned);
        let id = text("OrderId").zip(text("Id"));
        id.is_some_and(|(order, note)| wanted.contains(&NoteId { order, note }))
    });
    Ok(page)
}

/// Leaves out notes of orders that are no stays: those of a restaurant, or of an hour at the spa.
/// A note that does not say its order stays, to be put aside.
async fn keep_stays(
    client: &MewsClient,
    context: &MewsContext,
    page: &mut RawPage,
    priority: Priority,
) -> Result<()> {
    let order = |note: &Value| {
        note.get("OrderId")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let orders: BTreeSet<String> = page.items.iter().filter_map(order).collect();
    if orders.is_empty() {
        return Ok(());
    }
    let body = ReservationsGetAll {
        reservation_ids: Some(orders.into_iter().collect()),
        service_ids: Some(context.service_ids.clone()),
        enterprise_ids: client.config().enterprises(),
        limitation: Some(Limitation {
            count: PAGE,
            cursor: None,
        }),
        ..ReservationsGetAll::default()
    };
    let stays = client
        .page(RESERVATIONS, "Reservations", priority, &body, PAGE)
        .await?;
    let stays: BTreeSet<&str> = stays
        .items
        .iter()
        .filter_map(|stay| stay.get("Id").and_then(Value::as_str))
        .collect();
    page.items
        .retain(|note| order(note).is_none_or(|id| stays.contains(id.as_str())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn walk(mut position: Position) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let mut parts = Vec::new();
        loop {
            let span = position.span.unwrap();
            parts.push((span.start(), span.end));
            match position.next(None) {
                Some(next) => position = next,
                None => return parts,
            }
        }
    }

    #[test]
    fn a_long_span_is_walked_back_in_parts_without_gaps_that_mews_takes() {
        let (start, end) = (time("2024-01-01T00:00:00Z"), time("2026-03-01T12:00:00.4Z"));
        let parts = walk(Position::start(Some((start, end))));
        assert!(parts[0].1 > end);
        assert_eq!(parts.last().unwrap().0, start);
        for (from, to) in &parts {
            assert!(*to - *from <= TimeDelta::days(89), "{from} {to}");
        }
        for pair in parts.windows(2) {
            assert_eq!(pair[0].0, pair[1].1);
        }
    }

    #[test]
    fn the_second_that_a_span_ends_in_is_read_too() {
        let (start, end) = (
            time("2026-03-01T12:00:00.9Z"),
            time("2026-03-01T12:05:00.1Z"),
        );
        let position = Position::start(Some((start, end)));
        let interval = position.updated().unwrap();
        assert_eq!(interval.start_utc, "2026-03-01T12:00:00Z");
        assert_eq!(interval.end_utc, "2026-03-01T12:06:01Z");
    }

    #[test]
    fn a_query_that_is_too_heavy_becomes_lighter_until_it_cannot() {
        let (start, end) = (time("2026-01-01T00:00:00Z"), time("2026-03-01T00:00:00Z"));
        let mut position = Position::start(Some((start, end)));
        let mut steps = 0;
        while let Some(lighter) = position.lighter() {
            let parts = walk(lighter.clone());
            assert_eq!(parts.last().unwrap().0, start, "nothing is skipped");
            position = lighter;
            steps += 1;
        }
        assert!((5..40).contains(&steps), "{steps}");
        // Growing again, a part is at most twice the one that was light enough.
        let parts = walk(position.clone());
        for pair in parts.windows(2) {
            let length = |part: (DateTime<Utc>, DateTime<Utc>)| part.1 - part.0;
            assert!(length(pair[1]) <= length(pair[0]) * 2);
        }
        let whole = Position::start(None);
        assert_eq!(whole.lighter().unwrap().count, PAGE / 2);
    }

    #[test]
    fn a_position_survives_being_stored() {
        let (start, end) = (time("2026-01-01T00:00:00Z"), time("2026-03-01T00:00:00Z"));
        let position = Position::start(Some((start, end)))
            .next(Some("c".to_owned()))
            .unwrap();
        assert_eq!(Position::parse(&position.json()).unwrap(), position);
        assert!(Position::parse(&Value::from(1)).is_err());
    }
}
