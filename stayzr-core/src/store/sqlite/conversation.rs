use async_trait::async_trait;
use sqlx::AssertSqlSafe;

use super::{SqliteStore, accept, error::failed, jobs, turn};
use crate::{
    Result,
    ids::ConversationId,
    model::{Conversation, ConversationStatus, Message, ServiceRequest},
    port::{
        Page, PageRequest,
        conversation::{
            AcceptMessage, AcceptedMessage, CommitTurn, Conversations, Reply, TurnCommitted,
        },
    },
    queue::JobOutcome,
    store::codec,
    tenant::TenantScope,
};

/// The JSON of a [`Conversation`].
pub(super) const CONVERSATION: &str = "json_object('id', id, 'organization_id', organization_id, \
    'property_id', property_id, 'guest_id', guest_id, 'channel', channel, \
    'channel_account_id', channel_account_id, 'reply_to', reply_to, 'status', status, \
    'language', language, 'last_inbound_at', last_inbound_at, 'created_at', created_at, \
    'updated_at', updated_at)";

/// The JSON of a [`Message`].
pub(super) const MESSAGE: &str = "json_object('id', m.id, 'organization_id', m.organization_id, \
    'conversation_id', m.conversation_id, 'direction', m.direction, 'author', m.author, \
    'text', m.text, 'kind', m.kind, 'status', m.status, \
    'vendor_message_id', m.vendor_message_id, 'error', m.error, 'citations', json(m.citations), \
    'trace', json(m.trace), 'created_at', m.created_at, 'updated_at', m.updated_at)";

const SERVICE_REQUEST: &str = "json_object('id', id, 'organization_id', organization_id, \
    'property_id', property_id, 'guest_id', guest_id, 'reservation_id', reservation_id, \
    'conversation_id', conversation_id, 'category', category, 'description', description, \
    'status', status, 'status_vendor', status_vendor, 'due_at', due_at, \
    'version', version, 'created_at', created_at, 'updated_at', updated_at)";

#[async_trait]
impl Conversations for SqliteStore {
    async fn accept_message(&self, message: AcceptMessage) -> Result<AcceptedMessage> {
        const OPERATION: &str = "sqlite.accept_message";
        let mut tx = self.write(OPERATION).await?;
        let accepted = accept::accept(&mut tx, &*self.clock, &message).await?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(accepted)
    }

    async fn commit_turn(&self, turn: CommitTurn) -> Result<TurnCommitted> {
        const OPERATION: &str = "sqlite.commit_turn";
        let now = self.clock.now();
        let mut tx = self.write(OPERATION).await?;
        let job = match &turn.lease {
            Some(lease) => Some(jobs::held(&mut tx, lease, now).await?),
            None => None,
        };
        let committed = turn::commit(&mut tx, &*self.clock, &turn).await?;
        if let Some(job) = &job {
            jobs::end(&mut tx, job, &JobOutcome::Completed, now).await?;
        }
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(committed)
    }

