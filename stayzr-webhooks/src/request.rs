use std::borrow::Cow;

use http::{HeaderMap, Method, StatusCode};

use crate::verifier::{Reason, Rejection};

/// A request as it came: nothing trimmed, decoded, merged or re-encoded.
#[derive(Debug, Clone, Copy)]
pub struct SignedRequest<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target of the request line: path and query, undecoded.
    pub target: &'a str,
    /// All headers, with duplicates.
    pub headers: &'a HeaderMap,
    /// The raw body.
    pub body: &'a [u8],
}

impl<'a> SignedRequest<'a> {
    /// The value of a security header without the spaces and tabs around it. One that is given
    /// twice is refused: two readers might pick different ones.
    pub(crate) fn header(
        &self,
        name: &str,
        statuses: &[(Reason, StatusCode)],
    ) -> Result<Option<&'a [u8]>, Rejection> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (value, None) => Ok(value.map(|value| trim(value.as_bytes()))),
            (_, Some(_)) => Err(Rejection::by_table(statuses, Reason::DuplicateHeader)),
        }
    }

    /// The same of a header that the scheme needs; `missing` is the reason without it.
    pub(crate) fn required(
        &self,
        name: &str,
        statuses: &[(Reason, StatusCode)],
        missing: Reason,
    ) -> Result<&'a [u8], Rejection> {
        self.header(name, statuses)?
            .ok_or_else(|| Rejection::by_table(statuses, missing))
    }

    /// The path of the target, undecoded.
    pub(crate) fn path(&self) -> &'a str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }

    /// All values of a query parameter, in order.
    pub(crate) fn query(
        &self,
        name: &'a str,
        plus: Plus,
    ) -> impl Iterator<Item = Cow<'a, [u8]>> + use<'a> {
        let (_, query) = self.target.split_once('?').unwrap_or_default();
        let query = query.split('#').next().unwrap_or_default();
        query.split('&').filter_map(move |pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (*decode(key, plus) == *name.as_bytes()).then(|| decode(value, plus))
        })
    }
}

/// What a plus sign in a query means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plus {
    /// A space, as HTML forms write it.
    Space,
    /// Itself, as in a token that was pasted into a URL.
    Literal,
}

fn trim(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value
        .iter()
        .position(|byte| !blank(byte))
        .unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(start, |last| last + 1);
    &value[start..end]
}

/// Undoes percent-encoding; a percent sign that encodes nothing stays.
pub(crate) fn decode(text: &str, plus: Plus) -> Cow<'_, [u8]> {
    let bytes = text.as_bytes();
    if !bytes
        .iter()
        .any(|byte| *byte == b'%' || (*byte == b'+' && plus == Plus::Space))
    {
        return Cow::Borrowed(bytes);
    }
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high << 4 | low) as u8);
                at += 3;
                continue;
            }
            (b'+', _, _) if plus == Plus::Space => decoded.push(b' '),
            _ => decoded.push(byte),
        }
        at += 1;
    }
    Cow::Owned(decoded)
}

/// Percent-encodes everything but the characters that no reader changes.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&crate::mac::hex(&[byte]).to_ascii_uppercase());
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request<'a>(
        target: &'a str,
        method: &'a Method,
        headers: &'a HeaderMap,
    ) -> SignedRequest<'a> {
        SignedRequest {
            method,
            target,
            headers,
            body: b"",
        }
    }

    #[test]
    fn a_query_is_decoded_and_repeats_are_kept() {
        let (method, headers) = (Method::GET, HeaderMap::new());
        let request = request("/a?x=1&hub%2Emode=s%20t+u&x=2&y#x=3", &method, &headers);
        let all = |name, plus| {
            request
                .query(name, plus)
                .map(|value| String::from_utf8_lossy(&value).into_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(all("x", Plus::Literal), ["1", "2"]);
        assert_eq!(all("hub.mode", Plus::Space), ["s t u"]);
        assert_eq!(all("hub.mode", Plus::Literal), ["s t+u"]);
        assert_eq!(all("y", Plus::Literal), [""]);
        assert!(all("z", Plus::Literal).is_empty());
        assert_eq!(request.path(), "/a");
    }

    #[test]
    fn percent_signs_that_encode_nothing_stay() {
        assert_eq!(&*decode("100%", Plus::Literal), b"100%");
        assert_eq!(&*decode("%zz%4", Plus::Literal), b"%zz%4");
        assert_eq!(&*decode("%ff%00", Plus::Literal), b"\xff\x00");
        assert_eq!(
            &*decode(&encode("a+b/ü %"), Plus::Space),
            "a+b/ü %".as_bytes()
        );
    }

    #[test]
    fn only_spaces_and_tabs_around_a_value_go() {
        assert_eq!(trim(b" \t a b\t"), b"a b");
        assert_eq!(trim(b"   "), b"");
    }
}
