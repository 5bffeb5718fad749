//! A server on an embedded store of its own, and what calls it.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]

use http::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::Value;
use stayzr_core::{
    clock::Clock,
    ids::{OrganizationId, PropertyId},
    model::{Organization, Property},
    port::Store,
    tenant::Role,
};
use stayzr_server::{
    compose::{App, Foundation, Opening},
    config::{Sources, load},
    http::bind,
    setup::{NewProperty, add_property, new_token},
};

/// A running server with two organizations, each with an admin token and a property.
pub struct Server {
    pub app: App,
    pub client: reqwest::Client,
    pub mine: Tenant,
    pub theirs: Tenant,
    folder: tempfile::TempDir,
}

/// An organization and its token.
pub struct Tenant {
    pub organization: OrganizationId,
    pub property: PropertyId,
    pub token: String,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub async fn start_with(flags: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut sources = Sources::default()
            .flag("server.data_dir", folder.path().display().to_string())
            .flag("server.listen", "127.0.0.1:0")
            .flag("channels.whatsapp.app_secret", "app-secret")
            .flag("channels.whatsapp.verify_token", "verify-token");
        for (key, value) in flags {
            sources = sources.flag(key, *value);
        }
        let config = load(&sources).expect("configuration");
        let bound = bind(config.server.listen).await.expect("a free port");
        let base = Foundation::open(config, Opening::Prepare)
            .await
            .expect("an embedded store");
        let (store, clock) = (base.store.as_ref(), base.clock.as_ref());
        let mine = tenant(store, clock, "Mine").await;
        let theirs = tenant(store, clock, "Theirs").await;
        let app = base.start(bound).expect("a server");
        Self {
            app,
            client: stayzr_webhooks::default_client().expect("a client"),
            mine,
            theirs,
            folder,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.app.public_url)
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, self.url(path))
            .bearer_auth(&self.mine.token)
    }

    /// Every byte of the store's files, as somebody who steals the disk would read them.
    pub fn stored(&self) -> String {
        let mut bytes = Vec::new();
        for file in std::fs::read_dir(self.folder.path()).expect("the folder") {
            let path = file.expect("a file").path();
            if path.to_string_lossy().contains("stayzr.db") {
                bytes.extend(std::fs::read(path).expect("readable"));
            }
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::POST, path).body(body.to_string())).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        send(self.request(Method::PATCH, path).body(body.to_string())).await
    }
}

pub async fn send(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("the server answers");
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("the body arrives");
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer {
        status,
        headers,
        body,
    }
}

async fn tenant(store: &dyn Store, clock: &dyn Clock, name: &str) -> Tenant {
    let organization = Organization {
        id: OrganizationId::generate(clock),
        name: name.to_owned(),
        created_at: clock.now(),
    };
    let id = organization.id;
    let (token, stored) = new_token(clock, "stz", "admin", id, Role::Admin, Vec::new());
    store
        .create_organization(organization, stored)
        .await
        .expect("an organization");
    let property = property(store, clock, id, "House").await;
    Tenant {
        organization: id,
        property: property.id,
        token: token.expose_secret().to_owned(),
    }
}

pub async fn property(
    store: &dyn Store,
    clock: &dyn Clock,
    organization: OrganizationId,
    name: &str,
) -> Property {
    let new = NewProperty {
        name: name.to_owned(),
        time_zone: "Europe/Lisbon".to_owned(),
        currency: "EUR".parse().expect("a currency"),
        country_code: Some("PT".to_owned()),
    };
    add_property(store, clock, organization, new)
        .await
        .expect("a property")
}
