use super::{
    Cli,
    args::DemoArgs,
    output::{Output, print},
    serve,
};
use crate::{
    config::{Sources, load},
    demo::Demo,
    failure::Failure,
    telemetry,
};

/// Runs the demo until a signal. What it prints goes to standard output, logs to standard error.
pub(crate) async fn run(cli: &Cli, args: &DemoArgs, output: Output) -> Result<(), Failure> {
    let sources = Sources {
        usual_file: false,
        ..Sources::of_process(cli.config.clone())
    };
    let sources = sources
        .flag("server.data_dir", args.data_dir.display().to_string())
        .flag("server.listen", args.listen.to_string());
    let config = load(&sources)?;
    telemetry::start(&config.telemetry, telemetry::Quiet::No);
    let demo = Demo::start(config, args.reset).await?;
    if output.json {
        output.result(demo.description(), String::new)?;
    } else {
        print(&demo.greeting());
    }
    serve::signal().await?;
    demo.stop().await;
    Ok(())
}
