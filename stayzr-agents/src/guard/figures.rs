//! Figures of a text in a form that can be compared: numbers, amounts, times, dates, telephone
//! numbers, addresses of mail and web.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::text;

/// Something in a text that must not be invented.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Figure {
    /// A plain number; `7,5` and `7.50` are one.
    Number(Decimal),
    /// An amount of money with its currency.
    Amount(Decimal, String),
    /// A time of day, in minutes after midnight.
    Time(u32),
    /// A day of the year: month and day.
    Date(u32, u32),
    /// Seven digits or more, as in a telephone number.
    Digits(String),
    /// An address of mail or web, in lower case.
    Address(String),
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Amount(number, currency) => write!(f, "{currency} {number}"),
            Self::Time(minutes) => write!(f, "{:02}:{:02}", minutes / 60, minutes % 60),
            Self::Date(month, day) => write!(f, "{day:02}.{month:02}."),
            Self::Digits(digits) => f.write_str(digits),
            Self::Address(address) => f.write_str(address),
        }
    }
}

/// Where a figure stands, with every way it can be read. `10.30` is a time or a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Reading {
    pub(super) figures: Vec<Figure>,
}

/// All figures of a text, in every reading.
pub fn figures(text: &str) -> BTreeSet<Figure> {
    readings(text)
        .into_iter()
        .flat_map(|reading| reading.figures)
        .collect()
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// The month that a word names, in the languages the concierge speaks.
fn month(word: &str) -> Option<u32> {
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
fn number_word(word: &str) -> Option<u32> {
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

fn currency(token: &str) -> Option<&'static str> {
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
enum Token {
    Digits(String),
    Word(String),
    Sign(char),
}

fn tokens(folded: &str) -> Vec<Token> {
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

/// Figures of a text, one entry for each place that holds one.
pub(super) fn readings(message: &str) -> Vec<Reading> {
    let folded = text::fold(message);
    let mut found = Vec::new();
    let rest = take_addresses(&folded, &mut found);
    let rest = take_phones(&rest, &mut found);
    let tokens = tokens(&rest);
    let mut at = 0;
    while at < tokens.len() {
        match &tokens[at] {
            Token::Digits(digits) => {
                let (figures, used) = read_digits(&tokens, at, digits);
                if !figures.is_empty() {
                    found.push(Reading { figures });
                }
                at += used;
            }
            Token::Word(word) => {
                if let Some(month) = month(word)
                    && let Some(Token::Digits(day)) = tokens.get(at + 1)
                    && let Some(day) = day_of(day)
                {
                    found.push(Reading {
                        figures: vec![Figure::Date(month, day)],
                    });
                    at += 2;
                    continue;
                }
                match word.as_str() {
                    "noon" | "midday" => found.push(Reading {
                        figures: vec![Figure::Time(720)],
                    }),
                    "midnight" => found.push(Reading {
                        figures: vec![Figure::Time(0), Figure::Time(1440)],
                    }),
                    _ => {
                        if let Some(number) = number_word(word) {
                            found.push(Reading {
                                figures: vec![Figure::Number(number.into())],
                            });
                        }
                    }
                }
                at += 1;
            }
            Token::Sign(_) => at += 1,
        }
    }
    found
}

fn word_at(tokens: &[Token], at: usize) -> Option<&str> {
    match tokens.get(at) {
        Some(Token::Word(word)) => Some(word),
        _ => None,
    }
}

fn currency_at(tokens: &[Token], at: usize) -> Option<&'static str> {
    match tokens.get(at) {
        Some(Token::Word(word)) => currency(word),
        Some(Token::Sign(sign)) => currency(&sign.to_string()),
        _ => None,
    }
}

fn day_of(digits: &str) -> Option<u32> {
    digits.parse().ok().filter(|day| (1..=31).contains(day))
}

/// The readings of a run of digits and how many tokens it takes.
fn read_digits(tokens: &[Token], at: usize, digits: &str) -> (Vec<Figure>, usize) {
    if let Ok(date) = digits.parse::<chrono::NaiveDate>() {
        use chrono::Datelike as _;
        return (vec![Figure::Date(date.month(), date.day())], 1);
    }
    // `7 a.m.`, `7am`, `7 pm`, `7:30 a`.
    if let Some((afternoon, used)) = half_of_day(tokens, at + 1)
        && let Some((hour, minute)) = clock(digits)
        && hour <= 12
    {
        let hour = hour % 12 + if afternoon { 12 } else { 0 };
        return (vec![Figure::Time(hour * 60 + minute)], 1 + used);
    }
    if let Some(used) = is_hour_word(tokens, at + 1)
        && let Some((hour, minute)) = clock(digits)
    {
        return (vec![Figure::Time(hour * 60 + minute)], 1 + used);
    }
    if let Some((month, used)) = month_after(tokens, at + 1)
        && let Some(day) = day_of(digits)
    {
        return (vec![Figure::Date(month, day)], 1 + used);
    }
    let money = currency_before(tokens, at).or_else(|| currency_at(tokens, at + 1));
    if let Some(code) = money
        && let Some(number) = decimal(digits)
    {
        return (vec![Figure::Amount(number, code.to_owned())], 1);
    }
    let parts: Vec<&str> = digits.split(['.', '/']).collect();
    let mut figures = Vec::new();
    if digits.contains(':') || digits.contains('h') {
        if let Some((hour, minute)) = clock(digits) {
            figures.push(Figure::Time(hour * 60 + minute));
        }
        return (figures, 1);
    }
    if parts.len() == 3 || (digits.contains('/') && parts.len() == 2) {
        let day = parts[0].parse().unwrap_or(0);
        let month = parts[1].parse().unwrap_or(0);
        if (1..=31).contains(&day) && (1..=12).contains(&month) {
            figures.push(Figure::Date(month, day));
        }
        if !digits.contains('/') || parts.len() == 3 {
            return (figures, 1);
        }
    }
    if let Some(number) = decimal(digits) {
        figures.push(Figure::Number(number));
    }
    if digits.contains('.')
        && let Some((hour, minute)) = clock(digits)
    {
        figures.push(Figure::Time(hour * 60 + minute));
    }
    if digits.contains('/') {
        // `24/7`, `1/2`: both numbers.
        figures.extend(digits.split('/').filter_map(decimal).map(Figure::Number));
    }
    (figures, 1)
}

fn currency_before(tokens: &[Token], at: usize) -> Option<&'static str> {
    at.checked_sub(1)
        .and_then(|before| currency_at(tokens, before))
}

fn half_of_day(tokens: &[Token], at: usize) -> Option<(bool, usize)> {
    match word_at(tokens, at)? {
        "am" => Some((false, 1)),
        "pm" => Some((true, 1)),
        half @ ("a" | "p") => {
            let dotted = tokens.get(at + 1) == Some(&Token::Sign('.'))
                && word_at(tokens, at + 2) == Some("m");
            // `7:30a` without a dot is a time too; `7 a day` is not.
            let glued = word_at(tokens, at + 1).is_none();
            (dotted || glued).then_some((half == "p", if dotted { 3 } else { 1 }))
        }
        _ => None,
    }
}

/// `7 Uhr`, `7h`, `7 o'clock`, `7 horas`: the hour alone.
fn is_hour_word(tokens: &[Token], at: usize) -> Option<usize> {
    matches!(
        word_at(tokens, at)?,
        "uhr" | "h" | "o'clock" | "heures" | "uur"
    )
    .then_some(1)
}

fn month_after(tokens: &[Token], at: usize) -> Option<(u32, usize)> {
    let mut used = 0;
    while matches!(tokens.get(at + used), Some(Token::Sign('.')))
        || matches!(
            word_at(tokens, at + used),
            Some("of" | "de" | "di" | "st" | "nd" | "rd" | "th" | "the")
        )
    {
        used += 1;
    }
    month(word_at(tokens, at + used)?).map(|month| (month, used + 1))
}

/// Hour and minute of `7`, `7:30`, `07h30` or `7.30`.
fn clock(digits: &str) -> Option<(u32, u32)> {
    let mut parts = digits.split([':', 'h', '.']);
    let hour = parts.next()?.parse().ok().filter(|hour| *hour <= 24)?;
    let minute = match parts.next() {
        None => 0,
        Some(minute) if minute.len() == 2 => minute.parse().ok().filter(|minute| *minute < 60)?,
        Some(_) => return None,
    };
    parts.next().is_none().then_some((hour, minute))
}

/// `1,234.50`, `1.234,50`, `9,50`, `9.5`, `1'200`.
fn decimal(digits: &str) -> Option<Decimal> {
    let digits = digits.replace('\'', "");
    let last = digits.rfind(['.', ',']);
    let plain = match last {
        None => digits.clone(),
        Some(at) => {
            let marks = digits.matches(['.', ',']).count();
            let behind = digits.len() - at - 1;
            let alike = digits.matches(&digits[at..=at]).count();
            // Three digits behind one mark group thousands; anything else is a fraction.
            if (behind == 3 && (marks == 1 || alike == marks)) || alike > 1 {
                digits.replace(['.', ','], "")
            } else {
                format!(
                    "{}.{}",
                    digits[..at].replace(['.', ','], ""),
                    &digits[at + 1..]
                )
            }
        }
    };
    plain
        .parse::<Decimal>()
        .ok()
        .map(|number| number.normalize())
}

/// Takes out addresses of mail and web, so that digits in them are not read as numbers.
fn take_addresses(folded: &str, found: &mut Vec<Reading>) -> String {
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
fn take_phones(text: &str, found: &mut Vec<Reading>) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Vec<Figure> {
        figures(text).into_iter().collect()
    }

    #[test]
    fn ways_to_write_a_time_are_one() {
        for text in [
            "7:00", "07:00", "7 am", "7am", "7 a.m.", "07h00", "7 Uhr", "7h",
        ] {
            assert_eq!(one(text), [Figure::Time(420)], "{text}");
        }
        assert_eq!(one("2:30pm"), one("14:30"));
    }

    #[test]
    fn ways_to_write_an_amount_are_one() {
        for text in [
            "EUR 19",
            "€19",
            "19,00 €",
            "19 euros",
            "EUR 19.00",
            "19 EUR",
        ] {
            assert_eq!(
                one(text),
                [Figure::Amount(19.into(), "EUR".into())],
                "{text}"
            );
        }
        assert_ne!(one("GBP 19"), one("EUR 19"));
    }

    #[test]
    fn dates_telephones_and_addresses_are_read_whole() {
        assert_eq!(one("3 December"), one("2026-12-03"));
        assert_eq!(one("December 3rd"), one("3. Dezember"));
        assert_eq!(
            one("+351 20 555 0140"),
            [Figure::Digits("351205550140".into())]
        );
        assert_eq!(
            one("spa@porto.example."),
            [Figure::Address("spa@porto.example".into())]
        );
        assert_eq!(
            one("from 7 to 9"),
            [Figure::Number(7.into()), Figure::Number(9.into())]
        );
    }
}
