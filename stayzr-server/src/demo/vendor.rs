//! The vendors of the demo's hotels: a sandbox for each, which keeps its state.

use std::path::Path;

use rust_decimal::Decimal;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use stayzr_pms::sandbox::{
    CloudbedsOptions, CloudbedsSandbox, Counts, HotelProfile, MewsSandbox, OperaOptions,
    OperaSandbox, RoomTypeProfile, SandboxOptions,
};

use super::{
    content,
    state::{DemoProperty, DemoState, Hotel, Vendor},
};
use crate::failure::Failure;

const COUNTS: Counts = Counts {
    rooms: 40,
    guests: 100,
    reservations: 160,
};

/// Calls in a second that the sandbox of Cloudbeds lets through. A property's key has five, with
/// which the first reading of a hotel would take half a minute.
const CLOUDBEDS_CALLS: u16 = 100;

/// Our code at OPERA, which keeps our own writes out of our events.
const EXTERNAL_SYSTEM: &str = "STAYZR";

/// A hotel's vendor.
pub(crate) enum Sandbox {
    Mews(MewsSandbox),
    Opera(OperaSandbox),
    Cloudbeds(CloudbedsSandbox),
}

impl Sandbox {
    /// Starts the vendor of a hotel, with the state that it left in the folder.
    async fn start(property: &DemoProperty, folder: &Path) -> Result<Self, Failure> {
        let described = property.hotel()?;
        let hotel = profile(described)?;
        let state_file = Some(folder.join(format!("sandbox-{}.json", property.slug)));
        let secret = |name| property.credential(name);
        Ok(match described.vendor {
            Vendor::Mews => {
                let options = SandboxOptions {
                    hotel,
                    counts: COUNTS,
                    client_token: secret("client_token"),
                    access_token: secret("access_token"),
                    state_file,
                    ..SandboxOptions::default()
                };
                Self::Mews(MewsSandbox::start(options).await?)
            }
            Vendor::Opera => {
                let options = OperaOptions {
                    hotel,
                    counts: COUNTS,
                    client_id: secret("client_id").expose_secret().to_owned(),
                    client_secret: secret("client_secret"),
                    app_key: secret("app_key"),
                    username: secret("username").expose_secret().to_owned(),
                    password: secret("password"),
                    external_system: EXTERNAL_SYSTEM.to_owned(),
                    state_file,
                    ..OperaOptions::default()
                };
                Self::Opera(OperaSandbox::start(options).await?)
            }
            Vendor::Cloudbeds => {
                let options = CloudbedsOptions {
                    hotel,
                    counts: COUNTS,
                    api_key: secret("api_key"),
                    limit: CLOUDBEDS_CALLS.into(),
                    state_file,
                    ..CloudbedsOptions::default()
                };
                Self::Cloudbeds(CloudbedsSandbox::start(options).await?)
            }
        })
    }

    /// Where it is.
    pub(crate) fn base_url(&self) -> &str {
        match self {
            Self::Mews(sandbox) => sandbox.base_url(),
            Self::Opera(sandbox) => sandbox.base_url(),
            Self::Cloudbeds(sandbox) => sandbox.base_url(),
        }
    }

    pub(crate) fn vendor(&self) -> Vendor {
        match self {
            Self::Mews(_) => Vendor::Mews,
            Self::Opera(_) => Vendor::Opera,
            Self::Cloudbeds(_) => Vendor::Cloudbeds,
        }
    }

    /// The settings of a connection to it.
    pub(crate) fn settings(&self) -> Value {
        let mut settings = json!({
            "base_url": self.base_url(),
            "webhook": self.vendor().webhook(),
            // Often enough to be seen in a demo.
            "reconcile": {"interval_seconds": 600},
        });
        match self {
            // The sandbox has nothing older, and Mews' lists of guests are asked for by spans of
            // three months.
            Self::Mews(_) => {
                settings["vendor"] = json!({"history_start": "2025-01-01T00:00:00Z"});
            }
            Self::Opera(sandbox) => {
                settings["vendor"] = json!({
                    "hotel_id": sandbox.property_id(), "external_system": EXTERNAL_SYSTEM,
                });
            }
            Self::Cloudbeds(_) => {
                settings["rate_limit"] = json!({"calls": CLOUDBEDS_CALLS, "per_seconds": 1});
            }
        }
        settings
    }

    /// Lets it post its webhooks there, if it posts any.
    pub(crate) fn set_webhook(&self, url: SecretString) {
        match self {
            Self::Mews(sandbox) => sandbox.set_webhook(Some(url)),
            Self::Cloudbeds(sandbox) => sandbox.set_webhook(Some(url)),
            Self::Opera(_) => {}
        }
    }

    pub(crate) async fn shutdown(self) {
        match self {
            Self::Mews(sandbox) => sandbox.shutdown().await,
            Self::Opera(sandbox) => sandbox.shutdown().await,
            Self::Cloudbeds(sandbox) => sandbox.shutdown().await,
        }
    }
}

/// Starts a sandbox for each hotel, in the order of the state.
pub(crate) async fn start(state: &DemoState, folder: &Path) -> Result<Vec<Sandbox>, Failure> {
    let mut sandboxes = Vec::new();
    let properties = state
        .organizations
        .iter()
        .flat_map(|organization| &organization.properties);
    for property in properties {
        sandboxes.push(Sandbox::start(property, folder).await?);
    }
    Ok(sandboxes)
}

fn profile(hotel: &Hotel) -> Result<HotelProfile, Failure> {
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
