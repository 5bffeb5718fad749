//! Text as the router, the guard and the offline model compare it.

use std::{
    collections::{HashMap, HashSet},
    sync::{LazyLock, OnceLock},
};

use rust_stemmers::{Algorithm, Stemmer};

/// Lower case without diacritics, with plain apostrophes, so that `Café` and `cafe` are one word.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase) {
        match character {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ą' => folded.push('a'),
            'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => folded.push('e'),
            'ì' | 'í' | 'î' | 'ï' => folded.push('i'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ő' => folded.push('o'),
            'ù' | 'ú' | 'û' | 'ü' | 'ů' | 'ű' => folded.push('u'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'ñ' | 'ń' | 'ň' => folded.push('n'),
            'ý' | 'ÿ' => folded.push('y'),
            'š' | 'ś' => folded.push('s'),
            'ž' | 'ź' | 'ż' => folded.push('z'),
            'ł' => folded.push('l'),
            'ß' => folded.push_str("ss"),
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            '’' | '‘' | '´' | '`' => folded.push('\''),
            '\u{300}'..='\u{36f}' => {}
            other => folded.push(other),
        }
    }
    folded
}

/// The folded words of a text. `don't` stays whole, `hotel's` is `hotel`, `l'hôtel` is `l hotel`.
pub(crate) fn words(text: &str) -> Vec<String> {
    let folded = fold(text);
    let mut words = Vec::new();
    for piece in folded.split(|c: char| !(c.is_alphanumeric() || c == '\'')) {
        let piece = piece.trim_matches('\'');
        if piece.is_empty() {
            continue;
        }
        match piece.split_once('\'') {
            None => words.push(piece.to_owned()),
            Some((head, "s")) => words.push(head.to_owned()),
            Some((_, "t" | "m" | "re" | "ll" | "ve" | "d")) => words.push(piece.to_owned()),
            Some((head, rest)) => {
                words.push(head.to_owned());
                words.push(rest.replace('\'', ""));
            }
        }
    }
    words
}

/// `check-in` and `check in` are one word, as are `wi-fi`, `room service` and others that a hotel
/// writes both ways. The result is folded.
pub(crate) fn join_compounds(text: &str) -> String {
    let mut joined = fold(text);
    for (from, to) in [
        ("check-in", "checkin"),
        ("check in", "checkin"),
        ("check-out", "checkout"),
        ("check out", "checkout"),
        ("checking in", "checkin"),
        ("checking out", "checkout"),
        ("wi-fi", "wifi"),
        ("wi fi", "wifi"),
        ("room-service", "roomservice"),
        ("room service", "roomservice"),
        ("dry clean", "dryclean"),
        ("front desk", "frontdesk desk"),
        ("smoke-free", "smoking"),
        ("smoke free", "smoking"),
        ("non-smoking", "nonsmoking"),
        ("barrier-free", "accessible"),
        ("barrier free", "accessible"),
    ] {
        if joined.contains(from) {
            joined = joined.replace(from, to);
        }
    }
    joined
}

/// Folded words and phrases, found by their first word. A word with `*` matches every word that it
/// begins.
#[derive(Debug)]
pub(crate) struct PhraseSet {
    list: &'static str,
    index: OnceLock<PhraseIndex>,
}

#[derive(Debug, Default)]
struct PhraseIndex {
    /// Phrases by their first word.
    exact: HashMap<&'static str, Vec<&'static str>>,
    /// Phrases whose first word ends in `*`.
    open: Vec<&'static str>,
}

impl PhraseSet {
    /// The phrases of a list, parted by commas.
    pub(crate) const fn new(list: &'static str) -> Self {
        Self {
            list,
            index: OnceLock::new(),
        }
    }

    fn index(&self) -> &PhraseIndex {
        self.index.get_or_init(|| {
            let mut index = PhraseIndex::default();
            for phrase in self.list.split(',').map(str::trim) {
                match phrase.split_whitespace().next() {
                    None => {}
                    Some(first) if first.ends_with('*') => index.open.push(phrase),
                    Some(first) => index.exact.entry(first).or_default().push(phrase),
                }
            }
            index
        })
    }

    /// The first phrase that stands in `words`, and where it begins.
    pub(crate) fn find(&self, words: &[String]) -> Option<(usize, &'static str)> {
        let index = self.index();
        (0..words.len()).find_map(|at| {
            let rest = &words[at..];
            index
                .exact
                .get(words[at].as_str())
                .into_iter()
                .flatten()
                .chain(&index.open)
                .find(|phrase| begins_with(rest, phrase))
                .map(|phrase| (at, *phrase))
        })
    }

