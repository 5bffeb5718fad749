use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stayzr_core::{Error, ErrorKind, Result, limit::Priority, transform::EntityKind};

use super::{
    CloudbedsClient, RawPage,
    client::PAGE,
    context::CloudbedsContext,
    transform::{NoteOwner, local_span},
    wire::elements,
};

/// Lists whose largest page Cloudbeds does not document have this many records on a page at least,
/// whatever is asked for.
const SMALLEST_PAGE: usize = 20;

/// Reservations whose notes one page of notes holds: each costs a call.
const NOTES_PAGE: usize = 20;

/// The most rooms that Cloudbeds gives the housekeeping status of at once.
const HOUSEKEEPING_PAGE: usize = 5000;

pub(super) type Query = Vec<(String, String)>;

/// A span of the vendor's time.
pub(super) type Span = Option<(DateTime<Utc>, DateTime<Utc>)>;

/// Where a walk through a list stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The page that is read next, from 1.
    page: usize,
    /// Records on the pages before.
    seen: u64,
    /// The first record of the page before: a page that starts with it is that page again.
    first: Option<String>,
}

impl Position {
    pub(super) const START: Self = Self {
        page: 1,
        seen: 0,
        first: None,
    };

    pub(super) fn parse(value: Option<&Value>) -> Result<Self> {
        let Some(value) = value else {
            return Ok(Self::START);
        };
        Self::deserialize(value)
            .ok()
            .filter(|position| position.page > 0)
            .ok_or_else(|| {
                Error::invalid("cloudbeds.fetch_page", "not a position of this provider")
            })
    }

    pub(super) fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// What follows a page with these records; none after the last. `counts` says whether the
    /// answer's total counts records.
    fn next(&self, page: &RawPage, key: &str, full: usize, counts: bool) -> Option<Self> {
        let first = page.items.first().and_then(|item| id(item, key));
        if page.items.is_empty() || (first.is_some() && first == self.first) {
            return None;
        }
        let seen = self.seen + page.items.len() as u64;
        let more = match page.total.filter(|_| counts) {
            Some(total) => seen < total,
            None => page.items.len() >= full,
        };
        more.then(|| Self {
            page: self.page + 1,
            seen,
            first,
        })
    }
}

/// The text of an id, which may be a number.
pub(super) fn id(item: &Value, key: &str) -> Option<String> {
    match item.get(key)? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

pub(super) fn pair(key: &str, value: impl Into<String>) -> (String, String) {
    (key.to_owned(), value.into())
}

fn span(query: &mut Query, zone: Tz, changed: Span, keys: (&str, &str)) {
    if let Some((from, to)) = changed {
        let (from, to) = local_span(zone, from, to);
        query.push(pair(keys.0, from));
        query.push(pair(keys.1, to));
    }
}

/// The page of a list at a position, and where the next one starts.
pub(super) async fn read_page(
    client: &CloudbedsClient,
    context: &CloudbedsContext,
    kind: EntityKind,
    changed: Span,
    position: &Position,
) -> Result<(RawPage, Option<Position>)> {
    let priority = Priority::Low;
    let zone = context.transform.time_zone;
    let at = (position.page, PAGE);
    match kind {
        EntityKind::RoomType => {
            let page = client
                .page("getRoomTypes", Query::new(), at, priority)
                .await?;
            let next = position.next(&page, "roomTypeID", SMALLEST_PAGE, true);
            Ok((page, next))
        }
        EntityKind::Room => {
            let page = rooms(client, position.page, priority).await?;
            // The total counts properties.
            let next = position.next(&page, "roomID", SMALLEST_PAGE, false);
            Ok((page, next))
        }
        EntityKind::Guest => {
            // By creation, since a list by modification moves under whoever walks it.
            let mut query = vec![pair("includeGuestInfo", "true"), pair("sortBy", "creation")];
            span(&mut query, zone, changed, ("resultsFrom", "resultsTo"));
            let page = client.page("getGuestList", query, at, priority).await?;
            let next = position.next(&page, "guestID", PAGE, true);
            Ok((page, next))
        }
        EntityKind::Reservation => {
            let mut query = detailed();
            span(&mut query, zone, changed, ("modifiedFrom", "modifiedTo"));
            let page = client.page(DETAILED, query, at, priority).await?;
            let next = position.next(&page, "reservationID", PAGE, true);
            Ok((page, next))
        }
        other => Err(Error::unsupported(
            "cloudbeds.fetch_page",
            "records of this kind are not listed at Cloudbeds",
        )
        .with("kind", other)),
    }
}

/// The one call that gives reservations by change and by id in the same shape, with times in UTC.
const DETAILED: &str = "getReservationsWithRateDetails";

fn detailed() -> Query {
    vec![
        pair("includeDeleted", "true"),
        pair("includeCustomFields", "true"),
    ]
}

/// Rooms of a page, out of the properties that the answer lists.
async fn rooms(client: &CloudbedsClient, page: usize, priority: Priority) -> Result<RawPage> {
    let mut found = client
        .page("getRooms", Query::new(), (page, PAGE), priority)
        .await?;
    found.items = found
        .items
        .iter()
        .flat_map(|property| match property.get("rooms") {
            Some(rooms) => elements(rooms),
            None => vec![property],
        })
        .cloned()
        .collect();
    if !client.config().housekeeping || found.items.is_empty() {
        return Ok(found);
    }
    let status = housekeeping(client, priority).await?;
    for room in &mut found.items {
        let told = id(room, "roomID").and_then(|id| status.get(&id));
        if let (Some(told), Value::Object(fields)) = (told, room) {
            let mut whole: Map<String, Value> = told.clone();
            whole.append(fields);
            *fields = whole;
        }
    }
    Ok(found)
}

async fn housekeeping(
    client: &CloudbedsClient,
    priority: Priority,
) -> Result<BTreeMap<String, Map<String, Value>>> {
    let mut found = BTreeMap::new();
    let mut position = Position::START;
    loop {
        let at = (position.page, HOUSEKEEPING_PAGE);
        let page = client
            .page("getHousekeepingStatus", Query::new(), at, priority)
            .await?;
        for item in &page.items {
            if let (Some(id), Value::Object(fields)) = (id(item, "roomID"), item) {
                found.insert(id, fields.clone());
            }
        }
        match position.next(&page, "roomID", HOUSEKEEPING_PAGE, true) {
            Some(next) => position = next,
            None => return Ok(found),
        }
    }
}

/// Every room.
pub(super) async fn all_rooms(client: &CloudbedsClient) -> Result<RawPage> {
    let mut position = Position::START;
    let mut whole = RawPage::default();
    loop {
        let page = rooms(client, position.page, Priority::High).await?;
        let next = position.next(&page, "roomID", SMALLEST_PAGE, false);
        whole.vendor_now = whole.vendor_now.or(page.vendor_now);
        whole.items.extend(page.items);
        match next {
            Some(next) => position = next,
            None => return Ok(whole),
        }
    }
}

/// Room types by id.
pub(super) async fn room_types(client: &CloudbedsClient, ids: &[String]) -> Result<RawPage> {
    let query = vec![pair("roomTypeIDs", ids.join(","))];
    client
        .page("getRoomTypes", query, (1, PAGE), Priority::High)
        .await
}

/// Reservations by id.
pub(super) async fn reservations(client: &CloudbedsClient, ids: &[String]) -> Result<RawPage> {
    let ask = async |wanted: String| {
        let mut query = detailed();
        query.push(pair("reservationID", wanted));
        match client
            .page(DETAILED, query, (1, PAGE), Priority::High)
            .await
        {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            page => page.map(Some),
        }
    };
    if let Some(page) = ask(ids.join(",")).await? {
        return Ok(page);
    }
    // One that is gone may hide the others.
    let mut whole = RawPage::default();
    for wanted in ids.iter().filter(|_| ids.len() > 1) {
        if let Some(page) = ask(wanted.clone()).await? {
            whole.vendor_now = whole.vendor_now.or(page.vendor_now);
            whole.items.extend(page.items);
        }
    }
    Ok(whole)
}

/// Guests by id, a call for each.
pub(super) async fn guests(client: &CloudbedsClient, ids: &[String]) -> Result<RawPage> {
    let mut whole = RawPage::default();
    for wanted in ids {
        if let Some((guest, now)) = client.guest(wanted).await? {
            whole.vendor_now = whole.vendor_now.or(now);
            whole.items.push(guest);
        }
    }
    Ok(whole)
}

/// The notes of an owner; none where Cloudbeds no longer has the owner.
pub(super) async fn notes(client: &CloudbedsClient, owner: &NoteOwner) -> Result<RawPage> {
    let (method, query) = match owner {
        NoteOwner::Reservation(id) => ("getReservationNotes", vec![pair("reservationID", id)]),
        NoteOwner::Guest(id) => ("getGuestNotes", vec![pair("guestID", id)]),
    };
    match client.list(method, query, Priority::High).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(RawPage::default()),
        page => page,
    }
}