    async fn staff_reply(
        &self,
        scope: TenantScope,
        conversation_id: ConversationId,
        reply: Reply,
    ) -> Result<Message> {
        const OPERATION: &str = "sqlite.staff_reply";
        let mut tx = self.write(OPERATION).await?;
        let state = turn::state(&mut tx, scope, conversation_id).await?;
        turn::withdraw(&mut tx, conversation_id, self.clock.now()).await?;
        let now = codec::time(self.clock.now());
        sqlx::query(
            "update conversations set status = 'handed_off', updated_at = $2 where id = $1",
        )
        .bind(conversation_id.to_string())
        .bind(now)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        turn::write_reply(&mut tx, &*self.clock, scope, &state, &reply).await?;
        let row: String = sqlx::query_scalar(AssertSqlSafe(format!(
            "select {MESSAGE} from messages m where m.id = $1"
        )))
        .bind(reply.message_id.to_string())
        .fetch_one(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        codec::decode(OPERATION, &row)
    }

    async fn set_status(
        &self,
        scope: TenantScope,
        conversation_id: ConversationId,
        status: ConversationStatus,
    ) -> Result<Conversation> {
        const OPERATION: &str = "sqlite.set_status";
        let now = self.clock.now();
        let mut tx = self.write(OPERATION).await?;
        let state = turn::state(&mut tx, scope, conversation_id).await?;
        if status == ConversationStatus::HandedOff {
            turn::withdraw(&mut tx, conversation_id, now).await?;
        }
        if state.status != status {
            sqlx::query("update conversations set status = $2, updated_at = $3 where id = $1")
                .bind(conversation_id.to_string())
                .bind(status.as_str())
                .bind(codec::time(now))
                .execute(&mut *tx)
                .await
                .map_err(failed(OPERATION))?;
        }
        let row: String = sqlx::query_scalar(AssertSqlSafe(format!(
            "select {CONVERSATION} from conversations where id = $1"
        )))
        .bind(conversation_id.to_string())
        .fetch_one(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        codec::decode(OPERATION, &row)
    }

    async fn conversation(
        &self,
        scope: TenantScope,
        id: ConversationId,
    ) -> Result<Option<Conversation>> {
        const OPERATION: &str = "sqlite.conversation";
        let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "select {CONVERSATION} from conversations
             where id = $1 and organization_id = $2 and ($3 is null or property_id = $3)"
        )))
        .bind(id.to_string())
        .bind(scope.organization_id.to_string())
        .bind(scope.property_id.map(|id| id.to_string()))
        .fetch_optional(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        row.map(|row| codec::decode(OPERATION, &row)).transpose()
    }

    async fn conversations(
        &self,
        scope: TenantScope,
        page: &PageRequest,
    ) -> Result<Page<Conversation>> {
        let items = self
            .newest(
                "sqlite.conversations",
                CONVERSATION,
                "conversations",
                scope,
                page,
            )
            .await?;
        let items: Vec<Conversation> = codec::decode_all("sqlite.conversations", &items)?;
        Ok(codec::page_of(items, page, |item| item.id.to_string()))
    }

    async fn messages(
        &self,
        scope: TenantScope,
        conversation_id: ConversationId,
        last: u32,
    ) -> Result<Vec<Message>> {
        const OPERATION: &str = "sqlite.messages";
        let mut rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(format!(
            "select {MESSAGE} from messages m
             where m.conversation_id = $1 and m.organization_id = $2
               and ($3 is null or m.property_id = $3)
             order by m.number desc limit $4"
        )))
        .bind(conversation_id.to_string())
        .bind(scope.organization_id.to_string())
        .bind(scope.property_id.map(|id| id.to_string()))
        .bind(last)
        .fetch_all(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        rows.reverse();
        codec::decode_all(OPERATION, &rows)
    }

    async fn service_requests(
        &self,
        scope: TenantScope,
        page: &PageRequest,
    ) -> Result<Page<ServiceRequest>> {
        const OPERATION: &str = "sqlite.service_requests";
        let items = self
            .newest(OPERATION, SERVICE_REQUEST, "service_requests", scope, page)
            .await?;
        let items: Vec<ServiceRequest> = codec::decode_all(OPERATION, &items)?;
        Ok(codec::page_of(items, page, |item| item.id.to_string()))
    }
}

impl SqliteStore {
    /// Rows of a scope, the newest first, one more than the page holds.
    async fn newest(
        &self,
        operation: &'static str,
        json: &str,
        table: &str,
        scope: TenantScope,
        page: &PageRequest,
    ) -> Result<Vec<String>> {
        let property = match scope.property_id {
            Some(_) => "property_id = $2",
            None => "$2 is null",
        };
        sqlx::query_scalar(AssertSqlSafe(format!(
            "select {json} from {table}
             where organization_id = $1 and {property} and ($3 is null or id < $3)
             order by id desc limit $4"
        )))
        .bind(scope.organization_id.to_string())
        .bind(scope.property_id.map(|id| id.to_string()))
        .bind(codec::after_id(operation, page)?)
        .bind(codec::limit(page) as i64 + 1)
        .fetch_all(&self.reader)
        .await
        .map_err(failed(operation))
    }
}
