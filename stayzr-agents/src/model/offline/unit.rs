//! The sentences and rows of a passage, as they are compared and as they are said.

use std::collections::HashSet;

use crate::text;

/// The value of a row's first column.
pub(super) fn row_name(row: &str) -> &str {
    let cells = row.split_once(" — ").map_or(row, |(_, cells)| cells);
    let first = cells.split([';', '|']).next().unwrap_or(cells);
    first
        .split_once(": ")
        .map_or(first, |(_, name)| name)
        .trim()
}

/// A row of a table as a person would say it: `Garage – underground; open 24 hours; EUR 24 a night`.
/// Names of columns stay where a value says nothing without them.
pub(super) fn readable(unit: &str) -> String {
    const PLAIN: &[&str] = &[
        "detail",
        "description",
        "price",
        "hours",
        "kind",
        "distance",
        "distance or time",
        "served",
        "duration",
        "opening hours",
    ];
    if !is_row(unit) {
        return unit.to_owned();
    }
    let rest = unit.split_once(" — ").map_or(unit, |(_, rest)| rest);
    let mut said: Vec<String> = Vec::new();
    for (at, cell) in rest.split("; ").enumerate() {
        match cell.split_once(": ") {
            Some((label, value)) if at == 0 && !label.contains(' ') => {
                said.push(value.to_owned());
            }
            Some((label, value)) if PLAIN.contains(&label) => said.push(value.to_owned()),
            _ => said.push(cell.to_owned()),
        }
    }
    match said.split_first() {
        Some((first, rest)) if !rest.is_empty() => format!("{first} – {}.", rest.join("; ")),
        _ => unit.to_owned(),
    }
}

/// Sentences of prose; lines of tables and lists stay whole.
pub(super) fn units(passage: &str) -> Vec<&str> {
    passage
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#') && line.chars().any(char::is_lowercase))
        .flat_map(|line| {
            if is_row(line) {
                vec![line]
            } else {
                text::sentences(line)
            }
        })
        .collect()
}

/// `item: Super Bock; price: EUR 4.20`, `a | b | c`: a row.
pub(super) fn is_row(line: &str) -> bool {
    line.contains(" | ")
        || line.matches(": ").count() >= 2
        || (line.contains(" — ") && line.contains(": "))
}

pub(super) fn shorten(unit: &str) -> String {
    const LIMIT: usize = 320;
    let unit = unit.trim_start_matches(['-', '*', '•', ' ']).trim();
    if unit.chars().count() <= LIMIT {
        return unit.to_owned();
    }
    let cut: String = unit.chars().take(LIMIT).collect();
    match cut.rfind(' ') {
        Some(at) => format!("{}…", &cut[..at]),
        None => cut,
    }
}

pub(super) fn overlaps(a: &str, b: &str) -> bool {
    let a: HashSet<String> = text::words(a).into_iter().collect();
    let b: HashSet<String> = text::words(b).into_iter().collect();
    let shared = a.intersection(&b).count();
    let smaller = a.len().min(b.len()).max(1);
    shared * 10 >= smaller * 9
}
