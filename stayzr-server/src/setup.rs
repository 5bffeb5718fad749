//! Setting up a hotel: what the command line, the API and the demo share.

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use stayzr_core::{
    Error, Result,
    clock::Clock,
    crypto::TokenCodec,
    ids::{ApiTokenId, ChannelAccountId, IntegrationId, OrganizationId, PropertyId},
    model::{
        Address, Channel, ChannelAccount, Currency, Integration, IntegrationStatus, LanguageTag,
        PricingMode, Property,
    },
    port::{Store, setup::NewToken},
    tenant::{Principal, Role, TenantScope, generate_token, hash_token},
};
use stayzr_pms::{RemoteProperty, config::WebhookMode};

use crate::{
    credentials::IntegrationSecrets,
    document::connection_config,
    providers::{Answer, Providers, provider_config},
    subscription::Subscriptions,
};

/// A property to be made; the PMS fills in the rest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewProperty {
    /// Its name.
    pub name: String,
    /// IANA time zone.
    pub time_zone: String,
    /// The currency it sells in.
    pub currency: Currency,
    /// Country, as ISO 3166-1 alpha-2.
    pub country_code: Option<String>,
}

/// Stores a property.
pub async fn add_property(
    store: &dyn Store,
    clock: &dyn Clock,
    organization_id: OrganizationId,
    new: NewProperty,
) -> Result<Property> {
    let refuse = |why: &'static str| Err(Error::invalid("property.add", why));
    if new.name.trim().is_empty() || new.name.len() > 200 {
        return refuse("`name` must have 1 to 200 characters");
    }
    if new.time_zone.parse::<chrono_tz::Tz>().is_err() {
        return refuse("`time_zone` must be an IANA time zone, such as Europe/Lisbon");
    }
    let country = new.country_code.map(|code| code.to_ascii_uppercase());
    if country
        .as_ref()
        .is_some_and(|code| code.len() != 2 || !code.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        return refuse("`country_code` must be a country's two letters, such as PT");
    }
    let now = clock.now();
    let property = Property {
        id: PropertyId::generate(clock),
        organization_id,
        version: 1,
        created_at: now,
        updated_at: now,
        name: new.name.trim().to_owned(),
        address: Address {
            country_code: country,
            ..Address::default()
        },
        geo: None,
        time_zone: new.time_zone,
        currency: new.currency,
        pricing: PricingMode::Gross,
        languages: vec![LanguageTag::english()],
        check_in: None,
        check_out: None,
        phone: None,
        email: None,
        website: None,
        amenities: Vec::new(),
        policies: Vec::new(),
    };
    store.create_property(property.clone()).await?;
    Ok(property)
}

/// A connection to be made.
pub struct NewIntegration {
    /// The property.
    pub property_id: PropertyId,
    /// The provider's name.
    pub provider: String,
    /// Settings, as [`stayzr_pms::config::ProviderConfig`] reads them; `null` for the defaults.
    pub settings: Value,
    /// Credentials as JSON.
    pub credentials: SecretString,
    /// The webhook's secret; none makes one.
    pub webhook_secret: Option<SecretString>,
}

/// A connection that was made.
pub struct AddedIntegration {
    /// As stored.
    pub integration: Integration,
    /// What the vendor calls the property.
    pub remote: RemoteProperty,
    /// How the vendor tells us of changes.
    pub mode: WebhookMode,
    /// The webhook's secret.
    pub webhook_secret: SecretString,
    /// The events that the vendor was subscribed to; none where the address is entered there by
    /// hand, or nothing is posted. An error leaves the connection as it is, without them.
    pub subscribed: Result<Option<Vec<String>>>,
}

