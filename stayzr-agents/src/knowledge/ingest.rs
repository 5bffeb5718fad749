//! Files taken in: told apart by type, checked, and cut into passages.

use stayzr_core::{Error, Result};

use super::{chunk, enrich::title_of, tables};

/// The largest file that is taken in, in bytes: 2 MiB, which is a book of a thousand pages.
pub const MAX_CONTENT_BYTES: usize = 2 << 20;

/// The most passages that one file may give.
pub const MAX_PASSAGES: usize = 5_000;

/// A passage before it has an id, an owner and a vector.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawPassage {
    /// The headings above it, outermost first, joined by ` › `; empty where there are none.
    pub heading: String,
    /// The passage.
    pub text: String,
}

/// A file that has been read and cut.
///
/// - Markdown is cut at its headings; a section longer than 1,000 characters at blocks and
///   sentences. The path of headings is kept beside each passage.
/// - Plain text is cut at blank lines; a short line without a full stop above a paragraph goes
///   with it; a paragraph longer than 1,000 characters is cut at sentences.
/// - In CSV (comma, semicolon or tab) each row is a passage that stands for itself:
///   `title — header: value; header: value`, where the title comes from the file name.
///
/// ```
/// use stayzr_agents::knowledge::Ingest;
///
/// let file = Ingest::read("spa-prices.csv", "text/csv", b"treatment,price\nMassage,80 EUR\n")?;
/// assert_eq!(file.passages[0].text, "spa prices — treatment: Massage; price: 80 EUR");
/// # Ok::<(), stayzr_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingest {
    /// `text/plain`, `text/markdown` or `text/csv`.
    pub content_type: &'static str,
    /// The whole text, without a byte order mark.
    pub content: String,
    /// Its passages in order; at least one.
    pub passages: Vec<RawPassage>,
}

impl Ingest {
    /// Reads a file of at most [`MAX_CONTENT_BYTES`] in UTF-8. The type may carry parameters; where
    /// it is empty or `application/octet-stream` the ending of the file name decides.
    ///
    /// [`stayzr_core::ErrorKind::Invalid`] for a bad file name, an unknown type or character set,
    /// an empty or too large file, bytes that are not UTF-8, and a malformed table.
    pub fn read(file_name: &str, content_type: &str, content: &[u8]) -> Result<Self> {
        check_file_name(file_name)?;
        let content_type = known_type(file_name, content_type)?;
        if content.len() > MAX_CONTENT_BYTES {
            return Err(invalid("the file is too large")
                .with("bytes", content.len())
                .with("limit", MAX_CONTENT_BYTES));
        }
        let text = std::str::from_utf8(content).map_err(|cause| {
            invalid("the file is not UTF-8 text").with("first_bad_byte", cause.valid_up_to())
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if text.contains('\0') {
            return Err(invalid("the file holds a zero byte; it is not text"));
        }
        if text.trim().is_empty() {
            return Err(invalid("the file is empty"));
        }
        let text = text.replace("\r\n", "\n");
        let passages = match content_type {
            "text/markdown" => chunk::markdown(&text),
            "text/csv" => tables::rows(&title_of(file_name), &text)?,
            _ => chunk::plain(&text),
        };
        if passages.is_empty() {
            return Err(invalid("the file holds no passage"));
        }
        if passages.len() > MAX_PASSAGES {
            return Err(invalid("the file gives too many passages; split it")
                .with("passages", passages.len())
                .with("limit", MAX_PASSAGES));
        }
        Ok(Self {
            content_type,
            content: text,
            passages,
        })
    }
}

pub(super) fn invalid(message: &'static str) -> Error {
    Error::invalid("knowledge.ingest", message)
}

fn check_file_name(file_name: &str) -> Result<()> {
    if file_name.trim().is_empty() || file_name.chars().count() > 255 {
        return Err(invalid("a file name has 1 to 255 characters"));
    }
    if file_name.chars().any(char::is_control) {
        return Err(invalid("a file name holds no control characters"));
    }
    Ok(())
}

fn known_type(file_name: &str, content_type: &str) -> Result<&'static str> {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    for parameter in parts {
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim().eq_ignore_ascii_case("charset")
            && !["utf-8", "utf8", "us-ascii"]
                .contains(&value.trim().trim_matches('"').to_ascii_lowercase().as_str())
        {
            return Err(invalid("only UTF-8 is taken in").with("content_type", content_type));
        }
    }
    match essence.as_str() {
        "text/markdown" | "text/x-markdown" => return Ok("text/markdown"),
        "text/csv" | "application/csv" | "text/tab-separated-values" => return Ok("text/csv"),
        "text/plain" => return Ok("text/plain"),
        "" | "application/octet-stream" => {}
        _ => {
            return Err(
                invalid("the type must be text/plain, text/markdown or text/csv")
                    .with("content_type", content_type),
            );
        }
    }
    let ending = file_name.rsplit_once('.').map_or("", |(_, ending)| ending);
    match ending.to_ascii_lowercase().as_str() {
        "md" | "markdown" => Ok("text/markdown"),
        "csv" | "tsv" => Ok("text/csv"),
        "txt" | "text" => Ok("text/plain"),
        _ => Err(
            invalid("the file name must end in .md, .txt or .csv where no type is given")
                .with("file_name", file_name),
        ),
    }
}

#[cfg(test)]
mod tests {
    use stayzr_core::ErrorKind;

    use super::*;

    fn refusal(name: &str, content_type: &str, content: &[u8]) -> String {
        let error = Ingest::read(name, content_type, content).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.message().to_owned()
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_the_reason() {
        assert_eq!(refusal("a.txt", "text/plain", b" \n "), "the file is empty");
        assert_eq!(
            refusal("a.txt", "text/plain", b"\xef\xbb\xbf"),
            "the file is empty"
        );
        assert!(refusal("a.txt", "text/plain", b"caf\xe9").contains("UTF-8"));
        assert!(refusal("a.txt", "text/plain", b"a\0b").contains("zero byte"));
        assert!(refusal("a.pdf", "application/pdf", b"x").contains("text/markdown"));
        assert!(refusal("a.bin", "", b"x").contains(".md"));
        assert!(refusal("a.txt", "text/plain; charset=latin1", b"x").contains("UTF-8"));
        assert!(refusal("", "text/plain", b"x").contains("file name"));
        let large = vec![b'a'; MAX_CONTENT_BYTES + 1];
        assert!(refusal("a.txt", "text/plain", &large).contains("too large"));
    }

    #[test]
    fn the_ending_decides_where_no_type_is_given() {
        let kind = |name| Ingest::read(name, "", b"a,b\n1,2\n").unwrap().content_type;
        assert_eq!(kind("x.md"), "text/markdown");
        assert_eq!(kind("x.CSV"), "text/csv");
        assert_eq!(kind("x.txt"), "text/plain");
    }
}
