use chrono::NaiveTime;
use serde_json::{Map, Value, json};

use super::open::{Node, Unreadable, open_enum};

/// A hotel, out of the list of hotels or by itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hotel {
    /// Its code.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its time zone, as OPERA names it.
    pub time_zone: Option<String>,
    /// Its currency.
    pub currency: Option<String>,
    /// From when rooms are ready.
    pub check_in: Option<NaiveTime>,
    /// Until when rooms must be left.
    pub check_out: Option<NaiveTime>,
    /// Degrees north and east.
    pub geo: Option<(f64, f64)>,
    /// Where it is; none where nothing is said.
    pub address: Option<HotelAddress>,
    /// Telephone.
    pub phone: Option<String>,
    /// Email.
    pub email: Option<String>,
    /// Web site.
    pub website: Option<String>,
    /// What no field of ours holds.
    pub extra: Map<String, Value>,
}

/// Where a hotel is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HotelAddress {
    /// Lines that are not blank.
    pub lines: Vec<String>,
    /// City.
    pub city: Option<String>,
    /// Postal code.
    pub postal_code: Option<String>,
    /// State.
    pub state: Option<String>,
    /// The country's code.
    pub country: Option<String>,
}

impl Hotel {
    /// Reads an element of `hotelSummaryInfoList`, or `hotelConfigInfo`.
    pub fn read(value: &Value) -> Result<Self, Unreadable> {
        let body = Node::of(value);
        let general = body.at("generalInformation");
        let degrees = |key: &str| general.at(key).text()?.parse::<f64>().ok();
        let controls = body.at("propertyControls");
        let communication = body.at("communication");
        let site = |at: Node<'_>| at.at("value").text();
        let mut extra = Map::new();
        for (key, value) in [
            ("chainCode", body.at("chainCode").text()),
            ("propertyType", body.at("propertyType").text()),
            ("brandCode", body.at("brandCode").text()),
            ("roomCount", general.at("roomCount").text()),
            ("baseLanguage", general.at("baseLanguage").text()),
        ] {
            if let Some(value) = value {
                extra.insert(key.to_owned(), json!(value));
            }
        }
        Ok(Self {
            id: body.at("hotelId").text().unwrap_or_default(),
            name: body.at("hotelName").text(),
            time_zone: controls.at("dateTimeFormatting/timeZoneRegion").text(),
            currency: controls.at("currencyFormatting/currencyCode").text(),
            check_in: general.at("checkInTime").time(),
            check_out: general.at("checkOutTime").time(),
            geo: degrees("latitude").zip(degrees("longitude")),
            address: address(body.at("address")),
            phone: communication.at("phoneNumber/phoneNumber").text(),
            email: communication.at("emailAddress").text(),
            website: site(communication.at("webPage"))
                .or_else(|| site(general.at("hotelInfoWebsite"))),
            extra,
        })
    }
}

fn address(at: Node<'_>) -> Option<HotelAddress> {
    let lines = match at.at("addressLine").0 {
        Some(Value::Array(lines)) => lines
            .iter()
            .filter_map(|line| Node::of(line).text())
            .collect(),
        Some(line) => Node::of(line).text().into_iter().collect(),
        None => Vec::new(),
    };
    at.is_there().then(|| HotelAddress {
        lines,
        city: at.at("cityName").text(),
        postal_code: at.at("postalCode").text(),
        state: at.at("state").text(),
        country: at
            .at("country/code")
            .text()
            .or(at.at("country/value").text()),
    })
}

/// A room type, out of the detailed list or the summary.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RoomType {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Option<String>,
    /// What it is like; only the detailed list says.
    pub description: Option<String>,
    /// The class it belongs to.
    pub class: Option<String>,
    /// The most persons; only the detailed list says.
    pub persons: Option<i64>,
    /// Whether it stands for no room: a posting master.
    pub is_pseudo: bool,
    /// Whether it is no longer in use.
    pub is_inactive: bool,
    /// Whether the detailed list said this.
    pub is_detailed: bool,
}

impl RoomType {
    /// Reads an element of `roomType` or of `roomTypeSummary`.
    pub fn read(value: &Value) -> Result<Self, Unreadable> {
        let body = Node::of(value);
        let text = |key: &str| {
            let at = body.at(key);
            at.at("defaultText").text().or(at.text())
        };
        let persons = body.at("maximumOccupancy").whole();
        Ok(Self {
            code: body.at("roomType").text().unwrap_or_default(),
            name: text("shortDescription"),
            description: text("description"),
            class: body.at("roomClass").text(),
            persons: persons.map_err(|why| ("maximumOccupancy".to_owned(), why))?,
            is_pseudo: body.at("pseudo").flag() == Some(true),
            is_inactive: body.at("inactive").flag() == Some(true),
            is_detailed: body.at("shortDescription/defaultText").is_there(),
        })
    }
}

open_enum! {
    /// What housekeeping says about a room.
    Condition {
        Clean = "Clean",
        Dirty = "Dirty",
        Pickup = "Pickup",
        Inspected = "Inspected",
        OutOfOrder = "OutOfOrder",
        OutOfService = "OutOfService",
    }
}

/// A room, out of the configuration, of the housekeeping board, or of both in one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Room {
    /// Its number, which is its id.
    pub id: String,
    /// The code of its type.
    pub room_type: Option<String>,
    /// The floor.
    pub floor: Option<String>,
    /// What housekeeping says.
    pub condition: Option<Condition>,
    /// Whether it stands for no room: a posting master.
    pub is_pseudo: bool,
    /// What no field of ours holds.
    pub extra: Map<String, Value>,
}

impl Room {
    /// Reads an element of `room`.
    pub fn read(value: &Value) -> Result<Self, Unreadable> {
        let body = Node::of(value);
        let kind = body.at("roomType");
        let says = body
            .at("housekeeping/housekeepingRoomStatus/housekeepingRoomStatus")
            .text();
        let pseudo = kind.at("pseudo").flag().or(kind.at("pseudoRoom").flag());
        let mut extra = Map::new();
        for (key, value) in [
            ("roomClass", kind.at("roomClass").text()),
            ("building", body.at("building").text()),
            ("smokingPreference", body.at("smokingPreference").text()),
            ("maximumOccupancy", body.at("maximumOccupancy").text()),
        ] {
            if let Some(value) = value {
                extra.insert(key.to_owned(), json!(value));
            }
        }
        Ok(Self {
            id: body.at("roomId").text().unwrap_or_default(),
            room_type: kind.at("roomType").text().or(kind.text()),
            floor: body.at("floor").text(),
            condition: says.map(|says| Condition::from(says.as_str())),
            is_pseudo: pseudo == Some(true),
            extra,
        })
    }
}
