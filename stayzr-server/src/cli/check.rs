use std::process::ExitCode;

use chrono::TimeDelta;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use stayzr_core::{model::IntegrationStatus, port::Store, tenant::TenantScope};

use super::{Cli, integration, output::Output};
use crate::{
    compose::{Foundation, Opening, open_store},
    config::{Sources, load, load_master_key},
    failure::Failure,
    telemetry,
};

/// Clocks further apart than this confuse leases and webhooks.
const SKEW: TimeDelta = TimeDelta::seconds(5);

/// Lines of the check, in order.
#[derive(Default)]
struct Lines(Vec<(String, Result<String, String>)>);

impl Lines {
    fn add(&mut self, name: impl Into<String>, outcome: Result<String, Failure>) -> bool {
        let good = outcome.is_ok();
        self.0
            .push((name.into(), outcome.map_err(|failure| failure.message)));
        good
    }

    fn all_good(&self) -> bool {
        self.0.iter().all(|(_, outcome)| outcome.is_ok())
    }

    fn json(&self) -> Value {
        let checks: Vec<Value> = self
            .0
            .iter()
            .map(|(name, outcome)| {
                let (ok, detail) = match outcome {
                    Ok(detail) => (true, detail),
                    Err(why) => (false, why),
                };
                json!({"name": name, "ok": ok, "detail": detail})
            })
            .collect();
        json!({"ok": self.all_good(), "checks": checks})
    }

    fn text(&self) -> String {
        let line = |(name, outcome): &(String, Result<String, String>)| match outcome {
            Ok(detail) => format!("ok    {name}: {detail}"),
            Err(why) => format!("FAIL  {name}: {why}"),
        };
        self.0.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

pub(crate) async fn run(cli: &Cli, offline: bool, output: Output) -> Result<ExitCode, Failure> {
    let mut lines = Lines::default();
    walk(cli, offline, &mut lines).await;
    output.result(&lines.json(), || lines.text())?;
    Ok(match lines.all_good() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

async fn walk(cli: &Cli, offline: bool, lines: &mut Lines) {
    let config = match load(&Sources::of_process(cli.config.clone())) {
        Ok(config) => config,
        Err(failure) => {
            lines.add("configuration", Err(failure));
            return;
        }
    };
    telemetry::start(&config.telemetry, telemetry::Quiet::Yes);
    lines.add("configuration", Ok("valid".to_owned()));
    let key = load_master_key(&config).map(|key| format!("key {}", key.id()));
    lines.add("master key", key);
    let whatsapp = &config.channels.whatsapp;
    let whatsapp = match whatsapp.app_secret.expose_secret().is_empty() {
        true => "not configured: its webhooks are refused",
        false => "configured",
    };
    lines.add("whatsapp", Ok(whatsapp.to_owned()));
    let store = match open_store(&config, Opening::Existing).await {
        Ok(store) => store,
        Err(failure) => {
            lines.add("store", Err(failure));
            return;
        }
    };
    let answers = store.ping().await.map(|()| "answers".to_owned());
    if !lines.add("store", answers.map_err(Failure::from))
        || !lines.add("migrations", migrations(store.as_ref()).await)
    {
        return;
    }
    let isolation = store.prove_isolation().await;
    let isolation = isolation.map(|()| "tenants cannot meet".to_owned());
    lines.add("tenant isolation", isolation.map_err(Failure::from));
    lines.add("clock", clock(store.as_ref()).await);
    if offline {
        return;
    }
    match Foundation::open(config, Opening::Existing).await {
        Ok(base) => {
            // The store is the first, and was asked above.
            for probe in base.probes.iter().skip(1) {
                let answer = probe.check().await.map(|()| "answers".to_owned());
                lines.add(probe.name(), answer.map_err(Failure::from));
            }
            lines.add("vendor limits", limits(&base).await);
            vendors(&base, lines).await;
        }
        Err(failure) => {
            lines.add("foundation", Err(failure));
        }
    }
}

async fn migrations(store: &dyn Store) -> Result<String, Failure> {
    match store.pending_migrations().await?.as_slice() {
        [] => Ok("up to date".to_owned()),
        pending => Err(Failure::new(
            "migrations_pending",
            format!("{} have not run: `stayzr migrate`", pending.join(", ")),
        )),
    }
}

async fn clock(store: &dyn Store) -> Result<String, Failure> {
    let theirs = store.database_time().await?;
    let skew = (theirs - chrono::Utc::now()).abs();
    let seconds = skew.as_seconds_f64();
    if skew > SKEW {
        return Err(Failure::new(
            "clock_skew",
            format!("the database's clock is {seconds:.1} s away from this machine's"),
        ));
    }
    Ok(format!("{:.0} ms from the database's", seconds * 1000.0))
}

async fn limits(base: &Foundation) -> Result<String, Failure> {
    let ledger = base.providers.ledger();
    ledger.check().await?;
    Ok(match ledger.is_shared() {
        true => format!("counted in {} for all processes", ledger.place()),
        false => "counted in this process alone".to_owned(),
    })
}

async fn vendors(base: &Foundation, lines: &mut Lines) {
    let organizations = match base.store.organizations().await {
        Ok(organizations) => organizations,
        Err(error) => {
            lines.add("organizations", Err(error.into()));
            return;
        }
    };
    for organization in organizations {
        let scope = TenantScope::organization(organization.id);
        let integrations = match base.store.integrations(scope).await {
            Ok(integrations) => integrations,
            Err(error) => {
                lines.add("integrations", Err(error.into()));
                continue;
            }
        };
        for integration in integrations {
            let name = format!("{} {}", integration.provider, integration.id);
            if integration.status == IntegrationStatus::Disabled {
                lines.add(name, Ok("switched off".to_owned()));
                continue;
            }
            let answer = integration::ask(base, scope, &integration).await;
            lines.add(
                name,
                answer.map(|remote| format!("answers as {}", remote.name)),
            );
        }
    }
}
