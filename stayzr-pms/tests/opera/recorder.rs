//! A proxy that holds every call and every answer against the vendor's specifications.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::vendor_spec;

/// A call as it was made.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub body: Value,
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

    /// Calls so far by this method, the path of which ends so.
    pub fn calls(&self, method: &str, end: &str) -> Vec<Call> {
        let seen = self.seen.lock().unwrap();
        let named = seen.calls.iter();
        named
            .filter(|call| call.method == method && call.path.ends_with(end))
            .cloned()
            .collect()
    }

    /// The last of them.
    pub fn last(&self, method: &str, end: &str) -> Call {
        let last = self.calls(method, end).pop();
        last.unwrap_or_else(|| panic!("{method} …{end} was not called"))
    }

    /// What was not as the specifications say.
    pub fn wrong(&self) -> Vec<String> {
        self.seen.lock().unwrap().wrong.clone()
    }
}

async fn pass(
    client: reqwest::Client,
    target: String,
    seen: Arc<Mutex<Seen>>,
    request: http::Request<Incoming>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?;
    let body = body.to_bytes();
    let path = parts.uri.path().to_owned();
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let pairs = pairs(&query);
    let json = serde_json::from_slice(&body).unwrap_or_default();
    let operation = vendor_spec::operation(parts.method.as_str(), &path);
    if let Some(operation) = &operation {
        let mut wrong = operation.fields("query", &pairs);
        wrong.extend(operation.headers(&parts.headers));
        if operation.name == "getToken" {
            let form = String::from_utf8(body.to_vec()).unwrap();
            wrong.extend(operation.fields("formData", &crate::recorder::pairs(&form)));
        } else if !body.is_empty() {
            wrong.extend(operation.request(&json));
        }
        seen.lock().unwrap().wrong.extend(wrong);
    }
    seen.lock().unwrap().calls.push(Call {
        method: parts.method.to_string(),
        path: path.clone(),
        query: pairs,
        body: json,
        headers: parts.headers.clone(),
    });
    let mut headers = parts.headers;
    headers.remove(http::header::HOST);
    let passed = client
        .request(parts.method, format!("{target}{path}?{query}"))
        .headers(headers)
        .body(body)
        .send()
        .await
        // What the vendor cuts is cut here too.
        .map_err(std::io::Error::other)?;
    let (status, headers) = (passed.status(), passed.headers().clone());
    let answered = passed.bytes().await.map_err(std::io::Error::other)?;
    let said = match answered.is_empty() {
        true => Some(Value::Null),
        // Half an answer and a web page are a fault's.
        false => serde_json::from_slice::<Value>(&answered).ok(),
    };
    if let (Some(operation), Some(value)) = (operation, said) {
        let wrong = operation.answer(status.as_u16(), &value);
        seen.lock().unwrap().wrong.extend(wrong);
    }
    let mut response = Response::new(Full::new(answered));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// The fields of a query or form.
fn pairs(text: &str) -> Vec<(String, String)> {
    let url = reqwest::Url::parse(&format!("http://x/?{text}")).unwrap();
    url.query_pairs()
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect()
}
