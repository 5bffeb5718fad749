//! Takes WhatsApp's webhooks in on hyper: verified, stored, and only then acknowledged. The program
//! signs a message, posts it to itself, and shows what a worker finds in the inbox.

use std::{error::Error, sync::Arc, time::Duration};

use async_trait::async_trait;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use secrecy::SecretString;
use stayzr_core::{
    Result,
    clock::{Clock, SystemClock},
    model::ChannelEvent,
    port::{
        directory::Directory,
        inbox::{Endpoint, EndpointAuth, EndpointKey, Endpoints, Inbox},
        queue::JobQueue,
    },
    queue::{JobOutcome, Queue},
    store::memory::MemoryStore,
};
use stayzr_webhooks::{
    channels::whatsapp::{self, MetaHub},
    receiver::Receiver,
};
use tokio::net::TcpListener;

const APP_SECRET: &str = "the app secret of your Meta app";

/// Which endpoints there are, and with which keys. A server keeps them in its configuration.
struct Keys;

#[async_trait]
impl Endpoints for Keys {
    async fn endpoint(&self, key: &EndpointKey) -> Result<Option<Endpoint>> {
        Ok((*key == EndpointKey::Whatsapp).then(|| Endpoint {
            key: key.clone(),
            // One endpoint serves every hotel of the app: whose a message is, it says itself.
            scope: None,
            auth: EndpointAuth::MetaHub {
                app_secrets: vec![APP_SECRET.into()],
                verify_token: "the verify token".into(),
            },
        }))
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let clock = Arc::new(SystemClock);
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let receiver = Receiver::new(Arc::new(Keys), store.clone(), clock.clone());

    // The receiver is a tower service: it finds the endpoint by the path, /webhooks/whatsapp.
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/webhooks/whatsapp", listener.local_addr()?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let receiver = TowerToHyperService::new(receiver.clone());
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                // A connection that breaks is the sender's to repeat.
                let _ = server
                    .serve_connection(TokioIo::new(stream), receiver)
                    .await;
            });
        }
    });

    // What WhatsApp posts when a guest writes. The card number must not be stored.
    let body = r#"{"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":"messages",
        "value":{"messaging_product":"whatsapp","metadata":{"phone_number_id":"106540352242922"},
        "contacts":[{"profile":{"name":"Ana Silva"},"wa_id":"351912345678"}],
        "messages":[{"from":"351912345678","id":"wamid.1","timestamp":"1781000000","type":"text",
        "text":{"body":"Late check-out, please. My card is 4111 1111 1111 1111."}}]}}]}]}"#;
    let client = stayzr_webhooks::default_client()?;
    let post = |signature: String| {
        let request = client.post(&url).header(MetaHub::HEADER, signature);
        request
            .header("content-type", "application/json")
            .body(body)
    };
    let forged = post(MetaHub::sign(&"a guess".into(), body.as_bytes()));
    println!("forged:  {}", forged.send().await?.status());
    let secret = SecretString::from(APP_SECRET);
    let signed = post(MetaHub::sign(&secret, body.as_bytes()));
    println!("signed:  {}", signed.send().await?.status());

    // A worker claims the delivery's job, reads the delivery, and ends the job.
    let lease = Duration::from_secs(15);
    let jobs = store
        .claim(Queue::WebhookInbox, "worker-1", 10, lease)
        .await?;
    println!("waiting: {} delivery", jobs.len());
    for job in jobs {
        let delivery = store.delivery(&job.lease).await?;
        println!(
            "sha-256: {}… of the bytes as they came",
            &delivery.sha256[..16]
        );
        for event in whatsapp::parse(&delivery.body, clock.now())? {
            if let ChannelEvent::Message(message) = event {
                let name = message.name.unwrap_or_default();
                println!("{name} to {}: {}", message.account, message.text);
            }
        }
        store
            .finish(&job.lease, JobOutcome::Completed, Vec::new())
            .await?;
    }
    Ok(())
}
