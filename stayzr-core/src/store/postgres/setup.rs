use async_trait::async_trait;
use serde_json::{Value, json};
use sqlx::PgConnection;

use super::{PostgresStore, error::failed, rows};
use crate::{
    Error, ErrorKind, Result,
    ids::{ApiTokenId, ChannelAccountId, IntegrationId},
    model::{
        ChannelAccount, Integration, IntegrationStatus, Organization, Property, ProviderDocument,
    },
    port::setup::{NewToken, Setup},
    store::codec,
    tenant::TenantScope,
    transform::{Entity, EntityKind, EntityRow},
};

#[async_trait]
impl Setup for PostgresStore {
    async fn create_organization(&self, organization: Organization, token: NewToken) -> Result<()> {
        const OPERATION: &str = "postgres.create_organization";
        if token.principal.organization_id != organization.id {
            return Err(Error::invalid(
                OPERATION,
                "the token belongs to another organization",
            ));
        }
        let mut tx = self.organization_tx(OPERATION, organization.id).await?;
        sqlx::query("insert into organizations (id, name, created_at) values ($1, $2, $3)")
            .bind(organization.id.uuid())
            .bind(&organization.name)
            .bind(organization.created_at)
            .execute(&mut *tx)
            .await
            .map_err(failed(OPERATION))?;
        self.insert_token(&mut tx, &token).await?;
        tx.commit().await.map_err(failed(OPERATION))
    }

