use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use crate::failure::Failure;

/// Where a command's result goes: one JSON document, or text for people, on standard output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints the result of a command.
    pub(crate) fn result(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        let content = if self.json {
            serde_json::to_string_pretty(value).map_err(|error| {
                Failure::new("internal", format!("the result cannot be written: {error}"))
            })?
        } else {
            text()
        };
        print(&content);
        Ok(())
    }

    /// Prints why a command failed: text on standard error or, with `--json`, a document.
    pub(crate) fn failure(self, failure: &Failure) {
        if self.json {
            let error = json!({"error": {"code": failure.code, "message": failure.message}});
            print(&error.to_string());
        } else {
            let _ = writeln!(
                io::stderr(),
                "error: {} [{}]",
                failure.message,
                failure.code
            );
        }
    }
}

/// Prints to standard output. A reader that has gone away, as `head` does, is no failure.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", text.trim_end_matches('\n'));
    let _ = out.flush();
}

/// A field's value in a cell: text as it is, one line of at most 60 characters.
pub(crate) fn cell(value: &Value) -> String {
    const WIDEST: usize = 60;
    let text = match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    if text.chars().count() <= WIDEST {
        return text;
    }
    let mut short: String = text.chars().take(WIDEST - 1).collect();
    short.push('…');
    short
}

/// Lines of columns, padded to the widest cell.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    let mut lines = vec![line(head.to_vec())];
    for row in rows {
        lines.push(line(row.iter().map(String::as_str).collect()));
    }
    lines.join("\n")
}
