use async_trait::async_trait;

use super::{
    SqliteStore,
    error::failed,
    jobs,
    journal::{self, Selection},
    rows::{self, Update},
};
use crate::{
    Error, Result,
    ids::ChangeId,
    model::Change,
    port::{
        Page, PageRequest,
        edit::{ChangeFilter, CreateWrite, EditWrite, Edits},
    },
    store::codec,
    tenant::TenantScope,
    transform::EntityRow,
};

#[async_trait]
impl Edits for SqliteStore {
    async fn apply_edit(&self, edit: EditWrite) -> Result<EntityRow> {
        const OPERATION: &str = "sqlite.apply_edit";
        let now = self.clock.now();
        let mut tx = self.write(OPERATION).await?;
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
        const OPERATION: &str = "sqlite.create_row";
        let (scope, row) = (create.scope, &create.row);
        let now = self.clock.now();
        let mut tx = self.write(OPERATION).await?;
        if row.organization_id != scope.organization_id || !scope.sees(row.property_id) {
            return Err(not_here(OPERATION, row));
        }
        if row.kind.has_property() {
            let there: Option<i64> = sqlx::query_scalar(
                "select 1 from properties where id = $1 and organization_id = $2",
            )
            .bind(row.property_id.map(|id| id.to_string()))
            .bind(scope.organization_id.to_string())
            .fetch_optional(&mut *tx)
            .await
            .map_err(failed(OPERATION))?;
            there.ok_or_else(|| not_here(OPERATION, row))?;
        }
        rows::insert(&mut tx, row.kind, &[row]).await?;
        rows::write_contacts(&mut tx, scope, &create.contacts, now).await?;
        journal::write(&mut tx, scope, &create.changes).await?;
        jobs::enqueue(&mut tx, &*self.clock, &create.jobs).await?;
        // A new guest hangs on no property yet.
        let whole = TenantScope::organization(scope.organization_id);
        let after = rows::find(&mut tx, whole, row.kind, row.id).await?;
        let after =
            after.ok_or_else(|| Error::internal(OPERATION, "the new row cannot be read"))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(after)
    }

    async fn change(&self, scope: TenantScope, id: ChangeId) -> Result<Option<Change>> {
        let wanted = Selection {
            id: Some(id),
            filter: &ChangeFilter::default(),
            before: None,
            limit: 1,
        };
        let found = self.select_changes(scope, wanted).await?;
        Ok(found.into_iter().next())
    }

    async fn changes(
        &self,
        scope: TenantScope,
        filter: &ChangeFilter,
        page: &PageRequest,
    ) -> Result<Page<Change>> {
        let wanted = Selection {
            id: None,
            filter,
            before: codec::after_id("sqlite.changes", page)?,
            limit: codec::limit(page) + 1,
        };
        let items = self.select_changes(scope, wanted).await?;
        Ok(codec::page_of(items, page, |change| change.id.to_string()))
    }
}

impl SqliteStore {
    async fn select_changes(
        &self,
        scope: TenantScope,
        wanted: Selection<'_>,
    ) -> Result<Vec<Change>> {
        const OPERATION: &str = "sqlite.changes";
        let rows: Vec<String> = journal::select(scope, wanted)
            .build_query_scalar()
            .fetch_all(&self.reader)
            .await
            .map_err(failed(OPERATION))?;
        rows.iter()
            .map(|row| codec::change(OPERATION, row))
            .collect()
    }
}

fn not_here(operation: &'static str, row: &EntityRow) -> Error {
    Error::not_found(operation, "the row belongs to no property that is in sight")
        .with("entity", row.kind)
        .with("id", row.id)
}
