//! A provider on this machine: answers what the test scripted, and remembers what it was sent.
#![allow(clippy::unwrap_used)]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the provider answers: status, extra headers, body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(body: &Value) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.to_string(),
        }
    }

    pub(crate) fn error(status: u16, body: &Value) -> Self {
        Self {
            status,
            ..Self::json(body)
        }
    }
}

/// What the provider was sent.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) key: Option<String>,
    pub(crate) body: Value,
}

type Responder = Arc<dyn Fn(&Received) -> Answer + Send + Sync>;

/// A running provider.
pub(crate) struct FakeProvider {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl FakeProvider {
    /// A provider that gives these answers in order, then 500.
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        let script = Mutex::new(VecDeque::from(answers));
        Self::answering(move |_| {
            let next = script.lock().unwrap().pop_front();
            next.unwrap_or_else(|| Answer::error(500, &Value::Object(Default::default())))
        })
        .await
    }

    /// A provider that answers each call so.
    pub(crate) async fn answering(
        answer: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1beta", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let answer: Responder = Arc::new(answer);
        let log = received.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, answer.clone(), log.clone()));
            }
        });
        Self { url, received }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, answer: Responder, log: Arc<Mutex<Vec<Received>>>) {
    let mut buffer = Vec::new();
    let head = loop {
        if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
            return;
        }
    };
    let header = String::from_utf8_lossy(&buffer[..head]).into_owned();
    let find = |name: &str| {
        header.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    };
    let length: usize = find("content-length")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    while buffer.len() < head + 4 + length {
        if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let path = header.split(' ').nth(1).unwrap_or_default().to_owned();
    let received = Received {
        path,
        key: find("x-goog-api-key").or_else(|| find("authorization")),
        body: serde_json::from_slice(&buffer[head + 4..]).unwrap_or_default(),
    };
    let answer = answer(&received);
    log.lock().unwrap().push(received);
    let extra: String = answer
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let reply = format!(
        "HTTP/1.1 {} Test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{extra}\
         connection: close\r\n\r\n{}",
        answer.status,
        answer.body.len(),
        answer.body
    );
    let _ = stream.write_all(reply.as_bytes()).await;
    let _ = stream.shutdown().await;
}
