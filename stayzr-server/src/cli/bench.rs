use std::time::Instant;

use serde_json::{Value, json};
use stayzr_core::{
    ids::OrganizationId,
    model::Organization,
    queue::{JobOutcome, NewJob, Queue},
    tenant::{Role, TenantScope},
};

use super::{Cli, output::Output};
use crate::{
    compose::{Foundation, Opening},
    config::{Sources, load},
    failure::Failure,
    http::bind,
    setup::new_token,
};

/// Jobs stored, claimed and finished, in batches as workers do.
const JOBS: usize = 2_000;
const BATCH: usize = 50;

/// Starts an embedded server in a temporary folder and measures it.
pub(crate) async fn run(_: &Cli, output: Output) -> Result<(), Failure> {
    let folder = std::env::temp_dir().join(format!("stayzr-bench-{}", uuid::Uuid::now_v7()));
    let result = measure(&folder).await;
    let _ = std::fs::remove_dir_all(&folder);
    let figures = result?;
    output.result(&figures, || {
        let figures = figures.as_object().into_iter().flatten();
        let lines: Vec<String> = figures
            .map(|(name, value)| format!("{name:<28} {value}"))
            .collect();
        lines.join("\n")
    })
}

async fn measure(folder: &std::path::Path) -> Result<Value, Failure> {
    let began = Instant::now();
    let sources = Sources::default()
        .flag("server.data_dir", folder.display().to_string())
        .flag("server.listen", "127.0.0.1:0")
        .flag("workers.enabled", "false");
    let config = load(&sources)?;
    let bound = bind(config.server.listen).await?;
    let base = Foundation::open(config, Opening::Prepare).await?;
    let app = base.start(bound)?;
    let start = began.elapsed();
    let client = stayzr_webhooks::default_client()?;
    let health = format!("{}/health", app.public_url);
    let asked = Instant::now();
    const REQUESTS: u32 = 500;
    for _ in 0..REQUESTS {
        let answer = client.get(&health).send().await.map_err(|error| {
            Failure::new(
                "unavailable",
                format!("the server does not answer: {error}"),
            )
        })?;
        drop(answer.bytes().await);
    }
    let request = asked.elapsed() / REQUESTS;
    let memory = resident_megabytes();
    let jobs = jobs(&app).await?;
    app.stop().await;
    Ok(json!({
        "start_ms": (start.as_secs_f64() * 1000.0).round(),
        "idle_memory_mb": memory,
        "health_request_us": request.as_micros() as u64,
        "jobs_per_second": jobs.round(),
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "profile": if cfg!(debug_assertions) { "debug" } else { "release" },
    }))
}

/// Jobs a second through enqueue, claim and finish, each finish committed to disk.
async fn jobs(app: &crate::compose::App) -> Result<f64, Failure> {
    let (store, clock) = (&app.state.store, app.state.clock.as_ref());
    let organization = Organization {
        id: OrganizationId::generate(clock),
        name: "Bench".to_owned(),
        created_at: clock.now(),
    };
    let scope = TenantScope::organization(organization.id);
    let (_, token) = new_token(
        clock,
        "stz",
        "bench",
        organization.id,
        Role::Admin,
        Vec::new(),
    );
    store.create_organization(organization, token).await?;
    let began = Instant::now();
    for _ in 0..JOBS / BATCH {
        let batch = (0..BATCH)
            .map(|number| NewJob::new(Queue::OutboundQueue, scope, json!({"number": number})))
            .collect();
        store.enqueue(batch).await?;
    }
    let mut done = 0;
    while done < JOBS {
        let lease = std::time::Duration::from_secs(60);
        let claimed = store
            .claim(Queue::OutboundQueue, "bench", BATCH as u32, lease)
            .await?;
        if claimed.is_empty() {
            return Err(Failure::new(
                "internal",
                "jobs that were stored are not claimed",
            ));
        }
        for claimed in claimed {
            store
                .finish(&claimed.lease, JobOutcome::Completed, Vec::new())
                .await?;
            done += 1;
        }
    }
    Ok(JOBS as f64 / began.elapsed().as_secs_f64())
}

/// Resident memory of this process, where the system tells it.
fn resident_megabytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some((kilobytes / 102.4).round() / 10.0)
}
