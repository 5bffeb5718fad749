//! Dates, nights and persons in a guest's words, in the languages the concierge speaks. What is
//! not said stays unknown.

use chrono::{Datelike, Days, NaiveDate, TimeDelta};

use super::calendar::{
    CHILDREN, MONTHS, NIGHTS, PERSONS, TODAY, TOMORROW, WEEKDAYS, is_one_of, number,
};
use crate::text;

/// A stay as far as a guest has told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct SpokenStay {
    pub(crate) arrival: Option<NaiveDate>,
    pub(crate) departure: Option<NaiveDate>,
    pub(crate) persons: Option<u32>,
}

impl SpokenStay {
    /// What an earlier message said fills what this one left open.
    pub(crate) fn or(self, earlier: Self) -> Self {
        Self {
            arrival: self.arrival.or(earlier.arrival),
            departure: self.departure.or_else(|| {
                earlier
                    .departure
                    .filter(|departure| self.arrival.is_none_or(|arrival| arrival < *departure))
            }),
            persons: self.persons.or(earlier.persons),
        }
    }
}

fn month(word: &str) -> Option<u32> {
    MONTHS
        .iter()
        .position(|names| is_one_of(names, word))
        .and_then(|at| u32::try_from(at + 1).ok())
}

/// A day of the month: `17`, `17th`, `1er`.
fn day(word: &str) -> Option<u32> {
    let digits = word
        .strip_suffix("st")
        .or_else(|| word.strip_suffix("nd"))
        .or_else(|| word.strip_suffix("rd"))
        .or_else(|| word.strip_suffix("th"))
        .or_else(|| word.strip_suffix("er"))
        .unwrap_or(word);
    if digits.len() > 2 {
        return None;
    }
    digits.parse().ok().filter(|day| (1..=31).contains(day))
}

/// The next such day of a year that is not past.
fn coming(today: NaiveDate, year: Option<i32>, month: u32, day: u32) -> Option<NaiveDate> {
    match year {
        Some(year) => NaiveDate::from_ymd_opt(year, month, day),
        None => (0..=4)
            .filter_map(|more| NaiveDate::from_ymd_opt(today.year() + more, month, day))
            .find(|date| *date >= today),
    }
}

/// All dates of a text, in its order.
pub(crate) fn dates(message: &str, today: NaiveDate) -> Vec<NaiveDate> {
    let folded = text::fold(message);
    let tokens: Vec<&str> = folded
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '?' | '!' | '\''))
        .map(|token| token.trim_matches(['.', ':', '"']))
        .filter(|token| !token.is_empty())
        .flat_map(split_range)
        .collect();
    let mut found: Vec<NaiveDate> = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let (date, used) = read_date(&tokens[at..], today);
        found.extend(date);
        at += used.max(1);
    }
    found
}

/// `17-21` of `17-21 May` is two days; `2027-05-17` and `17-05-2027` stay whole.
fn split_range(token: &str) -> Vec<&str> {
    let parts: Vec<&str> = token.split(['-', '–']).collect();
    if parts.len() == 2 && parts.iter().all(|part| !part.is_empty()) {
        parts
    } else {
        vec![token]
    }
}

