//! Mappings as a sweep goes through them.

use sqlx::FromRow;
use uuid::Uuid;

use super::{PostgresStore, error::failed};
use crate::{
    Result, ids::IntegrationId, port::sync::MappedRecord, tenant::TenantScope,
    transform::EntityKind,
};

#[derive(FromRow)]
struct Mapped {
    external_id: String,
    local_id: Uuid,
}

impl PostgresStore {
    /// A column of ids is compared by its bytes, as the primary key has them.
    pub(super) async fn select_mapped(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<MappedRecord>> {
        const OPERATION: &str = "postgres.mapped";
        let rows: Vec<Mapped> = sqlx::query_as(
            "select external_id, local_id from pms_entity_mappings
             where integration_id = $2 and entity = $3 and external_id > $4
               and organization_id = $1 and gone_at is null
               and exists (select 1 from pms_integrations i where i.id = $2
                   and i.organization_id = $1 and ($6 is null or i.property_id = $6))
             order by external_id limit $5",
        )
        .bind(scope.organization_id.uuid())
        .bind(integration_id.uuid())
        .bind(kind.as_str())
        // No id of a vendor is empty.
        .bind(after.unwrap_or_default())
        .bind(i64::from(limit))
        .bind(scope.property_id.map(|id| id.uuid()))
        .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        Ok(rows
            .into_iter()
            .map(|row| MappedRecord {
                external_id: row.external_id,
                local_id: row.local_id,
            })
            .collect())
    }

    pub(super) async fn count_mapped(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
    ) -> Result<u64> {
        const OPERATION: &str = "postgres.mapped_count";
        let count: i64 = sqlx::query_scalar(
            "select count(*) from pms_entity_mappings
             where integration_id = $2 and entity = $3 and organization_id = $1
               and merged_into is null and gone_at is null
               and exists (select 1 from pms_integrations i where i.id = $2
                   and i.organization_id = $1 and ($4 is null or i.property_id = $4))",
        )
        .bind(scope.organization_id.uuid())
        .bind(integration_id.uuid())
        .bind(kind.as_str())
        .bind(scope.property_id.map(|id| id.uuid()))
        .fetch_one(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        Ok(count.unsigned_abs())
    }
}
