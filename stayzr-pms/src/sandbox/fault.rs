use std::time::Duration;

use http::header;
use serde::{Deserialize, Serialize};

use super::server::Reply;

/// How a sandbox misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// `stale_read`: a read is answered from the state before each record's last change.
    StaleRead,
    /// `error_NNN`: this status, without an effect.
    Error(u16),
    /// `error_after_NNN`: this status and nothing else, after the effect, as from a gateway that gave
    /// up too early.
    ErrorAfter(u16),
    /// `rate_limit`: the limit is reached, as the vendor says it; with 429 and `Retry-After` where
    /// `retry_after` is given. Without an effect.
    RateLimit,
    /// `cut_before`: the connection closes before the effect.
    CutBefore,
    /// `cut`: the connection closes after the effect.
    Cut,
    /// `timeout`: no answer, after the effect.
    Timeout,
    /// `malformed`: JSON that ends in its middle, after the effect.
    Malformed,
    /// `half`: half of the announced body, then the connection closes, after the effect.
    Half,
    /// `slow_NNN`: the answer comes so many milliseconds late, after the effect.
    Slow(Duration),
    /// `expired_token`: the token ends before this call, which is refused. Where tokens have no end,
    /// the call is refused all the same.
    ExpiredToken,
    /// `html`: a web page in place of an answer, without an effect.
    Html,
    /// Something happens to events on their way instead of to a call.
    Events(EventFault),
}

/// What happens to the next events that are given or sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventFault {
    /// `drop_event`: the first of them is lost.
    Drop,
    /// `duplicate_event`: the first of them comes twice.
    Duplicate,
    /// `reorder_events`: they come in the opposite order.
    Reorder,
}

impl FaultKind {
    /// The kind of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "stale_read" => Self::StaleRead,
            "rate_limit" => Self::RateLimit,
            "cut_before" => Self::CutBefore,
            "cut" => Self::Cut,
            "timeout" => Self::Timeout,
            "malformed" => Self::Malformed,
            "half" => Self::Half,
            "expired_token" => Self::ExpiredToken,
            "html" => Self::Html,
            "drop_event" => Self::Events(EventFault::Drop),
            "duplicate_event" => Self::Events(EventFault::Duplicate),
            "reorder_events" => Self::Events(EventFault::Reorder),
            other => {
                if let Some(wait) = other.strip_prefix("slow_") {
                    return Some(Self::Slow(Duration::from_millis(wait.parse().ok()?)));
                }
                match other.strip_prefix("error_after_") {
                    Some(status) => Self::ErrorAfter(failure(status)?),
                    None => Self::Error(failure(other.strip_prefix("error_")?)?),
                }
            }
        })
    }

    /// What is answered in place of an effect; none where the call goes on. `refuse` says a status in
    /// the vendor's words.
    pub(super) fn instead(self, fault: &Fault, refuse: impl Fn(u16) -> Reply) -> Option<Reply> {
        match self {
            Self::Error(status) => Some(refuse(status)),
            Self::ExpiredToken => Some(refuse(401)),
            Self::RateLimit => Some(match &fault.retry_after {
                Some(wait) => refuse(429).with_header(header::RETRY_AFTER, wait),
                None => refuse(429),
            }),
            Self::CutBefore => Some(Reply::Cut),
            Self::Html => Some(Reply::page()),
            Self::StaleRead
            | Self::ErrorAfter(_)
            | Self::Cut
            | Self::Timeout
            | Self::Malformed
            | Self::Half
            | Self::Slow(_)
            | Self::Events(_) => None,
        }
    }
}

/// A status that says that something failed.
fn failure(status: &str) -> Option<u16> {
    let status = status.parse().ok()?;
    (400..=599).contains(&status).then_some(status)
}

/// A fault that is to happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The name of its [`FaultKind`].
    pub kind: String,
    /// The vendor's operation, with dots or slashes, or the start of it; none for any.
    #[serde(default)]
    pub operation: Option<String>,
    /// How many calls it happens to.
    #[serde(default = "once")]
    pub count: u32,
    /// For `rate_limit`: the value of `Retry-After`.
    #[serde(default)]
    pub retry_after: Option<String>,
}

fn once() -> u32 {
    1
}

