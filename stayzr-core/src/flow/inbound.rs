use std::collections::HashMap;

use serde::Serialize;

use crate::{
    Result,
    mask::mask_cards_in_text,
    model::{Channel, ChannelEvent, Contact, ContactChannel, InboundMessage, phone_e164},
    port::{
        conversation::{AcceptMessage, Conversations},
        directory::{ChannelOwner, Directory},
        outbound::Outbound,
    },
};

/// What became of a delivery's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct InboundCounts {
    /// Messages stored.
    pub messages: u32,
    /// Messages stored before.
    pub duplicates: u32,
    /// Statuses that moved a message on.
    pub statuses: u32,
    /// Events of an account that nobody here owns.
    pub unowned: u32,
    /// Events we do not know or that changed nothing.
    pub ignored: u32,
}

/// Stores what a channel delivered: each message once, with its guest, conversation and turn; each
/// status on its message. A delivery may hold events of several tenants: each goes to the owner of
/// its account, and one of an unknown account is counted and ignored.
///
/// Safe to repeat: what was stored before is recognised by the channel's ids. An event that cannot
/// be stored does not hold back the others: its error is returned once they are. A store that
/// cannot be reached ends the call at once.
pub async fn receive_events<S>(
    store: &S,
    channel: Channel,
    events: &[ChannelEvent],
) -> Result<InboundCounts>
where
    S: Directory + Conversations + Outbound + ?Sized,
{
    let mut counts = InboundCounts::default();
    let mut owners = HashMap::new();
    let mut failed = None;
    for event in events {
        match receive_event(store, channel, event, &mut owners).await {
            Ok(Received::Message) => counts.messages += 1,
            Ok(Received::Duplicate) => counts.duplicates += 1,
            Ok(Received::Status) => counts.statuses += 1,
            Ok(Received::Unowned) => counts.unowned += 1,
            Ok(Received::Ignored) => counts.ignored += 1,
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    match failed {
        Some(error) => Err(error),
        None => Ok(counts),
    }
}

/// What became of an event.
enum Received {
    Message,
    Duplicate,
    Status,
    Unowned,
    Ignored,
}

/// Whose the accounts of a delivery are, by their address.
type Owners<'a> = HashMap<&'a str, Option<ChannelOwner>>;

async fn receive_event<'a, S>(
    store: &S,
    channel: Channel,
    event: &'a ChannelEvent,
    owners: &mut Owners<'a>,
) -> Result<Received>
where
    S: Directory + Conversations + Outbound + ?Sized,
{
    let account = match event {
        ChannelEvent::Message(message) => &message.account,
        ChannelEvent::Status(status) => &status.account,
        ChannelEvent::Unknown { name } => {
            tracing::debug!(channel = channel.as_str(), event = %name, "unknown event ignored");
            return Ok(Received::Ignored);
        }
    };
    if !owners.contains_key(account.as_str()) {
        let owner = store.channel_owner(channel, account).await?;
        if owner.is_none() {
            tracing::warn!(
                channel = channel.as_str(),
                account,
                "events of an account nobody owns"
            );
        }
        owners.insert(account, owner);
    }
    let Some(Some(owner)) = owners.get(account.as_str()) else {
        return Ok(Received::Unowned);
    };
    match event {
        ChannelEvent::Message(message) => {
            let Some(property_id) = owner.scope.property_id else {
                return Ok(Received::Unowned);
            };
            let command = accept(channel, owner, property_id, message);
            Ok(match store.accept_message(command).await?.duplicate {
                true => Received::Duplicate,
                false => Received::Message,
            })
        }
        ChannelEvent::Status(status) => Ok(
            match store.apply_status(owner.scope, owner.id, status).await? {
                true => Received::Status,
                false => Received::Ignored,
            },
        ),
        ChannelEvent::Unknown { .. } => Ok(Received::Ignored),
    }
}

fn accept(
    channel: Channel,
    owner: &ChannelOwner,
    property_id: crate::ids::PropertyId,
    message: &InboundMessage,
) -> AcceptMessage {
    // The vendor's stable id first: a number may be hidden, recycled or written differently.
    let mut contacts = Vec::new();
    let mut add = |channel, address: String| contacts.push(Contact { channel, address });
    if let Some(user_id) = &message.user_id {
        add(ContactChannel::Whatsapp, user_id.clone());
    }
    if let Some(phone) = &message.phone {
        let digits = phone.trim_start_matches('+');
        add(ContactChannel::Whatsapp, digits.to_owned());
        add(ContactChannel::Phone, dialled(digits));
    }
    AcceptMessage {
        scope: owner.scope,
        property_id,
        channel,
        channel_account_id: Some(owner.id),
        guest_id: None,
        conversation_id: None,
        contacts,
        reply_to: message.phone.clone().or_else(|| message.user_id.clone()),
        name: message.name.clone(),
        vendor_message_id: Some(message.vendor_message_id.clone()),
        kind: message.kind.clone(),
        // The Receiver masks whole bodies; a host of its own may not.
        text: mask_cards_in_text(&message.text).into_owned(),
        sent_at: message.sent_at,
        // Even a reaction, which asks nothing: it may supersede a turn that was about to answer,
        // and then it is its turn that does.
        enqueue_turn: true,
    }
}

/// The number that people dial, as a PMS knows it: WhatsApp keeps a 1 that is no longer dialled in
/// Mexico, and knows older accounts of Brazil without the 9 that mobile numbers begin with now.
fn dialled(digits: &str) -> String {
    let written = format!("+{digits}");
    let rewritten = match digits.as_bytes() {
        [b'5', b'2', b'1', ..] if digits.len() == 13 => Some(format!("+52{}", &digits[3..])),
        [b'5', b'5', _, _, b'6'..=b'9', ..] if digits.len() == 12 => {
            Some(format!("+{}9{}", &digits[..4], &digits[4..]))
        }
        _ => None,
    };
    phone_e164(&written, None)
        .or_else(|| rewritten.and_then(|number| phone_e164(&number, None)))
        .unwrap_or(written)
}
