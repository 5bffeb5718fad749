//! Setting up a hotel: organizations, properties, integrations, channel accounts, tokens.
//!
//! Credentials arrive here sealed: the caller encrypts them with `crypto` before it stores them
//! and opens them when it needs them.

use async_trait::async_trait;

use crate::{
    Result,
    ids::{ApiTokenId, ChannelAccountId, IntegrationId},
    model::{
        ChannelAccount, Integration, IntegrationStatus, Organization, Property, ProviderDocument,
    },
    tenant::{Principal, TenantScope},
};

/// An API token to be stored: only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    /// Whose it is and what it may do.
    pub principal: Principal,
    /// SHA-256 of the token, in hexadecimal.
    pub hash: String,
}

/// Sets up tenants. Runs for the operator, who stands above tenants.
#[async_trait]
pub trait Setup: Send + Sync {
    /// Stores an organization with its first token, at once.
    async fn create_organization(&self, organization: Organization, token: NewToken) -> Result<()>;

    /// All organizations, the oldest first.
    async fn organizations(&self) -> Result<Vec<Organization>>;

    /// Stores a property. [`crate::ErrorKind::Conflict`] if the organization has one of this name.
    async fn create_property(&self, property: Property) -> Result<()>;

    /// Stores an integration. [`crate::ErrorKind::Conflict`] if the vendor's property is connected
    /// already.
    async fn create_integration(&self, integration: Integration) -> Result<()>;

    /// Replaces an integration's settings, sealed credentials and status.
    async fn update_integration(&self, integration: Integration) -> Result<()>;

    /// Sets whether an integration works, and nothing else of it. False if it is not there.
    async fn set_integration_status(
        &self,
        scope: TenantScope,
        id: IntegrationId,
        status: IntegrationStatus,
    ) -> Result<bool>;

    /// Stores what an organization configures for a provider, in place of what it had, and returns
    /// it with its version counted: 1 for the first. It is the organization's, whatever the property
    /// of the scope. `expected_version`, where given, is the version that it takes the place of, 0
    /// where there is none: [`crate::ErrorKind::Conflict`], and nothing stored, if that is another by
    /// now.
    async fn put_provider_document(
        &self,
        scope: TenantScope,
        provider: &str,
        config: serde_json::Value,
        expected_version: Option<i64>,
    ) -> Result<ProviderDocument>;

    /// Everything that an organization configured for providers, by their names.
    async fn provider_documents(&self, scope: TenantScope) -> Result<Vec<ProviderDocument>>;

    /// Removes an integration with its mappings, cursors, runs and conflicts; rows stay. False if
    /// it is not there.
    async fn delete_integration(&self, scope: TenantScope, id: IntegrationId) -> Result<bool>;

    /// Stores a channel account. [`crate::ErrorKind::Conflict`] if the address is taken.
    async fn create_channel_account(&self, account: ChannelAccount) -> Result<()>;

    /// Channel accounts of a scope, the oldest first.
    async fn channel_accounts(&self, scope: TenantScope) -> Result<Vec<ChannelAccount>>;

    /// Removes a channel account. False if it is not there.
    async fn delete_channel_account(
        &self,
        scope: TenantScope,
        id: ChannelAccountId,
    ) -> Result<bool>;

    /// Stores a token.
    async fn create_token(&self, token: NewToken) -> Result<()>;

    /// Ends a token. False if it is not there.
    async fn revoke_token(&self, scope: TenantScope, id: ApiTokenId) -> Result<bool>;
}

/// Looks after the store itself.
#[async_trait]
pub trait Maintenance: Send + Sync {
    /// Brings the schema up to date; does nothing where it is.
    async fn migrate(&self) -> Result<()>;

    /// Names of migrations that have not run.
    async fn pending_migrations(&self) -> Result<Vec<String>>;

    /// Whether the store answers.
    async fn ping(&self) -> Result<()>;

    /// Proves that tenants cannot meet: a read under a random organization sees nothing and, on
    /// PostgreSQL, the role is neither superuser, BYPASSRLS nor owner.
    /// [`crate::ErrorKind::Forbidden`], with the statement to run, if it cannot.
    async fn prove_isolation(&self) -> Result<()>;

    /// The database's clock, to compare with ours.
    async fn database_time(&self) -> Result<chrono::DateTime<chrono::Utc>>;

    /// Rotates finished jobs out and drops what is past its keep; see the schema for how long.
    async fn sweep(&self) -> Result<()>;
}
