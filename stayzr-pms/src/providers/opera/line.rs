//! One connection to OPERA's stream of business events.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures::{SinkExt, StreamExt};
use http::{StatusCode, header};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use stayzr_core::{Error, ErrorKind, Result};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::{client::generate_key, derive_accept_key},
        protocol::{Role, WebSocketConfig},
    },
};

use super::{
    OperaClient,
    wire::{SUBPROTOCOL, StreamSays, init, subscribe},
};

pub(super) const OPERATION: &str = "opera.newEvent";

/// How long it may take to be let in.
const OPENING: Duration = Duration::from_secs(30);

/// How often OPERA is asked whether it is there: what its own example client does.
const PING: Duration = Duration::from_secs(10);

/// A line on which nothing was said for so long is dead.
const SILENCE: Duration = Duration::from_secs(40);

/// Nobody asked for events for so long: the line is left to another process.
const IDLE: Duration = Duration::from_secs(120);

/// How long OPERA may take to hang up.
const FAREWELL: Duration = Duration::from_secs(5);

/// Events that wait here to be asked for; beyond them none are read from the line.
const WAITING: usize = 256;

/// The longest message; OPERA documents none.
const LARGEST: usize = 4 * 1024 * 1024;

type Socket = WebSocketStream<reqwest::Upgraded>;

/// How a connection came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// It broke, or OPERA gave no more events.
    Lost,
    /// Its token was about to end, or nobody asked for events.
    Left,
    /// OPERA closed it with this code.
    Closed(u16),
    /// OPERA refuses the question, in these words.
    Refused(String),
}

impl Ending {
    /// What it means where another connection would end likewise; none where it would not.
    pub(super) fn error(&self) -> Option<Error> {
        let (kind, advice) = match self {
            Self::Lost | Self::Left => return None,
            Self::Refused(_) => (
                ErrorKind::Invalid,
                "OPERA refuses the subscription: check stream.chain_code in the vendor settings",
            ),
            Self::Closed(4400) => (
                ErrorKind::Invalid,
                "OPERA refuses the subscription: check stream.chain_code in the vendor settings, \
                 and remove the saved position if the stream was not read for a week",
            ),
            Self::Closed(4401) => (
                ErrorKind::Unauthorized,
                "OPERA refuses the token or the application key for its stream",
            ),
            Self::Closed(4403) => (
                ErrorKind::Forbidden,
                "OPERA does not allow the stream: the application must be approved for the chain's \
                 events, and stream.chain_code be that chain",
            ),
            Self::Closed(4409) => (
                ErrorKind::Unavailable,
                "somebody else reads the stream with this application key: OPERA has one reader for \
                 each key and chain, so stop the other one, or give it a key of its own",
            ),
            Self::Closed(_) => return None,
        };
        let error = Error::new(kind, OPERATION, advice);
        Some(match self {
            Self::Closed(code) => error.with("close_code", code),
            Self::Refused(why) => error.with("vendor_says", crate::http::redact(why, [])),
            Self::Lost | Self::Left => error,
        })
    }
}

/// A connection that gives the events behind an offset. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) events: mpsc::Receiver<Value>,
    asked: Arc<Mutex<Instant>>,
    opened: Instant,
    pump: JoinHandle<Ending>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

impl Line {
    /// Connects, shows the token and asks for a chain's events.
    pub(super) async fn open(
        http: &reqwest::Client,
        client: &OperaClient,
        chain: &str,
        offset: Option<&str>,
    ) -> Result<Self> {
        let opened = timeout(OPENING, open(http, client, chain, offset)).await;
        let slow = |_| {
            let what = "OPERA's stream did not let us in in time";
            Error::new(ErrorKind::Timeout, OPERATION, what)
        };
        let (socket, renew) = opened.map_err(slow)??;
        let (sender, events) = mpsc::channel(WAITING);
        let asked = Arc::new(Mutex::new(Instant::now()));
        let pump = Pump {
            socket,
            events: sender,
            asked: Arc::clone(&asked),
            renew,
        };
        Ok(Self {
            events,
            asked,
            opened: Instant::now(),
            pump: tokio::spawn(pump.run()),
        })
    }

