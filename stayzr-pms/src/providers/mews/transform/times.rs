use chrono::{DateTime, SecondsFormat, Utc};

/// A mark of version: `UpdatedUtc` in one fixed width, so that later is greater as text.
pub fn version(updated: Option<DateTime<Utc>>) -> Option<String> {
    updated.map(|time| time.to_rfc3339_opts(SecondsFormat::Micros, true))
}

/// The time of day, as `HH:MM`, that an ISO 8601 duration from midnight leads to; durations of
/// more than a day and before midnight are taken round the clock. None if it is no duration of
/// days and less.
///
/// ```
/// use stayzr_pms::providers::mews::transform::clock_time;
///
/// assert_eq!(clock_time("P0M0DT15H0M0S").as_deref(), Some("15:00"));
/// assert_eq!(clock_time("PT14H").as_deref(), Some("14:00"));
/// assert_eq!(clock_time("-P0M0DT12H30M0S").as_deref(), Some("11:30"));
/// assert_eq!(clock_time("3 pm"), None);
/// ```
pub fn clock_time(duration: &str) -> Option<String> {
    let (negative, rest) = match duration.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, duration),
    };
    let (_, time) = rest.strip_prefix('P')?.split_once('T')?;
    let mut minutes = 0;
    let mut digits = String::new();
    for letter in time.chars() {
        match letter {
            '0'..='9' => digits.push(letter),
            'H' => minutes += 60 * number(&mut digits)?,
            'M' => minutes += number(&mut digits)?,
            // Rooms are not ready by the second.
            'S' | '.' => digits.clear(),
            _ => return None,
        }
    }
    let minutes = if negative { -minutes } else { minutes }.rem_euclid(24 * 60);
    Some(format!("{:02}:{:02}", minutes / 60, minutes % 60))
}

fn number(digits: &mut String) -> Option<i64> {
    let number = digits.parse::<u16>().ok().map(i64::from);
    digits.clear();
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_time_is_a_greater_text_whatever_its_fraction() {
        let mark = |time: &str| version(Some(time.parse().unwrap())).unwrap();
        assert_eq!(mark("2018-01-02T00:00:00Z"), "2018-01-02T00:00:00.000000Z");
        assert!(mark("2018-01-02T00:00:00.5Z") > mark("2018-01-02T00:00:00Z"));
        assert!(mark("2018-01-02T00:00:01Z") > mark("2018-01-02T00:00:00.999Z"));
    }
}
