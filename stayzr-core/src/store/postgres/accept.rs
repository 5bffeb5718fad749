//! A message of a guest: whose it is, in which conversation, and what follows.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::{document::clean_text, error::failed, jobs, lock};
use crate::{
    Error, Result,
    clock::Clock,
    ids::{ConversationId, GuestId, MessageId},
    model::{ContactChannel, ConversationStatus},
    port::conversation::{AcceptMessage, AcceptedMessage},
    store::codec,
};

const OPERATION: &str = "postgres.accept_message";

/// How often a guest may have turned out to be another.
const MERGED_AT_MOST: usize = 32;

/// Stores a message unless it was stored before.
pub(super) async fn accept(
    tx: &mut PgConnection,
    clock: &dyn Clock,
    message: &AcceptMessage,
) -> Result<AcceptedMessage> {
    let now = clock.now();
    if !message.scope.sees(Some(message.property_id)) {
        return Err(no_property());
    }
    lock::names(tx, &names(message)).await?;
    if let Some(before) = stored_before(tx, message).await? {
        return Ok(before);
    }
    let named = match message.conversation_id {
        Some(id) => Some(named_conversation(tx, message, id).await?),
        None => None,
    };
    let guest_id = match &named {
        Some(conversation) => conversation.guest_id,
        None => guest(tx, clock, message).await?,
    };
    keep_contacts(tx, message, guest_id, now).await?;
    let current = match named.filter(|named| named.status != ConversationStatus::Closed) {
        Some(named) => Some(named),
        None => current_conversation(tx, message, guest_id).await?,
    };
    let current = match current {
        None => begin_conversation(tx, clock, message, guest_id).await?,
        Some(current) => {
            touch(tx, message, current.id, now).await?;
            current
        }
    };
    let (conversation_id, status) = (current.id, current.status);
    let message_id = MessageId::generate(clock);
    insert(tx, message, message_id, conversation_id, now).await?;
    if message.enqueue_turn && status == ConversationStatus::Open {
        jobs::enqueue(tx, clock, &[message.turn_job(conversation_id)]).await?;
    }
    Ok(AcceptedMessage {
        message_id,
        conversation_id,
        guest_id,
        duplicate: false,
    })
}

fn no_property() -> Error {
    Error::not_found(OPERATION, "there is no property with this id")
}

/// What two transactions must not do at once: store the same message, make a guest of the same
/// address.
fn names(message: &AcceptMessage) -> Vec<String> {
    let organization = message.scope.organization_id;
    let mut names: Vec<String> = message
        .contacts
        .iter()
        .map(|contact| {
            let channel = json!(contact.channel);
            format!("contact {organization} {channel} {}", contact.address)
        })
        .collect();
    if let Some(id) = &message.vendor_message_id {
        names.push(format!("message {organization} {} {id}", account(message)));
    }
    if let Some(guest) = message.guest_id {
        names.push(format!("guest {guest}"));
    }
    names
}

async fn stored_before(
    tx: &mut PgConnection,
    message: &AcceptMessage,
) -> Result<Option<AcceptedMessage>> {
    #[derive(Deserialize)]
    struct Before {
        message_id: MessageId,
        conversation_id: ConversationId,
        guest_id: GuestId,
    }
    let Some(vendor_message_id) = &message.vendor_message_id else {
        return Ok(None);
    };
    let row: Option<String> = sqlx::query_scalar(
        "select json_build_object('message_id', m.id, 'conversation_id', c.id, 'guest_id', c.guest_id)::text
         from messages m join conversations c on c.id = m.conversation_id
         where m.organization_id = $1 and coalesce(m.channel_account_id, m.property_id) = $2
           and m.vendor_message_id = $3 and m.direction = 'inbound'",
    )
    .bind(message.scope.organization_id.uuid())
    .bind(account(message))
    .bind(vendor_message_id)
    .fetch_optional(tx)
    .await
    .map_err(failed(OPERATION))?;
    row.map(|row| {
        let before: Before = codec::decode(OPERATION, &row)?;
        Ok(AcceptedMessage {
            message_id: before.message_id,
            conversation_id: before.conversation_id,
            guest_id: before.guest_id,
            duplicate: true,
        })
    })
    .transpose()
}

/// What a vendor's id of a message is unique in: the account, or without one the property.
fn account(message: &AcceptMessage) -> Uuid {
    match message.channel_account_id {
        Some(id) => id.uuid(),
        None => message.property_id.uuid(),
    }
}

