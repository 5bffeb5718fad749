use serde_json::json;

use super::{Cli, output::Output};
use crate::{
    compose::{Opening, open_store},
    config::{Sources, load},
    failure::Failure,
    telemetry,
};

pub(crate) async fn run(cli: &Cli, only_pending: bool, output: Output) -> Result<(), Failure> {
    let config = load(&Sources::of_process(cli.config.clone()))?;
    telemetry::start(&config.telemetry, telemetry::Quiet::Yes);
    let store = open_store(&config, Opening::Prepare).await?;
    let pending = store.pending_migrations().await?;
    if !only_pending {
        store.migrate().await?;
    }
    let verb = if only_pending { "pending" } else { "applied" };
    output.result(&json!({verb: pending}), || match pending.as_slice() {
        [] => "the schema is up to date".to_owned(),
        names => format!("{verb}: {}", names.join(", ")),
    })
}
