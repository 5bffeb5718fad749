use secrecy::ExposeSecret;
use serde_json::json;
use stayzr_core::{ids::OrganizationId, model::Organization, tenant::Role};

use super::{Cli, output::Output, run::foundation};
use crate::{compose::Opening, failure::Failure, setup::new_token};

pub(crate) async fn run(
    cli: &Cli,
    name: &str,
    another: bool,
    output: Output,
) -> Result<(), Failure> {
    let name = name.trim();
    if name.is_empty() || name.len() > 200 {
        return Err(Failure::new("invalid", "a name has 1 to 200 characters"));
    }
    let base = foundation(cli, Opening::Prepare).await?;
    let existing = base.store.organizations().await?;
    if let Some(first) = existing.first()
        && !another
    {
        return Err(Failure::new(
            "conflict",
            format!(
                "there is an organization already: {} ({}); --another makes one more",
                first.name, first.id
            ),
        ));
    }
    let organization = Organization {
        id: OrganizationId::generate(base.clock.as_ref()),
        name: name.to_owned(),
        created_at: base.clock.now(),
    };
    let (token, stored) = new_token(
        base.clock.as_ref(),
        &base.config.auth.token_prefix,
        "admin",
        organization.id,
        Role::Admin,
        Vec::new(),
    );
    let token_id = stored.principal.token_id;
    base.store
        .create_organization(organization.clone(), stored)
        .await?;
    let token = token.expose_secret();
    output.result(
        &json!({"organization": organization, "api_token": token, "api_token_id": token_id}),
        || {
            format!(
                "organization {name} ({})\nadmin token, shown this once:\n  {token}\nnext:\n  stayzr property add NAME --time-zone Europe/Lisbon --currency EUR",
                organization.id
            )
        },
    )
}