#[derive(Deserialize)]
struct Current {
    id: ConversationId,
    guest_id: GuestId,
    status: ConversationStatus,
}

const CURRENT: &str = "json_build_object('id', id, 'guest_id', guest_id, 'status', status)::text";

async fn named_conversation(
    tx: &mut PgConnection,
    message: &AcceptMessage,
    id: ConversationId,
) -> Result<Current> {
    // The guest first, as a merge of guests has it.
    sqlx::query(
        "select 1 from conversations c join guests g on g.id = c.guest_id
         where c.id = $1 and c.organization_id = $2
         for key share of g",
    )
    .bind(id.uuid())
    .bind(message.scope.organization_id.uuid())
    .execute(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select {CURRENT} from conversations
         where id = $1 and organization_id = $2 and property_id = $3 for no key update"
    )))
    .bind(id.uuid())
    .bind(message.scope.organization_id.uuid())
    .bind(message.property_id.uuid())
    .fetch_optional(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    let row = row.ok_or_else(|| {
        Error::not_found(OPERATION, "there is no conversation with this id").with("id", id)
    })?;
    let current: Current = codec::decode(OPERATION, &row)?;
    let named = match message.guest_id {
        Some(guest) if guest != current.guest_id => standing(tx, message, guest).await?,
        _ => Some(current.guest_id),
    };
    match named == Some(current.guest_id) {
        true => Ok(current),
        false => {
            Err(Error::invalid(OPERATION, "the conversation is another guest's").with("id", id))
        }
    }
}

async fn current_conversation(
    tx: &mut PgConnection,
    message: &AcceptMessage,
    guest_id: GuestId,
) -> Result<Option<Current>> {
    let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select {CURRENT} from conversations
         where organization_id = $1 and property_id = $2 and guest_id = $3 and channel = $4
           and channel_account_id is not distinct from $5 and status <> 'closed'
         for no key update"
    )))
    .bind(message.scope.organization_id.uuid())
    .bind(message.property_id.uuid())
    .bind(guest_id.uuid())
    .bind(message.channel.as_str())
    .bind(message.channel_account_id.map(|id| id.uuid()))
    .fetch_optional(tx)
    .await
    .map_err(failed(OPERATION))?;
    row.map(|row| codec::decode(OPERATION, &row)).transpose()
}

/// A new conversation, or the one that a message from another address of the guest begins at this
/// moment.
async fn begin_conversation(
    tx: &mut PgConnection,
    clock: &dyn Clock,
    message: &AcceptMessage,
    guest_id: GuestId,
) -> Result<Current> {
    let id = ConversationId::generate(clock);
    let done = sqlx::query(
        "insert into conversations (id, organization_id, property_id, guest_id, channel,
             channel_account_id, reply_to, status, language, last_inbound_at, created_at,
             updated_at)
         select $1, p.organization_id, p.id, $4, $5, $6, $7, 'open', null, $8, $9, $9
         from properties p where p.id = $3 and p.organization_id = $2
         on conflict do nothing",
    )
    .bind(id.uuid())
    .bind(message.scope.organization_id.uuid())
    .bind(message.property_id.uuid())
    .bind(guest_id.uuid())
    .bind(message.channel.as_str())
    .bind(message.channel_account_id.map(|id| id.uuid()))
    .bind(&message.reply_to)
    .bind(message.sent_at)
    .bind(clock.now())
    .execute(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    if done.rows_affected() > 0 {
        return Ok(Current {
            id,
            guest_id,
            status: ConversationStatus::Open,
        });
    }
    let begun = current_conversation(tx, message, guest_id).await?;
    let begun = begun.ok_or_else(no_property)?;
    touch(tx, message, begun.id, clock.now()).await?;
    Ok(begun)
}

async fn touch(
    tx: &mut PgConnection,
    message: &AcceptMessage,
    id: ConversationId,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "update conversations
         set reply_to = coalesce($2, reply_to),
             last_inbound_at = greatest(last_inbound_at, $3), updated_at = $4
         where id = $1",
    )
    .bind(id.uuid())
    .bind(&message.reply_to)
    .bind(message.sent_at)
    .bind(now)
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

