//! The server: one hyper handler in three kinds, which differ in what they do with what they verified.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::Utc;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use secrecy::SecretString;
use sqlx::{PgPool, SqlitePool};
use stayzr_core::{
    Result as CoreResult,
    clock::Clock,
    port::inbox::{Endpoint, EndpointAuth, EndpointKey, Endpoints, Inbox},
};
use stayzr_webhooks::{
    Secrets, SignedRequest, Verifier, channels::whatsapp::MetaHub, receiver::Receiver,
};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{SECRET, broken};

/// What is done with a verified delivery.
#[derive(Clone)]
pub(super) enum Handler {
    /// What the product does.
    Receiver(Receiver),
    /// One durable insert on SQLite.
    InsertLite(SqlitePool),
    /// One durable insert on PostgreSQL.
    InsertServer(PgPool),
    /// Nothing.
    Discard,
}

/// The one endpoint that there is.
struct Keys;

#[async_trait]
impl Endpoints for Keys {
    async fn endpoint(&self, key: &EndpointKey) -> CoreResult<Option<Endpoint>> {
        Ok(Some(Endpoint {
            key: key.clone(),
            scope: None,
            auth: EndpointAuth::MetaHub {
                app_secrets: vec![SecretString::from(SECRET)],
                verify_token: SecretString::from("unused"),
            },
        }))
    }
}

impl Handler {
    pub(super) fn receiver(inbox: Arc<dyn Inbox>, clock: Arc<dyn Clock>) -> Self {
        Self::Receiver(Receiver::new(Arc::new(Keys), inbox, clock))
    }

    async fn handle(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, String> {
        if let Self::Receiver(receiver) = self {
            return Ok(receiver.handle(EndpointKey::Whatsapp, request).await);
        }
        let (parts, body) = request.into_parts();
        let body = body.collect().await.map_err(broken)?.to_bytes();
        if !verified(&parts.headers, &body)? {
            return Ok(answer(StatusCode::UNAUTHORIZED));
        }
        let now = Utc::now();
        match self {
            Self::InsertLite(pool) => {
                sqlx::query("insert into plain (id, received_at, body) values ($1, $2, $3)")
                    .bind(Uuid::now_v7().to_string())
                    .bind(now.to_rfc3339())
                    .bind(&body[..])
                    .execute(pool)
                    .await
                    .map_err(broken)?;
            }
            Self::InsertServer(pool) => {
                sqlx::query("insert into plain (id, received_at, body) values ($1, $2, $3)")
                    .bind(Uuid::now_v7())
                    .bind(now)
                    .bind(&body[..])
                    .execute(pool)
                    .await
                    .map_err(broken)?;
            }
            Self::Receiver(_) | Self::Discard => {}
        }
        Ok(answer(StatusCode::OK))
    }
}

fn verified(headers: &HeaderMap, body: &[u8]) -> Result<bool, String> {
    let secrets = [SecretString::from(SECRET)];
    let secrets = Secrets::new(&secrets).map_err(broken)?;
    let request = SignedRequest {
        method: &Method::POST,
        target: "/webhooks/whatsapp",
        headers,
        body,
    };
    Ok(MetaHub.verify(&request, secrets, Utc::now()).is_ok())
}

fn answer(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// A server that ends when it is dropped.
pub(super) struct Serving {
    pub(super) address: SocketAddr,
    taken: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Serving {
    /// Requests answered with 200 so far.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::SeqCst)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a handler on a port of its own.
pub(super) async fn serve(handler: Handler) -> Result<Serving, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(broken)?;
    let address = listener.local_addr().map_err(broken)?;
    let taken = Arc::new(AtomicU64::new(0));
    let counter = taken.clone();
    let task = tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if stream.set_nodelay(true).is_err() {
                continue;
            }
            let (handler, counter) = (handler.clone(), counter.clone());
            let service = service_fn(move |request| {
                let (handler, counter) = (handler.clone(), counter.clone());
                async move {
                    let response = handler.handle(request).await;
                    let response =
                        response.unwrap_or_else(|_| answer(StatusCode::INTERNAL_SERVER_ERROR));
                    if response.status() == StatusCode::OK {
                        counter.fetch_add(1, Ordering::SeqCst);
                    }
                    Ok::<_, Infallible>(response)
                }
            });
            tokio::spawn(async move {
                // A client that is done hangs up.
                let _ = http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    Ok(Serving {
        address,
        taken,
        task,
    })
}
