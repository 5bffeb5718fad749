use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use stayzr_core::{
    clock::Clock,
    ids::{ApiTokenId, ChannelAccountId, IntegrationId, OrganizationId, PropertyId},
    tenant::generate_token,
};

use crate::{config::write_private, failure::Failure};

/// The PMS of a hotel of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendor {
    Mews,
    Opera,
    Cloudbeds,
}

impl Vendor {
    /// The provider that speaks with it.
    pub(crate) fn provider(self) -> &'static str {
        match self {
            Self::Mews => "mews",
            Self::Opera => "opera",
            Self::Cloudbeds => "cloudbeds",
        }
    }

    /// The secrets that let a connection in, as the provider names them.
    fn secrets(self) -> &'static [&'static str] {
        match self {
            Self::Mews => &["client_token", "access_token"],
            Self::Opera => &[
                "client_id",
                "client_secret",
                "app_key",
                "username",
                "password",
            ],
            Self::Cloudbeds => &["api_key"],
        }
    }

    /// How the vendor tells of changes.
    pub(crate) fn webhook(self) -> &'static str {
        match self {
            Self::Mews | Self::Cloudbeds => "url_token",
            // OPERA posts nothing: its events wait until they are asked for.
            Self::Opera => "poll",
        }
    }
}

/// A hotel of the demo: its folder of knowledge, its vendor, and what that knows.
pub(crate) struct Hotel {
    pub(crate) slug: &'static str,
    pub(crate) vendor: Vendor,
    pub(crate) phone_number_id: &'static str,
    pub(crate) time_zone: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) language: &'static str,
    pub(crate) room_types: &'static [RoomKind],
}

/// A room type of a hotel.
pub(crate) struct RoomKind {
    pub(crate) name: &'static str,
    pub(crate) short: &'static str,
    /// The vendor's word for what it is.
    pub(crate) kind: &'static str,
    /// Persons in the beds, and in extra beds.
    pub(crate) persons: (u32, u32),
    /// The price of a night in the hotel's currency.
    pub(crate) price: i64,
    /// Its rooms, from number to number, as the hotel's own documents have them.
    pub(crate) rooms: &'static [(u32, u32)],
}

const fn rooms(
    (name, short, kind): (&'static str, &'static str, &'static str),
    persons: (u32, u32),
    price: i64,
    rooms: &'static [(u32, u32)],
) -> RoomKind {
    RoomKind {
        name,
        short,
        kind,
        persons,
        price,
        rooms,
    }
}

/// The organizations of the demo with their hotels.
pub(crate) const CAST: [(&str, &[Hotel]); 2] = [
    (
        "Aurelia Collection",
        &[
            Hotel {
                slug: "aurelia-porto",
                vendor: Vendor::Mews,
                phone_number_id: "106540352242001",
                time_zone: "Europe/Lisbon",
                currency: "EUR",
                language: "pt-PT",
                room_types: &[
                    rooms(
                        ("Classic City", "CLC", "Room"),
                        (2, 0),
                        129,
                        &[(101, 108), (201, 204), (301, 302), (401, 402)],
                    ),
                    rooms(
                        ("Classic River", "CLR", "Room"),
                        (2, 0),
                        159,
                        &[(205, 208), (303, 305), (403, 405), (501, 504)],
                    ),
                    rooms(
                        ("Deluxe River", "DLX", "Room"),
                        (2, 1),
                        199,
                        &[(306, 308), (406, 408), (505, 506)],
                    ),
                    rooms(("Douro Suite", "STE", "Suite"), (2, 2), 319, &[(507, 508)]),
                ],
            },
            Hotel {
                slug: "aurelia-innsbruck",
                vendor: Vendor::Opera,
                phone_number_id: "106540352242002",
                time_zone: "Europe/Vienna",
                currency: "EUR",
                language: "de-AT",
                room_types: &[
                    rooms(
                        ("Tirol Double", "TIR", "Room"),
                        (2, 0),
                        149,
                        &[(101, 106), (201, 206), (209, 210), (301, 304)],
                    ),
                    rooms(
                        ("Nordkette Balcony", "NOR", "Room"),
                        (2, 1),
                        189,
                        &[(305, 310), (401, 408)],
                    ),
                    rooms(
                        ("Family Studio", "FAM", "Room"),
                        (2, 3),
                        239,
                        &[(107, 110), (207, 208)],
                    ),
                    rooms(("Zirben Suite", "STE", "Suite"), (2, 2), 389, &[(409, 410)]),
                ],
            },
        ],
    ),
    (
        "Northwind Stays",
        &[Hotel {
            slug: "northwind-edinburgh",
            vendor: Vendor::Cloudbeds,
            phone_number_id: "106540352242003",
            time_zone: "Europe/London",
            currency: "GBP",
            language: "en-GB",
            room_types: &[
                rooms(
                    ("Warehouse Double", "WHD", "Room"),
                    (2, 0),
                    115,
                    &[(201, 210), (307, 310), (401, 406)],
                ),
                rooms(
                    ("Harbour View Double", "HVD", "Room"),
                    (2, 0),
                    145,
                    &[(407, 410), (501, 508)],
                ),
                rooms(
                    ("Quayside Family", "FAM", "Room"),
                    (2, 2),
                    185,
                    &[(301, 306)],
                ),
                rooms(
                    ("Lighthouse Suite", "STE", "Suite"),
                    (2, 2),
                    295,
                    &[(509, 510)],
                ),
            ],
        }],
    ),
];

/// Ids and secrets of a demo, kept in its folder so that a second start has the same.
#[derive(Serialize, Deserialize)]
pub(crate) struct DemoState {
    pub(crate) organizations: Vec<DemoOrganization>,
    pub(crate) app_secret: Kept,
    pub(crate) verify_token: Kept,
    /// The access token of the sandbox outbox.
    pub(crate) outbox_token: Kept,
}

/// An organization of the demo.
#[derive(Serialize, Deserialize)]
pub(crate) struct DemoOrganization {
    pub(crate) id: OrganizationId,
    pub(crate) name: String,
    pub(crate) token_id: ApiTokenId,
    pub(crate) api_token: Kept,
    pub(crate) properties: Vec<DemoProperty>,
}

/// A hotel of the demo.
#[derive(Serialize, Deserialize)]
pub(crate) struct DemoProperty {
    pub(crate) slug: String,
    pub(crate) id: PropertyId,
    pub(crate) integration_id: IntegrationId,
    pub(crate) channel_account_id: ChannelAccountId,
    pub(crate) phone_number_id: String,
    pub(crate) webhook_secret: Kept,
    /// What lets us in at the vendor, as its provider reads it.
    #[serde(default)]
    pub(crate) credentials: BTreeMap<String, Kept>,
}

impl DemoProperty {
    /// The credentials as JSON.
    pub(crate) fn credentials(&self) -> SecretString {
        let named: serde_json::Map<_, _> = self
            .credentials
            .iter()
            .map(|(name, secret)| (name.clone(), secret.expose().into()))
            .collect();
        serde_json::Value::Object(named).to_string().into()
    }

    /// One of the credentials.
    pub(crate) fn credential(&self, name: &str) -> SecretString {
        self.credentials
            .get(name)
            .map(|kept| kept.0.clone())
            .unwrap_or_default()
    }

    /// The hotel that this is.
    pub(crate) fn hotel(&self) -> Result<&'static Hotel, Failure> {
        let hotels = CAST.iter().flat_map(|(_, hotels)| hotels.iter());
        let mut named = hotels.filter(|hotel| hotel.slug == self.slug);
        named.next().ok_or_else(|| {
            Failure::new(
                "demo_state_not_readable",
                format!(
                    "the demo has no hotel {} any more; `stayzr demo --reset` begins anew",
                    self.slug
                ),
            )
        })
    }
}

