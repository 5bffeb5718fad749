use async_trait::async_trait;
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::{PostgresStore, error::failed, jobs, journal, rows, rows::Update};
use crate::{
    Error, Result,
    ids::ChangeId,
    model::{Change, ChangeOutcome},
    port::{
        Page, PageRequest,
        edit::{ChangeFilter, CreateWrite, EditWrite, Edits},
    },
    store::codec,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow},
};

#[async_trait]
impl Edits for PostgresStore {
    async fn apply_edit(&self, edit: EditWrite) -> Result<EntityRow> {
        const OPERATION: &str = "postgres.apply_edit";
        let now = self.clock.now();
        let mut tx = self.tenant(OPERATION, edit.scope).await?;
        let before = rows::find(&mut tx, edit.scope, edit.kind, edit.id).await?;
        let before = before.ok_or_else(|| {
            Error::not_found(OPERATION, format!("there is no {} with this id", edit.kind))
                .with("id", edit.id)
        })?;
        let update = Update {
            id: edit.id,
            expected_version: edit.expected_version,
            set: &edit.set,
        };
        if !rows::update(&mut tx, edit.scope, edit.kind, &[update], now).await? {
            return Err(Error::conflict(
                OPERATION,
                "somebody else changed it meanwhile: read it again and repeat the edit",
            )
            .with("id", edit.id)
            .with("version", before.version));
        }
        rows::write_contacts(&mut tx, edit.scope, &edit.contacts, now).await?;
        journal::write(&mut tx, edit.scope, &edit.changes).await?;
        jobs::enqueue(&mut tx, &*self.clock, &edit.jobs).await?;
        let after = rows::find(&mut tx, edit.scope, edit.kind, edit.id).await?;
        let after = after
            .ok_or_else(|| Error::internal(OPERATION, "the edited row left the editor's sight"))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(after)
    }

    async fn create_row(&self, create: CreateWrite) -> Result<EntityRow> {
        const OPERATION: &str = "postgres.create_row";
        let CreateWrite { scope, row, .. } = &create;
        let mut tx = self.tenant(OPERATION, *scope).await?;
        let seen = row.organization_id == scope.organization_id && scope.sees(row.property_id);
        if !seen || !has_property(&mut tx, row).await? {
            return Err(Error::not_found(
                OPERATION,
                format!("there is no place for this {} here", row.kind),
            )
            .with("id", row.id));
        }
        rows::insert(&mut tx, row.kind, &[row]).await?;
        rows::write_contacts(&mut tx, *scope, &create.contacts, self.clock.now()).await?;
        journal::write(&mut tx, *scope, &create.changes).await?;
        jobs::enqueue(&mut tx, &*self.clock, &create.jobs).await?;
        // A guest is seen at a property only with a reservation there.
        let whole = TenantScope {
            property_id: None,
            ..*scope
        };
        let after = rows::find(&mut tx, whole, row.kind, row.id).await?;
        let after = after.ok_or_else(|| Error::internal(OPERATION, "the new row is not there"))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(after)
    }

    async fn change(&self, scope: TenantScope, id: ChangeId) -> Result<Option<Change>> {
        const OPERATION: &str = "postgres.change";
        let mut query = select(scope);
        query.push(" and l.id = ").push_bind(id.uuid());
        let row: Option<String> = query
            .build_query_scalar()
            .fetch_optional(&mut *self.tenant(OPERATION, scope).await?)
            .await
            .map_err(failed(OPERATION))?;
        row.map(|row| codec::change(OPERATION, &row)).transpose()
    }

    async fn changes(
        &self,
        scope: TenantScope,
        filter: &ChangeFilter,
        page: &PageRequest,
    ) -> Result<Page<Change>> {
        const OPERATION: &str = "postgres.changes";
        let mut query = select(scope);
        if let Some(kind) = filter.entity {
            query.push(" and l.entity = ").push_bind(kind.as_str());
        }
        if let Some(id) = filter.entity_id {
            query.push(" and l.entity_id = ").push_bind(id);
        }
        if let Some(id) = &filter.external_id {
            query.push(" and l.external_id = ").push_bind(id.clone());
        }
        // In the text, so that the planner knows which index holds such lines.
        match filter.outcome {
            Some(ChangeOutcome::Applied) => query.push(" and l.outcome = 'applied'"),
            Some(ChangeOutcome::Refused) => query.push(" and l.outcome = 'refused'"),
            None => &mut query,
        };
        if let Some(after) = codec::after_id(OPERATION, page)? {
            query.push(" and l.id < ").push_bind(after).push("::uuid");
        }
        query
            .push(" order by l.id desc limit ")
            .push_bind(codec::limit(page) as i64 + 1);
        let rows: Vec<String> = query
            .build_query_scalar()
            .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
            .await
            .map_err(failed(OPERATION))?;
        let items = rows
            .iter()
            .map(|row| codec::change(OPERATION, row))
            .collect::<Result<Vec<Change>>>()?;
        Ok(codec::page_of(items, page, |change| change.id.to_string()))
    }
}

/// Lines of the journal that a scope sees. They have no property of their own: they are seen with
/// their rows.
fn select(scope: TenantScope) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "select json_build_object('id', l.id, 'organization_id', l.organization_id,
             'entity', l.entity, 'entity_id', l.entity_id, 'external_id', l.external_id,
             'field', l.field, 'base', l.base::text, 'old', l.old::text, 'new', l.new::text,
             'source', l.source, 'outcome', l.outcome, 'reason', l.reason,
             'created_at', l.created_at)::text
         from change_log l where l.organization_id = ",
    );
    query.push_bind(scope.organization_id.uuid());
    let Some(property) = scope.property_id else {
        return query;
    };
    let seen: Vec<String> = EntityKind::ALL
        .into_iter()
        .map(|kind| {
            format!(
                "l.entity = '{kind}' and exists (select 1 from {table} t where t.id = l.entity_id \
                 and t.organization_id = l.organization_id and {seen})",
                table = kind.table(),
                // An id is hexadecimal digits and hyphens: it can stand in the text.
                seen = rows::seen(kind, &format!("'{property}'")),
            )
        })
        .collect();
    query.push(" and (").push(seen.join(" or ")).push(")");
    query
}

/// Whether the property that a row names is the organization's.
async fn has_property(tx: &mut PgConnection, row: &EntityRow) -> Result<bool> {
    let Some(property) = row.property_id.filter(|_| row.kind.has_property()) else {
        return Ok(true);
    };
    sqlx::query_scalar(
        "select exists (select 1 from properties where id = $1 and organization_id = $2)",
    )
    .bind(property.uuid())
    .bind(row.organization_id.uuid())
    .fetch_one(tx)
    .await
    .map_err(failed("postgres.create_row"))
}