    /// Notes that somebody wants events.
    pub(super) fn ask(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether it stood for a while: its end says nothing about the next one.
    pub(super) fn was_good(&self) -> bool {
        self.opened.elapsed() > SILENCE
    }

    /// How it ended, once `events` has.
    pub(super) async fn ending(mut self) -> Ending {
        (&mut self.pump).await.unwrap_or(Ending::Lost)
    }
}

async fn open(
    http: &reqwest::Client,
    client: &OperaClient,
    chain: &str,
    offset: Option<&str>,
) -> Result<(Socket, Instant)> {
    let pass = client.pass().await?;
    let mut socket = upgrade(http, client, &pass.key_hash).await?;
    let bearer = format!("Bearer {}", pass.token.expose_secret());
    let hello = init(&bearer, pass.app_key.expose_secret());
    let lost = || Error::unavailable(OPERATION, "OPERA's stream broke off");
    say(&mut socket, &hello).await.map_err(|()| lost())?;
    loop {
        match hear(&mut socket).await {
            Ok(Some(StreamSays::Ack)) => break,
            Ok(Some(StreamSays::Ping)) => {
                let pong = json!({"type": "pong"});
                say(&mut socket, &pong).await.map_err(|()| lost())?;
            }
            Ok(_) => {}
            Err(ending) => return Err(ending.error().unwrap_or_else(lost)),
        }
    }
    let id = uuid::Uuid::now_v7().to_string();
    let question = subscribe(&id, chain, offset);
    say(&mut socket, &question).await.map_err(|()| lost())?;
    Ok((socket, pass.renew))
}

/// Turns a call into a WebSocket, through the same HTTP and TLS as every other call.
async fn upgrade(http: &reqwest::Client, client: &OperaClient, key_hash: &str) -> Result<Socket> {
    let key = generate_key();
    let url = format!("{}/subscriptions", client.config().base_url);
    let request = http
        .get(url)
        .query(&[("key", key_hash)])
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_VERSION, "13")
        .header(header::SEC_WEBSOCKET_KEY, &key)
        .header(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL);
    let answer = request.send().await.map_err(|error| {
        let why = "no connection to OPERA's stream: check base_url and the network";
        Error::unavailable(OPERATION, why).with_source(error.without_url())
    })?;
    let status = answer.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(not_upgraded(status));
    }
    let proof = derive_accept_key(key.as_bytes());
    let named = |name: header::HeaderName| answer.headers().get(name).map(|value| value.as_bytes());
    if named(header::SEC_WEBSOCKET_ACCEPT) != Some(proof.as_bytes())
        || named(header::SEC_WEBSOCKET_PROTOCOL) != Some(SUBPROTOCOL.as_bytes())
    {
        let why = "what answers is not OPERA's stream: check base_url and what stands in between";
        return Err(Error::invalid(OPERATION, why));
    }
    let upgraded = answer.upgrade().await.map_err(|error| {
        let why = "OPERA's stream broke off";
        Error::unavailable(OPERATION, why).with_source(error.without_url())
    })?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST));
    Ok(WebSocketStream::from_raw_socket(upgraded, Role::Client, Some(config)).await)
}

/// Why OPERA does not speak WebSocket with us.
fn not_upgraded(status: StatusCode) -> Error {
    let (kind, advice) = match status.as_u16() {
        400 => (
            ErrorKind::Invalid,
            "OPERA refuses the stream: check base_url and app_key, and that the application is \
             approved for business events",
        ),
        401 => (
            ErrorKind::Unauthorized,
            "OPERA refuses the application key for its stream",
        ),
        403 => (
            ErrorKind::Forbidden,
            "OPERA does not allow the stream: the application must be approved for business events",
        ),
        404 | 405 | 426 => (
            ErrorKind::Invalid,
            "there is no stream at this gateway: check base_url",
        ),
        429 => (
            ErrorKind::RateLimited,
            "the stream was opened too often: at most 150 times in two minutes",
        ),
        _ if status.is_success() => (
            ErrorKind::Invalid,
            "what answers is not OPERA's stream: check base_url",
        ),
        _ if status.is_redirection() => (
            ErrorKind::Invalid,
            "the address redirects: set base_url to where it leads",
        ),
        _ => (ErrorKind::Unavailable, "OPERA's stream has a fault"),
    };
    let error = Error::new(kind, OPERATION, advice).with("status", status.as_u16());
    match kind {
        // Oracle's word: wait for two minutes.
        ErrorKind::RateLimited => error.with_retry_after(Duration::from_secs(120)),
        _ => error,
    }
}

