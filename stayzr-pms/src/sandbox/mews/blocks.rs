//! Blocks: spans in which a room cannot be sold.

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::{
    list::{ListQuery, Refusal, time},
    read::listed,
    seed::fields,
    state::{Hotel, Kind, stamp},
    write::{Moment, ids, text, updates},
};

type Fields = Map<String, Value>;

const TYPES: [&str; 2] = ["OutOfOrder", "InternalUse"];

/// `resourceBlocks/getAll`.
pub(super) fn list(hotel: &Hotel, body: &Fields, stale: bool) -> Result<Value, Refusal> {
    let query = ListQuery::new(body);
    let mut found = listed(
        hotel,
        Kind::Blocks,
        stale,
        &query,
        &[
            ("ResourceBlockIds", 1000, "Id"),
            ("AssignedResourceIds", 1000, "AssignedResourceId"),
        ],
    )?;
    if let Some(span) = query.span("CollidingUtc")? {
        found.retain(|block| {
            let at = |key| block.get(key).and_then(Value::as_str).and_then(time);
            at("StartUtc") < Some(span.end) && at("EndUtc") > Some(span.start)
        });
    }
    query.page("ResourceBlocks", found)
}

/// `resourceBlocks/add`.
pub(super) fn add(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    let mut blocks = Vec::new();
    for block in updates(body, "ResourceBlocks")? {
        let room = text(block, "ResourceId")?;
        if !hotel.rooms.contains_key(room) {
            return Err(Refusal::invalid("ResourceId"));
        }
        let kind = text(block, "Type")?;
        if !TYPES.contains(&kind) {
            return Err(Refusal::invalid("Type"));
        }
        let (start, end) = (text(block, "StartUtc")?, text(block, "EndUtc")?);
        match (time(start), time(end)) {
            (Some(start), Some(end)) if start < end => {}
            _ => return Err(Refusal::invalid("EndUtc")),
        }
        blocks.push(fields(json!({
            "EnterpriseId": hotel.enterprise.get("Id"), "AssignedResourceId": room,
            "IsActive": true, "Type": kind, "StartUtc": start, "EndUtc": end, "DeletedUtc": null,
            "Name": text(block, "Name")?, "Notes": block.get("Notes"),
        })));
    }
    let mut made = Vec::new();
    for block in blocks {
        let id = hotel.add(Kind::Blocks, block, moment.at, moment.due);
        made.push(json!(hotel.blocks.get(&id).map(|block| &block.now)));
    }
    hotel.close_rooms(moment);
    Ok(json!({"ResourceBlocks": made}))
}

/// `resourceBlocks/delete`: a block that is deleted stays, no longer active.
pub(super) fn delete(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    let ids = ids(body, "ResourceBlockIds", 1000)?;
    if ids.iter().any(|id| !hotel.blocks.contains_key(id)) {
        return Err(Refusal::invalid("ResourceBlockIds"));
    }
    for id in ids {
        let gone = fields(json!({"IsActive": false, "DeletedUtc": stamp(moment.at)}));
        hotel.change(Kind::Blocks, &id, gone, moment.at, moment.due);
    }
    hotel.close_rooms(moment);
    Ok(json!({}))
}

impl Hotel {
    /// Rooms whose block holds now are out of order; those whose block is over are dirty.
    pub(super) fn close_rooms(&mut self, moment: Moment) {
        let mut rooms: Vec<(String, bool)> = Vec::new();
        for block in self.blocks.values() {
            let Some(room) = block.text("AssignedResourceId") else {
                continue;
            };
            let holds = holds(&block.now, moment.at) && block.text("Type") == Some("OutOfOrder");
            match rooms.iter_mut().find(|(known, _)| known == room) {
                Some((_, closed)) => *closed |= holds,
                None => rooms.push((room.to_owned(), holds)),
            }
        }
        for (room, closed) in rooms {
            let is_closed =
                self.rooms.get(&room).and_then(|room| room.text("State")) == Some("OutOfOrder");
            let state = match (closed, is_closed) {
                (true, false) => "OutOfOrder",
                (false, true) => "Dirty",
                _ => continue,
            };
            let state = fields(json!({"State": state}));
            self.change(Kind::Rooms, &room, state, moment.at, moment.due);
        }
    }
}

fn holds(block: &Fields, now: DateTime<Utc>) -> bool {
    let at = |key| block.get(key).and_then(Value::as_str).and_then(time);
    block.get("IsActive") == Some(&json!(true))
        && at("StartUtc").is_some_and(|start| start <= now)
        && at("EndUtc").is_some_and(|end| now < end)
}
