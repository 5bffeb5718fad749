use clap::{Args, Subcommand, ValueEnum};
use secrecy::ExposeSecret;
use serde_json::json;
use stayzr_core::{
    ids::ApiTokenId,
    tenant::{Role, TenantScope},
};

use super::{Cli, args::Organization, output::Output, run::foundation, select};
use crate::{compose::Opening, failure::Failure, setup::new_token};

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Makes an API token, printed once.
    #[command(
        after_help = "Examples:\n  stayzr token create \"Front desk\" --property \"Aurelia Porto\"\n  stayzr token create Set-up --role admin"
    )]
    Create(CreateArgs),
    /// Ends an API token.
    #[command(after_help = "Example:\n  stayzr token revoke ID")]
    Revoke {
        /// The token's id.
        token: ApiTokenId,
        #[command(flatten)]
        organization: Organization,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleName {
    Staff,
    Admin,
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Who uses it; stands in the journal.
    name: String,
    /// What it may do.
    #[arg(long, value_enum, default_value = "staff")]
    role: RoleName,
    /// Binds it to a hotel; may be given more than once.
    #[arg(long, value_name = "ID|NAME")]
    property: Vec<String>,
    #[command(flatten)]
    organization: Organization,
}

pub(crate) async fn run(cli: &Cli, command: &TokenCommand, output: Output) -> Result<(), Failure> {
    let base = foundation(cli, Opening::Existing).await?;
    let store = base.store.as_ref();
    match command {
        TokenCommand::Create(args) => {
            let named = args.organization.organization.as_deref();
            let organization = select::organization(store, named).await?;
            let scope = TenantScope::organization(organization.id);
            let mut properties = Vec::with_capacity(args.property.len());
            for named in &args.property {
                properties.push(select::property(store, scope, Some(named)).await?.id);
            }
            let role = match args.role {
                RoleName::Staff => Role::Staff,
                RoleName::Admin => Role::Admin,
            };
            let (token, stored) = new_token(
                base.clock.as_ref(),
                &base.config.auth.token_prefix,
                &args.name,
                organization.id,
                role,
                properties,
            );
            let principal = stored.principal.clone();
            store.create_token(stored).await?;
            let token = token.expose_secret();
            output.result(&json!({"api_token": token, "principal": principal}), || {
                format!("token {}, shown this once:\n  {token}", principal.token_id)
            })
        }
        TokenCommand::Revoke {
            token,
            organization,
        } => {
            let named = organization.organization.as_deref();
            let organization = select::organization(store, named).await?;
            let scope = TenantScope::organization(organization.id);
            if !store.revoke_token(scope, *token).await? {
                return Err(Failure::new("not_found", "there is no token with this id"));
            }
            output.result(&json!({"revoked": token}), || format!("revoked {token}"))
        }
    }
}
