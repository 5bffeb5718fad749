//! Mappings as a sweep goes through them.

use super::{SqliteStore, error::failed};
use crate::{
    Result, ids::IntegrationId, port::sync::MappedRecord, store::codec, tenant::TenantScope,
    transform::EntityKind,
};

/// Not gone, in order of the vendor's ids.
const MAPPED: &str = "select json_object('external_id', external_id, 'local_id', local_id)
     from pms_entity_mappings
     where integration_id = $2 and entity = $3 and external_id > $4 and +organization_id = $1
       and gone_at is null
       and exists (select 1 from pms_integrations i where i.id = $2
           and i.organization_id = $1 and ($6 is null or i.property_id = $6))
     order by external_id limit $5";

impl SqliteStore {
    pub(super) async fn select_mapped(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<MappedRecord>> {
        const OPERATION: &str = "sqlite.mapped";
        let rows: Vec<String> = sqlx::query_scalar(MAPPED)
            .bind(scope.organization_id.to_string())
            .bind(integration_id.to_string())
            .bind(kind.as_str())
            // No id of a vendor is empty.
            .bind(after.unwrap_or_default())
            .bind(limit)
            .bind(scope.property_id.map(|id| id.to_string()))
            .fetch_all(&self.reader)
            .await
            .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }

    pub(super) async fn count_mapped(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
    ) -> Result<u64> {
        let count: i64 = sqlx::query_scalar(
            "select count(*) from pms_entity_mappings
             where integration_id = $2 and entity = $3 and +organization_id = $1
               and merged_into is null and gone_at is null
               and exists (select 1 from pms_integrations i where i.id = $2
                   and i.organization_id = $1 and ($4 is null or i.property_id = $4))",
        )
        .bind(scope.organization_id.to_string())
        .bind(integration_id.to_string())
        .bind(kind.as_str())
        .bind(scope.property_id.map(|id| id.to_string()))
        .fetch_one(&self.reader)
        .await
        .map_err(failed("sqlite.mapped_count"))?;
        Ok(count.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::connect::tests::plan, MAPPED};

    #[tokio::test]
    async fn a_sweep_reads_forward_in_the_primary_key() {
        let plan = plan(MAPPED).await;
        let range = "(integration_id=? AND entity=? AND external_id>?)";
        assert!(plan.contains(range), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{plan}");
    }
}
