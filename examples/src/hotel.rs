use serde_json::json;
use stayzr_core::{
    Result,
    clock::Clock,
    ids::{ApiTokenId, OrganizationId, PropertyId},
    model::Organization,
    port::setup::{NewToken, Setup},
    tenant::{Principal, Role, TenantScope, hash_token},
};

/// Stores an organization with one property and says how to name both in calls.
pub async fn open_hotel(
    store: &dyn Setup,
    clock: &dyn Clock,
    name: &str,
) -> Result<(TenantScope, PropertyId)> {
    let organization_id = OrganizationId::generate(clock);
    let now = clock.now();
    let organization = Organization {
        id: organization_id,
        name: name.to_owned(),
        created_at: now,
    };
    let token = NewToken {
        principal: Principal {
            token_id: ApiTokenId::generate(clock),
            name: "front desk".to_owned(),
            organization_id,
            role: Role::Admin,
            property_ids: Vec::new(),
        },
        hash: hash_token("a token that nobody was given"),
    };
    store.create_organization(organization, token).await?;
    let property_id = PropertyId::generate(clock);
    let property = serde_json::from_value(json!({
        "id": property_id,
        "organization_id": organization_id,
        "version": 1,
        "created_at": now,
        "updated_at": now,
        "name": name,
        "address": {"city": "Porto", "country_code": "PT"},
        "time_zone": "Europe/Lisbon",
        "currency": "EUR",
        "pricing": "gross",
        "languages": ["en"],
        "amenities": [],
        "policies": []
    }))
    .expect("these are the fields of a property");
    store.create_property(property).await?;
    let scope = TenantScope::property(organization_id, property_id);
    Ok((scope, property_id))
}