    /// Whether one of the phrases stands in `words`.
    pub(crate) fn is_in(&self, words: &[String]) -> bool {
        self.find(words).is_some()
    }
}

fn begins_with(words: &[String], phrase: &str) -> bool {
    let mut words = words.iter();
    phrase.split_whitespace().all(|want| {
        words
            .next()
            .is_some_and(|word| match want.strip_suffix('*') {
                Some(prefix) => word.starts_with(prefix),
                None => word == want,
            })
    })
}

/// The stem of a folded word. English stems serve every language here: both sides of a comparison
/// are cut the same way, and knowledge is mostly English.
pub(crate) fn stem(word: &str) -> String {
    if word.chars().any(|c| c.is_ascii_digit()) {
        return word.to_owned();
    }
    Stemmer::create(Algorithm::English).stem(word).into_owned()
}

/// Words that carry no topic, in the languages the concierge speaks.
pub(crate) fn is_stop_word(word: &str) -> bool {
    const STOP: &str = "a about also am an and any are as at be been but by can could d did do does for from get \
        give go had has have hello hi how i i'd i'm if in is it its know like l many may me \
        might much must my need of on or our please should so some tell that the their them \
        there they this to us want was we were what what's when where which who will with would \
        you your yours o os um uma de da dos das e que qual quando onde como quanto para por com \
        no na nos nas ha tem ao eu el la los las un una y del cual cuando donde cuanto cuesta \
        custa con en es hay der die ein eine und ist wann wo wie viel gibt im zu mit fur den dem \
        ich sie haben kostet le les des du et est quel quelle quand ou combien pour avec dans il \
        lo gli di che quale dove per nel nella het een van wat hoe waar wanneer er ik voor met \
        op te not than then too into";
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| STOP.split_whitespace().collect());
    WORDS.contains(word)
}

/// The sentences of a text: a line break, or `.`, `!`, `?` before white space, ends one. Dots of
/// abbreviations and decimals do not.
pub(crate) fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut start = 0;
    let bytes = text.as_bytes();
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        let ends = match character {
            '\n' => true,
            '!' | '?' | '…' => bytes.get(end).is_none_or(u8::is_ascii_whitespace),
            '.' => {
                bytes.get(end).is_none_or(u8::is_ascii_whitespace)
                    && !is_abbreviation(&text[start..at], text[end..].trim_start())
            }
            _ => false,
        };
        if ends {
            push_trimmed(&mut found, &text[start..end]);
            start = end;
        }
    }
    push_trimmed(&mut found, &text[start..]);
    found
}

fn push_trimmed<'a>(found: &mut Vec<&'a str>, piece: &'a str) {
    let piece = piece.trim();
    if piece.chars().any(char::is_alphanumeric) {
        found.push(piece);
    }
}

fn is_abbreviation(before: &str, after: &str) -> bool {
    let last = before
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if matches!(
        last.as_str(),
        "e.g" | "i.e" | "st" | "no" | "mr" | "mrs" | "ms" | "dr" | "approx"
    ) {
        // `No.` and `no.` may also end a sentence; a number behind it decides.
        return last != "no" || after.starts_with(|c: char| c.is_ascii_digit());
    }
    // `10 a.m. to noon` goes on in lower case, `12. Dezember` after a number.
    let time =
        matches!(last.as_str(), "a.m" | "p.m") || last.ends_with("a.m") || last.ends_with("p.m");
    (time && after.starts_with(char::is_lowercase))
        || (!last.is_empty()
            && last.len() <= 2
            && last.chars().all(|c| c.is_ascii_digit())
            && after.starts_with(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_split() {
        assert_eq!(
            words("Don't! L'hôtel's Café"),
            ["don't", "l", "hotels", "cafe"]
        );
        assert_eq!(words("the hotel's pool"), ["the", "hotel", "pool"]);
    }

    #[test]
    fn sentences_survive_times_and_decimals() {
        let text = "Open from 7 a.m. to 10.30 daily. It costs EUR 9.50. Ring 9!";
        assert_eq!(
            sentences(text),
            [
                "Open from 7 a.m. to 10.30 daily.",
                "It costs EUR 9.50.",
                "Ring 9!"
            ]
        );
    }

    #[test]
    fn a_star_matches_a_beginning() {
        let words = words("Ich möchte zwei Handtücher");
        assert!(PhraseSet::new("kissen, handtuch*").is_in(&words));
        assert_eq!(
            PhraseSet::new("zwei handtuch*").find(&words),
            Some((2, "zwei handtuch*"))
        );
        assert!(!PhraseSet::new("zwei hand").is_in(&words));
    }
}
