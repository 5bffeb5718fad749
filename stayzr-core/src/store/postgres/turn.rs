//! The end of a turn, and what a person who takes over withdraws. Each runs inside the caller's
//! transaction.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    document::{clean_text, document},
    error::failed,
    jobs, queue,
};
use crate::{
    Error, Result,
    clock::Clock,
    ids::{ConversationId, JobId, MessageId},
    model::{ConversationStatus, MessageStatus, ServiceRequest},
    port::conversation::{CommitTurn, Reply, TurnCommitted},
    store::codec,
    tenant::TenantScope,
};

/// What a write needs to know of a conversation.
#[derive(Debug, Deserialize)]
pub(super) struct State {
    id: ConversationId,
    property_id: Uuid,
    channel_account_id: Option<Uuid>,
    pub(super) status: ConversationStatus,
}

/// The conversation, locked until the transaction ends, so that a message, a turn and a person who
/// takes over come one after the other; [`crate::ErrorKind::NotFound`] if it is not in scope.
pub(super) async fn state(
    tx: &mut PgConnection,
    scope: TenantScope,
    id: ConversationId,
) -> Result<State> {
    const OPERATION: &str = "postgres.conversation";
    let row: Option<String> = sqlx::query_scalar(
        "select json_build_object('id', id, 'property_id', property_id,
             'channel_account_id', channel_account_id, 'status', status)::text
         from conversations
         where id = $1 and organization_id = $2 and ($3 is null or property_id = $3)
         for no key update",
    )
    .bind(id.uuid())
    .bind(scope.organization_id.uuid())
    .bind(scope.property_id.map(|id| id.uuid()))
    .fetch_optional(tx)
    .await
    .map_err(failed(OPERATION))?;
    match row {
        Some(row) => codec::decode(OPERATION, &row),
        None => {
            Err(Error::not_found(OPERATION, "there is no conversation with this id").with("id", id))
        }
    }
}

/// Writes a turn unless a newer message or a person has come first.
pub(super) async fn commit(
    tx: &mut PgConnection,
    clock: &dyn Clock,
    turn: &CommitTurn,
) -> Result<TurnCommitted> {
    const OPERATION: &str = "postgres.commit_turn";
    let state = state(tx, turn.scope, turn.conversation_id).await?;
    if state.status != ConversationStatus::Open {
        return Ok(TurnCommitted::Muted);
    }
    if is_superseded(tx, turn.conversation_id, turn.answered_up_to).await? {
        return Ok(TurnCommitted::Superseded);
    }
    if let Some(reply) = &turn.reply {
        write_reply(tx, clock, turn.scope, &state, reply).await?;
    }
    let status = match &turn.handoff {
        Some(request) => {
            insert_service_request(tx, turn.scope, request).await?;
            ConversationStatus::HandedOff
        }
        None => ConversationStatus::Open,
    };
    sqlx::query(
        "update conversations set status = $2, language = $3, updated_at = $4 where id = $1",
    )
    .bind(turn.conversation_id.uuid())
    .bind(status.as_str())
    .bind(turn.language.as_str())
    .bind(clock.now())
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(TurnCommitted::Committed)
}

/// Whether the guest has written since this message came, or another turn has answered it.
async fn is_superseded(
    tx: &mut PgConnection,
    conversation_id: ConversationId,
    answered_up_to: MessageId,
) -> Result<bool> {
    const OPERATION: &str = "postgres.commit_turn";
    let newer: Option<bool> = sqlx::query_scalar(
        "select exists (
             select 1 from messages n
             where n.conversation_id = m.conversation_id and n.number > m.number)
         from messages m where m.id = $1 and m.conversation_id = $2",
    )
    .bind(answered_up_to.uuid())
    .bind(conversation_id.uuid())
    .fetch_optional(tx)
    .await
    .map_err(failed(OPERATION))?;
    newer.ok_or_else(|| {
        Error::not_found(OPERATION, "the conversation has no message with this id")
            .with("message_id", answered_up_to)
    })
}

