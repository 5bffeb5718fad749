use std::{collections::VecDeque, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};

/// A sliding window of calls, and what it saw: the vendor's own count of its limit.
#[derive(Debug)]
pub(super) struct Window {
    limit: usize,
    span: TimeDelta,
    calls: VecDeque<DateTime<Utc>>,
    /// Calls that were refused.
    pub(super) refused: u64,
    /// The most calls that stood in it at once.
    pub(super) most: usize,
}

impl Window {
    /// A window that lets `limit` calls through in any `span`.
    pub(super) fn new(limit: usize, span: Duration) -> Self {
        Self {
            limit,
            span: TimeDelta::from_std(span).unwrap_or_default(),
            calls: VecDeque::new(),
            refused: 0,
            most: 0,
        }
    }

    /// Counts a call. False where the limit is reached.
    pub(super) fn admit(&mut self, now: DateTime<Utc>) -> bool {
        while self.calls.front().is_some_and(|at| *at + self.span <= now) {
            self.calls.pop_front();
        }
        if self.calls.len() >= self.limit {
            self.refused += 1;
            return false;
        }
        self.calls.push_back(now);
        self.most = self.most.max(self.calls.len());
        true
    }

    /// Whole seconds until the oldest call has left it.
    pub(super) fn wait_seconds(&self, now: DateTime<Utc>) -> i64 {
        let oldest = self.calls.front();
        let left = oldest.map_or(0, |at| (*at + self.span - now).num_milliseconds());
        left.max(0) / 1000 + 1
    }
}
