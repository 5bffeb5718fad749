use std::path::{Path, PathBuf};

use futures::future::try_join_all;
use secrecy::SecretString;
use serde_json::Value;
use stayzr_core::{clock::SystemClock, model::RunMode, tenant::TenantScope};
use stayzr_pms::sandbox::MewsSandbox;
use tokio_util::sync::CancellationToken;

use super::{
    describe,
    outbox::{Outbox, StatusTarget},
    seed::{self, VendorSite},
    state::{self, DemoState},
    vendor,
};
use crate::{
    compose::{App, Foundation, Opening, prepare_folder},
    config::{Config, write_private},
    failure::Failure,
    http::bind,
};

/// A running demo.
pub struct Demo {
    app: App,
    sandboxes: Vec<MewsSandbox>,
    outbox_stop: CancellationToken,
    description: Value,
    folder: PathBuf,
}

impl Demo {
    /// Starts everything, fills it, and writes `demo.json` when it is ready.
    pub async fn start(mut config: Config, reset: bool) -> Result<Self, Failure> {
        let folder = config.server.data_dir.clone();
        let bound = bind(config.server.listen).await?;
        prepare_folder(&folder)?;
        // Whoever waits for the file must not find an old one.
        remove(&folder.join("demo.json"))?;
        if reset {
            forget(&config, &folder).await?;
        }
        let state = DemoState::open(&folder, &SystemClock)?;

        let outbox_stop = CancellationToken::new();
        let outbox = Outbox::new(state.outbox_token.0.clone());
        let outbox_address = outbox.clone().listen(outbox_stop.clone()).await?;
        let outbox_url = format!("http://{outbox_address}");
        let whatsapp = &mut config.channels.whatsapp;
        whatsapp.app_secret = state.app_secret.0.clone();
        whatsapp.verify_token = state.verify_token.0.clone();
        whatsapp.base_url.clone_from(&outbox_url);

        let sandboxes = vendor::start(&state, &folder).await?;
        let sites = sites(&state, &sandboxes);
        let base = Foundation::open(config, Opening::Prepare).await?;
        seed::seed(&base, &state, &sites).await?;
        let engine = base.engine.clone();
        let app = base.start(bound)?;
        outbox.report_to(StatusTarget {
            client: stayzr_webhooks::default_client()?,
            url: format!("{}/webhooks/whatsapp", app.public_url),
            app_secret: state.app_secret.0.clone(),
        });

        let (runs, ingestions) = (fill(&engine, &state), ingest(&app, &state));
        tokio::try_join!(runs, ingestions)?;
        let description = describe::describe(&app, &state, &sandboxes, &outbox_url);
        for (sandbox, url) in sandboxes.iter().zip(describe::webhook_urls(&app, &state)) {
            sandbox.set_webhook(Some(SecretString::from(url)));
        }
        let content = serde_json::to_vec_pretty(&description).map_err(|error| {
            Failure::new("internal", format!("demo.json cannot be written: {error}"))
        })?;
        write_private(&folder.join("demo.json"), &content)?;
        Ok(Self {
            app,
            sandboxes,
            outbox_stop,
            description,
            folder,
        })
    }

    /// What `demo.json` says.
    pub fn description(&self) -> &Value {
        &self.description
    }

    /// What a person reads first.
    pub fn greeting(&self) -> String {
        describe::greeting(&self.description, &self.folder)
    }

    /// Stops everything; the data stays.
    pub async fn stop(self) {
        self.app.stop().await;
        self.outbox_stop.cancel();
        for sandbox in self.sandboxes {
            sandbox.shutdown().await;
        }
    }
}

fn sites(state: &DemoState, sandboxes: &[MewsSandbox]) -> Vec<VendorSite> {
    let properties = state
        .organizations
        .iter()
        .flat_map(|organization| &organization.properties);
    properties
        .zip(sandboxes)
        .map(|(property, sandbox)| VendorSite {
            base_url: sandbox.base_url().to_owned(),
            client_token: property.client_token.expose().to_owned(),
            access_token: property.access_token.expose().to_owned(),
        })
        .collect()
}

/// The first synchronisation of all hotels, at the same time.
async fn fill(engine: &stayzr_pms::engine::SyncEngine, state: &DemoState) -> Result<(), Failure> {
    let runs = state.organizations.iter().flat_map(|organization| {
        organization.properties.iter().map(|property| {
            let scope = TenantScope::property(organization.id, property.id);
            engine.run(scope, property.integration_id, RunMode::Backfill, None)
        })
    });
    for run in try_join_all(runs).await? {
        tracing::info!(
            integration_id = %run.integration_id,
            read = run.read,
            created = run.created,
            updated = run.updated,
            unchanged = run.unchanged,
            "first synchronisation done"
        );
    }
    Ok(())
}

async fn ingest(app: &App, state: &DemoState) -> Result<(), Failure> {
    let store = app.state.store.as_ref();
    for organization in &state.organizations {
        for property in &organization.properties {
            let knowledge = &app.state.knowledge;
            let taken = seed::ingest(store, knowledge, organization, property).await?;
            tracing::info!(
                property = property.slug,
                documents = taken,
                "knowledge taken in"
            );
        }
    }
    Ok(())
}

/// Forgets an earlier demo: its files, and in a database of somebody else's what would be in the
/// way of a new one.
async fn forget(config: &Config, folder: &Path) -> Result<(), Failure> {
    if state::path(folder).exists() && !config_is_embedded(config)? {
        let old = DemoState::open(folder, &SystemClock)?;
        let base = Foundation::open(config.clone(), Opening::Prepare).await?;
        for organization in old.organizations {
            let scope = TenantScope::organization(organization.id);
            for property in organization.properties {
                let store = &base.store;
                store
                    .delete_integration(scope, property.integration_id)
                    .await?;
                store
                    .delete_channel_account(scope, property.channel_account_id)
                    .await?;
            }
        }
    }
    let entries = std::fs::read_dir(folder).map_err(|error| {
        Failure::new(
            "data_dir_not_writable",
            format!("{} cannot be read: {error}", folder.display()),
        )
    })?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let ours = name.starts_with("stayzr.db")
            || (name.starts_with("sandbox-") && name.ends_with(".json"))
            || name == "master.key";
        if ours {
            remove(&entry.path())?;
        }
    }
    remove(&state::path(folder))
}

fn config_is_embedded(config: &Config) -> Result<bool, Failure> {
    let kind = config.store_url()?.kind;
    Ok(kind == crate::config::StoreBackendKind::Sqlite)
}

fn remove(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::new(
            "data_dir_not_writable",
            format!("{} cannot be removed: {error}", path.display()),
        )),
        _ => Ok(()),
    }
}