/// Asks the vendor who we are, and stores the connection sealed if it answers.
pub async fn add_integration(
    store: &dyn Store,
    clock: &dyn Clock,
    providers: &Providers,
    scope: TenantScope,
    new: NewIntegration,
    public_url: &str,
) -> Result<AddedIntegration> {
    let webhook_secret = match new.webhook_secret {
        Some(secret) => checked(secret)?,
        None => generate_token("whk"),
    };
    let now = clock.now();
    let id = IntegrationId::generate(clock);
    let mut integration = Integration {
        id,
        organization_id: scope.organization_id,
        property_id: new.property_id,
        account: providers.account(&new.provider, &new.credentials)?,
        settings: settings(&new.provider, new.settings)?,
        provider: new.provider,
        remote_property_id: String::new(),
        sealed: Default::default(),
        status: IntegrationStatus::Active,
        created_at: now,
        updated_at: now,
    };
    let config = connection_config(store, scope, &integration).await?;
    let Answer {
        remote,
        credentials,
    } = providers
        .ask(&integration.provider, &config, &new.credentials)
        .await?;
    integration.remote_property_id.clone_from(&remote.id);
    let secrets = IntegrationSecrets::new(&credentials, &webhook_secret)?;
    integration.sealed = providers.codec().seal(&secrets.to_text()?, id);
    store.create_integration(integration.clone()).await?;
    let subscriptions = Subscriptions {
        store,
        providers,
        public_url,
    };
    Ok(AddedIntegration {
        subscribed: subscriptions.make(&integration).await,
        integration,
        remote,
        mode: config.webhook,
        webhook_secret,
    })
}

/// Settings of a new connection: without a word about webhooks OPERA is asked, since it posts none.
fn settings(provider: &str, settings: Value) -> Result<Value> {
    let mut settings = match settings {
        Value::Null => serde_json::Map::new(),
        Value::Object(settings) => settings,
        _ => {
            return Err(Error::invalid(
                "integration.add",
                "`settings` must be a JSON object",
            ));
        }
    };
    if provider == "opera" {
        let mode = settings.entry("webhook").or_insert_with(|| "poll".into());
        if *mode == "url_token" {
            return Err(Error::invalid(
                "integration.add",
                "OPERA Cloud posts no webhooks: its events are asked for, with `webhook` poll",
            ));
        }
    }
    Ok(Value::Object(settings))
}

/// A secret that can be put in a URL and cannot be guessed at once.
fn checked(secret: SecretString) -> Result<SecretString> {
    let text = secret.expose_secret();
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    if (12..=256).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(secret);
    }
    Err(Error::invalid(
        "integration.webhook_secret",
        "a webhook's secret has 12 to 256 letters, digits, or - _ . ~",
    ))
}

/// What changes in a connection; what is none stays.
#[derive(Default)]
pub struct IntegrationChange {
    /// In use or not.
    pub status: Option<IntegrationStatus>,
    /// Settings, all of them.
    pub settings: Option<Value>,
    /// Credentials as JSON; the vendor is asked before they are stored.
    pub credentials: Option<SecretString>,
    /// A new secret of the webhook; the one before it still verifies.
    pub webhook_secret: Option<SecretString>,
}

/// Changes a connection. With new settings or credentials the vendor is asked first, and must
/// still know the same property.
pub async fn change_integration(
    store: &dyn Store,
    clock: &dyn Clock,
    providers: &Providers,
    mut integration: Integration,
    change: IntegrationChange,
    public_url: &str,
) -> Result<Integration> {
    let subscriptions = Subscriptions {
        store,
        providers,
        public_url,
    };
    let before = integration.clone();
    let rotates = change.webhook_secret.is_some();
    let mut secrets = IntegrationSecrets::open(providers.codec(), &integration)?;
    let asks = change.settings.is_some() || change.credentials.is_some();
    if let Some(settings) = change.settings {
        integration.settings = settings;
    }
    if let Some(credentials) = &change.credentials {
        secrets.set_credentials(credentials)?;
    }
    if let Some(secret) = change.webhook_secret {
        secrets.rotate_webhook_secret(&checked(secret)?);
    }
    if asks {
        let scope = TenantScope::property(integration.organization_id, integration.property_id);
        let config = connection_config(store, scope, &integration).await?;
        let Answer {
            remote,
            credentials,
        } = providers
            .ask(&integration.provider, &config, &secrets.credentials())
            .await?;
        secrets.set_credentials(&credentials)?;
        if remote.id != integration.remote_property_id {
            return Err(Error::invalid(
                "integration.change",
                "these credentials are of another property: add a connection instead",
            )
            .with("property", remote.name));
        }
        integration.account = providers.account(&integration.provider, &credentials)?;
    }
    if let Some(status) = change.status {
        integration.status = status;
    }
    let sealed = secrets.to_text()?;
    integration.sealed = providers.codec().seal(&sealed, integration.id);
    integration.updated_at = clock.now();
    store.update_integration(integration.clone()).await?;
    if rotates {
        // The address before has the secret before, which verifies until the next one: what the vendor
        // still posts there meanwhile is taken.
        let told = async {
            subscriptions.make(&integration).await?;
            subscriptions.end(&before).await
        };
        if let Err(error) = told.await {
            tracing::warn!(%error, integration_id = %integration.id,
                "the vendor could not be told the new address of webhooks");
        }
    }
    Ok(integration)
}

