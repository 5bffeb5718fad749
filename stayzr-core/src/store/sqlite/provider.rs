//! What organizations configure for providers.

use serde_json::Value;
use sqlx::AssertSqlSafe;

use super::{SqliteStore, error::failed};
use crate::{
    Error, Result,
    model::ProviderDocument,
    store::{codec, document::changed_document},
    tenant::TenantScope,
};

const DOCUMENT: &str = "json_object('organization_id', organization_id, 'provider', provider, \
    'version', version, 'config', json(config), 'created_at', created_at, \
    'updated_at', updated_at)";

impl SqliteStore {
    pub(super) async fn put_document(
        &self,
        scope: TenantScope,
        provider: &str,
        config: &Value,
        expected_version: Option<i64>,
    ) -> Result<ProviderDocument> {
        const OPERATION: &str = "sqlite.put_provider_document";
        let statement = format!(
            "insert into pms_provider_configs (id, organization_id, provider, version, config,
                 created_at, updated_at)
             select $1, o.id, $3, 1, $4, $5, $5 from organizations o
             where o.id = $2
               and (coalesce($6, 0) = 0 or exists (
                   select 1 from pms_provider_configs c
                   where c.organization_id = $2 and c.provider = $3))
             on conflict (organization_id, provider) do update
             set version = version + 1, config = excluded.config, updated_at = excluded.updated_at
             where $6 is null or version = $6
             returning {DOCUMENT}"
        );
        let row: Option<String> = sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(self.clock.uuid().to_string())
            .bind(scope.organization_id.to_string())
            .bind(provider)
            .bind(codec::json(config))
            .bind(codec::time(self.clock.now()))
            .bind(expected_version)
            .fetch_optional(&self.writer)
            .await
            .map_err(failed(OPERATION))?;
        let row = row.ok_or_else(|| match expected_version {
            Some(_) => changed_document(OPERATION, provider),
            None => Error::not_found(OPERATION, "there is no organization with this id"),
        })?;
        codec::decode(OPERATION, &row)
    }

    pub(super) async fn select_documents(
        &self,
        scope: TenantScope,
        provider: Option<&str>,
    ) -> Result<Vec<ProviderDocument>> {
        const OPERATION: &str = "sqlite.provider_documents";
        let statement = format!(
            "select {DOCUMENT} from pms_provider_configs
             where organization_id = $1 and ($2 is null or provider = $2)
             order by provider"
        );
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(statement))
            .bind(scope.organization_id.to_string())
            .bind(provider)
            .fetch_all(&self.reader)
            .await
            .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }
}
