use std::{fmt::Debug, panic::Location};

use crate::{Error, ErrorKind, Result};

/// What became of the scenarios of a suite.
#[derive(Debug, Default)]
#[must_use = "a report says nothing until it is asserted"]
pub struct Report {
    outcomes: Vec<(&'static str, Result<()>)>,
}

impl Report {
    /// A report without scenarios.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs a scenario and notes what became of it.
    pub async fn scenario(
        &mut self,
        name: &'static str,
        scenario: impl Future<Output = Result<()>>,
    ) {
        let outcome = scenario.await;
        self.outcomes.push((name, outcome));
    }

    /// Adds the scenarios of another report.
    pub fn join(&mut self, other: Self) {
        self.outcomes.extend(other.outcomes);
    }

    /// Scenarios that ran, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.outcomes.iter().map(|(name, _)| *name)
    }

    /// Scenarios that failed, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, &Error)> {
        let outcomes = self.outcomes.iter();
        outcomes.filter_map(|(name, outcome)| Some((*name, outcome.as_ref().err()?)))
    }

    /// Ends a test with what the suite came to.
    ///
    /// # Panics
    ///
    /// If a scenario failed, naming each and why; or if none ran.
    #[track_caller]
    pub fn assert(self) {
        assert!(!self.outcomes.is_empty(), "no scenario ran");
        let failures: Vec<String> = self
            .failures()
            .map(|(name, error)| format!("\n  {name}: {error:?}"))
            .collect();
        assert!(
            failures.is_empty(),
            "{} of {} scenarios failed:{}",
            failures.len(),
            self.outcomes.len(),
            failures.concat()
        );
    }
}

/// Fails a scenario unless this holds.
#[track_caller]
pub fn ensure(holds: bool, promise: &'static str) -> Result<()> {
    if holds {
        return Ok(());
    }
    Err(broken(promise))
}

/// Fails a scenario unless what was found is what was expected.
#[track_caller]
pub fn ensure_eq<T: PartialEq + Debug>(found: T, expected: T, promise: &'static str) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(broken(promise)
        .with("found", format!("{found:?}"))
        .with("expected", format!("{expected:?}")))
}

/// Fails a scenario unless the call failed with this kind.
#[track_caller]
pub fn ensure_kind<T: Debug>(
    result: Result<T>,
    kind: ErrorKind,
    promise: &'static str,
) -> Result<()> {
    match result {
        Err(error) if error.kind() == kind => Ok(()),
        Err(error) => Err(broken(promise).with("expected", kind).with_source(error)),
        Ok(found) => Err(broken(promise)
            .with("expected", kind)
            .with("found", format!("{found:?}"))),
    }
}

#[track_caller]
fn broken(promise: &'static str) -> Error {
    Error::internal("conformance", promise).with("at", Location::caller())
}
