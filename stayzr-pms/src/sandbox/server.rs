use std::{net::SocketAddr, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

/// Bodies beyond this are answered with 413.
const LARGEST: usize = 8 * 1024 * 1024;

/// A request, read whole.
#[derive(Debug)]
#[allow(dead_code, reason = "not every vendor reads queries and headers")]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    /// What follows the question mark, as it came.
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What is answered.
#[derive(Debug)]
pub(super) enum Reply {
    /// This.
    Answer {
        status: u16,
        headers: HeaderMap,
        body: Vec<u8>,
    },
    /// The connection closes without an answer.
    Cut,
    /// Nothing comes for so long, then the connection closes.
    Hang(Duration),
}

impl Reply {
    /// JSON with this status.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::CONTENT_TYPE,
            header::HeaderValue::from_static("application/json; charset=utf-8"),
        );
        Self::Answer {
            status,
            headers,
            body: body.to_string().into_bytes(),
        }
    }
}

/// Answers requests.
#[async_trait]
pub(super) trait Handler: Send + Sync + 'static {
    async fn handle(&self, asked: Asked) -> Reply;
}

/// A server that runs until it is dropped or shut down.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves on a listener.
    pub(super) fn start(listener: TcpListener, handler: Arc<dyn Handler>) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(listener, handler, stopped));
        Ok(Self {
            address,
            stop,
            task,
        })
    }

    /// Closes every connection and waits until the port is free.
    pub(super) async fn shutdown(mut self) {
        self.stop.send_replace(true);
        // A panic of the task was reported where it happened; the port is free either way.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

async fn accept(
    listener: TcpListener,
    handler: Arc<dyn Handler>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let handler = Arc::clone(&handler);
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let handler = Arc::clone(&handler);
                        async move { respond(handler, request).await }
                    });
                    // A cut connection ends with an error, as it should.
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("cut on request")]
struct CutOnRequest;

async fn respond(
    handler: Arc<dyn Handler>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, CutOnRequest> {
    let (parts, body) = request.into_parts();
    let reply = match Limited::new(body, LARGEST).collect().await {
        Ok(body) => {
            handler
                .handle(Asked {
                    method: parts.method,
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    headers: parts.headers,
                    body: body.to_bytes(),
                })
                .await
        }
        Err(_) => Reply::json(
            413,
            &serde_json::json!({"Message": "The body is too large."}),
        ),
    };
    match reply {
        Reply::Answer {
            status,
            headers,
            body,
        } => {
            let mut response = Response::new(Full::new(Bytes::from(body)));
            *response.status_mut() =
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            *response.headers_mut() = headers;
            Ok(response)
        }
        Reply::Cut => Err(CutOnRequest),
        Reply::Hang(wait) => {
            tokio::time::sleep(wait).await;
            Err(CutOnRequest)
        }
    }
}
