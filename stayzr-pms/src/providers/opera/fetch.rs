use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, Utc};
use serde_json::{Map, Value};
use stayzr_core::{Error, Result, limit::Priority, transform::EntityKind};

use super::{
    OperaClient,
    client::{Place, Query},
    context::OperaContext,
    page::{Listed, Position},
    record,
    wire::Node,
};

/// The most rooms and room types OPERA gives on a page.
const CONFIGURED: usize = 1000;

/// Rooms of the housekeeping board on a page; OPERA documents no most.
const BOARD: usize = 200;

/// Reservations on a page; OPERA documents no most.
const LISTED: usize = 100;

/// The most profiles OPERA gives by id.
pub(super) const PROFILES: usize = 200;

/// Reservations that are asked for by id at once; more make too long an address.
pub(super) const RESERVATIONS: usize = 50;

/// Records as they came.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct RawPage {
    pub(super) items: Vec<Value>,
    pub(super) vendor_now: Option<DateTime<Utc>>,
}

pub(super) fn pair(key: &str, value: impl Into<String>) -> (String, String) {
    (key.to_owned(), value.into())
}

fn paged(position: &Position, size: usize) -> Query {
    vec![
        pair("limit", size.to_string()),
        pair("offset", position.offset.to_string()),
    ]
}

/// The page of a list at a position, and where the next one starts.
pub(super) async fn read_page(
    client: &OperaClient,
    context: &OperaContext,
    kind: EntityKind,
    position: &Position,
) -> Result<(RawPage, Option<Position>)> {
    let low = Priority::Low;
    let (listed, full) = match kind {
        EntityKind::RoomType => (room_types(client, position, low).await?, CONFIGURED),
        EntityKind::Room => (rooms(client, position, low).await?, CONFIGURED),
        EntityKind::Guest | EntityKind::Reservation => {
            (in_window(client, context, position).await?, LISTED)
        }
        other => {
            let what = "records of this kind are not listed at OPERA";
            return Err(Error::unsupported("opera.fetch_page", what).with("kind", other));
        }
    };
    let next = position.next(&listed, full);
    let items = match kind {
        EntityKind::Guest => {
            let ids: Vec<String> = guests_of(&listed.items).into_iter().collect();
            profiles(client, &ids, low).await?.items
        }
        EntityKind::Room => with_condition(client, listed.items, low).await?,
        _ => listed.items,
    };
    let page = RawPage {
        items,
        vendor_now: listed.now,
    };
    Ok((page, next))
}

/// The whole of a list that is short.
pub(super) async fn all(client: &OperaClient, kind: EntityKind) -> Result<RawPage> {
    let high = Priority::High;
    let mut whole = RawPage::default();
    let mut position = Some(Position::START);
    while let Some(at) = position {
        let listed = match kind {
            EntityKind::RoomType => room_types(client, &at, high).await?,
            _ => rooms(client, &at, high).await?,
        };
        position = at.next(&listed, CONFIGURED);
        whole.vendor_now = whole.vendor_now.or(listed.now);
        whole.items.extend(listed.items);
    }
    if kind == EntityKind::Room {
        whole.items = with_condition(client, whole.items, high).await?;
    }
    Ok(whole)
}

async fn room_types(
    client: &OperaClient,
    position: &Position,
    priority: Priority,
) -> Result<Listed> {
    let mut query = paged(position, CONFIGURED);
    query.push(pair("includeInactive", "true"));
    query.push(pair("summaryInfo", "false"));
    let place = Place {
        operation: "getRoomTypes",
        module: "rm/config/v1",
        parts: &["hotels", client.hotel_id(), "roomTypes"],
    };
    let (body, now) = client.get(place, query, priority).await?;
    let body = body.unwrap_or_default();
    let around = Node::of(&body);
    // The summary came although it was not asked for, where that is all there is.
    let mut items = around.at("roomTypes").items(&["roomType"]);
    if items.is_empty() {
        items = around.at("roomTypesSummary").items(&["roomTypeSummary"]);
    }
    let listed = Listed::read(EntityKind::RoomType, around, items);
    Ok(Listed { now, ..listed })
}

