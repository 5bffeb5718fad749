use chrono::{DateTime, LocalResult, NaiveDate, NaiveTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

/// How long before a moment its clock may have been changed for that to matter: more than any
/// change of clocks takes.
const CHANGE: TimeDelta = TimeDelta::hours(3);

/// A day at a local time of day. Of a time that comes twice the first is meant; one that clocks
/// leave out is as far after the change as it says.
///
/// ```
/// use stayzr_pms::providers::opera::transform::at;
///
/// let lisbon = chrono_tz::Europe::Lisbon;
/// let day = |text: &str| text.parse().unwrap();
/// let time = |hour, minute| chrono::NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
/// assert_eq!(at(lisbon, day("2026-07-01"), time(15, 0)).to_rfc3339(), "2026-07-01T14:00:00+00:00");
/// // Clocks go from 01:00 to 02:00.
/// assert_eq!(at(lisbon, day("2026-03-29"), time(1, 30)).to_rfc3339(), "2026-03-29T01:30:00+00:00");
/// ```
pub fn at(zone: Tz, day: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    let local = day.and_time(time);
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
