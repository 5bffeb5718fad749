use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{SqliteStore, conversation::MESSAGE, error::failed, jobs};
use crate::{
    Error, Result,
    ids::{ChannelAccountId, ConversationId, MessageId, OrganizationId},
    model::{ChannelAccount, Message, MessageStatus, StatusUpdate},
    port::{
        Page, PageRequest,
        outbound::{BeginSend, Outbound, OutboundMessage, OutboxItem, SendOutcome},
    },
    queue::Lease,
    store::{
        codec,
        sending::{self, Attempt, Ended},
    },
    tenant::TenantScope,
};

/// Moves a message on from where it may stand, found by our id or else by the channel's.
const APPLY_STATUS: &str = "update messages
    set status = $6, error = $7, updated_at = $8,
        vendor_message_id = coalesce(vendor_message_id, $4)
    where number = (
            select number from (
                select number, 0 as place from messages
                where id = $5 and organization_id = $1 and ($2 is null or property_id = $2)
                  and channel_account_id = $3 and direction = 'outbound'
                union all
                select number, 1 from messages
                where organization_id = $1 and ($2 is null or property_id = $2)
                  and channel_account_id = $3 and direction = 'outbound'
                  and vendor_message_id = $4)
            order by place limit 1)
      and status in (select value from json_each($9))";

#[derive(Deserialize)]
struct Outgoing {
    message: Message,
    account: Option<ChannelAccount>,
    to: Option<String>,
    in_reply_to: Option<String>,
    last_inbound_at: Option<chrono::DateTime<chrono::Utc>>,
}

#[async_trait]
impl Outbound for SqliteStore {
    async fn begin_send(&self, lease: &Lease, message_id: MessageId) -> Result<BeginSend> {
        const OPERATION: &str = "sqlite.begin_send";
        let now = self.clock.now();
        let mut tx = self.write(OPERATION).await?;
        jobs::held(&mut tx, lease, now).await?;
        let outgoing = outgoing(&mut tx, owner(lease)?, message_id).await?;
        let (status, error, answer) = match outgoing.message.status {
            MessageStatus::Pending => match (outgoing.account, outgoing.to) {
                (Some(account), Some(to)) => (
                    MessageStatus::Sending,
                    None,
                    BeginSend::Send(Box::new(OutboundMessage {
                        message: Message {
                            status: MessageStatus::Sending,
                            updated_at: now,
                            ..outgoing.message
                        },
                        account,
                        to,
                        in_reply_to: outgoing.in_reply_to,
                        last_inbound_at: outgoing.last_inbound_at,
                    })),
                ),
                _ => (
                    MessageStatus::Failed,
                    Some("the conversation has no account or no address to answer to"),
                    BeginSend::Settled(MessageStatus::Failed),
                ),
            },
            MessageStatus::Sending => (
                MessageStatus::Unknown,
                Some("an attempt to send it was cut off: it may have been sent"),
                BeginSend::Ambiguous,
            ),
            status => return Ok(BeginSend::Settled(status)),
        };
        sqlx::query("update messages set status = $2, error = $3, updated_at = $4 where id = $1")
            .bind(message_id.to_string())
            .bind(status.as_str())
            .bind(error)
            .bind(codec::time(now))
            .execute(&mut *tx)
            .await
            .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(answer)
    }

    async fn finish_send(
        &self,
        lease: &Lease,
        message_id: MessageId,
        outcome: SendOutcome,
    ) -> Result<()> {
        const OPERATION: &str = "sqlite.finish_send";
        let now = self.clock.now();
        let mut tx = self.write(OPERATION).await?;
        let job = jobs::held(&mut tx, lease, now).await?;
        let row: Option<(String, bool)> = sqlx::query_as(
            "select status, withdrawn from messages where id = $1 and organization_id = $2",
        )
        .bind(message_id.to_string())
        .bind(owner(lease)?.to_string())
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        let (status, withdrawn) = row.ok_or_else(|| no_message(OPERATION, message_id))?;
        let attempt = Attempt {
            status: codec::named(OPERATION, &status)?,
            withdrawn,
            is_last: job.is_exhausted(),
        };
        let Ended {
            moved,
            vendor_message_id,
            job: end,
        } = sending::finish(attempt, outcome).map_err(|error| error.with("id", message_id))?;
        let (status, error) = moved.unzip();
        sqlx::query(
            "update messages
             set vendor_message_id = coalesce($2, vendor_message_id), updated_at = $5,
                 status = coalesce($3, status),
                 error = case when $3 is null then error else $4 end
             where id = $1",
        )
        .bind(message_id.to_string())
        .bind(vendor_message_id)
        .bind(status.map(MessageStatus::as_str))
        .bind(error.flatten())
        .bind(codec::time(now))
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        jobs::end(&mut tx, &job, &end, now).await?;
        tx.commit().await.map_err(failed(OPERATION))
    }