/// A secret that this file may hold: it is the demo's own and the file is its owner's alone.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Kept(pub(crate) SecretString);

impl Serialize for Kept {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl Kept {
    pub(crate) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl DemoState {
    /// The state of a folder; a new one where there is none.
    pub(crate) fn open(folder: &Path, clock: &dyn Clock) -> Result<Self, Failure> {
        let path = path(folder);
        if path.exists() {
            let state = Self::read(folder)?;
            let properties = state.organizations.iter().flat_map(|all| &all.properties);
            for property in properties {
                let needed = property.hotel()?.vendor.secrets();
                if !needed
                    .iter()
                    .all(|name| property.credentials.contains_key(*name))
                {
                    return Err(unreadable(
                        &path,
                        &format!("{} has another vendor since", property.slug),
                    ));
                }
            }
            return Ok(state);
        }
        let state = Self::generate(clock);
        let content = serde_json::to_vec_pretty(&state).map_err(|error| {
            Failure::new(
                "internal",
                format!("the demo's state cannot be written: {error}"),
            )
        })?;
        write_private(&path, &content)?;
        Ok(state)
    }

    /// The state that stands in a folder, of whatever release.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let path = path(folder);
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        serde_json::from_slice(&bytes).map_err(|error| unreadable(&path, &error))
    }

    fn generate(clock: &dyn Clock) -> Self {
        let secret = |prefix: &str| Kept(generate_token(prefix));
        let property = |hotel: &Hotel| DemoProperty {
            slug: hotel.slug.to_owned(),
            id: PropertyId::generate(clock),
            integration_id: IntegrationId::generate(clock),
            channel_account_id: ChannelAccountId::generate(clock),
            phone_number_id: hotel.phone_number_id.to_owned(),
            webhook_secret: secret("whk"),
            credentials: hotel
                .vendor
                .secrets()
                .iter()
                .map(|name| ((*name).to_owned(), secret(name)))
                .collect(),
        };
        Self {
            organizations: CAST
                .iter()
                .map(|(name, hotels)| DemoOrganization {
                    id: OrganizationId::generate(clock),
                    name: (*name).to_owned(),
                    token_id: ApiTokenId::generate(clock),
                    api_token: secret("stz"),
                    properties: hotels.iter().map(property).collect(),
                })
                .collect(),
            app_secret: secret("app"),
            verify_token: secret("verify"),
            outbox_token: secret("outbox"),
        }
    }
}

fn unreadable(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::new(
        "demo_state_not_readable",
        format!(
            "{} cannot be read ({why}); `stayzr demo --reset` begins anew",
            path.display()
        ),
    )
}

pub(crate) fn path(folder: &Path) -> PathBuf {
    folder.join("demo-state.json")
}
