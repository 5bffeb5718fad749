use super::{Cli, args::ServeArgs};
use crate::{
    compose::{Foundation, Opening, prepare_folder},
    config::{Sources, StoreBackendKind, load},
    failure::Failure,
    http::bind,
    telemetry,
};

/// Serves until a signal. The port is taken before anything is written, so that a second server
/// on the same machine ends without a trace.
pub(crate) async fn run(cli: &Cli, args: &ServeArgs) -> Result<(), Failure> {
    let mut sources = Sources::of_process(cli.config.clone());
    if let Some(listen) = args.listen {
        sources = sources.flag("server.listen", listen.to_string());
    }
    if let Some(folder) = &args.data_dir {
        sources = sources.flag("server.data_dir", folder.display().to_string());
    }
    let config = load(&sources)?;
    telemetry::start(&config.telemetry, telemetry::Quiet::No);
    let bound = bind(config.server.listen).await?;
    let embedded = config.store_url()?.kind == StoreBackendKind::Sqlite;
    if embedded || secrecy::ExposeSecret::expose_secret(&config.secrets.master_key).is_empty() {
        prepare_folder(&config.server.data_dir)?;
    }
    let app = Foundation::open(config, Opening::Prepare)
        .await?
        .start(bound)?;
    tracing::info!(address = %app.address, public_url = app.public_url, "serving");
    signal().await?;
    tracing::info!("stopping");
    app.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// Waits for SIGTERM or Ctrl-C.
pub(crate) async fn signal() -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new("internal", format!("signals cannot be waited for: {error}"))
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            pressed = tokio::signal::ctrl_c() => pressed.map_err(failed),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map_err(failed)
}
