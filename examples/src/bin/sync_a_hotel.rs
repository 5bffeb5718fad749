//! Keeps a hotel equal with its PMS: everything is read from a simulated Mews into SQLite, staff
//! correct a guest, the correction is pushed, and it does not come back as a change.

use std::{error::Error, sync::Arc, time::Duration};

use chrono::TimeDelta;
use serde_json::json;
use stayzr_core::{
    clock::{Clock, SystemClock},
    flow::{EditRequest, edit},
    ids::IntegrationId,
    model::{ChangeSource, Guest, RunMode},
    port::{
        directory::Directory,
        entities::{Entities, EntitiesExt, EntityFilter},
        queue::JobQueue,
        setup::{Maintenance, Setup},
    },
    queue::{Handler, JobOutcome, Queue},
    store::sqlite::{SqliteOptions, SqliteStore},
    transform::EntityKind,
};
use stayzr_examples::{Mews, open_hotel};
use stayzr_pms::{
    PmsProvider,
    engine::{EngineOptions, EnginePorts, SyncEngine},
    providers::mews::MewsCredentials,
    sandbox::{MewsSandbox, SandboxOptions},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // The vendor. With a hotel's own tokens and without `base_url` this is Mews itself.
    let sandbox = MewsSandbox::start(SandboxOptions::default()).await?;
    let clock = Arc::new(SystemClock);
    let last_year = clock.now() - TimeDelta::days(365);
    let settings = json!({"base_url": sandbox.base_url(), "vendor": {"history_start": last_year}});
    let tokens = MewsCredentials::new("sandbox-client-token", "sandbox-access-token");
    let mews = Arc::new(Mews::open(&settings, tokens)?);

    // The store, with a hotel and its connection to the vendor.
    let folder = tempfile::tempdir()?;
    let options = SqliteOptions::new(folder.path().join("hotel.db"));
    let store = Arc::new(SqliteStore::open(options).await?);
    store.migrate().await?;
    let (scope, property_id) = open_hotel(&*store, &*clock, "Sandbox").await?;
    let (id, now) = (IntegrationId::generate(&*clock), clock.now());
    let integration = json!({"id": id, "organization_id": scope.organization_id,
        "property_id": property_id, "provider": "mews", "account": "sandbox",
        "remote_property_id": sandbox.enterprise_id(), "settings": settings,
        "status": "active", "created_at": now, "updated_at": now});
    let integration = serde_json::from_value(integration)?;
    store.create_integration(integration).await?;

    // Everything is read once; a second time writes nothing.
    let ports = EnginePorts::of(store.clone());
    let options = EngineOptions::default();
    let engine = SyncEngine::new(ports, mews.clone(), clock.clone(), options);
    for mode in [RunMode::Backfill, RunMode::Backfill] {
        let run = engine.run(scope, id, mode, None).await?;
        println!(
            "read {}, {} new, {} changed",
            run.read, run.created, run.updated
        );
    }

    // Staff correct a guest. The edit, its line of the journal and the push's job are one commit.
    let guests = store.all::<Guest>(scope, &EntityFilter::default()).await?;
    let guest = guests.first().ok_or("the sandbox has guests")?;
    let actor = "front desk".to_owned();
    let request = EditRequest {
        kind: EntityKind::Guest,
        id: guest.id.uuid(),
        set: serde_json::from_value(json!({"phone": "+351 912 345 678"}))?,
        expected_version: None,
        source: ChangeSource::Staff { actor },
    };
    edit(&*store, &*mews, &*clock, scope, request).await?;
    println!(
        "{} had {}",
        guest.display_name(),
        guest.phone.as_deref().unwrap_or("no number")
    );

    // The job pushes it. In a program that stays up, `stayzr_core::queue::Worker` does this.
    let lease = Duration::from_secs(60);
    for job in store
        .claim(Queue::PmsSyncQueue, "worker-1", 10, lease)
        .await?
    {
        let lease = job.lease.clone();
        engine.handle(job).await?;
        store
            .finish(&lease, JobOutcome::Completed, Vec::new())
            .await?;
    }
    let refs = store
        .external_refs(scope, EntityKind::Guest, &[guest.id.uuid()])
        .await?;
    let there = [refs
        .first()
        .ok_or("the guest came from the PMS")?
        .id
        .clone()];
    let page = mews.0.fetch_ids(EntityKind::Guest, &there).await?;
    let record = page.records.first().ok_or("it is there")?;
    println!(
        "at the PMS: {}",
        record.fields.get("phone").ok_or("it has a number")?
    );

    // The vendor now reports the guest as changed: it is our own change, and nothing happens.
    let run = engine.run(scope, id, RunMode::Incremental, None).await?;
    println!(
        "read {}, {} new, {} changed",
        run.read, run.created, run.updated
    );
    Ok(())
}
