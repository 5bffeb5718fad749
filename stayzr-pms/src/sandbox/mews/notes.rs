//! Notes of service orders.

use serde_json::{Map, Value, json};

use super::{
    list::{ListQuery, Refusal},
    read::seen,
    seed::fields,
    state::{Hotel, Kind},
    write::{Moment, ids, set, text, updates},
};

type Fields = Map<String, Value>;

const TYPES: [&str; 3] = ["General", "ChannelManager", "SpecialRequest"];

/// Special requests come only to those who ask for them.
const BY_DEFAULT: [&str; 2] = ["General", "ChannelManager"];

/// `serviceOrderNotes/getAll`.
pub(super) fn list(hotel: &Hotel, body: &Fields, stale: bool) -> Result<Value, Refusal> {
    let query = ListQuery::new(body);
    let by_default = !query.has("Types");
    let mut found = Vec::new();
    for record in seen(hotel, Kind::Notes, stale) {
        let word = record.get("Type").and_then(Value::as_str);
        let is_wanted = !by_default || word.is_some_and(|word| BY_DEFAULT.contains(&word));
        if is_wanted
            && query.named("Types", 1000, record, "Type")?
            && query.named("ServiceOrderIds", 1000, record, "OrderId")?
            && query.within("UpdatedUtc", record)?
        {
            found.push(record);
        }
    }
    query.page("ServiceOrderNotes", found)
}

/// `serviceOrderNotes/add`.
pub(super) fn add(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    let mut notes = Vec::new();
    for note in updates(body, "ServiceOrderNotes")? {
        let order = text(note, "OrderId")?;
        if !hotel.reservations.contains_key(order) {
            return Err(Refusal::invalid("OrderId"));
        }
        let words = text(note, "Text")?;
        if words.trim().is_empty() {
            return Err(Refusal::invalid("Text"));
        }
        let word = match note.get("Type") {
            None | Some(Value::Null) => "General",
            Some(word) => word
                .as_str()
                .filter(|word| TYPES.contains(word))
                .ok_or_else(|| Refusal::invalid("Type"))?,
        };
        notes.push(fields(
            json!({"OrderId": order, "Text": words, "Type": word}),
        ));
    }
    let ids: Vec<String> = notes
        .into_iter()
        .map(|note| hotel.add(Kind::Notes, note, moment.at, moment.due))
        .collect();
    Ok(answer(hotel, &ids))
}

/// `serviceOrderNotes/update`.
pub(super) fn update(hotel: &mut Hotel, body: &Fields, moment: Moment) -> Result<Value, Refusal> {
    let mut changes = Vec::new();
    for update in updates(body, "ServiceOrderNoteUpdates")? {
        let id = known(hotel, update.get("ServiceOrderNoteId"))?;
        let mut change = Fields::new();
        if let Some(words) = set(update, "Text")? {
            let blank = words.as_str().is_none_or(|words| words.trim().is_empty());
            if blank {
                return Err(Refusal::invalid("Text"));
            }
            change.insert("Text".to_owned(), words);
        }
        changes.push((id, change));
    }
    let mut ids = Vec::new();
    for (id, change) in changes {
        hotel.change(Kind::Notes, &id, change, moment.at, moment.due);
        ids.push(id);
    }
    Ok(answer(hotel, &ids))
}

/// `serviceOrderNotes/delete`: a note that is deleted is in no list any more.
pub(super) fn delete(hotel: &mut Hotel, body: &Fields) -> Result<Value, Refusal> {
    let ids = ids(body, "ServiceOrderNoteIds", 1000)?;
    for id in &ids {
        known(hotel, Some(&json!(id)))?;
    }
    for id in ids {
        hotel.lose(Kind::Notes, &id);
    }
    Ok(json!({}))
}

fn known(hotel: &Hotel, id: Option<&Value>) -> Result<String, Refusal> {
    let id = id.and_then(Value::as_str);
    id.filter(|id| hotel.notes.contains_key(*id))
        .map(str::to_owned)
        .ok_or_else(|| Refusal::invalid("ServiceOrderNoteId"))
}

fn answer(hotel: &Hotel, ids: &[String]) -> Value {
    let notes = ids.iter().filter_map(|id| hotel.notes.get(id));
    let notes: Vec<&Fields> = notes.map(|note| &note.now).collect();
    json!({"ServiceOrderNotes": notes})
}

impl Hotel {
    /// A note of nothing yet.
    pub(super) fn blank_note() -> Fields {
        fields(json!({"OrderId": null, "Text": "", "Type": "General"}))
    }

    /// Merges a guest into another, as the desk does: the one who is merged stays as an inactive
    /// record that names who remains, and their reservations go over. False if either is not there
    /// or was merged before, or if they are one.
    pub(super) fn merge(&mut self, from: &str, into: &str, moment: Moment) -> bool {
        let is_whole = |hotel: &Self, id: &str| {
            let guest = hotel.guests.get(id);
            guest.is_some_and(|guest| guest.text("MergeTargetId").is_none())
        };
        if from == into || !is_whole(self, from) || !is_whole(self, into) {
            return false;
        }
        let merged = fields(json!({
            "MergeTargetId": into, "IsActive": false, "ActivityState": "Deleted",
        }));
        self.change(Kind::Guests, from, merged, moment.at, moment.due);
        for key in ["AccountId", "BookerId"] {
            let theirs: Vec<String> = self
                .reservations
                .iter()
                .filter(|(_, booked)| booked.text(key) == Some(from))
                .map(|(id, _)| id.clone())
                .collect();
            for id in theirs {
                let moved = fields(json!({key: into}));
                self.change(Kind::Reservations, &id, moved, moment.at, moment.due);
            }
        }
        true
    }
}
