use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{
    api::{Answer, Refusal},
    state::{Hotel, Kept, day},
    view::text,
};

/// A query, in which a parameter may come several times.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(text: &str) -> Self {
        let read = |part: &str| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (unescaped(key), unescaped(value))
        };
        let parts = text.split('&').filter(|part| !part.is_empty());
        Self(parts.map(read).collect())
    }

    pub(super) fn one(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(name, _)| name == key);
        named.map(|(_, value)| value.as_str())
    }

    pub(super) fn number(&self, key: &str) -> Option<usize> {
        self.one(key)?.parse().ok()
    }
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let code: Vec<u8> = rest.by_ref().take(2).collect();
                let code = String::from_utf8_lossy(&code).into_owned();
                bytes.extend(u8::from_str_radix(&code, 16).ok());
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// How a read is answered.
pub(super) struct Reader<'a> {
    pub(super) hotel: &'a Hotel,
    pub(super) query: &'a Query,
    pub(super) stale: bool,
    pub(super) now: DateTime<Utc>,
    /// The most reservations on a page.
    pub(super) largest: usize,
}

impl Reader<'_> {
    pub(super) fn hotels(&self) -> Answer {
        let config = &self.hotel.config;
        Ok(Some(
            json!({"hotelSummaryInfoList": [{"hotelId": config["hotelId"],
            "hotelName": config["hotelName"], "chainCode": config["chainCode"]}]}),
        ))
    }

    pub(super) fn room_types(&self) -> Answer {
        let (page, paging) = self.page(self.hotel.room_types.iter().collect(), 1000);
        let named = json!({"hotelId": self.hotel.hotel_id, "roomType": page});
        Ok(with(json!({"roomTypes": [named]}), paging))
    }

    /// Rooms, whose list says nothing about there being more.
    pub(super) fn rooms(&self) -> Answer {
        let all = self.hotel.rooms.values().map(|room| &room.now);
        let (mut page, paging) = self.page(all.collect(), 1000);
        for room in &mut page {
            if let Value::Object(fields) = room {
                fields.remove("housekeeping");
            }
        }
        let named = json!({"hotelId": self.hotel.hotel_id, "room": page});
        Ok(paging.map(|_| json!({"rooms": [named]})))
    }

    pub(super) fn board(&self) -> Answer {
        let shown = |room: &Kept| {
            let room = room.seen(self.stale);
            json!({"roomId": room["roomId"], "floor": room["floor"],
                "roomType": {"roomType": room["roomType"]["roomType"], "pseudoRoom": false},
                "housekeeping": room["housekeeping"]})
        };
        let all: Vec<Value> = self.hotel.rooms.values().map(shown).collect();
        let (page, paging) = self.page(all.iter().collect(), 1000);
        let rooms = json!({"housekeepingRooms": {"hotelId": self.hotel.hotel_id, "room": page}});
        Ok(with(rooms, paging).map(|rooms| json!({"housekeepingRoomInfo": rooms})))
    }

    pub(super) fn reservations(&self) -> Answer {
        let query = self.query;
        let on = |key: &str| -> Result<Option<chrono::NaiveDate>, Refusal> {
            let wrong = || Refusal::invalid(format!("{key} is no date"));
            query
                .one(key)
                .map(|day| day.parse().map_err(|_| wrong()))
                .transpose()
        };
        let spans = [
            (
                "arrivalDate",
                on("arrivalStartDate")?,
                on("arrivalEndDate")?,
            ),
            (
                "departureDate",
                on("departureStartDate")?,
                on("departureEndDate")?,
            ),
        ];
        let ids: Vec<&str> = query.all("reservationIdList").collect();
        let externals: Vec<&str> = query.all("externalReferenceIds").collect();
        let mut found: Vec<Value> = self
            .hotel
            .bookings
            .iter()
            .filter(|(id, kept)| {
                let booking = kept.seen(self.stale);
                let within = spans.iter().all(|(key, from, to)| {
                    let day = day(&booking["roomStay"][key]);
                    from.is_none_or(|from| day >= Some(from)) && to.is_none_or(|to| day <= Some(to))
                });
                let references = booking["externalReferences"].as_array();
                let named = externals.iter().all(|wanted| {
                    references.is_some_and(|all| all.iter().any(|one| one["id"] == *wanted))
                });
                within && named && (ids.is_empty() || ids.contains(&id.as_str()))
            })
            .map(|(_, kept)| self.hotel.listed(kept, self.stale, self.now))
            .collect();
        found.sort_by_key(|one| text(&one["roomStay"]["arrivalDate"]));
        let (page, paging) = self.page(found.iter().collect(), self.largest);
        let list = with(json!({"reservationInfo": page}), paging);
        Ok(list.map(|list| json!({"reservations": list})))
    }

    pub(super) fn reservation(&self, id: &str) -> Answer {
        let kept = self.hotel.bookings.get(id).ok_or_else(Refusal::missing)?;
        let one = self.hotel.detailed(kept, self.stale, self.now);
        Ok(Some(json!({"reservations": {"reservation": [one]}})))
    }

    pub(super) fn profile(&self, id: &str) -> Answer {
        let profile = self.hotel.profile(id, self.stale, "profileDetails");
        profile.map(Some).ok_or_else(Refusal::missing)
    }

    pub(super) fn profiles_by_ids(&self) -> Answer {
        let ids: Vec<&str> = self.query.all("profileIds").collect();
        if ids.len() > 200 {
            return Err(Refusal::invalid("At most 200 profiles".to_owned()));
        }
        let found: Vec<Value> = ids
            .iter()
            .filter_map(|id| self.hotel.profile(id, self.stale, "profile"))
            .collect();
        let count = found.len();
        Ok((count > 0).then(
            || json!({"profiles": {"profileInfo": found, "totalResults": count, "count": count}}),
        ))
    }

    pub(super) fn profiles(&self) -> Answer {
        let query = self.query;
        let like = |key: &str, said: &Value| {
            let wanted = query.one(key).map(str::to_lowercase);
            wanted.is_none_or(|wanted| text(said).to_lowercase() == wanted)
        };
        let found: Vec<Value> = self
            .hotel
            .profiles
            .iter()
            .filter(|(_, kept)| {
                let profile = kept.seen(self.stale);
                let name = &profile["customer"]["personName"][0];
                like(
                    "email",
                    &profile["emails"]["emailInfo"][0]["email"]["emailAddress"],
                ) && like(
                    "phone",
                    &profile["telephones"]["telephoneInfo"][0]["telephone"]["phoneNumber"],
                ) && like("profileName", &name["surname"])
                    && like("givenName", &name["givenName"])
            })
            .map(|(id, kept)| {
                // A search gives a summary, whose names are others.
                let profile = kept.seen(self.stale);
                json!({"profileIdList": [{"id": id, "type": "Profile"}],
                    "profile": {"profileType": profile["profileType"],
                        "statusCode": profile["statusCode"]}})
            })
            .collect();
        let (page, paging) = self.page(found.iter().collect(), 200);
        let list = with(json!({"profileInfo": page}), paging);
        Ok(list.map(|list| json!({"profileSummaries": list})))
    }

    /// A page of these and its paging; no paging where the page is empty.
    fn page(&self, all: Vec<&Value>, most: usize) -> (Vec<Value>, Option<Value>) {
        let limit = self.query.number("limit").unwrap_or(20).clamp(1, most);
        let offset = self.query.number("offset").unwrap_or(0);
        let total = all.len();
        let page: Vec<Value> = all.into_iter().skip(offset).take(limit).cloned().collect();
        let mut paging = json!({"offset": offset, "limit": limit, "totalResults": total,
            "count": page.len(), "totalPages": total.div_ceil(limit)});
        // That there is no more is said by saying nothing.
        if offset + page.len() < total {
            paging["hasMore"] = json!(true);
        }
        let is_empty = page.is_empty();
        (page, (!is_empty).then_some(paging))
    }
}

fn with(mut list: Value, paging: Option<Value>) -> Option<Value> {
    if let (Value::Object(list), Value::Object(paging)) = (&mut list, paging?) {
        list.extend(paging);
    }
    Some(list)
}
