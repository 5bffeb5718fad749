use stayzr_core::model::{Escalation, EscalationAction, Signal};

/// From this score on a person takes over.
pub const ESCALATE_AT: f64 = 0.7;
/// From this score on staff keep an eye on it.
pub const MONITOR_AT: f64 = 0.35;

/// What is known about a turn when it is weighed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Situation {
    /// The guest asks for a person.
    pub human: bool,
    /// Somebody is in danger.
    pub emergency: bool,
    /// Law, or a charge in dispute.
    pub dispute: bool,
    /// The mood, from -1 to 1.
    pub sentiment: f64,
    /// How sure the router was, from 0 to 1.
    pub confidence: f64,
    /// Whether the message asks for something, so that a low confidence matters.
    pub is_request: bool,
    /// Turns in a row, this one included, that found no answer.
    pub failures: u32,
    /// The guest asked the same again.
    pub repeated: bool,
    /// The hotel treats the guest as a very important person.
    pub vip: bool,
    /// A tool or a model asked for a person.
    pub handed_off: bool,
}

/// Weighs a situation. Signals that decide alone weigh as much as [`ESCALATE_AT`] or more; the
/// others add up.
///
/// ```
/// use stayzr_agents::escalation::{Situation, assess};
/// use stayzr_core::model::EscalationAction;
///
/// let calm = assess(&Situation { confidence: 0.9, ..Situation::default() });
/// assert_eq!(calm.action, EscalationAction::None);
/// let asked = assess(&Situation { human: true, ..Situation::default() });
/// assert_eq!(asked.action, EscalationAction::Escalate);
/// ```
pub fn assess(situation: &Situation) -> Escalation {
    let anger = (-situation.sentiment).clamp(0.0, 1.0);
    let candidates = [
        ("human_requested", situation.human, 0.9),
        ("emergency", situation.emergency, 1.0),
        ("dispute", situation.dispute, 0.75),
        ("handed_off", situation.handed_off, 0.8),
        ("anger", anger >= 0.3, 0.6 * anger),
        (
            "no_answer",
            situation.failures > 0,
            0.2 * f64::from(situation.failures.min(4)),
        ),
        ("repeated_question", situation.repeated, 0.2),
        (
            "low_confidence",
            situation.is_request && situation.confidence < 0.3,
            0.15,
        ),
        ("vip", situation.vip, 0.15),
    ];
    let signals: Vec<Signal> = candidates
        .into_iter()
        .filter(|(_, present, _)| *present)
        .map(|(name, _, weight)| Signal {
            name: name.to_owned(),
            weight: (weight * 100.0).round() / 100.0,
        })
        .collect();
    let score = signals
        .iter()
        .fold(0.0, |sum, signal| sum + signal.weight)
        .clamp(0.0, 1.0);
    let action = if score >= ESCALATE_AT {
        EscalationAction::Escalate
    } else if score >= MONITOR_AT {
        EscalationAction::Monitor
    } else {
        EscalationAction::None
    };
    Escalation {
        score,
        action,
        signals,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_add_up_and_are_named() {
        let weighed = assess(&Situation {
            sentiment: -0.8,
            failures: 2,
            vip: true,
            confidence: 0.9,
            ..Situation::default()
        });
        let names: Vec<&str> = weighed.signals.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["anger", "no_answer", "vip"]);
        assert_eq!(weighed.action, EscalationAction::Escalate);
    }

    #[test]
    fn one_failure_is_no_alarm() {
        let weighed = assess(&Situation {
            failures: 1,
            confidence: 0.9,
            ..Situation::default()
        });
        assert_eq!(weighed.action, EscalationAction::None);
    }

    #[test]
    fn a_vip_is_not_handed_off_for_being_one() {
        let weighed = assess(&Situation {
            vip: true,
            confidence: 0.9,
            ..Situation::default()
        });
        assert!(weighed.score < MONITOR_AT);
    }
}
