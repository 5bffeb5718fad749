use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::{Error, Result};

use super::{
    client::PAGE,
    wire::{Interval, Limitation},
};

/// The longest span Mews takes is three months, the shortest three of which have 89 days. One is
/// left for widening.
pub(super) const LONGEST_SPAN: TimeDelta = TimeDelta::days(88);

/// A span is not cut below this after a 408.
const SHORTEST_SPAN: TimeDelta = TimeDelta::minutes(10);

/// The end of a span is moved by this, since a clock of Mews may be ahead of the one that made it.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// Where a walk through a list stands. Spans of time are walked from the newest back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// The walk as a whole; none where the list is not walked by time.
    span: Option<Span>,
    /// Mews' cursor in the part that is read now.
    cursor: Option<String>,
    /// Records on a page.
    count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Span {
    /// Where the walk ends.
    floor: DateTime<Utc>,
    /// The end of the part that is read now.
    end: DateTime<Utc>,
    /// How long parts are, in seconds. A part that was read lets the next be twice as long.
    part: i64,
}

impl Span {
    fn new(start: DateTime<Utc>, end: DateTime<Utc>) -> Self {
        let second = TimeDelta::seconds(1);
        Self {
            floor: start.duration_trunc(second).unwrap_or(start),
            end: end.duration_trunc(second).unwrap_or(end) + second + SKEW,
            part: LONGEST_SPAN.num_seconds(),
        }
    }

    fn start(&self) -> DateTime<Utc> {
        self.floor.max(self.end - TimeDelta::seconds(self.part))
    }
}

impl Position {
    pub(super) fn start(changed: Option<(DateTime<Utc>, DateTime<Utc>)>) -> Self {
        Self {
            span: changed.map(|(start, end)| Span::new(start, end)),
            cursor: None,
            count: PAGE,
        }
    }

    pub(super) fn parse(value: &Value) -> Result<Self> {
        Self::deserialize(value).map_err(|error| {
            Error::invalid("mews.fetch_page", "not a position of this provider").with_source(error)
        })
    }

    pub(super) fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    pub(super) fn updated(&self) -> Option<Interval> {
        self.span
            .as_ref()
            .map(|span| Interval::new(span.start(), span.end))
    }

    pub(super) fn limitation(&self) -> Option<Limitation> {
        Some(Limitation {
            count: self.count,
            cursor: self.cursor.clone(),
        })
    }

    /// What follows a page with this cursor; none once everything is read.
    pub(super) fn next(&self, cursor: Option<String>) -> Option<Self> {
        if cursor.is_some() {
            return Some(Self {
                cursor,
                ..self.clone()
            });
        }
        let span = self.span?;
        (span.start() > span.floor).then(|| Self {
            span: Some(Span {
                end: span.start(),
                part: (span.part * 2).min(LONGEST_SPAN.num_seconds()),
                ..span
            }),
            cursor: None,
            count: self.count,
        })
    }

    /// The same place with less to ask for, after a 408; none if it cannot be less. A part that is
    /// cut is read from its start: reading a record twice does no harm.
    pub(super) fn lighter(&self) -> Option<Self> {
        if let Some(span) = self.span {
            let length = span.end - span.start();
            if length > SHORTEST_SPAN {
                return Some(Self {
                    span: Some(Span {
                        part: (length / 2).num_seconds(),
                        ..span
                    }),
                    cursor: None,
                    count: self.count,
                });
            }
        }
        (self.count > 50).then(|| Self {
            count: self.count / 2,
            ..self.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn walk(mut position: Position) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let mut parts = Vec::new();
        loop {
            let span = position.span.unwrap();
            parts.push((span.start(), span.end));
            match position.next(None) {
                Some(next) => position = next,
                None => return parts,
            }
        }
    }

    #[test]
    fn a_long_span_is_walked_back_in_parts_without_gaps_that_mews_takes() {
        let (start, end) = (time("2024-01-01T00:00:00Z"), time("2026-03-01T12:00:00.4Z"));
        let parts = walk(Position::start(Some((start, end))));
        assert!(parts[0].1 > end);
        assert_eq!(parts.last().unwrap().0, start);
        for (from, to) in &parts {
            assert!(*to - *from <= TimeDelta::days(89), "{from} {to}");
        }
        for pair in parts.windows(2) {
            assert_eq!(pair[0].0, pair[1].1);
        }
    }

    #[test]
    fn the_second_that_a_span_ends_in_is_read_too() {
        let (start, end) = (
            time("2026-03-01T12:00:00.9Z"),
            time("2026-03-01T12:05:00.1Z"),
        );
        let position = Position::start(Some((start, end)));
        let interval = position.updated().unwrap();
        assert_eq!(interval.start_utc, "2026-03-01T12:00:00Z");
        assert_eq!(interval.end_utc, "2026-03-01T12:06:01Z");
    }

    #[test]
    fn a_query_that_is_too_heavy_becomes_lighter_until_it_cannot() {
        let (start, end) = (time("2026-01-01T00:00:00Z"), time("2026-03-01T00:00:00Z"));
        let mut position = Position::start(Some((start, end)));
        let mut steps = 0;
        while let Some(lighter) = position.lighter() {
            let parts = walk(lighter.clone());
            assert_eq!(parts.last().unwrap().0, start, "nothing is skipped");
            position = lighter;
            steps += 1;
        }
        assert!((5..40).contains(&steps), "{steps}");
        // Growing again, a part is at most twice the one that was light enough.
        let parts = walk(position.clone());
        for pair in parts.windows(2) {
            let length = |part: (DateTime<Utc>, DateTime<Utc>)| part.1 - part.0;
            assert!(length(pair[1]) <= length(pair[0]) * 2);
        }
        let whole = Position::start(None);
        assert_eq!(whole.lighter().unwrap().count, PAGE / 2);
    }

    #[test]
    fn a_position_survives_being_stored() {
        let (start, end) = (time("2026-01-01T00:00:00Z"), time("2026-03-01T00:00:00Z"));
        let position = Position::start(Some((start, end)))
            .next(Some("c".to_owned()))
            .unwrap();
        assert_eq!(Position::parse(&position.json()).unwrap(), position);
        assert!(Position::parse(&Value::from(1)).is_err());
    }
}
