use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use stayzr_core::{
    clock::Clock,
    ids::{ApiTokenId, ChannelAccountId, IntegrationId, OrganizationId, PropertyId},
    tenant::generate_token,
};

use crate::{config::write_private, failure::Failure};

/// A hotel of the demo: its folder of knowledge, and what its vendor knows.
pub(crate) struct Hotel {
    pub(crate) slug: &'static str,
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
    pub(crate) client_token: Kept,
    pub(crate) access_token: Kept,
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
        match std::fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                Failure::new(
                    "demo_state_not_readable",
                    format!(
                        "{} cannot be read ({error}); `stayzr demo --reset` begins anew",
                        path.display()
                    ),
                )
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
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
            Err(error) => Err(Failure::new(
                "demo_state_not_readable",
                format!("{} cannot be read: {error}", path.display()),
            )),
        }
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
            client_token: secret("client"),
            access_token: secret("access"),
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

pub(crate) fn path(folder: &Path) -> PathBuf {
    folder.join("demo-state.json")
}
