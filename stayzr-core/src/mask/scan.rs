use std::{borrow::Cow, ops::Range};

use super::card::{Grouping, is_card};

/// Bytes to replace, in order and apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) at: Range<usize>,
    pub(super) with: &'static [u8],
}

/// The bytes with the edits done.
pub(super) fn replace<'a>(bytes: &'a [u8], edits: &[Edit]) -> Cow<'a, [u8]> {
    if edits.is_empty() {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for edit in edits {
        out.extend_from_slice(&bytes[done..edit.at.start]);
        out.extend_from_slice(edit.with);
        done = edit.at.end;
    }
    out.extend_from_slice(&bytes[done..]);
    Cow::Owned(out)
}

/// What masks every card number in the bytes.
pub(super) fn cards(bytes: &[u8], json: bool) -> Vec<Edit> {
    let mut scan = Scan {
        bytes,
        json,
        in_string: false,
        text: 0..0,
        key: None,
        run: Run::default(),
        edits: Vec::new(),
    };
    scan.all();
    scan.edits
}

/// The character at a place and how many bytes it takes. Escapes are those of JSON strings; bytes
/// that are not UTF-8 stand for nothing.
pub(super) fn char_at(bytes: &[u8], at: usize, escapes: bool) -> (char, usize) {
    let rest = &bytes[at..];
    match rest {
        [b'\\', b'u', code @ ..] if escapes && code.len() >= 4 => {
            let code = std::str::from_utf8(&code[..4])
                .ok()
                .and_then(|hex| u32::from_str_radix(hex, 16).ok())
                .and_then(char::from_u32);
            (code.unwrap_or(char::REPLACEMENT_CHARACTER), 6)
        }
        [b'\\', b't', ..] if escapes => ('\t', 2),
        [b'\\', _, ..] if escapes => (char::REPLACEMENT_CHARACTER, 2),
        [byte, ..] if byte.is_ascii() => (char::from(*byte), 1),
        _ => {
            let longest = rest.len().min(4);
            (2..=longest)
                .find_map(|length| {
                    let text = std::str::from_utf8(&rest[..length]).ok()?;
                    Some((text.chars().next()?, length))
                })
                .unwrap_or((char::REPLACEMENT_CHARACTER, 1))
        }
    }
}

/// The value of a decimal digit of a script that guests write in.
pub(super) fn digit(c: char) -> Option<u8> {
    // ASCII, Arabic-Indic, Extended Arabic-Indic, Devanagari, Bengali, Thai, full width.
    const ZEROS: [char; 7] = ['0', '٠', '۰', '०', '০', '๐', '０'];
    ZEROS.iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(*zero))?;
        u8::try_from(value).ok().filter(|value| *value < 10)
    })
}

fn is_separator(c: char) -> bool {
    matches!(
        c,
        ' ' | '-' | '\t' | '\u{a0}' | '\u{2009}' | '\u{2010}'
            ..='\u{2015}' | '\u{202f}' | '\u{2212}'
    )
}

/// Digits with at most a few separators between them.
#[derive(Default)]
struct Run {
    digits: Vec<u8>,
    places: Vec<Range<usize>>,
    /// Where each group begins, as an index into `digits`.
    groups: Vec<usize>,
    /// Separators since the last digit.
    separators: usize,
}

impl Run {
    fn push(&mut self, value: u8, place: Range<usize>) {
        if self.digits.is_empty() || self.separators > 0 {
            self.groups.push(self.digits.len());
        }
        self.separators = 0;
        self.digits.push(value);
        self.places.push(place);
    }

    fn clear(&mut self) {
        self.digits.clear();
        self.places.clear();
        self.groups.clear();
        self.separators = 0;
    }

    /// Card numbers as ranges of digits: whole groups, the longest first.
    fn cards(&self) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let bounds: Vec<usize> = self
            .groups
            .iter()
            .copied()
            .chain([self.digits.len()])
            .collect();
        let mut first = 0;
        while first + 1 < bounds.len() {
            let card = (first + 1..bounds.len()).rev().find(|last| {
                let range = bounds[first]..bounds[*last];
                if !(13..=19).contains(&range.len()) {
                    return false;
                }
                let lengths: Vec<usize> = bounds[first..=*last]
                    .windows(2)
                    .map(|pair| pair[1] - pair[0])
                    .collect();
                is_card(&self.digits[range], Grouping::of(&lengths))
            });
            match card {
                Some(last) => {
                    found.push(bounds[first]..bounds[last]);
                    first = last;
                }
                None => first += 1,
            }
        }
        found
    }
}

