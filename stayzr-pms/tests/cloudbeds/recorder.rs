//! A proxy that holds every call and every answer against the vendor's specification.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::{form, vendor_spec};

/// A call as it was made.
#[derive(Debug, Clone)]
pub struct Call {
    pub name: String,
    pub query: Vec<(String, String)>,
    pub form: Value,
    pub headers: http::HeaderMap,
}

#[derive(Debug, Default)]
struct Seen {
    calls: Vec<Call>,
    wrong: Vec<String>,
}

/// Passes calls on, checks them, and keeps them.
#[derive(Debug, Clone)]
pub struct Recorder {
    pub base_url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Recorder {
    pub async fn start(target: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Seen::default()));
        let client = stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap();
        let (target, kept) = (target.to_owned(), Arc::clone(&seen));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (client, target, kept) = (client.clone(), target.clone(), Arc::clone(&kept));
                let service = service_fn(move |request| {
                    pass(client.clone(), target.clone(), Arc::clone(&kept), request)
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { base_url, seen }
    }

    /// Calls of an operation so far.
    pub fn calls(&self, name: &str) -> Vec<Call> {
        let seen = self.seen.lock().unwrap();
        seen.calls
            .iter()
            .filter(|call| call.name == name)
            .cloned()
            .collect()
    }

    /// The last call of an operation.
    pub fn last(&self, name: &str) -> Call {
        self.calls(name)
            .pop()
            .unwrap_or_else(|| panic!("{name} was not called"))
    }

    /// What was not as the specification says.
    pub fn wrong(&self) -> Vec<String> {
        self.seen.lock().unwrap().wrong.clone()
    }
}

type Answer = Result<Response<Full<Bytes>>, std::io::Error>;

async fn pass(
    client: reqwest::Client,
    target: String,
    seen: Arc<Mutex<Seen>>,
    request: http::Request<Incoming>,
) -> Answer {
    let (parts, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map_err(std::io::Error::other)?
        .to_bytes();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let name = parts.uri.path().trim_start_matches("/api/v1.3/").to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let operation = vendor_spec::operation(parts.method.as_str(), &name);
    if let Some(operation) = &operation {
        let mut wrong = operation.query(&query);
        if !text.is_empty() {
            wrong.extend(operation.form(&text));
        }
        seen.lock().unwrap().wrong.extend(wrong);
    }
    seen.lock().unwrap().calls.push(Call {
        name,
        query: form::pairs(&query),
        form: form::read(&text),
        headers: parts.headers.clone(),
    });
    let mut headers = parts.headers;
    headers.remove(http::header::HOST);
    let passed = client
        .request(
            parts.method,
            format!("{target}{}?{query}", parts.uri.path()),
        )
        .headers(headers)
        .body(body)
        .send()
        .await
        // What the vendor cuts is cut here too.
        .map_err(std::io::Error::other)?;
    let (status, headers) = (passed.status(), passed.headers().clone());
    let answered = passed.bytes().await.map_err(std::io::Error::other)?;
    if let (Some(operation), true, Ok(value)) = (
        operation,
        status.as_u16() == 200,
        serde_json::from_slice::<Value>(&answered),
    ) {
        seen.lock().unwrap().wrong.extend(operation.answer(&value));
    }
    let mut response = Response::new(Full::new(answered));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok::<_, Infallible>(response).map_err(std::io::Error::other)
}
