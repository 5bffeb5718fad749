use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper::{
    body::{Body, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
    upgrade::OnUpgrade,
};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use stayzr_core::{Error, Result};
use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::fault::FaultKind;

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
    /// What the connection becomes, where the answer is [`Reply::Switch`].
    pub(super) upgrade: OnUpgrade,
}

/// What is said on a connection after it became something else than HTTP.
pub(super) struct Conversation(pub(super) Pin<Box<dyn Future<Output = ()> + Send>>);

impl std::fmt::Debug for Conversation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Conversation(..)")
    }
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
    /// This, so much later.
    Late(Duration, Box<Reply>),
    /// The head of an answer and half of the body that it announces, then the connection closes.
    Half(Box<Reply>),
    /// 101 with these headers, and then this.
    Switch(HeaderMap, Conversation),
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

    /// A web page, as something in front of a vendor may answer.
    pub(super) fn page() -> Self {
        let mut page = Self::empty(200).with_header(header::CONTENT_TYPE, "text/html");
        if let Self::Answer { body, .. } = &mut page {
            body.extend_from_slice(b"<!doctype html><title>Welcome</title>");
        }
        page
    }

    /// Nothing but a status.
    pub(super) fn empty(status: u16) -> Self {
        Self::Answer {
            status,
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
    }

    /// The same with this header, where there is an answer and the value can be one.
    pub(super) fn with_header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let (Self::Answer { headers, .. }, Ok(value)) =
            (&mut self, header::HeaderValue::from_str(value))
        {
            headers.insert(name, value);
        }
        self
    }

    /// The same with the vendor's clock, which an answer carries.
    pub(super) fn dated(self, now: DateTime<Utc>) -> Self {
        let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        self.with_header(header::DATE, &date)
    }

    /// What a fault that comes after the effect leaves of an answer; `hang` is how long a call hangs.
    pub(super) fn bent(mut self, fault: Option<FaultKind>, hang: Duration) -> Self {
        match fault {
            Some(FaultKind::ErrorAfter(status)) => Self::empty(status),
            Some(FaultKind::Cut) => Self::Cut,
            Some(FaultKind::Timeout) => Self::Hang(hang),
            Some(FaultKind::Slow(wait)) => Self::Late(wait, Box::new(self)),
            Some(FaultKind::Half) => Self::Half(Box::new(self)),
            Some(FaultKind::Malformed) => {
                if let Self::Answer { body, .. } = &mut self {
                    body.truncate(body.len() / 2);
                }
                self
            }
            _ => self,
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
    pub(super) fn start(listener: TcpListener, handler: Arc<dyn Handler>) -> Result<Self> {
        let address = listener.local_addr().map_err(deaf)?;
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

/// Listens where it is wanted; with port 0 on the port of last time, if that is free, so that
/// connections that were set up with it go on working. Notes the port for the next time.
pub(super) async fn listen(wanted: SocketAddr, port: &mut Option<u16>) -> Result<TcpListener> {
    let again = match *port {
        Some(last) if wanted.port() == 0 => TcpListener::bind((wanted.ip(), last)).await.ok(),
        _ => None,
    };
    let listener = match again {
        Some(listener) => listener,
        None => TcpListener::bind(wanted).await.map_err(deaf)?,
    };
    *port = listener.local_addr().ok().map(|address| address.port());
    Ok(listener)
}

fn deaf(error: std::io::Error) -> Error {
    Error::internal("sandbox.start", "the sandbox cannot listen").with_source(error)
}

async fn accept(
    listener: TcpListener,
    handler: Arc<dyn Handler>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    // What a connection became ends with the server, too.
    let ends = stopped.clone();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stopped| *stopped) => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (handler, ends) = (Arc::clone(&handler), ends.clone());
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        respond(Arc::clone(&handler), ends.clone(), request)
                    });
                    // A cut connection ends with an error, as it should.
                    let _ = http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .with_upgrades()
                        .await;
                });
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("cut on request")]
struct CutOnRequest;

/// A body, of which less may come than it announces.
struct Given {
    bytes: Bytes,
    announced: u64,
    /// What came so far is on its way.
    paused: bool,
}

impl Body for Given {
    type Data = Bytes;
    type Error = CutOnRequest;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<std::result::Result<Frame<Bytes>, CutOnRequest>>> {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.is_empty() {
            if self.announced > 0 && !std::mem::replace(&mut self.paused, true) {
                // An error would take back what was not sent yet.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready((self.announced > 0).then_some(Err(CutOnRequest)));
        }
        self.announced = self.announced.saturating_sub(bytes.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.announced == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}

async fn respond(
    handler: Arc<dyn Handler>,
    mut stopped: watch::Receiver<bool>,
    mut request: Request<Incoming>,
) -> std::result::Result<Response<Given>, CutOnRequest> {
    let upgrade = hyper::upgrade::on(&mut request);
    let (parts, body) = request.into_parts();
    let mut reply = match Limited::new(body, LARGEST).collect().await {
        Ok(body) => {
            handler
                .handle(Asked {
                    method: parts.method,
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    headers: parts.headers,
                    body: body.to_bytes(),
                    upgrade,
                })
                .await
        }
        Err(_) => Reply::json(
            413,
            &serde_json::json!({"Message": "The body is too large."}),
        ),
    };
    let mut part = 1;
    loop {
        match reply {
            Reply::Answer {
                status,
                headers,
                body,
            } => {
                let bytes = Bytes::from(body);
                let mut response = Response::new(Given {
                    announced: bytes.len() as u64,
                    bytes: bytes.slice(..bytes.len() / part),
                    paused: false,
                });
                *response.status_mut() =
                    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                *response.headers_mut() = headers;
                return Ok(response);
            }
            Reply::Switch(headers, conversation) => {
                tokio::spawn(async move {
                    tokio::select! {
                        _ = stopped.wait_for(|stopped| *stopped) => {}
                        () = conversation.0 => {}
                    }
                });
                let mut response = Response::new(Given {
                    bytes: Bytes::new(),
                    announced: 0,
                    paused: false,
                });
                *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
                *response.headers_mut() = headers;
                return Ok(response);
            }
            Reply::Cut => return Err(CutOnRequest),
            Reply::Hang(wait) => {
                tokio::time::sleep(wait).await;
                return Err(CutOnRequest);
            }
            Reply::Late(wait, later) => {
                tokio::time::sleep(wait).await;
                reply = *later;
            }
            Reply::Half(whole) => {
                part = 2;
                reply = *whole;
            }
        }
    }
}
