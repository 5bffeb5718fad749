//! The lines of the journal.

use serde::Serialize;
use serde_json::json;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{error::failed, rows};
use crate::{
    Error, Result,
    ids::ChangeId,
    model::{Change, ChangeOutcome},
    port::edit::ChangeFilter,
    store::codec,
    tenant::TenantScope,
    transform::EntityKind,
};

/// A line as the statement takes it.
#[derive(Serialize)]
struct Line<'a> {
    id: ChangeId,
    entity: EntityKind,
    entity_id: Uuid,
    external_id: Option<&'a str>,
    field: Option<&'a str>,
    base: Option<String>,
    old: Option<String>,
    new: Option<String>,
    source: String,
    outcome: ChangeOutcome,
    reason: Option<&'a str>,
    created_at: String,
}

/// Writes lines in one statement; all belong to the scope's organization.
pub(super) async fn write(
    tx: &mut SqliteConnection,
    scope: TenantScope,
    changes: &[Change],
) -> Result<()> {
    const OPERATION: &str = "sqlite.write_changes";
    if changes.is_empty() {
        return Ok(());
    }
    let document = changes
        .iter()
        .map(|change| {
            if change.organization_id != scope.organization_id {
                return Err(Error::not_found(
                    OPERATION,
                    "a line of the journal belongs to another tenant",
                ));
            }
            Ok(Line {
                id: change.id,
                entity: change.entity,
                entity_id: change.entity_id,
                external_id: change.external_id.as_deref(),
                field: change.field.as_deref(),
                base: change.base.as_ref().map(codec::json),
                old: change.old.as_ref().map(codec::json),
                new: change.new.as_ref().map(codec::json),
                source: codec::json(&json!(change.source)),
                outcome: change.outcome,
                reason: change.reason.as_deref(),
                created_at: codec::time(change.created_at),
            })
        })
        .collect::<Result<Vec<Line<'_>>>>()?;
    sqlx::query(
        "insert into change_log (id, organization_id, entity, entity_id, external_id, field, base,
             old, new, source, outcome, reason, created_at)
         select value ->> 'id', $2, value ->> 'entity', value ->> 'entity_id',
             value ->> 'external_id', value ->> 'field', value ->> 'base', value ->> 'old',
             value ->> 'new', value ->> 'source', value ->> 'outcome', value ->> 'reason',
             value ->> 'created_at'
         from jsonb_each($1)",
    )
    .bind(codec::document(OPERATION, &document)?)
    .bind(scope.organization_id.to_string())
    .execute(tx)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}

/// Which lines to read, the newest first.
pub(super) struct Selection<'a> {
    pub(super) id: Option<ChangeId>,
    pub(super) filter: &'a ChangeFilter,
    pub(super) before: Option<String>,
    pub(super) limit: usize,
}

/// The statement that reads lines. With a property in the scope, lines about rows that it sees: the
/// journal has no property of its own.
pub(super) fn select(scope: TenantScope, wanted: Selection<'_>) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(
        "select json_object('id', l.id, 'organization_id', l.organization_id, 'entity', l.entity,
             'entity_id', l.entity_id, 'external_id', l.external_id, 'field', l.field,
             'base', l.base, 'old', l.old, 'new', l.new, 'source', json(l.source),
             'outcome', l.outcome, 'reason', l.reason, 'created_at', l.created_at)
         from change_log l where l.organization_id = ",
    );
    query.push_bind(scope.organization_id.to_string());
    let filter = wanted.filter;
    let mut id = "l.id";
    if let Some(wanted) = wanted.id {
        query.push(" and l.id = ").push_bind(wanted.to_string());
    }
    if let Some(kind) = filter.entity {
        query.push(" and l.entity = ").push_bind(kind.as_str());
    }
    if let Some(row) = filter.entity_id {
        query.push(" and l.entity_id = ").push_bind(row.to_string());
        if filter.entity.is_none() {
            // Named, so that the journal of a row is found by its index.
            let kinds = EntityKind::ALL.map(EntityKind::as_str).join("', '");
            query.push(format!(" and l.entity in ('{kinds}')"));
            id = "+l.id";
        }
    }
    if let Some(external_id) = &filter.external_id {
        query
            .push(" and l.external_id = ")
            .push_bind(external_id.clone());
    }
    // In the text, so that the few refused ones are found by their index.
    match filter.outcome {
        Some(ChangeOutcome::Applied) => query.push(" and l.outcome = 'applied'"),
        Some(ChangeOutcome::Refused) => query.push(" and l.outcome = 'refused'"),
        None => &mut query,
    };
    if scope.property_id.is_some() {
        push_seen(&mut query, scope, filter.entity);
    }
    if let Some(before) = wanted.before {
        query.push(format!(" and {id} < ")).push_bind(before);
    }
    query
        .push(format!(" order by {id} desc limit "))
        .push_bind(wanted.limit as i64);
    query
}

fn push_seen(query: &mut QueryBuilder<Sqlite>, scope: TenantScope, kind: Option<EntityKind>) {
    // An id is hexadecimal digits and hyphens: it can stand in the text.
    let property = scope.property_id.map(|id| format!("'{id}'"));
    let property = property.as_deref().unwrap_or("null");
    query.push(" and case l.entity");
    for kind in EntityKind::ALL
        .into_iter()
        .filter(|one| kind.is_none_or(|kind| *one == kind))
    {
        let (table, seen) = (kind.table(), rows::seen(kind, property));
        query.push(format!(
            " when '{kind}' then exists (select 1 from {table} t where t.id = l.entity_id \
             and t.organization_id = l.organization_id and {seen})"
        ));
    }
    query.push(" end");
}

#[cfg(test)]
mod tests {
    use super::{Selection, select};
    use crate::{
        clock::SystemClock,
        ids::{OrganizationId, PropertyId},
        model::ChangeOutcome,
        port::edit::ChangeFilter,
        store::sqlite::connect::tests::plan,
        tenant::TenantScope,
        transform::EntityKind,
    };

    async fn plan_of(scope: TenantScope, filter: ChangeFilter) -> String {
        let wanted = Selection {
            id: None,
            filter: &filter,
            before: Some(String::new()),
            limit: 10,
        };
        plan(select(scope, wanted).sql().as_str()).await
    }

    #[tokio::test]
    async fn the_journal_is_read_in_the_order_of_an_index() {
        let whole = TenantScope::organization(OrganizationId::generate(&SystemClock));
        let property = PropertyId::generate(&SystemClock);
        let one = TenantScope::property(whole.organization_id, property);
        let row = ChangeFilter::of(EntityKind::Guest, uuid::Uuid::nil());
        for scope in [whole, one] {
            let plan = plan_of(scope, row.clone()).await;
            let range = "change_log_row (organization_id=? AND entity=? AND entity_id=? AND id<?)";
            assert!(plan.contains(range), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
            let plan = plan_of(scope, ChangeFilter::default()).await;
            let range = "change_log_list (organization_id=? AND id<?)";
            assert!(plan.contains(range), "{plan}");
            assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        }
        let refused = ChangeFilter {
            outcome: Some(ChangeOutcome::Refused),
            ..ChangeFilter::default()
        };
        let plan = plan_of(whole, refused).await;
        assert!(plan.contains("change_log_refused"), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
        let id_alone = ChangeFilter {
            entity: None,
            ..row
        };
        let plan = plan_of(whole, id_alone).await;
        assert!(plan.contains("change_log_row"), "{plan}");
    }
}
