//! What a change is in OPERA's words. Pure.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde_json::{Map, Value, json};
use stayzr_core::{
    Error, Result,
    transform::{FieldMap, TransformContext},
};

use super::{
    super::{
        push::OPERATION,
        wire::{EMAILS, Node, PHONES, Sort, primary_of},
    },
    check_in, check_out,
};
use crate::provider::Push;

type Fields = Map<String, Value>;

pub(super) fn object(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        _ => Fields::new(),
    }
}

/// The id of a reservation as every write names it.
pub(in super::super) fn reservation_ids(id: &str) -> Value {
    json!([{"id": id, "type": "Reservation"}])
}

/// A local day and time of day out of one of our moments.
fn moment(
    fields: &FieldMap,
    field: &'static str,
    context: &TransformContext,
) -> Result<Option<(NaiveDate, NaiveTime)>> {
    let Some(value) = fields.get(field) else {
        return Ok(None);
    };
    let text = value.as_str().unwrap_or_default();
    let time: DateTime<Utc> = text
        .parse()
        .map_err(|_| Error::invalid(OPERATION, "must be a time").with("field", field))?;
    let local = time.with_timezone(&context.time_zone);
    Ok(Some((local.date_naive(), local.time())))
}

/// `putReservation` for what changed of a reservation's stay, out of the reservation in detail as it
/// is now; none if nothing of it did. Fields that cannot be said of this reservation are the error
/// of the inner result.
pub(in super::super) fn reservation(
    id: &str,
    hotel: &str,
    now: &Value,
    push: &Push,
    context: &TransformContext,
) -> Result<std::result::Result<Option<Fields>, Vec<String>>> {
    let stay = Node::of(now).at("roomStay");
    let room_type = push.links.get("room_type_id").cloned().flatten();
    let touched: Vec<String> = ["arrival", "departure", "adults", "children"]
        .into_iter()
        .filter(|field| push.changed.get(field).is_some())
        .chain(room_type.as_ref().map(|_| "room_type_id"))
        .map(str::to_owned)
        .collect();
    if touched.is_empty() {
        return Ok(Ok(None));
    }
    let Some(mut rate) = one_rate(stay) else {
        // A stay whose rate or room changes on the way cannot be moved as one.
        return Ok(Err(touched));
    };
    let day = |key: &str| {
        let what = "the reservation at OPERA cannot be read";
        let day = stay.at(key).day().ok().flatten();
        day.ok_or_else(|| Error::corrupt(OPERATION, what).with("field", key.to_owned()))
    };
    let (was_from, was_to) = (day("arrivalDate")?, day("departureDate")?);
    let coming = moment(&push.changed, "arrival", context)?;
    let leaving = moment(&push.changed, "departure", context)?;
    let from = coming.map_or(was_from, |(day, _)| day);
    let to = leaving.map_or(was_to, |(day, _)| day);
    if to < from {
        let what = "a departure before the arrival";
        return Err(Error::invalid(OPERATION, what));
    }
    let count = |field: &str, key: &str| {
        let kept = stay.at("guestCounts").at(key);
        let kept = if kept.is_there() {
            kept
        } else {
            stay.at("roomRates/guestCounts").at(key)
        };
        let kept = kept.whole().ok().flatten().unwrap_or(0);
        push.changed
            .get(field)
            .and_then(Value::as_i64)
            .unwrap_or(kept)
    };
    let guests =
        json!({"adults": count("adults", "adults"), "children": count("children", "children")});
    // Oracle's examples end a rate with the departure or with the last night: it ends as it did.
    let ended = stay.at("roomRates/end").day().ok().flatten();
    let last = match ended {
        Some(ended) if ended < was_to => to.pred_opt().unwrap_or(to).max(from),
        _ => to,
    };
    rate.insert("start".to_owned(), json!(from));
    rate.insert("end".to_owned(), json!(last));
    rate.insert("guestCounts".to_owned(), guests.clone());
    if let Some(room_type) = room_type {
        // The type that is charged stays: a new one would be a new price.
        rate.insert("roomType".to_owned(), json!(room_type.id));
    }
    let mut changed = object(json!({
        "arrivalDate": from, "departureDate": to, "guestCounts": guests, "roomRates": [rate],
    }));
    let mut expected = Fields::new();
    for (key, now, house) in [
        ("reservationExpectedArrivalTime", coming, check_in(context)),
        (
            "reservationExpectedDepartureTime",
            leaving,
            check_out(context),
        ),
    ] {
        let known = stay.at("expectedTimes").at(key).time();
        // The house's own time is what no expectation means.
        if let Some((day, time)) = now.filter(|(_, time)| *time != known.unwrap_or(house)) {
            let text = day.and_time(time).format("%Y-%m-%d %H:%M:%S.0").to_string();
            expected.insert(key.to_owned(), json!(text));
        }
    }
    if !expected.is_empty() {
        changed.insert("expectedTimes".to_owned(), Value::Object(expected));
    }
    Ok(Ok(Some(object(json!({
        "reservations": [{
            "reservationIdList": reservation_ids(id),
            "hotelId": hotel,
            "roomStay": changed,
        }],
        // No letter to the guest.
        "reservationNotification": false,
    })))))
}

