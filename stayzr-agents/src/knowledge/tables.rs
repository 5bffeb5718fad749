//! Tables: each row becomes a passage that stands for itself.

use csv::{ReaderBuilder, Trim};
use stayzr_core::Result;

use super::{
    chunk::{MAX_CHARACTERS, split_long},
    ingest::{RawPassage, invalid},
};

/// The rows of a table as passages. `Invalid` for unbalanced quotes, rows of another length than
/// the header, and a table without rows.
pub(super) fn rows(title: &str, text: &str) -> Result<Vec<RawPassage>> {
    // The reader takes an open quote to the end of the file for one value, and loses rows silently.
    if text.matches('"').count() % 2 == 1 {
        return Err(invalid("the table has a quote that is never closed"));
    }
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(text))
        .trim(Trim::All)
        .from_reader(text.as_bytes());
    let malformed = |cause: csv::Error| {
        let line = cause.position().map_or(0, csv::Position::line);
        invalid("the table is malformed: a row has more or fewer values than the header")
            .with("line", line)
            .with_source(cause)
    };
    let headers: Vec<String> = reader
        .headers()
        .map_err(malformed)?
        .iter()
        .enumerate()
        .map(|(at, header)| match header {
            "" => format!("column {}", at + 1),
            header => single_line(header),
        })
        .collect();
    let mut passages = Vec::new();
    for record in reader.records() {
        let record = record.map_err(malformed)?;
        let fields: Vec<String> = headers
            .iter()
            .zip(&record)
            .filter(|(_, value)| !value.is_empty())
            .map(|(header, value)| format!("{header}: {}", single_line(value)))
            .collect();
        passages.extend(passages_of_row(title, &fields));
    }
    if passages.is_empty() {
        return Err(invalid("the table has no rows below its header"));
    }
    Ok(passages)
}

/// One passage, or several for a row that is too long; each begins with the title and the row's
/// first value, which names what the row is about.
fn passages_of_row(title: &str, fields: &[String]) -> Vec<RawPassage> {
    let Some((name, rest)) = fields.split_first() else {
        return Vec::new();
    };
    let whole = format!("{title} — {}", fields.join("; "));
    if whole.chars().count() <= MAX_CHARACTERS {
        return vec![passage(whole)];
    }
    let name: String = name.chars().take(MAX_CHARACTERS / 4).collect();
    let opening = format!("{title} — {name}");
    let mut passages = Vec::new();
    let mut text = opening.clone();
    for piece in rest.iter().flat_map(|field| split_long(field)) {
        let grown = text.chars().count() + piece.chars().count() + 2;
        if grown > MAX_CHARACTERS && text != opening {
            passages.push(passage(std::mem::replace(&mut text, opening.clone())));
        }
        text.push_str("; ");
        text.push_str(&piece);
    }
    passages.push(passage(text));
    passages
}

fn passage(text: String) -> RawPassage {
    RawPassage {
        heading: String::new(),
        text,
    }
}

fn single_line(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The separator that the header line has most of, outside quotes.
fn delimiter(text: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    for byte in text.trim_start().bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            byte if !quoted => {
                for (separator, count) in &mut counts {
                    *count += usize::from(*separator == byte);
                }
            }
            _ => {}
        }
    }
    // The first of equals wins, so a table of one column is read with commas.
    counts
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map_or(b',', |(it, _)| it)
}

#[cfg(test)]
mod tests {
    use stayzr_core::ErrorKind;

    use super::*;

    fn texts(table: &str) -> Vec<String> {
        rows("units", table)
            .unwrap()
            .into_iter()
            .map(|row| row.text)
            .collect()
    }

    #[test]
    fn each_row_stands_for_itself() {
        assert_eq!(
            texts("unit,wifi code,note\n4B,\"blue, sky\",\n5A,red,\"two\nlines\"\n\n"),
            [
                "units — unit: 4B; wifi code: blue, sky",
                "units — unit: 5A; wifi code: red; note: two lines",
            ]
        );
    }

    #[test]
    fn semicolons_and_tabs_part_values_too() {
        assert_eq!(texts("a;b\n1,5;2\n"), ["units — a: 1,5; b: 2"]);
        assert_eq!(texts("a\tb\n1\t2\n"), ["units — a: 1; b: 2"]);
        assert_eq!(texts("name\nPool\n"), ["units — name: Pool"]);
    }

    #[test]
    fn malformed_tables_are_refused() {
        for (table, reason) in [
            ("a,b\n1,2,3\n", "malformed"),
            ("a,b\n1\n", "malformed"),
            ("a,b\n\"1,2\n3,4\n", "never closed"),
            ("a,b\n", "no rows"),
        ] {
            let error = rows("t", table).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(reason), "{table:?}: {error}");
        }
        let error = rows("t", "a,b\n1,2\n3\n").unwrap_err();
        assert!(error.to_string().contains("line=3"), "{error}");
    }

    #[test]
    fn a_long_row_repeats_what_it_is_about() {
        let long = "word ".repeat(500);
        let parts = texts(&format!("unit,note\n4B,{long}\n"));
        assert!(parts.len() > 1);
        assert!(
            parts
                .iter()
                .all(|part| part.starts_with("units — unit: 4B; "))
        );
        assert!(
            parts
                .iter()
                .all(|part| part.chars().count() <= 2 * MAX_CHARACTERS)
        );
    }
}
