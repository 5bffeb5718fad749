//! What the end of an attempt to send means for its message and its job. Pure.

use crate::{Error, Result, model::MessageStatus, port::outbound::SendOutcome, queue::JobOutcome};

/// A message as it stands when an attempt to send it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    /// Where the message stands.
    pub(crate) status: MessageStatus,
    /// Whether somebody took it back meanwhile.
    pub(crate) withdrawn: bool,
    /// Whether its job has no attempt left.
    pub(crate) is_last: bool,
}

/// What becomes of the message and its job.
#[derive(Debug, PartialEq)]
pub(crate) struct Ended {
    /// Where the message stands from now on, and why; none leaves it where the channel's own report
    /// moved it, which knows better.
    pub(crate) moved: Option<(MessageStatus, Option<String>)>,
    /// The channel's id of it, where it told one.
    pub(crate) vendor_message_id: Option<String>,
    /// How the job ends.
    pub(crate) job: JobOutcome,
}

/// Ends an attempt. [`crate::ErrorKind::Conflict`] for a message whose attempt never began.
///
/// An attempt that nobody could tell about is only ever settled by a success; one that the channel
/// reported on is not made again.
pub(crate) fn finish(attempt: Attempt, outcome: SendOutcome) -> Result<Ended> {
    if attempt.status == MessageStatus::Pending {
        return Err(Error::conflict(
            "finish_send",
            "the message stands as pending: an attempt begins with begin_send",
        ));
    }
    let sent = matches!(outcome, SendOutcome::Sent { .. });
    let is_open = attempt.status == MessageStatus::Sending
        || (attempt.status == MessageStatus::Unknown && sent);
    let (status, error, vendor_message_id, job) = match outcome {
        SendOutcome::Sent { vendor_message_id } => {
            let id = Some(vendor_message_id);
            (MessageStatus::Sent, None, id, JobOutcome::Completed)
        }
        SendOutcome::Retry { error, .. } if attempt.withdrawn || !is_open => (
            MessageStatus::Cancelled,
            Some(error),
            None,
            JobOutcome::Completed,
        ),
        SendOutcome::Retry { error, after } => {
            let status = match attempt.is_last {
                true => MessageStatus::Failed,
                false => MessageStatus::Pending,
            };
            let why = Some(error.clone());
            (status, why, None, JobOutcome::Retry { error, after })
        }
        SendOutcome::Failed { error } => {
            let why = Some(error.clone());
            let job = JobOutcome::Failed { error };
            (MessageStatus::Failed, why, None, job)
        }
        SendOutcome::Ambiguous { error } => (
            MessageStatus::Unknown,
            Some(error),
            None,
            JobOutcome::Completed,
        ),
    };
    Ok(Ended {
        moved: is_open.then_some((status, error)),
        vendor_message_id,
        job,
    })
}

/// The statuses that a channel's report may move a message on from: never back, but a message that
/// failed on one device may reach a second, and one that was taken may be refused later.
pub(crate) const fn moves_from(to: MessageStatus) -> &'static [MessageStatus] {
    use MessageStatus::{Delivered, Failed, Pending, Sending, Sent, Unknown};
    match to {
        Sent => &[Pending, Sending, Unknown],
        Delivered => &[Pending, Sending, Unknown, Failed, Sent],
        MessageStatus::Read => &[Pending, Sending, Unknown, Failed, Sent, Delivered],
        Failed => &[Sending, Unknown, Sent],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const AFTER: Duration = Duration::from_secs(3);

    fn attempt(status: MessageStatus) -> Attempt {
        Attempt {
            status,
            withdrawn: false,
            is_last: false,
        }
    }

    fn retry() -> SendOutcome {
        SendOutcome::Retry {
            error: "503".to_owned(),
            after: AFTER,
        }
    }

    fn again() -> JobOutcome {
        JobOutcome::Retry {
            error: "503".to_owned(),
            after: AFTER,
        }
    }

    #[test]
    fn an_attempt_that_may_be_made_again_waits_until_none_is_left() {
        for (is_last, status) in [
            (false, MessageStatus::Pending),
            (true, MessageStatus::Failed),
        ] {
            let attempt = Attempt {
                is_last,
                ..attempt(MessageStatus::Sending)
            };
            let ended = finish(attempt, retry()).expect("it began");
            assert_eq!(ended.moved, Some((status, Some("503".to_owned()))));
            assert_eq!(ended.job, again());
        }
    }

    #[test]
    fn what_was_taken_back_is_not_sent_again() {
        let attempt = Attempt {
            withdrawn: true,
            ..attempt(MessageStatus::Sending)
        };
        let ended = finish(attempt, retry()).expect("it began");
        let moved = Some((MessageStatus::Cancelled, Some("503".to_owned())));
        assert_eq!((ended.moved, ended.job), (moved, JobOutcome::Completed));
    }

    #[test]
    fn what_the_channel_reported_on_stays_and_is_not_sent_again() {
        for status in [MessageStatus::Sent, MessageStatus::Delivered] {
            let ended = finish(attempt(status), retry()).expect("it began");
            assert_eq!((ended.moved, ended.job), (None, JobOutcome::Completed));
        }
    }

    #[test]
    fn an_attempt_that_nobody_can_tell_about_is_settled_by_a_success_alone() {
        let unknown = attempt(MessageStatus::Unknown);
        let failed = SendOutcome::Failed {
            error: "no".to_owned(),
        };
        assert_eq!(finish(unknown, failed).expect("it began").moved, None);
        let sent = SendOutcome::Sent {
            vendor_message_id: "wamid.1".to_owned(),
        };
        let ended = finish(unknown, sent).expect("it began");
        assert_eq!(ended.moved, Some((MessageStatus::Sent, None)));
        assert_eq!(ended.vendor_message_id.as_deref(), Some("wamid.1"));
    }

    #[test]
    fn an_attempt_that_never_began_does_not_end() {
        let refused = finish(attempt(MessageStatus::Pending), retry());
        assert_eq!(refused.unwrap_err().kind(), crate::ErrorKind::Conflict);
    }

    #[test]
    fn no_report_moves_a_message_back() {
        let order = [
            MessageStatus::Sent,
            MessageStatus::Delivered,
            MessageStatus::Read,
        ];
        for (at, to) in order.into_iter().enumerate() {
            for from in &order[at..] {
                assert!(!moves_from(to).contains(from), "{from:?} to {to:?}");
            }
        }
    }
}
