use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;

/// How many records a sandbox starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Rooms, shared out among the room types; not asked where these name their rooms.
    pub rooms: usize,
    /// Guests.
    pub guests: usize,
    /// Reservations.
    pub reservations: usize,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            rooms: 40,
            guests: 100,
            reservations: 150,
        }
    }
}

/// A room type of a simulated hotel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomTypeProfile {
    /// Its name.
    pub name: String,
    /// Its short name.
    pub short_name: String,
    /// What it is, in the vendor's word: `Room`, `Suite`.
    pub kind: String,
    /// Persons in the beds.
    pub capacity: u32,
    /// Persons in extra beds.
    pub extra_capacity: u32,
    /// The price of a night, with tax, in the hotel's currency.
    pub price: Decimal,
    /// Numbers of its rooms, the floor before the last two digits. Where no type of a hotel names
    /// any, [`Counts::rooms`] are made and shared out.
    pub rooms: Vec<String>,
}

impl RoomTypeProfile {
    fn new(name: &str, short: &str, kind: &str, persons: (u32, u32), price: i64) -> Self {
        Self {
            name: name.to_owned(),
            short_name: short.to_owned(),
            kind: kind.to_owned(),
            capacity: persons.0,
            extra_capacity: persons.1,
            price: Decimal::new(price, 0),
            rooms: Vec::new(),
        }
    }
}

/// The hotel a sandbox simulates.
#[derive(Debug, Clone, PartialEq)]
pub struct HotelProfile {
    /// What its ids follow from, together with the seed: two hotels need two slugs.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// IANA time zone.
    pub time_zone: String,
    /// ISO 4217.
    pub currency: String,
    /// Whether its prices hold the tax.
    pub gross: bool,
    /// Its default language, such as `en-GB`.
    pub language: String,
    /// Street and number.
    pub line1: String,
    /// City.
    pub city: String,
    /// Postal code.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country_code: String,
    /// Degrees north and east.
    pub geo: Option<(f64, f64)>,
    /// Telephone.
    pub phone: Option<String>,
    /// Email.
    pub email: Option<String>,
    /// Web site.
    pub website: Option<String>,
    /// From when rooms are ready: hour and minute.
    pub check_in: (u32, u32),
    /// Until when rooms must be left.
    pub check_out: (u32, u32),
    /// Its room types.
    pub room_types: Vec<RoomTypeProfile>,
}

impl HotelProfile {
    /// The hotel's day at a time.
    pub(super) fn day(&self, now: DateTime<Utc>) -> NaiveDate {
        let zone: chrono_tz::Tz = self.time_zone.parse().unwrap_or(chrono_tz::UTC);
        now.with_timezone(&zone).date_naive()
    }
}

impl Default for HotelProfile {
    /// A hotel of five room types in Lisbon.
    fn default() -> Self {
        Self {
            slug: "sandbox".to_owned(),
            name: "Sandbox Hotel".to_owned(),
            time_zone: "Europe/Lisbon".to_owned(),
            currency: "EUR".to_owned(),
            gross: true,
            language: "en-GB".to_owned(),
            line1: "Rua do Exemplo 1".to_owned(),
            city: "Lisboa".to_owned(),
            postal_code: "1000-001".to_owned(),
            country_code: "PT".to_owned(),
            geo: Some((38.7223, -9.1393)),
            phone: None,
            email: Some("desk@sandbox.example".to_owned()),
            website: Some("https://sandbox.example".to_owned()),
            check_in: (15, 0),
            check_out: (11, 0),
            room_types: vec![
                RoomTypeProfile::new("Single Room", "SGL", "Room", (1, 0), 89),
                RoomTypeProfile::new("Double Room", "DBL", "Room", (2, 0), 119),
                RoomTypeProfile::new("Twin Room", "TWN", "Room", (2, 0), 119),
                RoomTypeProfile::new("Family Room", "FAM", "Room", (3, 2), 169),
                RoomTypeProfile::new("Suite", "STE", "Suite", (2, 2), 239),
            ],
        }
    }
}
