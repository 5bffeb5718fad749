//! What the demo says about itself: `demo.json`, and a greeting with things to try.

use std::{fmt::Write, path::Path};

use serde_json::{Value, json};

use super::{
    state::{DemoProperty, DemoState, Vendor},
    vendor::Sandbox,
};
use crate::{compose::App, setup::token_url};

/// The content of `demo.json`.
pub(crate) fn describe(
    app: &App,
    state: &DemoState,
    sandboxes: &[Sandbox],
    outbox_url: &str,
) -> Value {
    let mut sandboxes = sandboxes.iter();
    let organizations: Vec<Value> = state
        .organizations
        .iter()
        .map(|organization| {
            let properties: Vec<Value> = organization
                .properties
                .iter()
                .zip(&mut sandboxes)
                .map(|(property, sandbox)| {
                    let vendor = sandbox.vendor();
                    json!({
                        "id": property.id,
                        "name": name(property),
                        "provider": vendor.provider(),
                        "integration_id": property.integration_id,
                        "sandbox_url": sandbox.base_url(),
                        "webhook": webhook(app, property, sandbox),
                        "whatsapp_phone_number_id": property.phone_number_id,
                    })
                })
                .collect();
            json!({
                "id": organization.id,
                "name": organization.name,
                "api_token": organization.api_token.expose(),
                "properties": properties,
            })
        })
        .collect();
    json!({
        "base_url": app.public_url,
        "organizations": organizations,
        "whatsapp": {
            "webhook_url": format!("{}/webhooks/whatsapp", app.public_url),
            "app_secret": state.app_secret.expose(),
            "verify_token": state.verify_token.expose(),
            "sandbox_url": outbox_url,
        },
    })
}

/// How the vendor tells of changes; without address and secret where it is asked instead.
fn webhook(app: &App, property: &DemoProperty, sandbox: &Sandbox) -> Value {
    let (url, secret) = match sandbox.vendor() {
        Vendor::Opera => (String::new(), ""),
        Vendor::Mews | Vendor::Cloudbeds => (
            webhook_url(&app.public_url, property, sandbox),
            property.webhook_secret.expose(),
        ),
    };
    json!({"url": url, "mode": sandbox.vendor().webhook(), "secret": secret})
}

/// Where a sandbox posts its webhooks.
pub(crate) fn webhook_url(public_url: &str, property: &DemoProperty, sandbox: &Sandbox) -> String {
    let provider = sandbox.vendor().provider();
    let secret = &property.webhook_secret.0;
    token_url(public_url, provider, property.integration_id, secret)
}

fn name(property: &DemoProperty) -> String {
    super::content::property(&property.slug)
        .ok()
        .and_then(|described| described["name"].as_str().map(str::to_owned))
        .unwrap_or_else(|| property.slug.clone())
}

/// What a person reads first.
pub(crate) fn greeting(description: &Value, folder: &Path) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let base = text(&description["base_url"]);
    let mut lines = format!("Stayzr demo: {base}\n\n");
    for organization in description["organizations"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let _ = writeln!(
            lines,
            "{}  organization {}\n  API token  {}",
            text(&organization["name"]),
            text(&organization["id"]),
            text(&organization["api_token"])
        );
        for property in organization["properties"].as_array().into_iter().flatten() {
            let _ = writeln!(
                lines,
                "  {}  {}\n    sandbox of {} {}  WhatsApp number {}",
                text(&property["name"]),
                text(&property["id"]),
                text(&property["provider"]),
                text(&property["sandbox_url"]),
                text(&property["whatsapp_phone_number_id"])
            );
        }
    }
    let first = &description["organizations"][0];
    let property = &first["properties"][0];
    let (token, property_id) = (text(&first["api_token"]), text(&property["id"]));
    let sandbox = text(&property["sandbox_url"]);
    let _ = write!(
        lines,
        r#"
WhatsApp  {webhook}  app secret {secret}
Everything is in {file}

Try:
  curl -s -H "Authorization: Bearer {token}" "{base}/api/v1/reservations?limit=3"
  curl -s -H "Authorization: Bearer {token}" {base}/api/v1/concierge/messages \
    -d '{{"property_id":"{property_id}","text":"When is breakfast, and how do I get the wifi password?"}}'
  curl -s -H "Authorization: Bearer {token}" {base}/api/v1/knowledge/search \
    -d '{{"property_id":"{property_id}","query":"May I bring my dog?","limit":3}}'
A guest writes on WhatsApp:
  STAYZR__CHANNELS__WHATSAPP__APP_SECRET={secret} stayzr webhook trigger whatsapp.message \
    --set phone_number_id={account} --set text="Where can I park?" --url {webhook}
  curl -s -H "Authorization: Bearer {token}" {base}/api/v1/outbox
A change at the vendor (ids: external_refs of /api/v1/guests):
  curl -s -X PATCH {sandbox}/_sandbox/guests/EXTERNAL_ID -d '{{"Notes":"Allergic to feathers."}}'
  curl -s -X POST {sandbox}/_sandbox/deliver

Ctrl-C stops it; the data stays, --reset begins anew.
"#,
        webhook = text(&description["whatsapp"]["webhook_url"]),
        secret = text(&description["whatsapp"]["app_secret"]),
        account = text(&property["whatsapp_phone_number_id"]),
        file = folder.join("demo.json").display(),
    );
    lines
}