async fn rooms(client: &OperaClient, position: &Position, priority: Priority) -> Result<Listed> {
    let place = Place {
        operation: "getRooms",
        module: "rm/config/v1",
        parts: &["hotels", client.hotel_id(), "rooms"],
    };
    let (body, now) = client
        .get(place, paged(position, CONFIGURED), priority)
        .await?;
    let body = body.unwrap_or_default();
    let around = Node::of(&body);
    let listed = Listed::read(
        EntityKind::Room,
        around,
        around.at("rooms").items(&["room"]),
    );
    Ok(Listed { now, ..listed })
}

/// Rooms with what housekeeping says about them.
async fn with_condition(
    client: &OperaClient,
    mut rooms: Vec<Value>,
    priority: Priority,
) -> Result<Vec<Value>> {
    if !client.config().housekeeping || rooms.is_empty() {
        return Ok(rooms);
    }
    let board = board(client, priority).await?;
    for room in &mut rooms {
        let says = record::id_of(EntityKind::Room, room).and_then(|id| board.get(&id));
        if let (Some(says), Value::Object(fields)) = (says, room) {
            fields.insert("housekeeping".to_owned(), says.clone());
        }
    }
    Ok(rooms)
}

async fn board(client: &OperaClient, priority: Priority) -> Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    let mut position = Some(Position::START);
    while let Some(at) = position {
        let place = Place {
            operation: "getHousekeepingOverview",
            module: "hsk/v1",
            parts: &["hotels", client.hotel_id(), "housekeepingOverview"],
        };
        let (body, _) = client.get(place, paged(&at, BOARD), priority).await?;
        let body = body.unwrap_or_default();
        let around = Node::of(&body).at("housekeepingRoomInfo");
        let rooms = around.at("housekeepingRooms").items(&["room"]);
        let listed = Listed::read(EntityKind::Room, around, rooms);
        for room in &listed.items {
            let id = record::id_of(EntityKind::Room, room);
            if let (Some(id), Some(says)) = (id, room.get("housekeeping")) {
                found.insert(id, says.clone());
            }
        }
        position = at.next(&listed, BOARD);
    }
    Ok(found)
}

/// Reservations that have not left long ago and do not arrive in the far future. OPERA cannot be
/// asked what changed since a time.
async fn in_window(
    client: &OperaClient,
    context: &OperaContext,
    position: &Position,
) -> Result<Listed> {
    let config = client.config();
    let today = context.today();
    let mut query = paged(position, LISTED);
    let departed = today.checked_sub_days(Days::new(config.past_days));
    let arriving = today.checked_add_days(Days::new(config.future_days));
    for (key, day) in [
        ("departureStartDate", departed),
        ("arrivalEndDate", arriving),
    ] {
        query.extend(day.map(|day| pair(key, day.to_string())));
    }
    query.push(pair("orderBy", "ArrivalDate"));
    query.push(pair("sortOrder", "Asc"));
    search(client, query, Priority::Low).await
}

async fn search(client: &OperaClient, query: Query, priority: Priority) -> Result<Listed> {
    let place = Place {
        operation: "getHotelReservations",
        module: "rsv/v1",
        parts: &["hotels", client.hotel_id(), "reservations"],
    };
    let (body, now) = client.get(place, query, priority).await?;
    let body = body.unwrap_or_default();
    let around = Node::of(&body).at("reservations");
    let items = around.items(&["reservationInfo"]);
    // What is left of an empty list is its paging.
    let items = items
        .into_iter()
        .filter(|item| item.at("reservationIdList").is_there())
        .collect();
    let listed = Listed::read(EntityKind::Reservation, around, items);
    Ok(Listed { now, ..listed })
}

