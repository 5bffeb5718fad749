//! The vendors of the demo's hotels: a sandbox of Mews for each, which keeps its state.

use std::path::Path;

use rust_decimal::Decimal;
use serde_json::Value;
use stayzr_pms::sandbox::{Counts, HotelProfile, MewsSandbox, RoomTypeProfile, SandboxOptions};

use super::{
    content,
    state::{CAST, DemoProperty, DemoState, Hotel},
};
use crate::failure::Failure;

/// Starts a sandbox for each hotel, in the order of the state.
pub(crate) async fn start(state: &DemoState, folder: &Path) -> Result<Vec<MewsSandbox>, Failure> {
    let mut sandboxes = Vec::new();
    let properties = state
        .organizations
        .iter()
        .flat_map(|organization| &organization.properties);
    for property in properties {
        let options = SandboxOptions {
            hotel: profile(property)?,
            counts: Counts {
                rooms: 40,
                guests: 100,
                reservations: 160,
            },
            client_token: property.client_token.0.clone(),
            access_token: property.access_token.0.clone(),
            state_file: Some(folder.join(format!("sandbox-{}.json", property.slug))),
            ..SandboxOptions::default()
        };
        sandboxes.push(MewsSandbox::start(options).await?);
    }
    Ok(sandboxes)
}

fn profile(property: &DemoProperty) -> Result<HotelProfile, Failure> {
    let hotel: &Hotel = CAST
        .iter()
        .flat_map(|(_, hotels)| hotels.iter())
        .find(|hotel| hotel.slug == property.slug)
        .ok_or_else(|| {
            Failure::new(
                "demo_state_not_readable",
                format!(
                    "the demo has no hotel {} any more; `stayzr demo --reset` begins anew",
                    property.slug
                ),
            )
        })?;
    let described = content::property(hotel.slug)?;
    let text = |pointer: &str| {
        described
            .pointer(pointer)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let degrees = |name: &str| described.pointer(&format!("/geo/{name}"))?.as_f64();
    Ok(HotelProfile {
        slug: hotel.slug.to_owned(),
        name: text("/name").unwrap_or_default(),
        time_zone: hotel.time_zone.to_owned(),
        currency: hotel.currency.to_owned(),
        gross: true,
        language: hotel.language.to_owned(),
        line1: text("/address/line1").unwrap_or_default(),
        city: text("/address/city").unwrap_or_default(),
        postal_code: text("/address/postal_code").unwrap_or_default(),
        country_code: text("/address/country_code").unwrap_or_default(),
        geo: degrees("latitude").zip(degrees("longitude")),
        phone: text("/phone"),
        email: text("/email"),
        website: text("/website"),
        check_in: clock(text("/check_in")).unwrap_or((15, 0)),
        check_out: clock(text("/check_out")).unwrap_or((11, 0)),
        room_types: hotel
            .room_types
            .iter()
            .map(|kind| RoomTypeProfile {
                name: kind.name.to_owned(),
                short_name: kind.short.to_owned(),
                kind: kind.kind.to_owned(),
                capacity: kind.persons.0,
                extra_capacity: kind.persons.1,
                price: Decimal::new(kind.price, 0),
                rooms: kind
                    .rooms
                    .iter()
                    .flat_map(|(first, last)| *first..=*last)
                    .map(|number| number.to_string())
                    .collect(),
            })
            .collect(),
    })
}

fn clock(text: Option<String>) -> Option<(u32, u32)> {
    let text = text?;
    let (hours, minutes) = text.split_once(':')?;
    Some((hours.parse().ok()?, minutes.parse().ok()?))
}
