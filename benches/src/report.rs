//! What a benchmark found, for people and for programs.

use serde_json::{Value, json};

/// A benchmark's results.
#[derive(Debug)]
pub(crate) struct Report {
    /// Its name.
    pub(crate) bench: &'static str,
    /// Its measurements.
    pub(crate) results: Vec<Measurement>,
}

/// One measurement beside its baseline.
#[derive(Debug)]
pub(crate) struct Measurement {
    /// What was measured.
    pub(crate) name: String,
    /// Stayzr.
    pub(crate) stayzr: f64,
    /// The baseline.
    pub(crate) baseline: f64,
    /// What the baseline is.
    pub(crate) baseline_name: &'static str,
    /// The unit of both.
    pub(crate) unit: &'static str,
}

impl Measurement {
    fn ratio(&self) -> f64 {
        self.stayzr / self.baseline
    }

    fn json(&self) -> Value {
        json!({"name": self.name, "stayzr": self.stayzr, "baseline": self.baseline,
               "baseline_name": self.baseline_name, "unit": self.unit, "ratio": self.ratio()})
    }
}

impl Report {
    /// Prints the report: one JSON document, or a line for each measurement.
    #[allow(clippy::print_stdout, reason = "printing is what this program does")]
    pub(crate) fn print(&self, as_json: bool) {
        if as_json {
            let results: Vec<Value> = self.results.iter().map(Measurement::json).collect();
            println!(
                "{}",
                json!({"bench": self.bench, "results": results, "machine": machine()})
            );
            return;
        }
        for found in &self.results {
            println!(
                "{:<40} {:>12.3} {} · {}: {:.3} {} · ratio {:.3}",
                found.name,
                found.stayzr,
                found.unit,
                found.baseline_name,
                found.baseline,
                found.unit,
                found.ratio()
            );
        }
    }
}

/// Says what is wrong, on standard error.
#[allow(clippy::print_stderr, reason = "printing is what this program does")]
pub(crate) fn complain(why: &str) {
    eprintln!("{why}");
}

fn machine() -> Value {
    let model = std::fs::read_to_string("/proc/cpuinfo")
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned());
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    json!({"os": std::env::consts::OS, "arch": std::env::consts::ARCH, "cores": cores, "cpu": model})
}

/// The middle of a list of measurements.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
