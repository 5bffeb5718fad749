use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use secrecy::SecretString;
use serde_json::Value;
use stayzr_core::{
    clock::SystemClock,
    ids::IntegrationId,
    model::RunStatus,
    port::{PageRequest, Store},
    tenant::TenantScope,
};
use tokio_util::sync::CancellationToken;

use super::{
    describe,
    outbox::{Outbox, StatusTarget},
    seed,
    state::{self, DemoState},
    vendor::{self, Sandbox},
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
    sandboxes: Vec<Sandbox>,
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
        let base = Foundation::open(config, Opening::Prepare).await?;
        seed::seed(&base, &state, &sandboxes).await?;
        let app = base.start(bound)?;
        outbox.report_to(StatusTarget {
            client: stayzr_webhooks::default_client()?,
            url: format!("{}/webhooks/whatsapp", app.public_url),
            app_secret: state.app_secret.0.clone(),
        });

        tokio::try_join!(first_runs(&app, &state), ingest(&app, &state))?;
        let description = describe::describe(&app, &state, &sandboxes, &outbox_url);
        let properties = state
            .organizations
            .iter()
            .flat_map(|organization| &organization.properties);
        for (sandbox, property) in sandboxes.iter().zip(properties) {
            let url = describe::webhook_url(&app.public_url, property, sandbox);
            sandbox.set_webhook(SecretString::from(url));
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

/// Waits until every hotel was read once. The server's scheduler asks for that by itself, as it
/// does for any hotel.
async fn first_runs(app: &App, state: &DemoState) -> Result<(), Failure> {
    let store = app.state.store.as_ref();
    for organization in &state.organizations {
        for property in &organization.properties {
            let scope = TenantScope::property(organization.id, property.id);
            first_run(store, scope, property.integration_id).await?;
        }
    }
    Ok(())
}

async fn first_run(
    store: &dyn Store,
    scope: TenantScope,
    integration_id: IntegrationId,
) -> Result<(), Failure> {
    loop {
        let runs = store
            .runs(scope, integration_id, &PageRequest::default())
            .await?
            .items;
        let run = |status| runs.iter().find(|run| run.status == status);
        if let Some(run) = run(RunStatus::Completed) {
            tracing::info!(%integration_id, read = run.read, created = run.created, "synchronised");
            return Ok(());
        }
        if let (Some(failed), None) = (run(RunStatus::Failed), run(RunStatus::Running)) {
            let why = failed.error.as_deref().unwrap_or("no reason was given");
            return Err(Failure::new(
                "first_synchronisation_failed",
                format!("the first synchronisation of a sandbox failed: {why}"),
            ));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
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
        let old = DemoState::read(folder)?;
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
