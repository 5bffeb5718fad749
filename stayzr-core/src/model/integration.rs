use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Channel;
use crate::ids::{ChannelAccountId, IntegrationId, OrganizationId, PropertyId, SyncRunId};

/// Whether an integration works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntegrationStatus {
    /// In use.
    Active,
    /// Switched off here.
    Disabled,
    /// The vendor refuses its credentials.
    Unauthorized,
}

/// A connection of a property to its PMS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    /// Its id.
    pub id: IntegrationId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its property.
    pub property_id: PropertyId,
    /// The provider's name: `mews`.
    pub provider: String,
    /// The vendor account that a webhook endpoint serves: a fingerprint, not a secret.
    pub account: String,
    /// The property's id at the vendor (Mews: the enterprise).
    pub remote_property_id: String,
    /// Settings of this integration: base URL, webhook mode, sync interval. No secrets.
    pub settings: Value,
    /// Credentials and webhook secret, sealed; see [`crate::port::setup`].
    #[serde(skip_serializing, default)]
    pub sealed: String,
    /// Whether it works.
    pub status: IntegrationStatus,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// An address that guests write to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelAccount {
    /// Its id.
    pub id: ChannelAccountId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its property.
    pub property_id: PropertyId,
    /// How guests talk through it.
    pub channel: Channel,
    /// The vendor's id of it; WhatsApp: the phone number id.
    pub address: String,
    /// Settings: base URL, API version, displayed number. No secrets.
    pub settings: Value,
    /// Its access token, sealed.
    #[serde(skip_serializing, default)]
    pub sealed: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What an organization configures for all its connections to a vendor, beneath the settings of
/// each integration: API version, limits, who decides conflicts. No secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderDocument {
    /// Its organization.
    pub organization_id: OrganizationId,
    /// The provider's name: `mews`.
    pub provider: String,
    /// Counts the writes of this document, from 1.
    pub version: i64,
    /// The document; the provider's own type reads and checks it.
    pub config: Value,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// What a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunMode {
    /// Everything, page by page, going on where it stopped.
    Backfill,
    /// What changed since the last run, with an overlap.
    Incremental,
    /// Named records.
    Targeted,
    /// What changed, and then whether the vendor still has every record that is mapped here.
    Reconcile,
}

impl RunMode {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Backfill => "backfill",
            Self::Incremental => "incremental",
            Self::Targeted => "targeted",
            Self::Reconcile => "reconcile",
        }
    }
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Going on.
    Running,
    /// Done.
    Completed,
    /// Stopped by an error; the next run goes on from the cursor.
    Failed,
    /// Stopped by its brake: a person must say that so many records are really gone.
    Stopped,
}

/// One run of a synchronisation and what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRun {
    /// Its id.
    pub id: SyncRunId,
    /// Its organization.
    pub organization_id: OrganizationId,
    /// The integration.
    pub integration_id: IntegrationId,
    /// What it reads.
    pub mode: RunMode,
    /// Where it stands.
    pub status: RunStatus,
    /// Records read.
    pub read: i64,
    /// Rows made.
    pub created: i64,
    /// Rows changed.
    pub updated: i64,
    /// Records that changed nothing.
    pub unchanged: i64,
    /// Records put aside with a reason.
    pub parked: i64,
    /// Conflicts opened.
    pub conflicts: i64,
    /// Values that the vendor sent and we do not know; they are kept as they came.
    #[serde(default)]
    pub unknown: i64,
    /// Records that the vendor no longer has.
    #[serde(default)]
    pub gone: i64,
    /// Why it failed or was stopped.
    pub error: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}