fn read_date(tokens: &[&str], today: NaiveDate) -> (Option<NaiveDate>, usize) {
    let token = tokens[0];
    if let Some(date) = numeric(token, today) {
        return (Some(date), 1);
    }
    if is_one_of(TODAY, token) {
        return (Some(today), 1);
    }
    // `bom dia`, `guten Morgen` and `esta manana` greet; tomorrow they are not.
    if is_one_of(TOMORROW, token) {
        return (today.checked_add_days(Days::new(1)), 1);
    }
    if let Some((weekday, _)) = WEEKDAYS
        .iter()
        .find(|(_, names)| is_one_of(names, token.trim_end_matches("-feira")))
    {
        // `Saturday 3 December` names one day.
        let named = tokens.get(1..).map(|rest| {
            let skip = usize::from(rest.first().is_some_and(|word| *word == "the"));
            let (date, used) =
                rest.get(skip..)
                    .filter(|rest| !rest.is_empty())
                    .map_or((None, 0), |rest| {
                        if day(rest[0]).is_some() || month(rest[0]).is_some() {
                            read_date(rest, today)
                        } else {
                            (None, 0)
                        }
                    });
            (date, used + skip)
        });
        if let Some((Some(date), used)) = named {
            return (Some(date), used + 1);
        }
        let ahead =
            (7 + weekday.num_days_from_monday() - today.weekday().num_days_from_monday()) % 7;
        let ahead = if ahead == 0 { 7 } else { ahead };
        return (today.checked_add_days(Days::new(u64::from(ahead))), 1);
    }
    if let Some(month) = month(token) {
        let mut at = 1;
        while tokens
            .get(at)
            .is_some_and(|word| matches!(*word, "the" | "on"))
        {
            at += 1;
        }
        if let Some(day) = tokens.get(at).and_then(|word| day(word)) {
            let year = tokens.get(at + 1).and_then(|word| year(word));
            let used = at + 1 + usize::from(year.is_some());
            return (coming(today, year, month, day), used);
        }
        return (None, 1);
    }
    let Some(first) = day(token) else {
        return (None, 1);
    };
    let mut at = 1;
    while tokens
        .get(at)
        .is_some_and(|word| matches!(*word, "of" | "de" | "di" | "do" | "in" | "im"))
    {
        at += 1;
    }
    if let Some(month) = tokens.get(at).and_then(|word| month(word)) {
        let mut after = at + 1;
        if tokens
            .get(after)
            .is_some_and(|word| *word == "de" || *word == "del")
        {
            after += 1;
        }
        let year = tokens.get(after).and_then(|word| year(word));
        let used = if year.is_some() { after + 1 } else { at + 1 };
        return (coming(today, year, month, first), used);
    }
    // `from the 17th to the 21st of May`, `17 - 21 May`: the month stands behind the second day.
    let joined = tokens
        .iter()
        .take(7)
        .skip(1)
        .position(|word| month(word).is_some())
        .map(|found| found + 1);
    if let Some(at) = joined {
        let between = tokens[1..at].iter().all(|word| {
            day(word).is_some()
                || matches!(
                    *word,
                    "to" | "the"
                        | "until"
                        | "till"
                        | "and"
                        | "of"
                        | "a"
                        | "al"
                        | "ao"
                        | "bis"
                        | "zum"
                        | "au"
                        | "tot"
                        | "de"
                        | "e"
                        | "y"
                        | "et"
                        | "und"
                        | "en"
                        | "-"
                )
        });
        let days = tokens[1..at]
            .iter()
            .filter(|word| day(word).is_some())
            .count();
        if between && days == 1 {
            let found = month(tokens[at]);
            let year = tokens.get(at + 1).and_then(|word| year(word));
            return (found.and_then(|month| coming(today, year, month, first)), 1);
        }
    }
    (None, 1)
}

fn year(word: &str) -> Option<i32> {
    word.parse().ok().filter(|year| (2000..2100).contains(year))
}

/// `2027-05-17`, `17/05/2027`, `17.05.`, `17/5`.
fn numeric(token: &str, today: NaiveDate) -> Option<NaiveDate> {
    if let Ok(date) = token.parse::<NaiveDate>() {
        return Some(date);
    }
    let separator = ['/', '.', '-'].into_iter().find(|c| token.contains(*c))?;
    let parts: Vec<u32> = token
        .split(separator)
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    let (day, month) = match (parts.first().copied()?, parts.get(1).copied()?) {
        // Day first, as everywhere but in the United States; a 5/17 can only be theirs.
        (first, second) if second > 12 && first <= 12 => (second, first),
        (first, second) => (first, second),
    };
    let year = match parts.get(2) {
        Some(year) if *year < 100 => Some(2000 + i32::try_from(*year).ok()?),
        Some(year) => Some(i32::try_from(*year).ok()?),
        None => None,
    };
    // `10.30` is a time and `9.50` a price: without a year only a slash makes a date.
    if parts.len() == 2 && separator != '/' && !token.ends_with('.') {
        return None;
    }
    if parts.len() > 3 {
        return None;
    }
    coming(today, year, month, day)
}

/// The stay that a text speaks of.
pub(crate) fn stay(message: &str, today: NaiveDate) -> SpokenStay {
    let words = text::words(message);
    let dates = dates(message, today);
    let arrival = dates.first().copied();
    let departure = match (arrival, dates.get(1).copied(), nights(&words)) {
        (Some(arrival), Some(second), _) if second > arrival => Some(second),
        // `from Friday to Wednesday`: the second day lies in the week after.
        (Some(arrival), Some(second), _)
            if second <= arrival && (arrival - second).num_days() < 7 =>
        {
            second
                .checked_add_signed(TimeDelta::days(7))
                .filter(|later| *later > arrival)
        }
        (Some(arrival), None, Some(nights)) => arrival.checked_add_days(Days::new(nights)),
        (Some(arrival), None, None) if is_one_night(&words) => {
            arrival.checked_add_days(Days::new(1))
        }
        _ => None,
    };
    SpokenStay {
        arrival,
        departure,
        persons: persons(&words),
    }
}

