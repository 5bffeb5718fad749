use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use stayzr_core::{ids::ChannelAccountId, tenant::TenantScope};

use super::{
    Cli,
    args::Organization,
    output::{Output, table},
    run::foundation,
    secret, select,
};
use crate::{
    compose::Opening,
    failure::Failure,
    setup::{NewChannel, add_whatsapp},
};

#[derive(Debug, Subcommand)]
pub(crate) enum ChannelCommand {
    /// Connects a WhatsApp number to a hotel. The app secret and verify token are configuration:
    /// channels.whatsapp.
    #[command(
        after_help = "The access token comes from a file, from STAYZR_WHATSAPP_ACCESS_TOKEN, or \
from a prompt.

Example:
  stayzr channel add whatsapp --property \"Aurelia Porto\" --phone-number-id 106540352242922"
    )]
    Add(AddArgs),
    /// Lists addresses.
    #[command(alias = "ls", after_help = "Example:\n  stayzr channel list")]
    List(Organization),
    /// Removes an address; its conversations stay.
    #[command(after_help = "Example:\n  stayzr channel remove ID")]
    Remove {
        /// The address's id.
        channel: ChannelAccountId,
        #[command(flatten)]
        organization: Organization,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The channel.
    #[arg(value_parser = ["whatsapp"])]
    channel: String,
    /// The hotel, by id or name.
    #[arg(long, value_name = "ID|NAME")]
    property: String,
    /// WhatsApp's phone number id (not the number).
    #[arg(long, value_name = "ID")]
    phone_number_id: String,
    /// File with the access token of a system user.
    #[arg(long, value_name = "FILE")]
    access_token_file: Option<PathBuf>,
    /// Another address of the Cloud API.
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    #[command(flatten)]
    organization: Organization,
}

pub(crate) async fn run(
    cli: &Cli,
    command: &ChannelCommand,
    output: Output,
) -> Result<(), Failure> {
    let base = foundation(cli, Opening::Existing).await?;
    let store = base.store.as_ref();
    let organization = match command {
        ChannelCommand::Add(args) => &args.organization,
        ChannelCommand::List(organization) | ChannelCommand::Remove { organization, .. } => {
            organization
        }
    };
    let organization = select::organization(store, organization.organization.as_deref()).await?;
    let scope = TenantScope::organization(organization.id);
    match command {
        ChannelCommand::Add(args) => {
            let property = select::property(store, scope, Some(&args.property)).await?;
            let access_token = match &args.access_token_file {
                Some(path) => secret::read(path)?.trim().to_owned().into(),
                None => secret::ask("STAYZR_WHATSAPP_ACCESS_TOKEN", "WhatsApp access token")?,
            };
            let mut settings = Map::new();
            if let Some(url) = &args.base_url {
                settings.insert("base_url".into(), json!(url));
            }
            let new = NewChannel {
                property_id: property.id,
                address: args.phone_number_id.clone(),
                access_token,
                settings: Value::Object(settings),
            };
            let codec = base.providers.codec();
            let account = add_whatsapp(store, base.clock.as_ref(), codec, scope, new).await?;
            output.result(&account, || {
                format!(
                    "WhatsApp number {} writes for {} ({})\nwebhook path, to be entered at Meta: /webhooks/whatsapp",
                    account.address, property.name, account.id
                )
            })
        }
        ChannelCommand::List(_) => {
            let all = store.channel_accounts(scope).await?;
            output.result(&json!({"items": all}), || {
                let rows: Vec<Vec<String>> = all
                    .iter()
                    .map(|account| {
                        vec![
                            account.id.to_string(),
                            account.channel.as_str().to_owned(),
                            account.address.clone(),
                            account.property_id.to_string(),
                        ]
                    })
                    .collect();
                table(&["ID", "CHANNEL", "ADDRESS", "PROPERTY"], &rows)
            })
        }
        ChannelCommand::Remove { channel, .. } => {
            if !store.delete_channel_account(scope, *channel).await? {
                return Err(Failure::new(
                    "not_found",
                    "there is no channel with this id",
                ));
            }
            output.result(&json!({"removed": channel}), || {
                format!("removed {channel}")
            })
        }
    }
}
