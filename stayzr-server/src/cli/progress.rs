//! How far long work is, on standard error.

use std::{
    future::Future,
    io::{self, IsTerminal, Write},
    time::Duration,
};

use stayzr_core::{
    ids::IntegrationId,
    model::{RunStatus, SyncRun},
    port::{PageRequest, Store},
    tenant::TenantScope,
};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// How often a line at a terminal is renewed.
const RENEWED: Duration = Duration::from_millis(500);

/// How often a line is added where nobody watches, such as in a log.
const ADDED: Duration = Duration::from_secs(10);

/// Does the work, and says how many records its run has read so far.
pub(super) async fn watched<T>(
    store: &dyn Store,
    scope: TenantScope,
    integration_id: IntegrationId,
    work: impl Future<Output = T>,
) -> T {
    let mut line = Line::new();
    let began = Instant::now();
    let mut ticks = interval(line.every());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => {
                line.end();
                return done;
            }
            _ = ticks.tick() => {
                let newest = PageRequest { limit: 1, cursor: None };
                // What cannot be shown is no reason to stop the work.
                let runs = store.runs(scope, integration_id, &newest).await;
                let run = runs.ok().and_then(|runs| runs.items.into_iter().next());
                line.show(&told(run.as_ref(), began.elapsed()));
            }
        }
    }
}

fn told(run: Option<&SyncRun>, took: Duration) -> String {
    let seconds = took.as_secs();
    match run.filter(|run| run.status == RunStatus::Running) {
        Some(run) => format!(
            "{}: {} read, {} made, {} changed, {} put aside, {} conflicts, {seconds} s",
            run.mode.as_str(),
            run.read,
            run.created,
            run.updated,
            run.parked,
            run.conflicts
        ),
        None => format!("asking the PMS, {seconds} s"),
    }
}

/// A line that is renewed at a terminal, and added elsewhere.
struct Line {
    renews: bool,
    width: usize,
}

impl Line {
    fn new() -> Self {
        Self {
            renews: io::stderr().is_terminal(),
            width: 0,
        }
    }

    const fn every(&self) -> Duration {
        if self.renews { RENEWED } else { ADDED }
    }

    fn show(&mut self, text: &str) {
        let mut out = io::stderr().lock();
        if self.renews {
            let _ = write!(out, "\r{text:<width$}", width = self.width);
            self.width = text.chars().count();
        } else {
            let _ = writeln!(out, "{text}");
        }
        let _ = out.flush();
    }

    fn end(&mut self) {
        if self.renews && self.width > 0 {
            let mut out = io::stderr().lock();
            let _ = write!(out, "\r{:<width$}\r", "", width = self.width);
            let _ = out.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use stayzr_core::model::RunMode;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_run_that_goes_on_says_how_far_it_is() {
        let mut run = SyncRun {
            id: Uuid::nil().into(),
            organization_id: Uuid::nil().into(),
            integration_id: Uuid::nil().into(),
            mode: RunMode::Backfill,
            status: RunStatus::Running,
            read: 1200,
            created: 1100,
            updated: 3,
            unchanged: 97,
            parked: 0,
            conflicts: 1,
            unknown: 0,
            gone: 0,
            error: None,
            started_at: DateTime::UNIX_EPOCH,
            finished_at: None,
        };
        let took = Duration::from_secs(8);
        assert_eq!(
            told(Some(&run), took),
            "backfill: 1200 read, 1100 made, 3 changed, 0 put aside, 1 conflicts, 8 s"
        );
        run.status = RunStatus::Completed;
        assert_eq!(told(Some(&run), took), "asking the PMS, 8 s");
    }
}