/// The reservations whose notes are on a page of notes: those that changed in the span, or else
/// those that have not ended.
pub(super) async fn noted(
    client: &CloudbedsClient,
    context: &CloudbedsContext,
    changed: Span,
    position: &Position,
) -> Result<(RawPage, Option<Position>)> {
    let zone = context.transform.time_zone;
    let mut query = Query::new();
    match changed {
        Some(_) => span(&mut query, zone, changed, ("modifiedFrom", "modifiedTo")),
        None => {
            let now = context.now.unwrap_or_else(Utc::now).with_timezone(&zone);
            let today = now.date_naive().to_string();
            query.push(pair("reservationCheckOutFrom", today));
        }
    }
    let at = (position.page, NOTES_PAGE);
    let page = client.page(DETAILED, query, at, Priority::Low).await?;
    let next = position.next(&page, "reservationID", NOTES_PAGE, true);
    Ok((page, next))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(ids: &[&str], total: Option<u64>) -> RawPage {
        RawPage {
            items: ids.iter().map(|id| json!({"id": id})).collect(),
            total,
            vendor_now: None,
        }
    }

    #[test]
    fn a_walk_ends_with_the_total_even_where_pages_are_smaller_than_asked_for() {
        let first = Position::START
            .next(&page(&["a", "b"], Some(3)), "id", 100, true)
            .unwrap();
        assert_eq!(first.next(&page(&["c"], Some(3)), "id", 100, true), None);
    }

    #[test]
    fn a_total_that_counts_something_else_is_not_believed() {
        let two = page(&["a", "b"], Some(1));
        let next = Position::START.next(&two, "id", 2, false).unwrap();
        assert_eq!(next.next(&page(&[], Some(1)), "id", 2, false), None);
        // A vendor that knows no pages gives the same one again.
        assert_eq!(next.next(&two, "id", 2, false), None);
    }

    #[test]
    fn a_position_survives_being_stored() {
        let position = Position {
            page: 3,
            seen: 200,
            first: Some("a".to_owned()),
        };
        assert_eq!(Position::parse(Some(&position.json())).unwrap(), position);
        assert!(Position::parse(Some(&json!({"page": 0, "seen": 0, "first": null}))).is_err());
        assert!(Position::parse(Some(&json!(1))).is_err());
    }
}