fn is_one_night(words: &[String]) -> bool {
    words
        .iter()
        .any(|word| matches!(word.as_str(), "tonight" | "stasera" | "vanavond"))
}

/// Nights that a text speaks of.
pub(crate) fn nights(words: &[String]) -> Option<u64> {
    const WEEKS: &str =
        "week weeks woche wochen semana semanas semaine semaines settimana settimane weken";
    if words.iter().any(|word| word == "fortnight") {
        return Some(14);
    }
    let counted = words.windows(2).find_map(|pair| {
        let length = if is_one_of(NIGHTS, &pair[1]) {
            1
        } else if is_one_of(WEEKS, &pair[1]) {
            7
        } else {
            return None;
        };
        number(&pair[0]).map(|count| u64::from(count) * length)
    });
    counted.filter(|nights| (1..=60).contains(nights))
}

/// Adults and children that a text speaks of.
pub(crate) fn persons(words: &[String]) -> Option<u32> {
    let mut total = 0;
    for (at, word) in words.iter().enumerate().skip(1) {
        let before = number(&words[at - 1]);
        if is_one_of(PERSONS, word) || is_one_of(CHILDREN, word) {
            total += before.unwrap_or(0);
        }
    }
    for triple in words.windows(3) {
        if triple[1] == "of" && triple[2] == "us" {
            total = number(&triple[0]).unwrap_or(0);
        }
    }
    if total == 0 {
        for (at, word) in words.iter().enumerate().skip(1) {
            let counted = matches!(
                words[at - 1].as_str(),
                "for" | "fur" | "para" | "per" | "pour" | "voor" | "are"
            );
            let next = words.get(at + 1).map(String::as_str);
            let other = next.is_some_and(|next| {
                is_one_of(NIGHTS, next)
                    || month(next).is_some()
                    || matches!(
                        next,
                        "week"
                            | "weeks"
                            | "days"
                            | "day"
                            | "o"
                            | "am"
                            | "pm"
                            | "rooms"
                            | "room"
                            | "of"
                    )
            });
            if counted
                && !other
                && !matches!(
                    word.as_str(),
                    "a" | "an" | "um" | "uma" | "un" | "una" | "une" | "ein" | "eine" | "een"
                )
            {
                total = number(word).unwrap_or(0);
                if total > 0 {
                    break;
                }
            }
        }
    }
    (1..=20).contains(&total).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn stays_are_read_in_many_forms() {
        let today = date("2026-11-22");
        let cases = [
            (
                "17th May to 21st May, we are three",
                Some("2027-05-17"),
                Some("2027-05-21"),
                Some(3),
            ),
            (
                "from 2026-12-03 to 2026-12-12 for 2 adults",
                Some("2026-12-03"),
                Some("2026-12-12"),
                Some(2),
            ),
            (
                "vom 3. bis 5. Dezember für zwei Personen",
                Some("2026-12-03"),
                Some("2026-12-05"),
                Some(2),
            ),
            (
                "de 10 a 12 de dezembro, 2 pessoas",
                Some("2026-12-10"),
                Some("2026-12-12"),
                Some(2),
            ),
            (
                "tomorrow for 2 nights",
                Some("2026-11-23"),
                Some("2026-11-25"),
                None,
            ),
            (
                "3/12 - 5/12 for two",
                Some("2026-12-03"),
                Some("2026-12-05"),
                Some(2),
            ),
            (
                "December 24 until December 27, 2 adults and 1 child",
                Some("2026-12-24"),
                Some("2026-12-27"),
                Some(3),
            ),
            (
                "Friday to Sunday",
                Some("2026-11-27"),
                Some("2026-11-29"),
                None,
            ),
            ("a room for two", None, None, Some(2)),
            ("tonight", Some("2026-11-22"), Some("2026-11-23"), None),
            (
                "17-21 May 2027",
                Some("2027-05-17"),
                Some("2027-05-21"),
                None,
            ),
        ];
        for (message, arrival, departure, persons) in cases {
            let stay = stay(message, today);
            assert_eq!(stay.arrival, arrival.map(date), "arrival of {message}");
            assert_eq!(
                stay.departure,
                departure.map(date),
                "departure of {message}"
            );
            assert_eq!(stay.persons, persons, "persons of {message}");
        }
    }

    #[test]
    fn times_and_prices_are_no_dates() {
        let today = date("2026-11-22");
        for message in ["at 10.30", "for 9.50", "room 204", "7:00 to 10:30"] {
            assert_eq!(dates(message, today), [], "{message}");
        }
    }
}
