use serde_json::Value;
use stayzr_core::Result;

use super::super::email::{
    EmailEvent, EmailOutcome, EmailState, ReceivedEmail, detail, text, texts, time,
};
use crate::json;

/// What a verified delivery of Resend says. Whatever is not known, or not about an email, becomes
/// [`EmailEvent::Unknown`].
///
/// [`stayzr_core::ErrorKind::Corrupt`] if the body is not a JSON object.
///
/// ```
/// use stayzr_webhooks::channels::{email::{EmailEvent, EmailState}, resend};
///
/// let body = br#"{"type":"email.bounced","created_at":"2026-06-09T10:13:22.456Z","data":{
///     "email_id":"56761188","to":["guest@example.com"],
///     "bounce":{"type":"Permanent","subType":"Suppressed","message":"no such mailbox"}}}"#;
/// let EmailEvent::Outcome(outcome) = resend::parse(body)? else { unreachable!() };
/// assert_eq!(outcome.state, EmailState::BouncedForGood);
/// assert_eq!(outcome.recipient.as_deref(), Some("guest@example.com"));
/// # Ok::<(), stayzr_core::Error>(())
/// ```
pub fn parse(body: &[u8]) -> Result<EmailEvent> {
    let body = json::object("resend.parse", body)?;
    let name = text(&body["type"]).unwrap_or_default();
    let data = &body["data"];
    let Some(email_id) = text(&data["email_id"]) else {
        return Ok(EmailEvent::Unknown { name });
    };
    if name == "email.received" {
        return Ok(EmailEvent::Received(received(email_id, data)));
    }
    let (state, why) = match name.as_str() {
        "email.scheduled" => (EmailState::Scheduled, &Value::Null),
        "email.sent" => (EmailState::Sent, &Value::Null),
        "email.delivered" => (EmailState::Delivered, &Value::Null),
        "email.delivery_delayed" => (EmailState::Delayed, &Value::Null),
        "email.bounced" => {
            let state = match data["bounce"]["type"].as_str() {
                Some("Permanent") => EmailState::BouncedForGood,
                _ => EmailState::Bounced,
            };
            (state, &data["bounce"]["message"])
        }
        "email.complained" => (EmailState::Complained, &Value::Null),
        "email.failed" => (EmailState::Failed, &data["failed"]["reason"]),
        "email.suppressed" => (EmailState::Suppressed, &data["suppressed"]["message"]),
        "email.opened" => (EmailState::Opened, &Value::Null),
        "email.clicked" => (EmailState::Clicked, &Value::Null),
        _ => return Ok(EmailEvent::Unknown { name }),
    };
    let recipients = texts(&data["to"]);
    Ok(EmailEvent::Outcome(EmailOutcome {
        email_id,
        state,
        recipient: match <[String; 1]>::try_from(recipients) {
            Ok([one]) => Some(one),
            Err(_) => None,
        },
        at: time(&body["created_at"]),
        detail: detail(why),
    }))
}

/// The event has neither words nor headers: they are fetched by the email's id.
fn received(email_id: String, data: &Value) -> ReceivedEmail {
    ReceivedEmail {
        email_id,
        from: text(&data["from"]).unwrap_or_default(),
        to: texts(&data["to"]),
        subject: text(&data["subject"]).unwrap_or_default(),
        text: None,
        mailbox_hash: None,
        attachments: data["attachments"].as_array().map_or(0, Vec::len),
    }
}
