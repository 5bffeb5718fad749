//! A stand-in for the WhatsApp Cloud API: it takes messages, answers with ids, and reports each
//! message as sent, delivered and read through signed webhooks, as Meta does.

use std::{
    collections::VecDeque,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use chrono::Utc;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use stayzr_webhooks::channels::whatsapp::MetaHub;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;

/// The messages that are remembered; older ones go.
const KEPT: usize = 1000;

/// Between sent, delivered and read.
const PAUSE: Duration = Duration::from_millis(300);

/// Where statuses are posted to, and how they are signed.
#[derive(Clone)]
pub(crate) struct StatusTarget {
    pub(crate) client: reqwest::Client,
    pub(crate) url: String,
    pub(crate) app_secret: SecretString,
}

/// The stand-in.
pub(crate) struct Outbox {
    access_token: SecretString,
    messages: Mutex<VecDeque<Value>>,
    target: Mutex<Option<StatusTarget>>,
}

impl Outbox {
    /// One that takes messages with this access token.
    pub(crate) fn new(access_token: SecretString) -> Arc<Self> {
        Arc::new(Self {
            access_token,
            messages: Mutex::default(),
            target: Mutex::default(),
        })
    }

    /// From now on statuses are posted there.
    pub(crate) fn report_to(&self, target: StatusTarget) {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(target);
    }

    /// Listens on a free port of this machine until `stop`.
    pub(crate) async fn listen(
        self: Arc<Self>,
        stop: CancellationToken,
    ) -> Result<SocketAddr, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(
                "address_not_usable",
                format!("the sandbox outbox cannot listen: {error}"),
            )
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => stream,
                        Err(_) => continue,
                    },
                    () = stop.cancelled() => break,
                };
                let outbox = Arc::clone(&self);
                let stop = stop.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let outbox = Arc::clone(&outbox);
                        async move { Ok::<_, Infallible>(outbox.answer(request).await) }
                    });
                    let builder = Builder::new(TokioExecutor::new());
                    let connection = builder.serve_connection(TokioIo::new(stream), service);
                    tokio::select! {
                        _ = connection => {}
                        () = stop.cancelled() => {}
                    }
                });
            }
        });
        Ok(address)
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path().to_owned();
        let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (request.method(), segments.as_slice()) {
            (&Method::GET, ["_sandbox", "messages"]) => {
                let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
                reply(StatusCode::OK, &json!({"items": *messages}))
            }
            (&Method::POST, [_version, account, "messages"]) => {
                let account = (*account).to_owned();
                self.take(&account, request).await
            }
            _ => complaint(StatusCode::NOT_FOUND, 100, "Unsupported post request"),
        }
    }

    async fn take(
        self: Arc<Self>,
        account: &str,
        request: Request<Incoming>,
    ) -> Response<Full<Bytes>> {
        let expected = format!("Bearer {}", self.access_token.expose_secret());
        let sent = request.headers().get(header::AUTHORIZATION);
        if sent.is_none_or(|sent| sent.as_bytes() != expected.as_bytes()) {
            return complaint(StatusCode::UNAUTHORIZED, 190, "Invalid OAuth access token");
        }
        let body = match Limited::new(request.into_body(), 1 << 20).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return complaint(StatusCode::BAD_REQUEST, 100, "Invalid parameter"),
        };
        let Ok(message) = serde_json::from_slice::<Value>(&body) else {
            return complaint(StatusCode::BAD_REQUEST, 100, "Invalid parameter");
        };
        if message["messaging_product"] != "whatsapp" {
            return complaint(StatusCode::BAD_REQUEST, 100, "Invalid parameter");
        }
        if message["status"] == "read" {
            return reply(StatusCode::OK, &json!({"success": true}));
        }
        let to = message["to"].as_str().or(message["recipient"].as_str());
        let Some(to) = to.map(str::to_owned) else {
            return complaint(
                StatusCode::BAD_REQUEST,
                131_008,
                "Required parameter is missing",
            );
        };
        let id = format!("wamid.{}", uuid::Uuid::now_v7().simple());
        let wa_id = to.trim_start_matches('+').to_owned();
        {
            let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
            if messages.len() == KEPT {
                messages.pop_front();
            }
            messages.push_back(
                json!({"id": id, "phone_number_id": account, "at": Utc::now(), "message": message}),
            );
        }
        let target = self
            .target
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(target) = target {
            let callback = message["biz_opaque_callback_data"].clone();
            tokio::spawn(report(
                target,
                account.to_owned(),
                id.clone(),
                wa_id.clone(),
                callback,
            ));
        }
        reply(
            StatusCode::OK,
            &json!({
                "messaging_product": "whatsapp",
                "contacts": [{"input": to, "wa_id": wa_id}],
                "messages": [{"id": id}],
            }),
        )
    }
}

async fn report(target: StatusTarget, account: String, id: String, wa_id: String, callback: Value) {
    for status in ["sent", "delivered", "read"] {
        tokio::time::sleep(PAUSE).await;
        let mut entry = json!({
            "id": id, "status": status, "recipient_id": wa_id,
            "timestamp": Utc::now().timestamp().to_string(),
        });
        if !callback.is_null() {
            entry["biz_opaque_callback_data"] = callback.clone();
        }
        let body =
            json!({"object": "whatsapp_business_account", "entry": [{"id": "0", "changes": [{
            "field": "messages", "value": {
                "messaging_product": "whatsapp",
                "metadata": {"display_phone_number": account, "phone_number_id": account},
                "statuses": [entry],
            }}]}]})
            .to_string();
        let signature = MetaHub::sign(&target.app_secret, body.as_bytes());
        let sent = target
            .client
            .post(&target.url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(MetaHub::HEADER, signature)
            .body(body)
            .send()
            .await;
        if let Err(error) = sent {
            tracing::debug!(%error, "the sandbox outbox could not report a status");
            return;
        }
    }
}

fn complaint(status: StatusCode, code: u32, message: &str) -> Response<Full<Bytes>> {
    reply(
        status,
        &json!({"error": {"message": format!("(#{code}) {message}"), "type": "OAuthException", "code": code}}),
    )
}

fn reply(status: StatusCode, body: &Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}