/// Faults in the order in which they were asked for.
#[derive(Debug, Default)]
pub(super) struct FaultPlan(Vec<Fault>);

impl FaultPlan {
    /// Adds a fault, if its kind exists.
    pub(super) fn add(&mut self, fault: Fault) -> Result<(), String> {
        if FaultKind::parse(&fault.kind).is_none() {
            return Err(format!("no such kind of fault: {}", fault.kind));
        }
        self.0.push(fault);
        Ok(())
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// What happens to a call of this operation, if anything does.
    pub(super) fn take(&mut self, operation: &str, reads: bool) -> Option<(FaultKind, Fault)> {
        self.first(|kind, fault| {
            let fits = match kind {
                FaultKind::StaleRead => reads,
                FaultKind::Events(_) => false,
                _ => true,
            };
            let wanted = fault.operation.as_deref();
            fits && wanted.is_none_or(|wanted| names(wanted, operation))
        })
    }

    /// Does to events that are about to be given what was asked for, and returns those that are lost.
    pub(super) fn bend<T: Clone>(&mut self, events: &mut Vec<T>) -> Vec<T> {
        let mut lost = Vec::new();
        while !events.is_empty() {
            let found = self.first(|kind, _| matches!(kind, FaultKind::Events(_)));
            match found {
                Some((FaultKind::Events(EventFault::Drop), _)) => lost.push(events.remove(0)),
                Some((FaultKind::Events(EventFault::Duplicate), _)) => {
                    events.insert(0, events[0].clone());
                }
                Some((FaultKind::Events(EventFault::Reorder), _)) => events.reverse(),
                _ => break,
            }
        }
        lost
    }

    /// Takes the first fault for which this holds.
    fn first(&mut self, fits: impl Fn(FaultKind, &Fault) -> bool) -> Option<(FaultKind, Fault)> {
        let found = self.0.iter().enumerate().find_map(|(index, fault)| {
            let kind = FaultKind::parse(&fault.kind)?;
            (fault.count > 0 && fits(kind, fault)).then_some((index, kind))
        });
        let (index, kind) = found?;
        let fault = &mut self.0[index];
        fault.count -= 1;
        let taken = fault.clone();
        if taken.count == 0 {
            self.0.remove(index);
        }
        Some((kind, taken))
    }
}

fn names(wanted: &str, operation: &str) -> bool {
    let dotted = |name: &str| name.replace('/', ".");
    dotted(operation).starts_with(&dotted(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_happens_as_often_as_asked_to_the_operation_it_names() {
        let mut plan = FaultPlan::default();
        let fault = |kind: &str, operation: Option<&str>, count| Fault {
            kind: kind.to_owned(),
            operation: operation.map(str::to_owned),
            count,
            retry_after: None,
        };
        plan.add(fault("stale_read", None, 1)).unwrap();
        plan.add(fault("error_500", Some("customers.update"), 2))
            .unwrap();
        assert!(plan.add(fault("error_200", None, 1)).is_err());
        assert!(plan.add(fault("earthquake", None, 1)).is_err());
        assert!(plan.add(fault("slow_soon", None, 1)).is_err());
        let mut kind = |operation: &str, reads| plan.take(operation, reads).map(|(kind, _)| kind);
        assert_eq!(kind("customers/update", false), Some(FaultKind::Error(500)));
        assert_eq!(kind("customers/getAll", true), Some(FaultKind::StaleRead));
        assert_eq!(kind("customers/getAll", true), None);
        assert_eq!(kind("customers/update", false), Some(FaultKind::Error(500)));
        assert_eq!(kind("customers/update", false), None);
    }

    #[test]
    fn events_are_lost_repeated_and_turned_round_and_calls_are_not() {
        let mut plan = FaultPlan::default();
        for kind in ["drop_event", "duplicate_event", "reorder_events"] {
            let json = serde_json::json!({"kind": kind});
            plan.add(serde_json::from_value(json).unwrap()).unwrap();
        }
        assert_eq!(plan.take("customers/getAll", true), None);
        assert_eq!(plan.bend(&mut Vec::<u8>::new()), [0; 0]);
        let mut events = vec![1, 2, 3];
        assert_eq!(plan.bend(&mut events), [1]);
        assert_eq!(events, [3, 2, 2]);
        assert_eq!(plan.bend(&mut events), [0; 0]);
    }
}