    async fn organizations(&self) -> Result<Vec<Organization>> {
        const OPERATION: &str = "postgres.organizations";
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_build_object('id', id, 'name', name, 'created_at', created_at)::text
             from organizations order by created_at, id",
        )
        .fetch_all(&mut *self.system(OPERATION).await?)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }

    async fn create_property(&self, property: Property) -> Result<()> {
        const OPERATION: &str = "postgres.create_property";
        let row = EntityRow {
            kind: EntityKind::Property,
            id: property.id.uuid(),
            organization_id: property.organization_id,
            property_id: Some(property.id),
            version: property.version,
            created_at: property.created_at,
            updated_at: property.updated_at,
            fields: property.to_fields()?,
        };
        let mut tx = self
            .organization_tx(OPERATION, property.organization_id)
            .await?;
        rows::insert(&mut tx, EntityKind::Property, &[&row])
            .await
            .map_err(|error| match error.kind() {
                ErrorKind::Conflict => Error::conflict(
                    OPERATION,
                    "the organization has a property of this name already",
                )
                .with_source(error),
                _ => error,
            })?;
        tx.commit().await.map_err(failed(OPERATION))
    }

    async fn create_integration(&self, integration: Integration) -> Result<()> {
        const OPERATION: &str = "postgres.create_integration";
        let organization = integration.organization_id;
        let mut tx = self.organization_tx(OPERATION, organization).await?;
        let done = sqlx::query(
            "insert into pms_integrations (id, organization_id, property_id, provider, account,
                 remote_property_id, settings, sealed, status, created_at, updated_at)
             select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
             where exists (select 1 from properties where id = $3 and organization_id = $2)",
        )
        .bind(integration.id.uuid())
        .bind(integration.organization_id.uuid())
        .bind(integration.property_id.uuid())
        .bind(&integration.provider)
        .bind(&integration.account)
        .bind(&integration.remote_property_id)
        .bind(&integration.settings)
        .bind(&integration.sealed)
        .bind(status_name(integration.status)?)
        .bind(integration.created_at)
        .bind(integration.updated_at)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))
        .map_err(|error| match error.kind() {
            ErrorKind::Conflict => Error::conflict(
                OPERATION,
                "the vendor's property is connected already: remove that integration first",
            )
            .with("provider", &integration.provider)
            .with_source(error),
            _ => error,
        })?;
        if done.rows_affected() == 0 {
            return Err(no_property(OPERATION));
        }
        tx.commit().await.map_err(failed(OPERATION))
    }

    async fn update_integration(&self, integration: Integration) -> Result<()> {
        const OPERATION: &str = "postgres.update_integration";
        let organization = integration.organization_id;
        let mut tx = self.organization_tx(OPERATION, organization).await?;
        let done = sqlx::query(
            "update pms_integrations set settings = $3, sealed = $4, status = $5, updated_at = $6
             where id = $1 and organization_id = $2",
        )
        .bind(integration.id.uuid())
        .bind(integration.organization_id.uuid())
        .bind(&integration.settings)
        .bind(&integration.sealed)
        .bind(status_name(integration.status)?)
        .bind(integration.updated_at)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        match done.rows_affected() {
            0 => Err(Error::not_found(
                OPERATION,
                "there is no integration with this id",
            )),
            _ => Ok(()),
        }
    }

    async fn set_integration_status(
        &self,
        scope: TenantScope,
        id: IntegrationId,
        status: IntegrationStatus,
    ) -> Result<bool> {
        const OPERATION: &str = "postgres.set_integration_status";
        let mut tx = self.tenant(OPERATION, scope).await?;
        let done = sqlx::query(
            "update pms_integrations set status = $4, updated_at = $5
             where id = $1 and organization_id = $2 and ($3 is null or property_id = $3)",
        )
        .bind(id.uuid())
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .bind(status_name(status)?)
        .bind(self.clock.now())
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(done.rows_affected() > 0)
    }

    async fn put_provider_document(
        &self,
        scope: TenantScope,
        provider: &str,
        config: Value,
        expected_version: Option<i64>,
    ) -> Result<ProviderDocument> {
        self.put_document(scope, provider, &config, expected_version)
            .await
    }

    async fn provider_documents(&self, scope: TenantScope) -> Result<Vec<ProviderDocument>> {
        self.select_documents(scope, None).await
    }

    async fn delete_integration(&self, scope: TenantScope, id: IntegrationId) -> Result<bool> {
        const OPERATION: &str = "postgres.delete_integration";
        let mut tx = self.tenant(OPERATION, scope).await?;
        let done = sqlx::query(
            "delete from pms_integrations
             where id = $1 and organization_id = $2 and ($3 is null or property_id = $3)",
        )
        .bind(id.uuid())
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        for statement in [
            "delete from pms_entity_mappings where organization_id = $2 and integration_id = $1",
            "delete from pms_sync_cursors where organization_id = $2 and integration_id = $1",
            "delete from pms_sync_runs where organization_id = $2 and integration_id = $1",
            // A conflict without the other side is none.
            "delete from pms_conflicts where organization_id = $2 and integration_id = $1",
        ] {
            sqlx::query(statement)
                .bind(id.uuid())
                .bind(scope.organization_id.uuid())
                .execute(&mut *tx)
                .await
                .map_err(failed(OPERATION))?;
        }
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(true)
    }

    async fn create_channel_account(&self, account: ChannelAccount) -> Result<()> {
        const OPERATION: &str = "postgres.create_channel_account";
        let mut tx = self
            .organization_tx(OPERATION, account.organization_id)
            .await?;
        let done = sqlx::query(
            "insert into channel_accounts (id, organization_id, property_id, channel, address,
                 settings, sealed, created_at, updated_at)
             select $1, $2, $3, $4, $5, $6, $7, $8, $9
             where exists (select 1 from properties where id = $3 and organization_id = $2)",
        )
        .bind(account.id.uuid())
        .bind(account.organization_id.uuid())
        .bind(account.property_id.uuid())
        .bind(account.channel.as_str())
        .bind(&account.address)
        .bind(&account.settings)
        .bind(&account.sealed)
        .bind(account.created_at)
        .bind(account.updated_at)
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))
        .map_err(|error| match error.kind() {
            ErrorKind::Conflict => {
                Error::conflict(OPERATION, "the address belongs to an account already")
                    .with("address", &account.address)
                    .with_source(error)
            }
            _ => error,
        })?;
        tx.commit().await.map_err(failed(OPERATION))?;
        match done.rows_affected() {
            0 => Err(no_property(OPERATION)),
            _ => Ok(()),
        }
    }

    async fn channel_accounts(&self, scope: TenantScope) -> Result<Vec<ChannelAccount>> {
        const OPERATION: &str = "postgres.channel_accounts";
        let rows: Vec<String> = sqlx::query_scalar(
            "select json_build_object('id', id, 'organization_id', organization_id,
                 'property_id', property_id, 'channel', channel, 'address', address,
                 'settings', settings, 'sealed', sealed, 'created_at', created_at,
                 'updated_at', updated_at)::text
             from channel_accounts
             where organization_id = $1 and ($2 is null or property_id = $2)
             order by created_at, id",
        )
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .fetch_all(&mut *self.tenant(OPERATION, scope).await?)
        .await
        .map_err(failed(OPERATION))?;
        codec::decode_all(OPERATION, &rows)
    }

    async fn delete_channel_account(
        &self,
        scope: TenantScope,
        id: ChannelAccountId,
    ) -> Result<bool> {
        const OPERATION: &str = "postgres.delete_channel_account";
        let mut tx = self.tenant(OPERATION, scope).await?;
        let done = sqlx::query(
            "delete from channel_accounts
             where id = $1 and organization_id = $2 and ($3 is null or property_id = $3)",
        )
        .bind(id.uuid())
        .bind(scope.organization_id.uuid())
        .bind(scope.property_id.map(|id| id.uuid()))
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(done.rows_affected() > 0)
    }

    async fn create_token(&self, token: NewToken) -> Result<()> {
        const OPERATION: &str = "postgres.create_token";
        let organization = token.principal.organization_id;
        let mut tx = self.organization_tx(OPERATION, organization).await?;
        self.insert_token(&mut tx, &token).await?;
        tx.commit().await.map_err(failed(OPERATION))
    }

    async fn revoke_token(&self, scope: TenantScope, id: ApiTokenId) -> Result<bool> {
        const OPERATION: &str = "postgres.revoke_token";
        let mut tx = self.tenant(OPERATION, scope).await?;
        let done = sqlx::query(
            "update api_tokens set revoked_at = $3
             where id = $1 and organization_id = $2 and revoked_at is null",
        )
        .bind(id.uuid())
        .bind(scope.organization_id.uuid())
        .bind(self.clock.now())
        .execute(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(done.rows_affected() > 0)
    }
}

impl PostgresStore {
    async fn insert_token(&self, tx: &mut PgConnection, token: &NewToken) -> Result<()> {
        let principal = &token.principal;
        sqlx::query(
            "insert into api_tokens (id, organization_id, name, role, property_ids, hash,
                 created_at)
             values ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(principal.token_id.uuid())
        .bind(principal.organization_id.uuid())
        .bind(&principal.name)
        .bind(principal.role.as_str())
        .bind(json!(principal.property_ids))
        .bind(&token.hash)
        .bind(self.clock.now())
        .execute(tx)
        .await
        .map_err(failed("postgres.create_token"))?;
        Ok(())
    }
}

fn status_name(status: IntegrationStatus) -> Result<String> {
    match serde_json::to_value(status) {
        Ok(Value::String(name)) => Ok(name),
        _ => Err(Error::internal(
            "postgres.integration",
            "the status has no name",
        )),
    }
}

fn no_property(operation: &'static str) -> Error {
    Error::not_found(
        operation,
        "the organization has no property with this id: create it first",
    )
}
