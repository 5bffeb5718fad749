use async_trait::async_trait;
use serde_json::Value;

use super::state::{MemoryStore, State, TokenEntry, not_found, unless};
use crate::{
    Error, Result,
    ids::{ApiTokenId, ChannelAccountId, IntegrationId, OrganizationId, PropertyId},
    model::{
        ChannelAccount, Integration, IntegrationStatus, Organization, Property, ProviderDocument,
    },
    port::setup::{NewToken, Setup},
    store::document::changed_document,
    tenant::TenantScope,
    transform::{Entity, EntityKind, EntityRow},
};

#[async_trait]
impl Setup for MemoryStore {
    async fn create_organization(&self, organization: Organization, token: NewToken) -> Result<()> {
        const OPERATION: &str = "memory.create_organization";
        if token.principal.organization_id != organization.id {
            return Err(Error::invalid(
                OPERATION,
                "the token belongs to another organization",
            ));
        }
        let mut state = self.lock();
        let taken = state.organizations.contains_key(&organization.id);
        unless(taken, OPERATION, "the organization exists already")?;
        state.add_token(token)?;
        state.organizations.insert(organization.id, organization);
        Ok(())
    }

    async fn organizations(&self) -> Result<Vec<Organization>> {
        let mut organizations: Vec<_> = self.lock().organizations.values().cloned().collect();
        organizations.sort_by_key(|organization| (organization.created_at, organization.id));
        Ok(organizations)
    }

    async fn create_property(&self, property: Property) -> Result<()> {
        const OPERATION: &str = "memory.create_property";
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
        let mut state = self.lock();
        if !state.organizations.contains_key(&property.organization_id) {
            return Err(not_found(OPERATION, "organization"));
        }
        let taken = state.rows.values().any(|row| {
            row.kind == EntityKind::Property
                && row.organization_id == property.organization_id
                && (row.id == property.id.uuid()
                    || row.fields.get("name").and_then(Value::as_str)
                        == Some(property.name.as_str()))
        });
        let why = "the organization has a property of this name already";
        unless(taken, OPERATION, why)?;
        state.rows.insert((EntityKind::Property, row.id), row);
        Ok(())
    }

    async fn create_integration(&self, integration: Integration) -> Result<()> {
        const OPERATION: &str = "memory.create_integration";
        let mut state = self.lock();
        state.check_property(
            OPERATION,
            integration.organization_id,
            integration.property_id,
        )?;
        let taken = state.integrations.values().any(|other| {
            other.id == integration.id
                || (&other.provider, &other.account, &other.remote_property_id)
                    == (
                        &integration.provider,
                        &integration.account,
                        &integration.remote_property_id,
                    )
        });
        unless(
            taken,
            OPERATION,
            "the vendor's property is connected already",
        )?;
        state.integrations.insert(integration.id, integration);
        Ok(())
    }

    async fn update_integration(&self, integration: Integration) -> Result<()> {
        let mut state = self.lock();
        let stored = state
            .integrations
            .get_mut(&integration.id)
            .filter(|stored| stored.organization_id == integration.organization_id)
            .ok_or_else(|| not_found("memory.update_integration", "integration"))?;
        stored.settings = integration.settings;
        stored.sealed = integration.sealed;
        stored.status = integration.status;
        stored.updated_at = integration.updated_at;
        Ok(())
    }

    async fn set_integration_status(
        &self,
        scope: TenantScope,
        id: IntegrationId,
        status: IntegrationStatus,
    ) -> Result<bool> {
        let (mut state, now) = self.begin();
        if state.integration_in(scope, id).is_none() {
            return Ok(false);
        }
        if let Some(stored) = state.integrations.get_mut(&id)
            && stored.status != status
        {
            stored.status = status;
            stored.updated_at = now;
        }
        Ok(true)
    }

    async fn put_provider_document(
        &self,
        scope: TenantScope,
        provider: &str,
        config: Value,
        expected_version: Option<i64>,
    ) -> Result<ProviderDocument> {
        let (mut state, now) = self.begin();
        let organization_id = scope.organization_id;
        if !state.organizations.contains_key(&organization_id) {
            return Err(not_found("memory.put_provider_document", "organization"));
        }
        let key = (organization_id, provider.to_owned());
        let stored = state.provider_documents.get(&key);
        let version = stored.map_or(0, |document| document.version);
        if expected_version.is_some_and(|expected| expected != version) {
            return Err(changed_document("memory.put_provider_document", provider));
        }
        let document = state
            .provider_documents
            .entry(key)
            .or_insert_with(|| ProviderDocument {
                organization_id,
                provider: provider.to_owned(),
                version: 0,
                config: Value::Null,
                created_at: now,
                updated_at: now,
            });
        document.version += 1;
        document.config = config;
        document.updated_at = now;
        Ok(document.clone())
    }