/// Reservations that another system made with this id.
pub(super) async fn reservations_of(
    client: &OperaClient,
    system: &str,
    id: &str,
) -> Result<Vec<Value>> {
    let query = vec![
        pair("externalReferenceIds", id),
        pair("externalSystemCodes", system),
        pair("limit", LISTED.to_string()),
    ];
    Ok(search(client, query, Priority::High).await?.items)
}

/// Reservations by id: all at once in the shape of the list, so that a record says the same however
/// it is read; those that the list does not show, one by one.
pub(super) async fn reservations(client: &OperaClient, ids: &[String]) -> Result<RawPage> {
    let mut query = vec![pair("limit", ids.len().to_string())];
    query.extend(ids.iter().map(|id| pair("reservationIdList", id)));
    let listed = search(client, query, Priority::High).await?;
    let shown: BTreeSet<String> = listed
        .items
        .iter()
        .filter_map(|item| record::id_of(EntityKind::Reservation, item))
        .collect();
    let mut page = RawPage {
        items: listed.items,
        vendor_now: listed.now,
    };
    for id in ids.iter().filter(|id| !shown.contains(*id)) {
        page.items.extend(reservation(client, id).await?);
    }
    Ok(page)
}

/// One reservation in detail.
pub(super) async fn reservation(client: &OperaClient, id: &str) -> Result<Option<Value>> {
    let place = Place {
        operation: "getReservation",
        module: "rsv/v1",
        parts: &["hotels", client.hotel_id(), "reservations", id],
    };
    let query = vec![pair("fetchInstructions", "Reservation")];
    let (body, _) = client.get(place, query, Priority::High).await?;
    let body = body.unwrap_or_default();
    let found = Node::of(&body).at("reservations").items(&["reservation"]);
    Ok(found
        .into_iter()
        .filter_map(|one| one.0.cloned())
        .find(|one| record::id_of(EntityKind::Reservation, one).as_deref() == Some(id)))
}

/// The profiles of main guests.
fn guests_of(reservations: &[Value]) -> BTreeSet<String> {
    reservations
        .iter()
        .filter_map(|item| Node::of(item).at("reservationGuest/id").text())
        .collect()
}

/// Profiles by id.
pub(super) async fn profiles(
    client: &OperaClient,
    ids: &[String],
    priority: Priority,
) -> Result<RawPage> {
    if ids.is_empty() {
        return Ok(RawPage::default());
    }
    let mut query: Query = ids.iter().map(|id| pair("profileIds", id)).collect();
    query.push(pair("limit", ids.len().to_string()));
    for part in ["Profile", "Address", "Communication"] {
        query.push(pair("fetchInstructions", part));
    }
    let place = Place {
        operation: "getProfilesByIds",
        module: "crm/v1",
        parts: &["profilesByIds"],
    };
    let (body, now) = client.get(place, query, priority).await?;
    let body = body.unwrap_or_default();
    let found = Node::of(&body).at("profiles").items(&["profileInfo"]);
    Ok(RawPage {
        items: found.iter().filter_map(|one| one.0.cloned()).collect(),
        vendor_now: now,
    })
}

/// One profile by itself.
pub(super) async fn profile(client: &OperaClient, id: &str) -> Result<Option<Value>> {
    let place = Place {
        operation: "getProfile",
        module: "crm/v1",
        parts: &["profiles", id],
    };
    let parts = ["Profile", "Address", "Communication"];
    let query = parts.map(|part| pair("fetchInstructions", part)).to_vec();
    let (body, _) = client.get(place, query, Priority::High).await?;
    // The id is in the address, and need not be in the answer.
    Ok(body.map(|mut body| {
        if let (None, Value::Object(fields)) = (record::id_of(EntityKind::Guest, &body), &mut body)
        {
            let id = Map::from_iter([
                ("id".to_owned(), Value::from(id)),
                ("type".to_owned(), Value::from("Profile")),
            ]);
            let ids = Value::Array(vec![Value::Object(id)]);
            fields.insert("profileIdList".to_owned(), ids);
        }
        body
    }))
}
