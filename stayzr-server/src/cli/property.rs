use clap::{Args, Subcommand};
use serde_json::{Value, json};
use stayzr_core::{
    flow::{EditRequest, edit},
    model::Property,
    port::entities::EntitiesExt,
    tenant::TenantScope,
    transform::{EntityKind, FieldMap},
};

use super::{
    Cli,
    args::Organization,
    output::{Output, table},
    run::{foundation, staff},
    select,
};
use crate::{
    compose::Opening,
    failure::Failure,
    providers::PushRules,
    setup::{NewProperty, add_property},
};

#[derive(Debug, Subcommand)]
pub(crate) enum PropertyCommand {
    /// Adds a hotel; the PMS fills in the rest.
    #[command(
        after_help = "Example:\n  stayzr property add \"Aurelia Porto\" --time-zone Europe/Lisbon --currency EUR --country PT"
    )]
    Add(AddArgs),
    /// Lists hotels.
    #[command(alias = "ls", after_help = "Example:\n  stayzr property list --json")]
    List(Organization),
    /// Sets fields of a hotel. A value is JSON or else a text.
    #[command(
        after_help = "Examples:\n  stayzr property set \"Aurelia Porto\" check_in=15:00 phone=\"+351 220 000 000\"\n  stayzr property set \"Aurelia Porto\" 'amenities=[{\"name\":\"Sauna\",\"hours\":\"10:00-21:00\"}]'"
    )]
    Set(SetArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AddArgs {
    /// The hotel's name.
    name: String,
    /// IANA time zone.
    #[arg(long, value_name = "ZONE")]
    time_zone: String,
    /// Currency, as ISO 4217.
    #[arg(long, value_name = "CODE")]
    currency: String,
    /// Country, as ISO 3166-1 alpha-2.
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    #[command(flatten)]
    organization: Organization,
}

#[derive(Debug, Args)]
pub(crate) struct SetArgs {
    /// The hotel, by id or name.
    property: String,
    /// Fields to set.
    #[arg(required = true, value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    #[command(flatten)]
    organization: Organization,
}

pub(crate) async fn run(
    cli: &Cli,
    command: &PropertyCommand,
    output: Output,
) -> Result<(), Failure> {
    let base = foundation(cli, Opening::Existing).await?;
    let store = base.store.as_ref();
    match command {
        PropertyCommand::Add(args) => {
            let named = args.organization.organization.as_deref();
            let organization = select::organization(store, named).await?;
            let new = NewProperty {
                name: args.name.clone(),
                time_zone: args.time_zone.clone(),
                currency: args.currency.parse()?,
                country_code: args.country.clone(),
            };
            let property = add_property(store, base.clock.as_ref(), organization.id, new).await?;
            output.result(&property, || {
                format!(
                    "property {} ({})\nnext:\n  stayzr integration add mews --property {}",
                    property.name, property.id, property.id
                )
            })
        }
        PropertyCommand::List(which) => {
            let organization = select::organization(store, which.organization.as_deref()).await?;
            let scope = TenantScope::organization(organization.id);
            let all: Vec<Property> = store.all(scope, &Default::default()).await?;
            output.result(&json!({"items": all}), || {
                let rows: Vec<Vec<String>> = all
                    .iter()
                    .map(|property| {
                        vec![
                            property.id.to_string(),
                            property.name.clone(),
                            property.time_zone.clone(),
                            property.currency.to_string(),
                        ]
                    })
                    .collect();
                table(&["ID", "NAME", "TIME ZONE", "CURRENCY"], &rows)
            })
        }
        PropertyCommand::Set(args) => {
            let named = args.organization.organization.as_deref();
            let organization = select::organization(store, named).await?;
            let scope = TenantScope::organization(organization.id);
            let property = select::property(store, scope, Some(&args.property)).await?;
            let request = EditRequest {
                kind: EntityKind::Property,
                id: property.id.uuid(),
                set: fields(&args.fields)?,
                expected_version: None,
                source: staff(),
            };
            let row = edit(store, &PushRules, base.clock.as_ref(), scope, request).await?;
            output.result(
                &json!({"id": row.id, "version": row.version, "fields": row.fields}),
                || format!("property {} is at version {}", row.id, row.version),
            )
        }
    }
}

fn fields(pairs: &[String]) -> Result<FieldMap, Failure> {
    pairs
        .iter()
        .map(|pair| {
            let (name, value) = pair
                .split_once('=')
                .ok_or_else(|| Failure::new("invalid", format!("\"{pair}\" is not FIELD=VALUE")))?;
            // Only what cannot be a plain text is read as JSON, so that a telephone number stays one.
            let value = match value.chars().next() {
                Some('{' | '[' | '"') => serde_json::from_str(value).map_err(|error| {
                    Failure::new(
                        "invalid",
                        format!("the value of {name} is not JSON: {error}"),
                    )
                })?,
                _ if value == "null" => Value::Null,
                _ => Value::from(value),
            };
            Ok((name.to_owned(), value))
        })
        .collect()
}