    async fn provider_documents(&self, scope: TenantScope) -> Result<Vec<ProviderDocument>> {
        let state = self.lock();
        Ok(state
            .provider_documents
            .values()
            .filter(|document| document.organization_id == scope.organization_id)
            .cloned()
            .collect())
    }

    async fn delete_integration(&self, scope: TenantScope, id: IntegrationId) -> Result<bool> {
        let mut state = self.lock();
        if state.integration_in(scope, id).is_none() {
            return Ok(false);
        }
        state.integrations.remove(&id);
        state.mappings.retain(|(of, ..), _| *of != id);
        state.mapped.retain(|(of, ..), _| *of != id);
        state.cursors.retain(|(of, ..), _| *of != id);
        state.runs.retain(|_, run| run.integration_id != id);
        // A conflict without the other side is none.
        state
            .conflicts
            .retain(|_, conflict| conflict.integration_id != id);
        Ok(true)
    }

    async fn create_channel_account(&self, account: ChannelAccount) -> Result<()> {
        const OPERATION: &str = "memory.create_channel_account";
        let mut state = self.lock();
        state.check_property(OPERATION, account.organization_id, account.property_id)?;
        let taken = state.accounts.values().any(|other| {
            other.id == account.id
                || (other.channel, &other.address) == (account.channel, &account.address)
        });
        unless(
            taken,
            OPERATION,
            "the address belongs to an account already",
        )?;
        state.accounts.insert(account.id, account);
        Ok(())
    }

    async fn channel_accounts(&self, scope: TenantScope) -> Result<Vec<ChannelAccount>> {
        let state = self.lock();
        let mut accounts: Vec<ChannelAccount> = state
            .accounts
            .values()
            .filter(|account| sees(scope, account.organization_id, account.property_id))
            .cloned()
            .collect();
        accounts.sort_by_key(|account| (account.created_at, account.id));
        Ok(accounts)
    }

    async fn delete_channel_account(
        &self,
        scope: TenantScope,
        id: ChannelAccountId,
    ) -> Result<bool> {
        let mut state = self.lock();
        let found = state
            .accounts
            .get(&id)
            .is_some_and(|account| sees(scope, account.organization_id, account.property_id));
        Ok(found && state.accounts.remove(&id).is_some())
    }

    async fn create_token(&self, token: NewToken) -> Result<()> {
        self.lock().add_token(token)
    }

    async fn revoke_token(&self, scope: TenantScope, id: ApiTokenId) -> Result<bool> {
        let mut state = self.lock();
        let entry = state.tokens.get_mut(&id).filter(|entry| {
            !entry.revoked && entry.token.principal.organization_id == scope.organization_id
        });
        Ok(entry.map(|entry| entry.revoked = true).is_some())
    }
}

impl State {
    fn add_token(&mut self, token: NewToken) -> Result<()> {
        let taken = self.tokens.contains_key(&token.principal.token_id)
            || self
                .tokens
                .values()
                .any(|entry| entry.token.hash == token.hash);
        unless(taken, "memory.create_token", "the token exists already")?;
        let entry = TokenEntry {
            token,
            revoked: false,
        };
        self.tokens.insert(entry.token.principal.token_id, entry);
        Ok(())
    }

    pub(super) fn check_property(
        &self,
        operation: &'static str,
        organization: OrganizationId,
        property: PropertyId,
    ) -> Result<()> {
        self.rows
            .get(&(EntityKind::Property, property.uuid()))
            .filter(|row| row.organization_id == organization)
            .map(|_| ())
            .ok_or_else(|| not_found(operation, "property"))
    }

    pub(super) fn integration_in(
        &self,
        scope: TenantScope,
        id: IntegrationId,
    ) -> Option<&Integration> {
        self.integrations
            .get(&id)
            .filter(|found| sees(scope, found.organization_id, found.property_id))
    }
}

/// Whether a scope sees what belongs to this property of this organization.
pub(super) fn sees(scope: TenantScope, organization: OrganizationId, property: PropertyId) -> bool {
    scope.organization_id == organization && scope.sees(Some(property))
}
