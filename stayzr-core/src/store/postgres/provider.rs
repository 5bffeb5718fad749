//! What organizations configure for providers.

use serde_json::Value;

use super::{PostgresStore, document::clean_json, error::failed};
use crate::{
    Result,
    model::ProviderDocument,
    store::{codec, document::changed_document},
    tenant::TenantScope,
};

impl PostgresStore {
    pub(super) async fn select_documents(
        &self,
        scope: TenantScope,
        provider: Option<&str>,
    ) -> Result<Vec<ProviderDocument>> {
        const OPERATION: &str = "postgres.provider_documents";
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_build_object('organization_id', organization_id, 'provider', provider,
                 'version', version, 'config', config, 'created_at', created_at,
                 'updated_at', updated_at)::text
             from pms_provider_configs
             where organization_id = $1 and ($2 is null or provider = $2)
             order by provider collate \"C\"",
        )
        .bind(scope.organization_id.uuid())
        .bind(provider)
        .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }

    pub(super) async fn put_document(
        &self,
        scope: TenantScope,
        provider: &str,
        config: &Value,
        expected_version: Option<i64>,
    ) -> Result<ProviderDocument> {
        const OPERATION: &str = "postgres.put_provider_document";
        let mut tx = self.tenant(OPERATION, scope).await?;
        let row: Option<String> = sqlx::query_scalar(
            "insert into pms_provider_configs as c (id, organization_id, provider, version, config,
                 created_at, updated_at)
             select $1, $2, $3, 1, $4::jsonb, $5, $5
             where coalesce($6, 0) = 0 or exists (
                 select 1 from pms_provider_configs c
                 where c.organization_id = $2 and c.provider = $3)
             on conflict (organization_id, provider) do update
             set version = c.version + 1, config = excluded.config,
                 updated_at = excluded.updated_at
             where $6 is null or c.version = $6
             returning json_build_object('organization_id', organization_id, 'provider', provider,
                 'version', version, 'config', config, 'created_at', created_at,
                 'updated_at', updated_at)::text",
        )
        .bind(self.clock.uuid())
        .bind(scope.organization_id.uuid())
        .bind(provider)
        .bind(clean_json(codec::json(config)))
        .bind(self.clock.now())
        .bind(expected_version)
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        let row = row.ok_or_else(|| changed_document(OPERATION, provider))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        codec::decode(OPERATION, &row)
    }
}