/// The guest who writes: named, known by an address, or new.
async fn guest(
    tx: &mut PgConnection,
    clock: &dyn Clock,
    message: &AcceptMessage,
) -> Result<GuestId> {
    if let Some(id) = message.guest_id {
        return standing(tx, message, id).await?.ok_or_else(|| {
            Error::not_found(OPERATION, "there is no guest with this id").with("id", id)
        });
    }
    let known: Option<Uuid> = sqlx::query_scalar(
        "select c.guest_id from jsonb_array_elements($2::jsonb) with ordinality e(value, key)
         join guest_contacts c on c.organization_id = $1
          and c.channel = e.value ->> 'channel' and c.address = e.value ->> 'address'
         order by e.key limit 1",
    )
    .bind(message.scope.organization_id.uuid())
    .bind(json!(message.contacts).to_string())
    .fetch_optional(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    let standing = match known {
        Some(id) => standing(tx, message, GuestId::from(id)).await?,
        None => None,
    };
    match standing {
        Some(id) => Ok(id),
        None => new_guest(tx, clock, message).await,
    }
}

/// The guest whom this one turned out to be, or the same. No merge takes that guest away until the
/// transaction ends: it would leave behind what this one begins.
async fn standing(
    tx: &mut PgConnection,
    message: &AcceptMessage,
    id: GuestId,
) -> Result<Option<GuestId>> {
    let mut id = id.uuid();
    // Links that close a circle end somewhere in it.
    for _ in 0..MERGED_AT_MOST {
        let found: Option<(Uuid, Option<Uuid>)> = sqlx::query_as(
            "select id, merged_into from guests where organization_id = $1 and id = $2
             for key share",
        )
        .bind(message.scope.organization_id.uuid())
        .bind(id)
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        match found {
            None => return Ok(None),
            Some((id, None)) => return Ok(Some(GuestId::from(id))),
            Some((_, Some(next))) => id = next,
        }
    }
    Ok(Some(GuestId::from(id)))
}

/// A guest nobody knew. The name stands as the channel shows it: where it divides is not known.
async fn new_guest(
    tx: &mut PgConnection,
    clock: &dyn Clock,
    message: &AcceptMessage,
) -> Result<GuestId> {
    let id = GuestId::generate(clock);
    let address = |kind: ContactChannel| {
        message
            .contacts
            .iter()
            .find(|contact| contact.channel == kind)
            .map(|contact| contact.address.as_str())
    };
    sqlx::query(
        "insert into guests (id, organization_id, version, created_at, updated_at, origin,
             first_name, email, phone, classifications, active)
         values ($1, $2, 1, $3, $3, 'channel', $4, $5, $6, '[]', true)",
    )
    .bind(id.uuid())
    .bind(message.scope.organization_id.uuid())
    .bind(clock.now())
    .bind(message.name.as_deref().map(clean_text))
    .bind(address(ContactChannel::Email))
    .bind(address(ContactChannel::Phone))
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(id)
}

/// The sender's addresses lead to the guest from now on, unless they lead to somebody.
async fn keep_contacts(
    tx: &mut PgConnection,
    message: &AcceptMessage,
    guest_id: GuestId,
    now: DateTime<Utc>,
) -> Result<()> {
    if message.contacts.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "insert into guest_contacts (organization_id, channel, address, guest_id, source,
             created_at)
         select distinct $2::uuid, channel, address, $3::uuid, 'channel', $4::timestamptz
         from jsonb_to_recordset($1::jsonb) e(channel text, address text)
         order by channel, address
         on conflict do nothing",
    )
    .bind(json!(message.contacts).to_string())
    .bind(message.scope.organization_id.uuid())
    .bind(guest_id.uuid())
    .bind(now)
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

async fn insert(
    tx: &mut PgConnection,
    message: &AcceptMessage,
    id: MessageId,
    conversation_id: ConversationId,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "insert into messages (id, organization_id, property_id, conversation_id,
             channel_account_id, direction, author, text, kind, status, vendor_message_id,
             citations, created_at, updated_at)
         values ($1, $2, $3, $4, $5, 'inbound', 'guest', $6, $7, 'received', $8, '[]', $9, $10)",
    )
    .bind(id.uuid())
    .bind(message.scope.organization_id.uuid())
    .bind(message.property_id.uuid())
    .bind(conversation_id.uuid())
    .bind(message.channel_account_id.map(|id| id.uuid()))
    .bind(clean_text(&message.text))
    .bind(&message.kind)
    .bind(&message.vendor_message_id)
    .bind(message.sent_at)
    .bind(now)
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}
