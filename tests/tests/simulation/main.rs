//! The synchronisation, simulated: the real engine, queue, flows and merge over a store in memory
//! and a clock that is moved by hand, against a vendor that lags, forgets, repeats and fails, with
//! processes that are interrupted at any call of a port. One number makes a whole story.
//!
//! `STAYZR_SIMULATION_SEEDS` says how many stories, `STAYZR_SIMULATION_FIRST` with which to begin. A
//! story that fails is told, made as short as it still fails, and told again.

#![allow(
    unreachable_pub,
    reason = "a test is one crate; its modules only share"
)]

mod faults;
mod kept;
mod model;
mod oracle;
mod pause;
mod script;
mod wire;
mod world;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use faults::{FAULTS, Fault};
use script::Script;
use world::World;

/// Tells a script to its end; what broke, if something did.
fn tell(script: &Script, fault: Option<Fault>) -> Result<(), String> {
    let told = catch_unwind(AssertUnwindSafe(|| {
        let mut world = World::open(script, fault);
        world
            .furnish(script)
            .and_then(|()| script.steps.iter().try_for_each(|step| world.step(step)))
            .and_then(|()| world.settle())
            .and_then(|()| oracle::judge(&mut world))
            .and_then(|()| oracle::quiet(&mut world))
    }));
    told.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panic: {}", text.unwrap_or_default()))
    })
}

/// The same story without the steps that it fails without.
fn shortest(script: &Script) -> Script {
    let mut shortest = script.clone();
    let mut size = shortest.steps.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < shortest.steps.len() {
            let mut shorter = shortest.clone();
            let end = (at + size).min(shorter.steps.len());
            shorter.steps.drain(at..end);
            match tell(&shorter, None) {
                Err(_) => shortest = shorter,
                Ok(()) => at = end,
            }
        }
        size /= 2;
    }
    shortest
}

fn story(seed: u64, script: &Script, why: &str) -> String {
    let short = shortest(script);
    let again = tell(&short, None).err().unwrap_or_default();
    let steps: Vec<String> = short
        .steps
        .iter()
        .map(|step| format!("  {step:?}"))
        .collect();
    format!(
        "seed {seed} ({} steps): {why}\nas short as it fails: {again}\n  {} skew {}\n{}",
        script.steps.len(),
        short.strategy,
        short.skew,
        steps.join("\n")
    )
}

fn setting(name: &str, default: u64) -> u64 {
    let value = std::env::var(name).ok();
    value
        .and_then(|value| value.parse().ok())
        .unwrap_or(default)
}

/// Tells all stories once, on every core, and says what broke in the first few that did.
fn broken() -> &'static [String] {
    static BROKEN: OnceLock<Vec<String>> = OnceLock::new();
    BROKEN.get_or_init(|| {
        let first = setting("STAYZR_SIMULATION_FIRST", 0);
        let last = first + setting("STAYZR_SIMULATION_SEEDS", 1_000);
        let next = AtomicU64::new(first);
        let found = Mutex::new(Vec::new());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..cores {
                scope.spawn(|| {
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= last || found.lock().is_ok_and(|found| found.len() >= 5) {
                            return;
                        }
                        let script = Script::of(seed);
                        if let Err(why) = tell(&script, None) {
                            let story = story(seed, &script, &why);
                            if let Ok(mut found) = found.lock() {
                                found.push(story);
                            }
                        }
                    }
                });
            }
        });
        found.into_inner().unwrap_or_default()
    })
}

/// Fails if a story broke by an oracle of this letter, or in no way that has one.
fn holds(letter: &str) {
    let of_letter: Vec<&String> = broken()
        .iter()
        .filter(|story| {
            let why = story.split("): ").nth(1).unwrap_or_default();
            let named = why.get(1..2) == Some(":");
            why.starts_with(letter) || !named
        })
        .collect();
    assert!(
        of_letter.is_empty(),
        "{}",
        of_letter
            .iter()
            .map(|story| story.as_str())
            .collect::<Vec<_>>()
            .join("\n\n")
    );
}

#[test]
fn invariant_b_no_interleaving_loses_an_edit_and_both_sides_converge() {
    holds("B");
}

#[test]
fn invariant_c_a_quiet_hotel_is_not_written_and_the_vendor_is_told_nothing() {
    holds("C");
}

#[test]
fn invariant_d_every_job_comes_to_an_end() {
    holds("D");
}

#[test]
fn invariant_g_no_window_sees_more_calls_than_the_vendor_allows() {
    holds("G");
}

#[test]
fn invariant_u_an_unknown_value_is_no_failure() {
    holds("U");
}

/// Stories that once failed.
#[test]
fn what_failed_once_does_not_fail_again() {
    for (seed, why) in kept::KEPT {
        let told = tell(&Script::of(*seed), None);
        assert_eq!(told, Ok(()), "seed {seed}: {why}");
    }
}

/// The simulation can fail: an engine with any of these faults is caught.
#[test]
fn every_seeded_fault_is_caught() {
    const PATIENCE: u64 = 1_500;
    let next = AtomicU64::new(0);
    let escaped = Mutex::new(Vec::new());
    let told = Mutex::new(Vec::new());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(fault) = usize::try_from(at).ok().and_then(|at| FAULTS.get(at)) else {
                        return;
                    };
                    let caught = (0..PATIENCE).find_map(|seed| {
                        let why = tell(&Script::of(seed), Some(*fault)).err()?;
                        Some((seed, why))
                    });
                    match caught {
                        Some((seed, why)) => {
                            let why: String = why.chars().take(120).collect();
                            told.lock()
                                .unwrap()
                                .push(format!("{fault:?}: seed {seed}: {why}"));
                        }
                        None => escaped.lock().unwrap().push(*fault),
                    }
                }
            });
        }
    });
    let told = told.into_inner().unwrap();
    println!("{}", told.join("\n"));
    let escaped = escaped.into_inner().unwrap();
    assert!(
        escaped.is_empty(),
        "not caught: {escaped:?}\ncaught:\n{}",
        told.join("\n")
    );
}