async fn say(socket: &mut Socket, message: &Value) -> std::result::Result<(), ()> {
    let text = Message::text(message.to_string());
    socket.send(text).await.map_err(|_| ())
}

/// The next message; none for what has no meaning of its own.
async fn hear(socket: &mut Socket) -> std::result::Result<Option<StreamSays>, Ending> {
    match socket.next().await {
        Some(Ok(Message::Text(text))) => Ok(StreamSays::read(&text)),
        Some(Ok(Message::Close(frame))) => Err(match frame.map(|frame| u16::from(frame.code)) {
            Some(code @ 4000..) => Ending::Closed(code),
            _ => Ending::Lost,
        }),
        Some(Ok(_)) => Ok(None),
        Some(Err(_)) | None => Err(Ending::Lost),
    }
}

/// Reads a line for as long as its events are wanted and its token is good.
struct Pump {
    socket: Socket,
    events: mpsc::Sender<Value>,
    asked: Arc<Mutex<Instant>>,
    renew: Instant,
}

impl Pump {
    async fn run(mut self) -> Ending {
        let mut tick = tokio::time::interval(PING);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        loop {
            let (events, socket) = (&self.events, &mut self.socket);
            let heard_now = async move {
                // What nobody asks for stays on the line.
                let room = events.reserve().await;
                (room, hear(socket).await)
            };
            tokio::select! {
                _ = tick.tick() => {
                    let asked = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                    if asked.elapsed() > IDLE || Instant::now() >= self.renew {
                        return leave(&mut self.socket).await;
                    }
                    if heard.elapsed() > SILENCE && self.events.capacity() > 0 {
                        return Ending::Lost;
                    }
                    let ping = json!({"type": "ping"});
                    if say(&mut self.socket, &ping).await.is_err() {
                        return Ending::Lost;
                    }
                }
                (room, said) = heard_now => {
                    heard = Instant::now();
                    match said {
                        Ok(Some(StreamSays::Event(event))) => match room {
                            Ok(room) => room.send(event),
                            Err(_) => return Ending::Left,
                        },
                        Ok(Some(StreamSays::Ping)) => {
                            let pong = json!({"type": "pong"});
                            if say(&mut self.socket, &pong).await.is_err() {
                                return Ending::Lost;
                            }
                        }
                        Ok(Some(StreamSays::Complete)) => return leave(&mut self.socket).await,
                        Ok(Some(StreamSays::Refuses(why))) => return Ending::Refused(why),
                        Ok(_) => {}
                        Err(ending) => return ending,
                    }
                }
            }
        }
    }
}

/// Says that no more events are wanted, and waits for OPERA to hang up, as it asks for.
async fn leave(socket: &mut Socket) -> Ending {
    let farewell = async {
        socket.close(None).await.ok()?;
        while let Some(Ok(_)) = socket.next().await {}
        Some(())
    };
    // Whoever does not hang up is hung up on.
    let _ = timeout(FAREWELL, farewell).await;
    Ending::Left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_stream_says_what_to_do_or_that_it_passes() {
        use ErrorKind::{Forbidden, Invalid, Unauthorized, Unavailable};
        for (code, kind) in [
            (4400, Some(Invalid)),
            (4401, Some(Unauthorized)),
            (4403, Some(Forbidden)),
            (4409, Some(Unavailable)),
            (4504, None),
            (4999, None),
        ] {
            let error = Ending::Closed(code).error();
            assert_eq!(error.map(|error| error.kind()), kind, "{code}");
        }
        assert!(Ending::Lost.error().is_none());
        for (status, kind) in [
            (400, Invalid),
            (401, Unauthorized),
            (403, Forbidden),
            (404, Invalid),
            (429, ErrorKind::RateLimited),
            (503, Unavailable),
            (200, Invalid),
            (302, Invalid),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(not_upgraded(status).kind(), kind, "{status}");
        }
        let wait = not_upgraded(StatusCode::TOO_MANY_REQUESTS).retry_after();
        assert_eq!(wait, Some(Duration::from_secs(120)));
    }
}