/// Where the vendor posts its webhooks of an integration, its token included where the mode has
/// one.
pub fn webhook_url(base: &str, integration: &Integration, secret: &SecretString) -> String {
    let (provider, id) = (integration.provider.as_str(), integration.id);
    match provider_config(&integration.settings).map(|config| config.webhook) {
        Ok(WebhookMode::UrlToken) => token_url(base, provider, id, secret),
        _ => format!("{base}/webhooks/pms/{provider}/{id}"),
    }
}

/// The address of an integration's webhooks with its token: in the query as Mews' general webhooks
/// have it, in the path for others, which may write queries anew.
pub fn token_url(base: &str, provider: &str, id: IntegrationId, secret: &SecretString) -> String {
    let separator = if provider == "mews" { "?token=" } else { "/" };
    let secret = secret.expose_secret();
    format!("{base}/webhooks/pms/{provider}/{id}{separator}{secret}")
}

/// A WhatsApp number to be connected.
pub struct NewChannel {
    /// The property.
    pub property_id: PropertyId,
    /// WhatsApp's phone number id.
    pub address: String,
    /// A system user's access token.
    pub access_token: SecretString,
    /// `base_url`, `api_version`; `null` for none.
    pub settings: Value,
}

/// Stores a WhatsApp number, its token sealed.
pub async fn add_whatsapp(
    store: &dyn Store,
    clock: &dyn Clock,
    codec: &TokenCodec,
    scope: TenantScope,
    new: NewChannel,
) -> Result<ChannelAccount> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(&new.address) || new.address.len() > 32 {
        return Err(Error::invalid(
            "channel.add",
            "WhatsApp's phone number id has digits only; it is not the telephone number",
        ));
    }
    if new.access_token.expose_secret().trim().is_empty() {
        return Err(Error::invalid("channel.add", "the access token is empty"));
    }
    let now = clock.now();
    let id = ChannelAccountId::generate(clock);
    let settings = match new.settings {
        Value::Null => Value::Object(serde_json::Map::new()),
        settings => settings,
    };
    let account = ChannelAccount {
        id,
        organization_id: scope.organization_id,
        property_id: new.property_id,
        channel: Channel::Whatsapp,
        address: new.address,
        settings,
        sealed: codec.seal(&new.access_token, id),
        created_at: now,
        updated_at: now,
    };
    store.create_channel_account(account.clone()).await?;
    Ok(account)
}

/// A new API token and what the store keeps of it.
pub fn new_token(
    clock: &dyn Clock,
    prefix: &str,
    name: &str,
    organization_id: OrganizationId,
    role: Role,
    property_ids: Vec<PropertyId>,
) -> (SecretString, NewToken) {
    let token = generate_token(prefix);
    let stored = NewToken {
        hash: hash_token(token.expose_secret()),
        principal: Principal {
            token_id: ApiTokenId::generate(clock),
            name: name.to_owned(),
            organization_id,
            role,
            property_ids,
        },
    };
    (token, stored)
}