/// Stores a reply with the job that sends it.
pub(super) async fn write_reply(
    tx: &mut PgConnection,
    clock: &dyn Clock,
    scope: TenantScope,
    state: &State,
    reply: &Reply,
) -> Result<()> {
    let job: Option<JobId> = match &reply.outbound {
        Some(job) => jobs::enqueue(tx, clock, std::slice::from_ref(job))
            .await?
            .first()
            .copied(),
        None => None,
    };
    let status = match job {
        Some(_) => MessageStatus::Pending,
        None => MessageStatus::Sent,
    };
    sqlx::query(
        "insert into messages (id, organization_id, property_id, conversation_id,
             channel_account_id, direction, author, text, kind, status, citations, trace, job_id,
             created_at, updated_at)
         values ($1, $2, $3, $4, $5, 'outbound', $6::jsonb #>> '{}', $7, 'text', $8, $9, $10, $11, $12,
             $12)",
    )
    .bind(reply.message_id.uuid())
    .bind(scope.organization_id.uuid())
    .bind(state.property_id)
    .bind(state.id.uuid())
    .bind(state.channel_account_id)
    .bind(json!(reply.author).to_string())
    .bind(clean_text(&reply.text))
    .bind(status.as_str())
    .bind(json!(reply.citations))
    .bind(&reply.trace)
    .bind(job.map(|id| id.uuid()))
    .bind(clock.now())
    .execute(tx)
    .await
    .map_err(failed("postgres.write_reply"))?;
    Ok(())
}

/// Withdraws what the machine has not sent yet. What is being sent at this moment cannot be held
/// back, but is not tried again.
pub(super) async fn withdraw(
    tx: &mut PgConnection,
    conversation_id: ConversationId,
    now: DateTime<Utc>,
) -> Result<()> {
    const OPERATION: &str = "postgres.withdraw";
    let jobs: Vec<Option<Uuid>> = sqlx::query_scalar(
        "update messages
         set withdrawn = true, updated_at = $2,
             status = case status when 'pending' then 'cancelled' else status end
         where conversation_id = $1 and author = 'concierge' and status in ('pending', 'sending')
         returning job_id",
    )
    .bind(conversation_id.uuid())
    .bind(now)
    .fetch_all(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    let jobs: Vec<JobId> = jobs.into_iter().flatten().map(JobId::from).collect();
    if jobs.is_empty() {
        return Ok(());
    }
    queue::cancel_jobs(tx, &jobs, now).await
}

/// Stores a service request unless its id is there.
pub(super) async fn insert_service_request(
    tx: &mut PgConnection,
    scope: TenantScope,
    request: &ServiceRequest,
) -> Result<()> {
    const OPERATION: &str = "postgres.commit_turn";
    let there: bool = sqlx::query_scalar(
        "select exists (select 1 from properties where id = $1 and organization_id = $2)",
    )
    .bind(request.property_id.uuid())
    .bind(scope.organization_id.uuid())
    .fetch_one(&mut *tx)
    .await
    .map_err(failed(OPERATION))?;
    let seen =
        request.organization_id == scope.organization_id && scope.sees(Some(request.property_id));
    if !(there && seen) {
        return Err(Error::not_found(
            OPERATION,
            "there is no property with this id",
        ));
    }
    sqlx::query(
        "insert into service_requests (id, organization_id, property_id, guest_id, reservation_id,
             conversation_id, category, description, status, status_vendor, due_at, created_at,
             updated_at)
         select id, organization_id, property_id,
             -- A guest who turned out to be another while the turn was thought over.
             coalesce((select g.merged_into from guests g where g.id = e.guest_id), guest_id),
             reservation_id, conversation_id, category, description, status, status_vendor, $4,
             $2, $3
         from jsonb_to_record($1::jsonb) e(id uuid, organization_id uuid, property_id uuid,
             guest_id uuid, reservation_id uuid, conversation_id uuid, category text,
             description text, status text, status_vendor text)
         on conflict (id) do nothing",
    )
    .bind(document(json!(request)))
    .bind(request.created_at)
    .bind(request.updated_at)
    .bind(request.due_at)
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}
