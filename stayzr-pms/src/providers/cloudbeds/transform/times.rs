use chrono::{
    DateTime, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, SecondsFormat, TimeDelta,
    TimeZone, Utc,
};
use chrono_tz::Tz;

/// How long before a moment its clock may have been changed for that to matter: more than any
/// change of clocks takes.
const CHANGE: TimeDelta = TimeDelta::hours(3);

/// A local time without an offset as a moment. Of a time that comes twice the first is meant; one
/// that clocks leave out is as far after the change as it says.
///
/// ```
/// use stayzr_pms::providers::cloudbeds::transform::from_local;
///
/// let lisbon = chrono_tz::Europe::Lisbon;
/// let at = |text: &str| from_local(lisbon, text.parse().unwrap()).to_rfc3339();
/// assert_eq!(at("2026-07-01T15:00:00"), "2026-07-01T14:00:00+00:00");
/// // Clocks go from 01:00 to 02:00.
/// assert_eq!(at("2026-03-29T01:30:00"), "2026-03-29T01:30:00+00:00");
/// // Clocks go from 02:00 back to 01:00.
/// assert_eq!(at("2026-10-25T01:30:00"), "2026-10-25T00:30:00+00:00");
/// ```
pub fn from_local(zone: Tz, local: NaiveDateTime) -> DateTime<Utc> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => time.to_utc(),
        LocalResult::None => {
            let before = zone
                .offset_from_local_datetime(&(local - CHANGE))
                .earliest();
            let offset = before.map_or(TimeDelta::zero(), |offset| {
                TimeDelta::seconds(i64::from(offset.fix().local_minus_utc()))
            });
            (local - offset).and_utc()
        }
    }
}

/// A day at a local time of day.
pub fn at(zone: Tz, day: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    from_local(zone, day.and_time(time))
}

/// A mark of version from a local time; none in the hour that comes twice, where a later time may
/// be the smaller text.
pub fn local_version(zone: Tz, local: NaiveDateTime) -> Option<String> {
    match zone.from_local_datetime(&local) {
        LocalResult::Ambiguous(..) => None,
        _ => Some(version(from_local(zone, local))),
    }
}

/// A mark of version: a moment in one fixed width, so that later is greater as text.
pub fn version(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A span as the local times between which every moment of it reads. Where clocks go back within
/// reach, the span is widened by as much.
pub fn local_span(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> (String, String) {
    let offset = |time: DateTime<Utc>| {
        zone.offset_from_utc_datetime(&time.naive_utc())
            .fix()
            .local_minus_utc()
    };
    let back = |before: DateTime<Utc>, after: DateTime<Utc>| {
        TimeDelta::seconds(i64::from((offset(before) - offset(after)).max(0)))
    };
    let start = from.with_timezone(&zone).naive_local() - back(from, from + CHANGE);
    let end = to.with_timezone(&zone).naive_local() + back(to - CHANGE, to);
    let text = |time: NaiveDateTime| time.format("%Y-%m-%d %H:%M:%S").to_string();
    (text(start), text(end))
}

/// A time of day of Cloudbeds, `15:00:00` or `15:00`.
pub fn time_of_day(text: &str) -> Option<NaiveTime> {
    let text = text.trim();
    ["%H:%M:%S", "%H:%M"]
        .iter()
        .find_map(|format| NaiveTime::parse_from_str(text, format).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn every_moment_of_a_span_reads_within_its_local_times_even_when_clocks_go_back() {
        let zone = chrono_tz::America::New_York;
        // Clocks go back from 02:00 to 01:00 at 06:00Z.
        let start = utc("2026-11-01T04:00:00Z");
        for minutes in (0..240).step_by(7) {
            for length in [1_i64, 20, 61, 150] {
                let from = start + TimeDelta::minutes(minutes);
                let to = from + TimeDelta::minutes(length);
                let (first, last) = local_span(zone, from, to);
                for step in 0..=length {
                    let moment = (from + TimeDelta::minutes(step)).with_timezone(&zone);
                    let text = moment.format("%Y-%m-%d %H:%M:%S").to_string();
                    assert!(first <= text && text <= last, "{first} {text} {last}");
                }
            }
        }
    }

    #[test]
    fn a_mark_never_goes_back_in_the_hour_that_comes_twice() {
        let zone = chrono_tz::America::New_York;
        let mark = |text: &str| local_version(zone, text.parse().unwrap());
        assert_eq!(mark("2026-11-01T01:50:00"), None);
        assert!(mark("2026-11-01T02:00:00").unwrap() > mark("2026-11-01T00:59:59").unwrap());
        assert_eq!(
            mark("2026-07-01T08:00:00").unwrap(),
            "2026-07-01T12:00:00.000000Z"
        );
    }

    #[test]
    fn times_of_day_are_read_with_and_without_seconds() {
        assert_eq!(time_of_day("16:00"), time_of_day("16:00:00"));
        assert_eq!(time_of_day("4 pm"), None);
        assert_eq!(time_of_day(""), None);
    }
}
