use std::{fmt, panic::Location};

use stayzr_core::Error;

/// What became of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The promise is kept.
    Pass,
    /// It does not apply, for this reason.
    Skip(String),
    /// It is broken, in this way.
    Fail(String),
}

/// Why a scenario ends early.
#[derive(Debug)]
pub enum Stop {
    /// It does not apply. For what a provider declares this counts as a failure.
    Skip(String),
    /// The promise is broken.
    Fail(String),
}

/// What a scenario ends with.
pub type Outcome = Result<(), Stop>;

impl From<Error> for Stop {
    #[track_caller]
    fn from(error: Error) -> Self {
        fail(format!("an unexpected error: {error}"))
    }
}

/// A failure, with the place in the kit that found it.
#[track_caller]
pub(super) fn fail(why: impl fmt::Display) -> Stop {
    let at = Location::caller();
    Stop::Fail(format!("{why} (at {}:{})", at.file(), at.line()))
}

/// Fails unless this holds.
#[track_caller]
pub(super) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds {
        Ok(())
    } else {
        Err(fail(otherwise()))
    }
}

/// What the scenarios came to.
#[derive(Debug, Default)]
#[must_use = "a report says nothing until it is asserted"]
pub struct Report {
    verdicts: Vec<(&'static str, Verdict)>,
}

impl Report {
    pub(super) fn push(&mut self, name: &'static str, verdict: Verdict) {
        self.verdicts.push((name, verdict));
    }

    /// Every scenario with its verdict, in order.
    pub fn verdicts(&self) -> impl Iterator<Item = (&'static str, &Verdict)> {
        self.verdicts.iter().map(|(name, verdict)| (*name, verdict))
    }

    /// Scenarios that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        let failed = |(name, verdict): (&'static str, &Verdict)| {
            matches!(verdict, Verdict::Fail(_)).then_some(name)
        };
        self.verdicts().filter_map(failed).collect()
    }

    /// Scenarios that passed.
    pub fn passed(&self) -> Vec<&'static str> {
        let passed =
            |(name, verdict): (&'static str, &Verdict)| (*verdict == Verdict::Pass).then_some(name);
        self.verdicts().filter_map(passed).collect()
    }

    /// Ends a test with the report.
    ///
    /// # Panics
    ///
    /// If a scenario failed, or if none passed. The message is the whole report.
    #[track_caller]
    pub fn assert(self) {
        assert!(
            self.failed().is_empty() && !self.passed().is_empty(),
            "the provider does not conform\n{self}"
        );
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, verdict) in self.verdicts() {
            match verdict {
                Verdict::Pass => writeln!(f, "pass  {name}")?,
                Verdict::Skip(why) => writeln!(f, "skip  {name}: {why}")?,
                Verdict::Fail(why) => writeln!(f, "FAIL  {name}: {why}")?,
            }
        }
        let (passed, failed) = (self.passed().len(), self.failed().len());
        let skipped = self.verdicts.len() - passed - failed;
        write!(f, "{passed} passed, {skipped} skipped, {failed} failed")
    }
}
