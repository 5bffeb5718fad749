//! Cuts a text into digits, words and signs, and takes out what is read whole: addresses of mail and
//! web, and telephone numbers.

use super::figures::{Figure, Reading};

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// The month that a word names, in the languages the concierge speaks.
pub(super) fn month(word: &str) -> Option<u32> {
    const LONG: [&[&str]; 12] = [
        &[
            "january", "januar", "janner", "janeiro", "enero", "janvier", "gennaio", "januari",
        ],
        &[
            "february",
            "februar",
            "fevereiro",
            "febrero",
            "fevrier",
            "febbraio",
            "februari",
        ],
        &["march", "marz", "marco", "marzo", "mars", "maart"],
        &["april", "abril", "avril", "aprile"],
        &["mai", "maio", "mayo", "maggio", "mei"],
        &["june", "juni", "junho", "junio", "juin", "giugno"],
        &["july", "juli", "julho", "julio", "juillet", "luglio"],
        &["august", "agosto", "aout", "augustus"],
        &[
            "september",
            "sept",
            "setembro",
            "septiembre",
            "septembre",
            "settembre",
        ],
        &[
            "october", "oktober", "outubro", "octubre", "octobre", "ottobre", "okt",
        ],
        &["november", "novembro", "noviembre", "novembre"],
        &[
            "december",
            "dezember",
            "dezembro",
            "diciembre",
            "decembre",
            "dicembre",
            "dez",
        ],
    ];
    (0..12)
        .find(|at| MONTHS[*at] == word || LONG[*at].contains(&word))
        .and_then(|at| u32::try_from(at + 1).ok())
}

/// Words that are numbers and nothing else.
pub(super) fn number_word(word: &str) -> Option<u32> {
    Some(match word {
        "two" | "zwei" | "deux" | "twee" | "dois" | "duas" | "twice" => 2,
        "three" | "drei" | "trois" | "drie" | "tres" => 3,
        "four" | "vier" | "quatre" | "quatro" | "cuatro" | "quattro" => 4,
        "five" | "funf" | "cinq" | "cinco" | "cinque" | "vijf" => 5,
        "six" | "sechs" | "seis" | "zes" => 6,
        "seven" | "sieben" | "sete" | "siete" | "sette" | "zeven" => 7,
        "eight" | "acht" | "oito" | "ocho" | "huit" | "otto" => 8,
        "nine" | "neun" | "nueve" | "negen" => 9,
        "ten" | "zehn" | "diez" | "dix" | "dieci" | "tien" => 10,
        "eleven" | "elf" | "onze" | "undici" => 11,
        "twelve" | "zwolf" | "doze" | "doce" | "douze" | "dodici" | "twaalf" => 12,
        "fifteen" | "funfzehn" | "quinze" | "quince" | "quindici" | "vijftien" => 15,
        "twenty" | "zwanzig" | "vinte" | "veinte" | "vingt" | "venti" | "twintig" => 20,
        "thirty" | "dreissig" | "trinta" | "treinta" | "trente" | "trenta" | "dertig" => 30,
        "fifty" | "funfzig" | "cinquenta" | "cincuenta" | "cinquante" | "cinquanta" => 50,
        "hundred" | "hundert" | "cem" | "cien" | "cento" | "honderd" => 100,
        _ => return None,
    })
}

pub(super) fn currency(token: &str) -> Option<&'static str> {
    Some(match token {
        "€" | "eur" | "euro" | "euros" => "EUR",
        "£" | "gbp" | "pound" | "pounds" | "pfund" | "libras" => "GBP",
        "$" | "usd" | "dollar" | "dollars" => "USD",
        "chf" | "francs" | "franken" => "CHF",
        "czk" | "crowns" | "kronen" => "CZK",
        _ => return None,
    })
}

/// A piece of a text: a run of digits with the marks inside it, a word, or a sign.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Digits(String),
    Word(String),
    Sign(char),
}

pub(super) fn tokens(folded: &str) -> Vec<Token> {
    let chars: Vec<char> = folded.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if c.is_ascii_digit() {
            let start = at;
            while at < chars.len()
                && (chars[at].is_ascii_digit()
                    || (matches!(chars[at], '.' | ',' | ':' | '/' | '\'')
                        && chars.get(at + 1).is_some_and(char::is_ascii_digit))
                    // `2027-05-17` is one token, `7-9` is two.
                    || (chars[at] == '-' && at - start == 4 && iso_ahead(&chars[at..]))
                    || (chars[at] == '-' && at - start == 7 && chars[start + 4] == '-'
                        && chars.get(at + 1).is_some_and(char::is_ascii_digit))
                    // `07h00`
                    || (chars[at] == 'h' && at - start <= 2
                        && chars.get(at + 1).is_some_and(char::is_ascii_digit)))
            {
                at += 1;
            }
            tokens.push(Token::Digits(chars[start..at].iter().collect()));
        } else if c.is_alphabetic() {
            let start = at;
            while at < chars.len() && (chars[at].is_alphabetic() || chars[at] == '\'') {
                at += 1;
            }
            tokens.push(Token::Word(chars[start..at].iter().collect()));
        } else {
            if !c.is_whitespace() {
                tokens.push(Token::Sign(c));
            }
            at += 1;
        }
    }
    tokens
}

fn iso_ahead(rest: &[char]) -> bool {
    rest.len() >= 6
        && rest[1].is_ascii_digit()
        && rest[2].is_ascii_digit()
        && rest[3] == '-'
        && rest[4].is_ascii_digit()
}

/// Takes out addresses of mail and web, so that digits in them are not read as numbers.
pub(super) fn take_addresses(folded: &str, found: &mut Vec<Reading>) -> String {
    folded
        .split_whitespace()
        .map(|word| {
            let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
            let web = bare.starts_with("http") || bare.starts_with("www.");
            if bare.contains('@') || web {
                let address = bare
                    .trim_start_matches("https://")
                    .trim_start_matches("http://")
                    .trim_start_matches("www.")
                    .trim_end_matches('/');
                found.push(Reading {
                    figures: vec![Figure::Address(address.to_owned())],
                });
                " "
            } else {
                word
            }
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// Takes out telephone numbers: a plus or seven digits and more, with marks between.
pub(super) fn take_phones(text: &str, found: &mut Vec<Reading>) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut rest = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let plus = chars[at] == '+' && chars.get(at + 1).is_some_and(char::is_ascii_digit);
        let starts = plus
            || (chars[at].is_ascii_digit()
                && (at == 0 || !(chars[at - 1].is_alphanumeric() || chars[at - 1] == '.')));
        if starts {
            let mut end = at + usize::from(plus);
            let mut digits = String::new();
            while end < chars.len()
                && (chars[end].is_ascii_digit()
                    || (matches!(chars[end], ' ' | '-' | '/' | '(' | ')')
                        && chars[end + 1..].iter().take(2).any(char::is_ascii_digit)
                        && (plus || chars[end] == ' ')))
            {
                if chars[end].is_ascii_digit() {
                    digits.push(chars[end]);
                }
                end += 1;
            }
            let next_is_mark = chars.get(end).is_some_and(|c| matches!(c, ':' | ',' | '.'))
                && chars.get(end + 1).is_some_and(char::is_ascii_digit);
            if digits.len() >= 7
                && (plus || !next_is_mark)
                && (plus || digits.starts_with('0') || digits.len() >= 9)
            {
                found.push(Reading {
                    figures: vec![Figure::Digits(digits)],
                });
                at = end;
                rest.push(' ');
                continue;
            }
        }
        rest.push(chars[at]);
        at += 1;
    }
    rest
}