    async fn apply_status(
        &self,
        scope: TenantScope,
        account: ChannelAccountId,
        update: &StatusUpdate,
    ) -> Result<bool> {
        const OPERATION: &str = "sqlite.apply_status";
        let from = sending::moves_from(update.status);
        if from.is_empty() {
            return Ok(false);
        }
        let done = sqlx::query(APPLY_STATUS)
            .bind(scope.organization_id.to_string())
            .bind(scope.property_id.map(|id| id.to_string()))
            .bind(account.to_string())
            .bind(&update.vendor_message_id)
            .bind(update.message_id.map(|id| id.to_string()))
            .bind(update.status.as_str())
            .bind(&update.error)
            .bind(codec::time(self.clock.now()))
            .bind(json!(from).to_string())
            .execute(&self.writer)
            .await
            .map_err(failed(OPERATION))?;
        Ok(done.rows_affected() > 0)
    }

    async fn outbox(
        &self,
        scope: TenantScope,
        conversation_id: Option<ConversationId>,
        page: &PageRequest,
    ) -> Result<Page<OutboxItem>> {
        const OPERATION: &str = "sqlite.outbox";
        let of_conversation = match conversation_id {
            Some(_) => "m.conversation_id = $3",
            None => "$3 is null",
        };
        let rows: Vec<(i64, String)> = sqlx::query_as(AssertSqlSafe(format!(
            "select m.number, json_object('id', m.id, 'conversation_id', m.conversation_id,
                 'channel', c.channel, 'to', c.reply_to, 'text', m.text, 'status', m.status,
                 'error', m.error, 'citations', json(m.citations),
                 'vendor_message_id', m.vendor_message_id, 'created_at', m.created_at)
             from messages m join conversations c on c.id = m.conversation_id
             where m.organization_id = $1 and m.direction = 'outbound'
               and ($2 is null or m.property_id = $2) and {of_conversation}
               and ($4 is null or m.number < $4)
             order by m.number desc limit $5"
        )))
        .bind(scope.organization_id.to_string())
        .bind(scope.property_id.map(|id| id.to_string()))
        .bind(conversation_id.map(|id| id.to_string()))
        .bind(codec::after_number(OPERATION, page)?)
        .bind(codec::limit(page) as i64 + 1)
        .fetch_all(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        let found = codec::page_of(rows, page, |(number, _)| number.to_string());
        let items = found
            .items
            .iter()
            .map(|(_, row)| codec::decode(OPERATION, row))
            .collect::<Result<Vec<OutboxItem>>>()?;
        Ok(Page {
            items,
            next_cursor: found.next_cursor,
        })
    }
}

fn owner(lease: &Lease) -> Result<OrganizationId> {
    lease
        .scope
        .map(|scope| scope.organization_id)
        .ok_or_else(|| Error::invalid("sqlite.lease", "the job belongs to no organization"))
}

fn no_message(operation: &'static str, id: MessageId) -> Error {
    Error::not_found(operation, "there is no message with this id").with("id", id)
}

/// A message with its account, its address and the guest's message before it.
async fn outgoing(
    tx: &mut SqliteConnection,
    organization: OrganizationId,
    id: MessageId,
) -> Result<Outgoing> {
    const OPERATION: &str = "sqlite.begin_send";
    let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(format!(
        "select json_object('message', {MESSAGE}, 'to', c.reply_to,
             'last_inbound_at', c.last_inbound_at,
             'in_reply_to', (
                 select i.vendor_message_id from messages i
                 where i.conversation_id = m.conversation_id and i.direction = 'inbound'
                   and i.number < m.number
                 order by i.number desc limit 1),
             'account', case when a.id is null then null else
                 json_object('id', a.id, 'organization_id', a.organization_id,
                     'property_id', a.property_id, 'channel', a.channel, 'address', a.address,
                     'settings', json(a.settings), 'sealed', a.sealed,
                     'created_at', a.created_at, 'updated_at', a.updated_at) end)
         from messages m
         join conversations c on c.id = m.conversation_id
         left join channel_accounts a
           on a.id = m.channel_account_id and a.organization_id = m.organization_id
         where m.id = $1 and m.organization_id = $2 and m.direction = 'outbound'"
    )))
    .bind(id.to_string())
    .bind(organization.to_string())
    .fetch_optional(tx)
    .await
    .map_err(failed(OPERATION))?;
    let row = row.ok_or_else(|| no_message(OPERATION, id))?;
    let mut outgoing: Value = codec::decode(OPERATION, &row)?;
    // `case` gives an object as text.
    if let Some(Value::String(text)) = outgoing.get("account") {
        outgoing["account"] = codec::decode(OPERATION, &text.clone())?;
    }
    serde_json::from_value(outgoing).map_err(|error| {
        Error::corrupt(OPERATION, "a stored message cannot be read").with_source(error)
    })
}

#[cfg(test)]
mod tests {
    use super::{super::connect::tests::plan, APPLY_STATUS};

    #[tokio::test]
    async fn a_status_finds_its_message_by_index_however_many_there_are() {
        let plan = plan(APPLY_STATUS).await;
        assert!(plan.contains("messages_vendor"), "{plan}");
        assert!(!plan.contains("messages_outbox"), "{plan}");
    }
}
