//! Example events, signed as their senders sign them.

use std::process::ExitCode;

use chrono::Utc;
use clap::Args;
use http::{Method, Uri, header::CONTENT_TYPE};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use stayzr_webhooks::{
    channels::{postmark::PostmarkCredentials, resend::StandardWebhooks, whatsapp::MetaHub},
    endpoints::{
        agent::{AgentRequest, AgentSignature},
        mews::MewsSignature,
        razorpay::RazorpaySignature,
        stripe::StripeSignature,
    },
};

use super::output::Output;
use crate::{config::Config, failure::Failure};

/// Holds the secret of events that no configuration of ours has one for.
const SECRET: &str = "STAYZR_WEBHOOK_SECRET";

const NAMES: [&str; 17] = [
    "whatsapp.message",
    "whatsapp.status",
    "mews.guest",
    "mews.reservation",
    "mews.room",
    "cloudbeds.guest",
    "cloudbeds.reservation",
    "cloudbeds.room",
    "resend.delivered",
    "resend.bounced",
    "resend.received",
    "postmark.delivery",
    "postmark.bounce",
    "postmark.inbound",
    "stripe.payment",
    "razorpay.payment",
    "agent.call",
];

#[derive(Debug, Args)]
pub(crate) struct TriggerArgs {
    /// Which event.
    #[arg(value_parser = NAMES)]
    name: String,
    /// Sets a value of the event; may be given more than once.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    values: Vec<String>,
    /// Where to post [default: this server, where the path is known].
    #[arg(long)]
    url: Option<String>,
}

pub(crate) async fn trigger(
    config: &Config,
    args: &TriggerArgs,
    output: Output,
) -> Result<ExitCode, Failure> {
    let values = Values::parse(&args.values)?;
    let (sender, kind) = args.name.split_once('.').unwrap_or((&args.name, ""));
    let body = example(sender, kind, &values)?.to_string();
    let url = match (&args.url, path(sender, kind, &values)?) {
        (Some(url), _) => url.clone(),
        (None, Some(path)) => format!("http://{}{path}", config.server.listen),
        (None, None) => {
            let why = "name the webhook URL of the integration with --url";
            return Err(Failure::new("invalid", why));
        }
    };
    let client = stayzr_webhooks::default_client()?;
    let mut request = client.post(&url).header(CONTENT_TYPE, "application/json");
    for (name, value) in sign(config, sender, &values, &url, body.as_bytes())? {
        request = request.header(name, value);
    }
    let response = request.body(body.clone()).send().await.map_err(|error| {
        Failure::new(
            "unavailable",
            format!("nobody answers: {}", error.without_url()),
        )
    })?;
    let status = response.status().as_u16();
    let answer = response.text().await.unwrap_or_default();
    output.result(
        &json!({"status": status, "answer": answer, "sent": body}),
        || format!("{status} {answer}"),
    )?;
    Ok(match status {
        200..=299 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// The path of an endpoint of this server, where it holds no secret.
fn path(sender: &str, kind: &str, values: &Values) -> Result<Option<String>, Failure> {
    Ok(Some(match (sender, kind) {
        ("whatsapp", _) => "/webhooks/whatsapp".to_owned(),
        ("postmark", "inbound") => "/webhooks/email/postmark-inbound".to_owned(),
        ("resend" | "postmark", _) => format!("/webhooks/email/{sender}"),
        ("stripe" | "razorpay", _) => {
            format!("/webhooks/payments/{sender}/{}", values.need("account")?)
        }
        ("agent", _) => format!("/agent/v1/tools/{}", values.get("tool", "property_facts")),
        _ => return Ok(None),
    }))
}

/// The headers by which the receiver knows the sender.
fn sign(
    config: &Config,
    sender: &str,
    values: &Values,
    url: &str,
    body: &[u8],
) -> Result<Vec<(&'static str, String)>, Failure> {
    let now = Utc::now().timestamp();
    let unusable = |error: stayzr_webhooks::SecretError| {
        Failure::new(
            "credentials_invalid",
            format!("the event cannot be signed: {error}"),
        )
    };
    Ok(match sender {
        "whatsapp" => {
            let secret = &config.channels.whatsapp.app_secret;
            let secret = set("channels.whatsapp.app_secret", Some(secret))?;
            vec![(MetaHub::HEADER, MetaHub::sign(secret, body))]
        }
        "resend" => {
            let secrets = config.channels.resend.signing_secrets();
            let secret = set("channels.resend.signing_secret", secrets.first())?;
            let id = values.get("delivery", &fresh("msg"));
            let signature = StandardWebhooks::sign(secret, &id, now, body).map_err(unusable)?;
            vec![
                ("svix-id", id),
                ("svix-timestamp", now.to_string()),
                ("svix-signature", signature),
            ]
        }
        "postmark" => {
            let credentials = config.channels.postmark.credentials();
            let secret = set("channels.postmark.username", credentials.first())?;
            let name = match secret.expose_secret().contains(':') {
                true => "authorization",
                false => PostmarkCredentials::TOKEN_HEADER,
            };
            vec![(name, PostmarkCredentials::sign(secret))]
        }
        "stripe" | "razorpay" => {
            let id = values.need("account")?;
            let mut accounts = config.payments.accounts.iter();
            let account = accounts.find(|a| a.provider == sender && a.id == id);
            let secret = account.and_then(|account| account.signing_secrets.first());
            let secret = set("payments.accounts", secret)?;
            match sender {
                "stripe" => vec![(
                    StripeSignature::HEADER,
                    StripeSignature::sign(secret, now, body),
                )],
                _ => vec![
                    (
                        RazorpaySignature::HEADER,
                        RazorpaySignature::sign(secret, body),
                    ),
                    (RazorpaySignature::ID_HEADER, fresh("evt")),
                ],
            }
        }
        "agent" => {
            let secret = from_environment();
            let secret = set(SECRET, secret.as_ref())?;
            let target: Uri = url
                .parse()
                .map_err(|_| Failure::new("invalid", "--url is not a URL"))?;
            let (agent_id, nonce) = (values.need("agent_id")?, fresh("nonce"));
            let request = AgentRequest {
                agent_id: &agent_id,
                timestamp: now,
                nonce: &nonce,
                method: &Method::POST,
                target: target
                    .path_and_query()
                    .map_or("/", |target| target.as_str()),
                body,
            };
            AgentSignature::sign(secret, &request)
                .map_err(unusable)?
                .into()
        }
        "mews" => from_environment()
            .map(|secret| (MewsSignature::HEADER, MewsSignature::sign(&secret, body)))
            .into_iter()
            .collect(),
        _ => Vec::new(),
    })
}

fn from_environment() -> Option<SecretString> {
    std::env::var(SECRET).ok().map(SecretString::from)
}

fn set<'a>(key: &str, secret: Option<&'a SecretString>) -> Result<&'a SecretString, Failure> {
    secret
        .filter(|secret| !secret.expose_secret().is_empty())
        .ok_or_else(|| {
            let why = format!("{key} is not set: the event cannot be signed");
            Failure::new("credentials_missing", why)
        })
}

fn fresh(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::now_v7().simple())
}