/// What names the rate of a stay that has one from beginning to end, without its amounts.
fn one_rate(stay: Node<'_>) -> Option<Fields> {
    let rates = stay.at("roomRates").items(&[]);
    let named = |rate: Node<'_>| -> Fields {
        let codes = [
            "roomType",
            "roomTypeCharged",
            "ratePlanCode",
            "marketCode",
            "sourceCode",
        ];
        codes
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), json!(rate.at(key).text()?))))
            .collect()
    };
    let mut first = named(*rates.first()?);
    if rates.iter().any(|rate| named(*rate) != first) {
        return None;
    }
    let units = rates.first()?.at("numberOfUnits").whole().ok().flatten();
    first.insert("numberOfUnits".to_owned(), json!(units.unwrap_or(1)));
    Some(first)
}

/// `postRoomAssignment`: the room for the whole stay, at the price as it is.
pub(in super::super) fn assignment(id: &str, hotel: &str, room: &str) -> Fields {
    object(json!({"criteria": {
        "hotelId": hotel,
        "reservationIdList": reservation_ids(id),
        "roomId": room,
        "updateRoomTypeCharged": false,
        "roomNumberLocked": false,
    }}))
}

/// `putRoomRelatedStatus` of a room.
pub(in super::super) fn room_status(room: &str, word: &str) -> Fields {
    object(json!({"roomList": [{"roomId": room}], "housekeepingRoomStatus": word}))
}

/// What changed of a person, as `putProfile` takes it, out of the profile as it is now; of a new
/// one, as `postProfile` does. Names and addresses that did not change are sent as they are where
/// they share a list with one that did, since OPERA does not document what a list does to those it
/// leaves out.
pub(in super::super) fn profile(changed: &FieldMap, now: Option<&Value>) -> Fields {
    let nothing = Value::Null;
    let body = Node::of(now.unwrap_or(&nothing));
    let now = match body.at("profileDetails") {
        details if details.is_there() => details,
        _ => body.at("profile"),
    };
    let mut details = Fields::new();
    let mut customer = Fields::new();
    if changed.get("first_name").is_some() || changed.get("last_name").is_some() {
        customer.insert("personName".to_owned(), json!(names(changed, now)));
    }
    if let Some(birth) = changed.text("birth_date") {
        customer.insert("birthDate".to_owned(), json!(birth));
    }
    if !customer.is_empty() {
        details.insert("customer".to_owned(), Value::Object(customer));
    }
    for (field, sort, kind) in [
        ("email", EMAILS, json!({"type": "EMAIL"})),
        (
            "phone",
            PHONES,
            json!({"phoneTechType": "PHONE", "phoneUseType": "HOME"}),
        ),
    ] {
        if let Some(text) = changed.text(field).filter(|text| !text.trim().is_empty()) {
            let element = address(now, sort, text, &kind);
            details.insert(sort.0.to_owned(), json!({sort.1: [element]}));
        }
    }
    object(json!({"profileDetails": details}))
}

fn names(changed: &FieldMap, now: Node<'_>) -> Vec<Fields> {
    const KEPT: [&str; 7] = [
        "namePrefix",
        "givenName",
        "middleName",
        "surname",
        "nameSuffix",
        "nameTitle",
        "language",
    ];
    const TYPES: [&str; 5] = ["Primary", "Alternate", "Incognito", "External", "Phonetic"];
    let known = now.at("customer/personName").items(&[]);
    let mut names: Vec<Fields> = known
        .iter()
        .map(|name| {
            let kept = KEPT.into_iter();
            let mut fields: Fields = kept
                .filter_map(|key| Some((key.to_owned(), json!(name.at(key).text()?))))
                .collect();
            let word = name.at("nameType").text();
            let kind = word.and_then(|word| {
                TYPES
                    .into_iter()
                    .find(|kind| kind.eq_ignore_ascii_case(&word))
            });
            fields.insert("nameType".to_owned(), json!(kind.unwrap_or("Primary")));
            fields
        })
        .collect();
    let primary = names
        .iter()
        .position(|name| name.get("nameType") == Some(&json!("Primary")));
    let at = primary.unwrap_or_else(|| {
        names.push(object(json!({"nameType": "Primary"})));
        names.len() - 1
    });
    for (field, key) in [("first_name", "givenName"), ("last_name", "surname")] {
        if let Some(text) = changed.text(field) {
            names[at].insert(key.to_owned(), json!(text));
        }
    }
    names
}

/// The primary address of a sort with another text, or the first one.
fn address(now: Node<'_>, sort: Sort, text: &str, kind: &Value) -> Fields {
    let (.., object_key, text_key) = sort;
    let known = primary_of(now, sort);
    let mut inner = object(kind.clone());
    let mut element = Fields::new();
    if let Some(known) = known {
        for (key, value) in &mut inner {
            if let Some(word) = known.at(object_key).at(key).text() {
                *value = json!(word);
            }
        }
        for key in ["id", "type"] {
            if let Some(word) = known.at(key).text() {
                element.insert(key.to_owned(), json!(word));
            }
        }
    }
    inner.insert(text_key.to_owned(), json!(text));
    inner.insert("primaryInd".to_owned(), json!(true));
    element.insert(object_key.to_owned(), Value::Object(inner));
    element
}
