//! Figures of a text in a form that can be compared: numbers, amounts, times, dates, telephone
//! numbers, addresses of mail and web.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::scan::{Token, currency, month, number_word, take_addresses, take_phones, tokens};
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