/// What `--set` says.
struct Values(Vec<(String, String)>);

impl Values {
    fn parse(pairs: &[String]) -> Result<Self, Failure> {
        pairs
            .iter()
            .map(|pair| {
                pair.split_once('=')
                    .map(|(key, value)| (key.to_owned(), value.to_owned()))
                    .ok_or_else(|| Failure::new("invalid", format!("\"{pair}\" is not KEY=VALUE")))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn get(&self, key: &str, default: &str) -> String {
        self.0
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map_or_else(|| default.to_owned(), |(_, value)| value.clone())
    }

    fn need(&self, key: &str) -> Result<String, Failure> {
        match self.get(key, "") {
            value if value.is_empty() => {
                Err(Failure::new("invalid", format!("set {key}: --set {key}=…")))
            }
            value => Ok(value),
        }
    }
}

fn example(sender: &str, kind: &str, values: &Values) -> Result<Value, Failure> {
    Ok(match sender {
        "whatsapp" => whatsapp(kind, values)?,
        "mews" => {
            let discriminator = match kind {
                "guest" => "CustomerUpdated",
                "reservation" => "ServiceOrderUpdated",
                _ => "ResourceUpdated",
            };
            json!({
                "EnterpriseId": values.need("enterprise_id")?,
                "IntegrationId": values.get("integration_id", "00000000-0000-0000-0000-000000000000"),
                "Events": [{"Discriminator": discriminator, "Value": {"Id": values.need("id")?}}],
            })
        }
        "cloudbeds" => {
            let (event, id) = match kind {
                "guest" => ("guest/details_changed", "guestId"),
                "reservation" => ("reservation/status_changed", "reservationId"),
                _ => ("housekeeping/room_condition_changed", "roomId"),
            };
            json!({
                "version": "1.0", "event": event, "timestamp": Utc::now().timestamp(),
                "propertyId_str": values.need("property_id")?,
                "propertyId": values.need("property_id")?, (id): values.need("id")?,
            })
        }
        "resend" => resend(kind, values),
        "postmark" => postmark(kind, values),
        "stripe" => json!({
            "id": values.get("id", &fresh("evt")), "object": "event",
            "type": values.get("type", "checkout.session.completed"),
            "created": Utc::now().timestamp(), "livemode": false,
            "data": {"object": {"id": values.get("object_id", "cs_test_1"), "object": "checkout.session",
                "amount_total": 24900, "currency": "eur", "payment_status": "paid"}},
        }),
        "razorpay" => json!({
            "entity": "event", "event": values.get("type", "payment.captured"),
            "contains": ["payment"], "created_at": Utc::now().timestamp(),
            "payload": {"payment": {"entity": {"id": values.get("object_id", "pay_1"),
                "entity": "payment", "amount": 249_900, "currency": "INR", "status": "captured"}}},
        }),
        _ => {
            let text = values.get("arguments", "{}");
            serde_json::from_str(&text)
                .map_err(|_| Failure::new("invalid", "arguments is not JSON"))?
        }
    })
}

fn resend(kind: &str, values: &Values) -> Value {
    let now = Utc::now().to_rfc3339();
    let mut data = json!({
        "email_id": values.get("email_id", &uuid::Uuid::now_v7().to_string()), "created_at": now,
        "from": values.get("from", "stay@hotel.example"),
        "to": [values.get("to", "guest@example.com")],
        "subject": values.get("subject", "Your stay"),
    });
    match kind {
        "bounced" => {
            data["bounce"] = json!({"type": values.get("bounce", "Permanent"),
                "subType": "General", "message": "the mailbox does not exist"});
        }
        "received" => data["attachments"] = json!([]),
        _ => {}
    }
    json!({"type": format!("email.{kind}"), "created_at": now, "data": data})
}

fn postmark(kind: &str, values: &Values) -> Value {
    let now = Utc::now().to_rfc3339();
    let id = values.get("message_id", &uuid::Uuid::now_v7().to_string());
    let guest = values.get("to", "guest@example.com");
    match kind {
        "delivery" => json!({"RecordType": "Delivery", "MessageID": id, "Recipient": guest,
            "DeliveredAt": now, "MessageStream": "outbound", "Metadata": {}}),
        "bounce" => json!({"RecordType": "Bounce", "Type": "HardBounce", "TypeCode": 1,
            "MessageID": id, "Email": guest, "BouncedAt": now, "Inactive": true,
            "Details": "the mailbox does not exist", "MessageStream": "outbound", "Metadata": {}}),
        _ => {
            json!({"MessageID": id, "FromFull": {"Email": values.get("from", "guest@example.com")},
            "ToFull": [{"Email": values.get("to", "stay@hotel.example")}],
            "Subject": values.get("subject", "Our stay"), "MailboxHash": "", "Attachments": [],
            "StrippedTextReply": values.get("text", "When is breakfast?")})
        }
    }
}

fn whatsapp(kind: &str, values: &Values) -> Result<Value, Failure> {
    let now = Utc::now().timestamp().to_string();
    let account = values.need("phone_number_id")?;
    let from = values.get("from", "16505550123");
    let fresh = format!("wamid.{}", uuid::Uuid::now_v7().simple());
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": account, "phone_number_id": account},
    });
    if kind == "message" {
        value["contacts"] =
            json!([{"profile": {"name": values.get("name", "Guest")}, "wa_id": from}]);
        value["messages"] = json!([{
            "from": from, "id": values.get("id", &fresh), "timestamp": now, "type": "text",
            "text": {"body": values.get("text", "When is breakfast?")},
        }]);
    } else {
        value["statuses"] = json!([{
            "id": values.need("id")?, "status": values.get("status", "delivered"),
            "timestamp": now, "recipient_id": from,
        }]);
    }
    Ok(json!({"object": "whatsapp_business_account", "entry": [
        {"id": "0", "changes": [{"field": "messages", "value": value}]},
    ]}))
}
