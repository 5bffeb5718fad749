use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use stayzr_core::{
    clock::Clock,
    ids::{ApiTokenId, ChannelAccountId, IntegrationId, OrganizationId, PropertyId},
    tenant::generate_token,
};

use crate::{config::write_private, failure::Failure};

/// A hotel of the demo: its folder of knowledge, and what differs from the others.
pub(crate) struct Hotel {
    pub(crate) slug: &'static str,
    pub(crate) phone_number_id: &'static str,
}

/// The organizations of the demo with their hotels.
pub(crate) const CAST: [(&str, &[Hotel]); 2] = [
    (
        "Aurelia Collection",
        &[
            Hotel {
                slug: "aurelia-porto",
                phone_number_id: "106540352242001",
            },
            Hotel {
                slug: "aurelia-innsbruck",
                phone_number_id: "106540352242002",
            },
        ],
    ),
    (
        "Northwind Stays",
        &[Hotel {
            slug: "northwind-edinburgh",
            phone_number_id: "106540352242003",
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
                    Failure::new("internal", format!("the demo's state cannot be written: {error}"))
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

fn path(folder: &Path) -> PathBuf {
    folder.join("demo-state.json")
}
