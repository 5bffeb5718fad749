use async_trait::async_trait;

use super::{SqliteStore, error::failed, jobs, journal, rows, rows::Update};
use crate::{
    Error, Result,
    model::Change,
    port::{
        Page, PageRequest,
        edit::{ChangeFilter, EditWrite, Edits},
        entities::Entities,
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

    async fn changes(
        &self,
        scope: TenantScope,
        filter: &ChangeFilter,
        page: &PageRequest,
    ) -> Result<Page<Change>> {
        let (Some(kind), Some(id)) = (filter.entity, filter.entity_id) else {
            return Err(Error::unsupported("store", "not available in this store"));
        };
        const OPERATION: &str = "sqlite.changes";
        // The journal has no property of its own: it is seen with its row.
        if scope.property_id.is_some() && self.row(scope, kind, id).await?.is_none() {
            return Ok(Page {
                items: Vec::new(),
                next_cursor: None,
            });
        }
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_object('id', id, 'organization_id', organization_id, 'entity', entity,
                 'entity_id', entity_id, 'field', field, 'base', base, 'old', old, 'new', new,
                 'source', json(source), 'outcome', outcome, 'reason', reason,
                 'created_at', created_at)
             from change_log
             where organization_id = $1 and entity = $2 and entity_id = $3
               and ($4 is null or id < $4)
             order by id desc limit $5",
        )
        .bind(scope.organization_id.to_string())
        .bind(kind.as_str())
        .bind(id.to_string())
        .bind(codec::after_id(OPERATION, page)?)
        .bind(codec::limit(page) as i64 + 1)
        .fetch_all(&self.reader)
        .await
        .map_err(failed(OPERATION))?;
        let items = rows
            .iter()
            .map(|row| codec::change(OPERATION, row))
            .collect::<Result<Vec<Change>>>()?;
        Ok(codec::page_of(items, page, |change| change.id.to_string()))
    }
}
