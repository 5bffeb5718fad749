//! Making the demo's hotels: what is there already stays as it is.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stayzr_agents::knowledge::{KnowledgeBase, NewDocument};
use stayzr_core::{
    Error,
    model::{
        Channel, ChannelAccount, Integration, IntegrationStatus, Organization, PricingMode,
        Property,
    },
    port::{PageRequest, Store, setup::NewToken},
    tenant::{Principal, Role, TenantScope, hash_token},
    transform::{Entity, EntityKind, EntityRow, FieldMap},
};
use stayzr_pms::RemoteProperty;

use super::{
    content,
    state::{DemoOrganization, DemoProperty, DemoState},
    vendor::Sandbox,
};
use crate::{
    compose::Foundation, credentials::IntegrationSecrets, failure::Failure,
    providers::provider_config,
};

/// Makes what is missing, and points integrations and channels to today's sandboxes.
pub(crate) async fn seed(
    base: &Foundation,
    state: &DemoState,
    sandboxes: &[Sandbox],
) -> Result<(), Failure> {
    let mut sandboxes = sandboxes.iter();
    for organization in &state.organizations {
        if base.store.organization(organization.id).await?.is_none() {
            create_organization(base, organization).await?;
        }
        for property in &organization.properties {
            let sandbox = sandboxes.next().ok_or_else(|| {
                Error::internal("demo.seed", "a hotel of the demo has no sandbox")
            })?;
            let scope = TenantScope::organization(organization.id);
            let remote = ask(base, property, sandbox).await?;
            let integration = integration(base, organization, property, sandbox, &remote)?;
            let found = base
                .store
                .row(scope, EntityKind::Property, property.id.uuid())
                .await?;
            if found.is_none() {
                create_property(base, organization, property, &remote).await?;
            }
            let scope = TenantScope::property(organization.id, property.id);
            match base
                .store
                .integration(scope, property.integration_id)
                .await?
            {
                Some(there) => {
                    let integration = Integration {
                        created_at: there.created_at,
                        ..integration
                    };
                    base.store.update_integration(integration).await?;
                }
                None => base.store.create_integration(integration).await?,
            }
            channel(base, state, organization, property).await?;
        }
    }
    Ok(())
}

async fn create_organization(
    base: &Foundation,
    organization: &DemoOrganization,
) -> Result<(), Failure> {
    let token = NewToken {
        hash: hash_token(organization.api_token.expose()),
        principal: Principal {
            token_id: organization.token_id,
            name: "demo".to_owned(),
            organization_id: organization.id,
            role: Role::Admin,
            property_ids: Vec::new(),
        },
    };
    let organization = Organization {
        id: organization.id,
        name: organization.name.clone(),
        created_at: base.clock.now(),
    };
    Ok(base.store.create_organization(organization, token).await?)
}

/// The hotel as its staff describe it; time zone and currency are the vendor's.
async fn create_property(
    base: &Foundation,
    organization: &DemoOrganization,
    property: &DemoProperty,
    remote: &RemoteProperty,
) -> Result<(), Failure> {
    let described = content::property(&property.slug)?;
    let now = base.clock.now();
    let mut fields = FieldMap::new();
    for column in EntityKind::Property.columns() {
        let given = described.get(column.name).cloned();
        let value = match column.name {
            "amenities" | "policies" => given.unwrap_or_else(|| json!([])),
            _ => given.unwrap_or(Value::Null),
        };
        fields.insert(column.name, value);
    }
    let currency = remote.currency.as_deref().unwrap_or("EUR");
    fields.insert("time_zone", remote.time_zone.as_str());
    fields.insert("currency", currency);
    fields.insert("pricing", json!(PricingMode::Gross));
    let row = EntityRow {
        kind: EntityKind::Property,
        id: property.id.uuid(),
        organization_id: organization.id,
        property_id: Some(property.id),
        version: 1,
        created_at: now,
        updated_at: now,
        fields,
    };
    let property = Property::from_row(&row)?;
    Ok(base.store.create_property(property).await?)
}

/// Who the vendor says the hotel is.
async fn ask(
    base: &Foundation,
    property: &DemoProperty,
    sandbox: &Sandbox,
) -> Result<RemoteProperty, Failure> {
    let config = provider_config(&sandbox.settings())?;
    let name = sandbox.vendor().provider();
    let credentials = property.credentials();
    Ok(base
        .providers
        .ask(name, &config, &credentials)
        .await?
        .remote)
}

fn integration(
    base: &Foundation,
    organization: &DemoOrganization,
    property: &DemoProperty,
    sandbox: &Sandbox,
    remote: &RemoteProperty,
) -> Result<Integration, Failure> {
    let provider = sandbox.vendor().provider();
    let credentials = property.credentials();
    let secrets = IntegrationSecrets::new(&credentials, &property.webhook_secret.0)?;
    let now = base.clock.now();
    Ok(Integration {
        id: property.integration_id,
        organization_id: organization.id,
        property_id: property.id,
        provider: provider.to_owned(),
        account: base.providers.account(provider, &credentials)?,
        remote_property_id: remote.id.clone(),
        settings: sandbox.settings(),
        sealed: base
            .providers
            .codec()
            .seal(&secrets.to_text()?, property.integration_id),
        status: IntegrationStatus::Active,
        created_at: now,
        updated_at: now,
    })
}

/// The hotel's WhatsApp number.
async fn channel(
    base: &Foundation,
    state: &DemoState,
    organization: &DemoOrganization,
    property: &DemoProperty,
) -> Result<(), Failure> {
    let scope = TenantScope::organization(organization.id);
    let accounts = base.store.channel_accounts(scope).await?;
    if accounts
        .iter()
        .any(|account| account.id == property.channel_account_id)
    {
        return Ok(());
    }
    let now = base.clock.now();
    let account = ChannelAccount {
        id: property.channel_account_id,
        organization_id: organization.id,
        property_id: property.id,
        channel: Channel::Whatsapp,
        address: property.phone_number_id.clone(),
        settings: json!({}),
        sealed: base
            .providers
            .codec()
            .seal(&state.outbox_token.0, property.channel_account_id),
        created_at: now,
        updated_at: now,
    };
    Ok(base.store.create_channel_account(account).await?)
}

/// Takes a hotel's knowledge in, but for files that are there unchanged.
pub(crate) async fn ingest(
    store: &dyn Store,
    knowledge: &KnowledgeBase,
    organization: &DemoOrganization,
    property: &DemoProperty,
) -> Result<usize, Failure> {
    let scope = TenantScope::property(organization.id, property.id);
    let page = PageRequest {
        limit: 1000,
        cursor: None,
    };
    let there = store.documents(scope, &page).await?.items;
    let mut taken = 0;
    for file in content::knowledge(&property.slug) {
        let sha256: String = Sha256::digest(file.content)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        if there
            .iter()
            .any(|document| document.file_name == file.name && document.sha256 == sha256)
        {
            continue;
        }
        let category = file
            .name
            .rsplit_once('.')
            .map_or(file.name, |(stem, _)| stem);
        let document = NewDocument {
            property_id: Some(property.id),
            category: category.to_owned(),
            file_name: file.name.to_owned(),
            content_type: String::new(),
            content: file.content.as_bytes().to_vec(),
        };
        knowledge.put(scope, document).await?;
        taken += 1;
    }
    Ok(taken)
}
