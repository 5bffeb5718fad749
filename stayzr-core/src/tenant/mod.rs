//! Tenancy: who may see what. Every repository call takes a [`TenantScope`].

mod token;

use serde::{Deserialize, Serialize};

pub use token::{generate_token, hash_token};

use crate::ids::{ApiTokenId, OrganizationId, PropertyId};

/// The organization, and where narrowed the one property, that a call may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TenantScope {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The only property in sight, or all of the organization's.
    pub property_id: Option<PropertyId>,
}

impl TenantScope {
    /// All properties of an organization.
    pub const fn organization(organization_id: OrganizationId) -> Self {
        Self {
            organization_id,
            property_id: None,
        }
    }

    /// One property of an organization.
    pub const fn property(organization_id: OrganizationId, property_id: PropertyId) -> Self {
        Self {
            organization_id,
            property_id: Some(property_id),
        }
    }

    /// Whether a row of this property may be seen; rows without a property belong to all.
    pub fn sees(&self, property_id: Option<PropertyId>) -> bool {
        match (self.property_id, property_id) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => true,
        }
    }
}

/// What a caller may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads and edits the hotel's data.
    Staff,
    /// Also sets up properties, integrations, channels and tokens.
    Admin,
}

impl Role {
    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Staff => "staff",
            Self::Admin => "admin",
        }
    }
}

/// Who a token belongs to, and what it is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The token.
    pub token_id: ApiTokenId,
    /// A name for the journal.
    pub name: String,
    /// The organization that the token belongs to.
    pub organization_id: OrganizationId,
    /// What the caller may do.
    pub role: Role,
    /// The properties that the token is bound to; empty means all of the organization.
    pub property_ids: Vec<PropertyId>,
}
