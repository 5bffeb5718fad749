//! The stream of business events: GraphQL over WebSocket, with every event of the last days behind an
//! offset, for one reader at a time.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use futures::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue, header};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role},
    },
};

use super::{
    super::server::{Asked, Conversation, Reply},
    api::Vendor,
};

const SUBPROTOCOL: &str = "graphql-transport-ws";

/// How often news, the token and the wish to hang up are looked at.
const TICK: Duration = Duration::from_millis(20);

/// How long a reader may take to say who it is.
const SILENCE: Duration = Duration::from_secs(3);

/// What a reader that is hung up on is told; 1006 is told to nobody.
const ABNORMAL: u16 = 1006;

type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// Why a conversation ends: the code it is closed with; none where the reader left.
type End = Option<u16>;

impl Vendor {
    /// Answers a wish to become a WebSocket.
    pub(super) fn subscribe(&self, asked: Asked) -> Reply {
        let hash = Sha256::digest(self.options.app_key.expose_secret().as_bytes());
        let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let header = |name: header::HeaderName| {
            let value = asked.headers.get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let spoken = header(header::SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
        let key = header(header::SEC_WEBSOCKET_KEY);
        let fits = asked.query == format!("key={hash}")
            && spoken.split(',').any(|one| one.trim() == SUBPROTOCOL)
            && header(header::UPGRADE).is_some_and(|to| to.eq_ignore_ascii_case("websocket"));
        let (Some(key), true, Some(vendor)) = (key, fits, self.myself.upgrade()) else {
            return self.bare(400);
        };
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (header::CONNECTION, "Upgrade"),
            (header::UPGRADE, "websocket"),
            (header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Ok(proof) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
            headers.insert(header::SEC_WEBSOCKET_ACCEPT, proof);
        }
        let upgrade = asked.upgrade;
        let conversation = async move {
            if let Ok(upgraded) = upgrade.await {
                let io = TokioIo::new(upgraded);
                let socket = WebSocketStream::from_raw_socket(io, Role::Server, None).await;
                Reader { vendor, socket }.converse().await;
            }
        };
        Reply::Switch(headers, Conversation(Box::pin(conversation)))
    }
}

struct Reader {
    vendor: Arc<Vendor>,
    socket: Socket,
}

/// The one reader's place, until it goes.
struct Seat(Arc<Vendor>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.running().reader = false;
    }
}

impl Reader {
    async fn converse(mut self) {
        let end = match self.listen().await {
            Ok(()) => None,
            Err(end) => end,
        };
        if let Some(code) = end.filter(|code| *code != ABNORMAL) {
            let frame = CloseFrame {
                code: code.into(),
                reason: "".into(),
            };
            // A reader that is gone needs no farewell.
            let _ = self.socket.close(Some(frame)).await;
            while let Some(Ok(_)) = self.socket.next().await {}
        }
    }

    async fn listen(&mut self) -> Result<(), End> {
        let until = self.let_in().await?;
        self.say(&json!({"type": "connection_ack"})).await?;
        let asked = self.next().await?;
        let (id, mut place) = self.question(&asked)?;
        {
            let mut running = self.vendor.running();
            if running.reader {
                return Err(Some(4409));
            }
            running.reader = true;
            // Who skips what waits starts behind it.
            place = place.or(Some(running.hotel.last_offset()));
        }
        let _seat = Seat(Arc::clone(&self.vendor));
        let mut place = place.unwrap_or_default();
        let mut tick = tokio::time::interval(TICK);
        loop {
            tokio::select! {
                _ = tick.tick() => {
                    if self.vendor.now() >= until {
                        return Err(Some(4401));
                    }
                    if let Some(code) = self.vendor.running().hang_up.take() {
                        return Err(Some(code));
                    }
                    self.give(&id, &mut place).await?;
                }
                message = self.socket.next() => {
                    let message = heard(message)?;
                    match message["type"].as_str().unwrap_or_default() {
                        "" | "pong" => {}
                        "ping" => self.say(&json!({"type": "pong"})).await?,
                        "complete" => return Err(Some(1000)),
                        "subscribe" => return Err(Some(4409)),
                        _ => return Err(Some(4400)),
                    }
                }
            }
        }
    }

    /// Sends what happened behind a place.
    async fn give(&mut self, id: &str, place: &mut u64) -> Result<(), End> {
        let events = {
            let mut running = self.vendor.running();
            let mut events = running.hotel.events_behind(*place);
            if !events.is_empty() {
                *place = running.hotel.last_offset();
                running.faults.bend(&mut events);
                running.hotel.tally.events_streamed += events.len() as u64;
            }
            events
        };
        for event in events {
            let next = json!({"id": id, "type": "next", "payload": {"data": {"newEvent": event}}});
            self.say(&next).await?;
        }
        Ok(())
    }

    /// Until when the token of whoever says hello is good.
    async fn let_in(&mut self) -> Result<DateTime<Utc>, End> {
        let hello = tokio::time::timeout(SILENCE, self.next()).await;
        let hello = hello.map_err(|_| Some(4504))??;
        if hello["type"] != "connection_init" {
            return Err(Some(4401));
        }
        let said = |key: &str| {
            hello["payload"][key]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        let running = self.vendor.running();
        let (token, until) = running.hotel.token.clone().ok_or(Some(4401))?;
        let good = said("Authorization") == format!("Bearer {token}")
            && said("x-app-key") == self.vendor.options.app_key.expose_secret()
            && self.vendor.now() < until;
        if good { Ok(until) } else { Err(Some(4401)) }
    }

    /// The id of a subscription and the place that it starts behind; none for the end.
    fn question(&self, asked: &Value) -> Result<(String, Option<u64>), End> {
        let query = asked["payload"]["query"].as_str().unwrap_or_default();
        let argument = |name: &str| {
            let (_, rest) = query.split_once(&format!("{name}:\""))?;
            rest.split('"').next().map(str::to_owned)
        };
        let id = asked["id"].as_str().unwrap_or_default().to_owned();
        if asked["type"] != "subscribe" || id.is_empty() || !query.contains("newEvent(input:{") {
            return Err(Some(4400));
        }
        if argument("chainCode") != Some(self.vendor.running().hotel.chain()) {
            return Err(Some(4403));
        }
        match (argument("offset"), argument("offsetType").as_deref()) {
            (Some(offset), None) => {
                let place = offset.parse().map_err(|_| Some(4400))?;
                Ok((id, Some(place)))
            }
            (None, Some("highest")) => Ok((id, None)),
            _ => Err(Some(4400)),
        }
    }

    async fn say(&mut self, message: &Value) -> Result<(), End> {
        let sent = self.socket.send(Message::text(message.to_string())).await;
        sent.map_err(|_| None)
    }

    async fn next(&mut self) -> Result<Value, End> {
        loop {
            let message = heard(self.socket.next().await)?;
            if message["type"] == "ping" {
                self.say(&json!({"type": "pong"})).await?;
            } else if !message.is_null() {
                return Ok(message);
            }
        }
    }
}

/// A message; `null` where it says nothing.
fn heard(
    message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>,
) -> Result<Value, End> {
    match message {
        Some(Ok(Message::Text(text))) => serde_json::from_str(&text).map_err(|_| Some(4400)),
        Some(Ok(Message::Close(_)) | Err(_)) | None => Err(None),
        Some(Ok(_)) => Ok(Value::Null),
    }
}
