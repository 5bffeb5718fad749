use serde_json::Value;
use stayzr_core::Result;

use super::super::email::{
    EmailEvent, EmailOutcome, EmailState, ReceivedEmail, detail, text, time,
};
use crate::json;

/// What a verified delivery of Postmark says about an email of ours, by its `RecordType`. Whatever
/// is not known becomes [`EmailEvent::Unknown`].
///
/// [`stayzr_core::ErrorKind::Corrupt`] if the body is not a JSON object.
///
/// ```
/// use stayzr_webhooks::channels::{email::{EmailEvent, EmailState}, postmark};
///
/// let body = br#"{"RecordType":"Bounce","Type":"SoftBounce","Inactive":false,"MessageID":"883953f4",
///     "Email":"guest@example.com","BouncedAt":"2026-06-09T10:13:26.0000000Z"}"#;
/// let EmailEvent::Outcome(outcome) = postmark::parse(body)? else { unreachable!() };
/// assert_eq!(outcome.state, EmailState::Bounced);
/// # Ok::<(), stayzr_core::Error>(())
/// ```
pub fn parse(body: &[u8]) -> Result<EmailEvent> {
    let body = json::object("postmark.parse", body)?;
    let name = text(&body["RecordType"]).unwrap_or_default();
    let Some(email_id) = text(&body["MessageID"]) else {
        return Ok(EmailEvent::Unknown { name });
    };
    // Bounces name the address `Email`, all others `Recipient`.
    let (state, address, at, why) = match name.as_str() {
        "Delivery" => (EmailState::Delivered, "Recipient", "DeliveredAt", ""),
        "Bounce" => (bounce(&body), "Email", "BouncedAt", "Details"),
        "SpamComplaint" => (EmailState::Complained, "Email", "BouncedAt", "Details"),
        "Open" => (EmailState::Opened, "Recipient", "ReceivedAt", ""),
        "Click" => (EmailState::Clicked, "Recipient", "ReceivedAt", ""),
        "SubscriptionChange" if body["SuppressSending"] == true => (
            EmailState::Suppressed,
            "Recipient",
            "ChangedAt",
            "SuppressionReason",
        ),
        _ => return Ok(EmailEvent::Unknown { name }),
    };
    Ok(EmailEvent::Outcome(EmailOutcome {
        email_id,
        state,
        recipient: text(&body[address]),
        at: time(&body[at]),
        detail: detail(&body[why]),
    }))
}

/// A hard bounce, and whatever makes Postmark suppress the address, is for good.
fn bounce(body: &Value) -> EmailState {
    match (body["Type"].as_str(), body["Inactive"].as_bool()) {
        (Some("HardBounce" | "BadEmailAddress"), _) | (_, Some(true)) => EmailState::BouncedForGood,
        _ => EmailState::Bounced,
    }
}

/// The email that a verified delivery to the inbound URL holds; it has no `RecordType`.
///
/// [`stayzr_core::ErrorKind::Corrupt`] if the body is not a JSON object.
pub fn parse_inbound(body: &[u8]) -> Result<EmailEvent> {
    let body = json::object("postmark.parse_inbound", body)?;
    let Some(email_id) = text(&body["MessageID"]) else {
        let name = text(&body["RecordType"]).unwrap_or_else(|| "inbound".to_owned());
        return Ok(EmailEvent::Unknown { name });
    };
    let from = text(&body["FromFull"]["Email"]).or_else(|| text(&body["From"]));
    let to = body["ToFull"].as_array().into_iter().flatten();
    Ok(EmailEvent::Received(ReceivedEmail {
        email_id,
        from: from.unwrap_or_default(),
        to: to.filter_map(|to| text(&to["Email"])).collect(),
        subject: text(&body["Subject"]).unwrap_or_default(),
        text: text(&body["StrippedTextReply"]).or_else(|| text(&body["TextBody"])),
        mailbox_hash: text(&body["MailboxHash"]),
        attachments: body["Attachments"].as_array().map_or(0, Vec::len),
    }))
}
