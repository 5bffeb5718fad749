//! Takes webhooks in with a router of axum: WhatsApp at the receiver's own path, and Stripe at a path of
//! the host's. The program posts to itself what both would send.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use axum::{
    Router,
    extract::{Path, Request, State},
    response::Response,
    routing::{get, post},
};
use http_body_util::BodyExt;
use secrecy::SecretString;
use stayzr_core::{
    Result,
    clock::{Clock, SystemClock},
    port::{
        directory::Directory,
        inbox::{Endpoint, EndpointAuth, EndpointKey, Endpoints},
    },
    queue::Queue,
    store::memory::MemoryStore,
};
use stayzr_webhooks::{
    channels::whatsapp::MetaHub, endpoints::stripe::StripeSignature, receiver::Receiver,
};
use tokio::net::TcpListener;

const APP_SECRET: &str = "the app secret of your Meta app";
const SIGNING_SECRET: &str = "whsec_of_your_endpoint_at_stripe";

/// Which endpoints there are, and with which keys. Several secrets make a rotation without a gap.
struct Keys;

#[async_trait]
impl Endpoints for Keys {
    async fn endpoint(&self, key: &EndpointKey) -> Result<Option<Endpoint>> {
        let auth = match key {
            EndpointKey::Whatsapp => EndpointAuth::MetaHub {
                app_secrets: vec![APP_SECRET.into()],
                verify_token: "the verify token".into(),
            },
            EndpointKey::Stripe { account_id } if account_id == "aurora" => EndpointAuth::Stripe {
                secrets: vec![SIGNING_SECRET.into(), "whsec_of_last_year".into()],
            },
            _ => return Ok(None),
        };
        Ok(Some(Endpoint {
            key: key.clone(),
            scope: None,
            auth,
        }))
    }
}

/// A path of the host's own: the handler says which endpoint it is.
async fn paid(
    State(receiver): State<Receiver>,
    Path(account_id): Path<String>,
    request: Request,
) -> Response {
    let answer = receiver.handle(EndpointKey::Stripe { account_id }, request);
    answer.await.map(|body| axum::body::Body::new(body.boxed()))
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let clock = Arc::new(SystemClock);
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let receiver = Receiver::new(Arc::new(Keys), store.clone(), clock.clone());

    // The receiver is a service: axum mounts it as it is. It reads the raw body itself, so no `Json`
    // extractor stands before it.
    let app = Router::new()
        .route("/", get(|| async { "Hotel Aurora" }))
        .route_service("/webhooks/whatsapp", receiver.clone())
        .route("/money/{account_id}", post(paid))
        .with_state(receiver);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });

    let client = stayzr_webhooks::default_client()?;
    let message = r#"{"object":"whatsapp_business_account","entry":[]}"#;
    let signature = MetaHub::sign(&SecretString::from(APP_SECRET), message.as_bytes());
    let request = client.post(format!("{base}/webhooks/whatsapp"));
    let answer = request.header(MetaHub::HEADER, signature).body(message);
    println!("whatsapp: {}", answer.send().await?.status());

    let payment = r#"{"id":"evt_1","type":"charge.succeeded","data":{"object":{"id":"ch_1"}}}"#;
    let secret = SecretString::from(SIGNING_SECRET);
    let now = clock.now().timestamp();
    for signature in [
        StripeSignature::sign(&secret, now, payment.as_bytes()),
        // Sent again: acknowledged, and not stored a second time.
        StripeSignature::sign(&secret, now, payment.as_bytes()),
        StripeSignature::sign(&secret, now - 600, payment.as_bytes()),
    ] {
        let request = client.post(format!("{base}/money/aurora"));
        let answer = request
            .header(StripeSignature::HEADER, signature)
            .body(payment);
        println!("stripe:   {}", answer.send().await?.status());
    }

    let lease = std::time::Duration::from_secs(15);
    let waiting = store
        .claim(Queue::WebhookInbox, "worker-1", 10, lease)
        .await?;
    println!("waiting:  {} deliveries", waiting.len());
    Ok(())
}