struct Scan<'a> {
    bytes: &'a [u8],
    json: bool,
    in_string: bool,
    /// The string of JSON that was read last, without its quotes.
    text: Range<usize>,
    /// The key whose value is being read.
    key: Option<Range<usize>>,
    run: Run,
    edits: Vec<Edit>,
}

impl Scan<'_> {
    fn all(&mut self) {
        let mut at = 0;
        while at < self.bytes.len() {
            let (c, length) = char_at(self.bytes, at, self.in_string);
            let next = at + length;
            if let Some(value) = digit(c) {
                self.run.push(value, at..next);
            } else if is_separator(c) && (self.in_string || !self.json) {
                self.run.separators += 1;
                if self.run.separators > 3 {
                    self.flush();
                }
            } else {
                self.flush();
                if self.json && length == 1 {
                    self.structure(c, at);
                }
            }
            at = next;
        }
        self.flush();
    }

    /// Follows the structure of JSON: strings, keys and their values.
    fn structure(&mut self, c: char, at: usize) {
        match (self.in_string, c) {
            (true, '"') => {
                self.in_string = false;
                self.text.end = at;
            }
            (false, '"') => {
                self.in_string = true;
                self.text = at + 1..at + 1;
            }
            (false, ':') => self.key = Some(self.text.clone()),
            (false, ',' | '{' | '[' | '}' | ']') => self.key = None,
            _ => {}
        }
    }

    /// Ends a run and masks the cards in it.
    fn flush(&mut self) {
        if self.run.digits.len() >= 13 {
            for card in self.run.cards() {
                let places = &self.run.places[card.clone()];
                let whole = places[0].start..places[places.len() - 1].end;
                if self.is_id(&whole) {
                    continue;
                }
                if self.json && !self.in_string {
                    self.edits.push(Edit {
                        at: whole,
                        with: b"0",
                    });
                    continue;
                }
                let masked = &places[..places.len() - 4];
                self.edits.extend(masked.iter().map(|place| Edit {
                    at: place.clone(),
                    with: b"*",
                }));
            }
        }
        self.run.clear();
    }

    fn is_id(&self, at: &Range<usize>) -> bool {
        is_in_uuid(self.bytes, at) || is_in_word(self.bytes, at) || self.is_value_of_id(at)
    }

    /// Whether the digits are the whole value of a key that names ids. Meta's ids of accounts have
    /// as many digits as cards.
    fn is_value_of_id(&self, at: &Range<usize>) -> bool {
        let Some(key) = self.key.as_ref().map(|key| &self.bytes[key.clone()]) else {
            return false;
        };
        let names_id = key == b"id" || key.ends_with(b"_id") || key.ends_with(b"Id");
        let is_whole = !self.in_string
            || (at.start == self.text.start && self.bytes.get(at.end) == Some(&b'"'));
        names_id && is_whole
    }
}

/// Whether the digits stand between letters, as in a hash or in base64.
fn is_in_word(bytes: &[u8], at: &Range<usize>) -> bool {
    let before = at.start.checked_sub(1).map(|index| bytes[index]);
    // The letter of an escape such as `\n` ends a line, not a word.
    let escaped = at.start >= 2 && bytes[at.start - 2] == b'\\';
    let after = bytes.get(at.end);
    before.is_some_and(|byte| byte.is_ascii_alphabetic() && !escaped)
        && after.is_some_and(u8::is_ascii_alphabetic)
}

/// Whether the digits are a part of a UUID.
pub(super) fn is_in_uuid(bytes: &[u8], at: &Range<usize>) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    let start = bytes[..at.start]
        .iter()
        .rposition(|byte| !is_part(byte))
        .map_or(0, |index| index + 1);
    let end = bytes[at.end..]
        .iter()
        .position(|byte| !is_part(byte))
        .map_or(bytes.len(), |index| at.end + index);
    let token = &bytes[start..end];
    token.len() == 36
        && token
            .iter()
            .enumerate()
            .all(|(index, byte)| (*byte == b'-') == matches!(index, 8 | 13 | 18 | 23))
}
