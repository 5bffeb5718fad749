//! OPERA's stream of business events: handed out batch by batch, each only once the one before it is
//! kept.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use stayzr_core::{Error, ErrorKind, Result};
use tokio::{
    sync::Mutex,
    time::{sleep_until, timeout_at},
};

use super::{
    OperaClient,
    config::StreamConfig,
    line::{Ending, Line, OPERATION},
    wire::{BusinessEvent, Node},
};
use crate::desk::EventBatch;

/// The most events of a batch.
const MOST: usize = 100;

/// Events that are remembered, to know those that come again.
const REMEMBERED: usize = 4096;

/// The longest wait between two connections.
const LONGEST: Duration = Duration::from_secs(120);

/// So many connections that gave nothing are worth an error.
const PATIENCE: u32 = 3;

/// Reads one chain's stream, whoever asks.
#[derive(Debug)]
pub(super) struct EventStream {
    config: StreamConfig,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    http: Option<reqwest::Client>,
    line: Option<Line>,
    /// The batch that was handed out last, and behind which position.
    given: Option<(Option<Value>, EventBatch)>,
    /// Ids of events that were handed out.
    seen: VecDeque<String>,
    /// Connections since the last event.
    tries: u32,
    /// When the next connection may be made.
    not_before: Option<Instant>,
}

impl EventStream {
    pub(super) fn new(config: StreamConfig) -> Self {
        Self {
            config,
            state: Mutex::default(),
        }
    }

    /// The events behind a position, as soon as there are some; none if there are none for a while.
    pub(super) async fn next(
        &self,
        client: &OperaClient,
        after: Option<&Value>,
    ) -> Result<Option<EventBatch>> {
        let offset = after.map(offset_of).transpose()?;
        let deadline = Instant::now() + Duration::from_secs(self.config.wait_seconds);
        let mut state = self.state.lock().await;
        if let Some(again) = state.settle(after) {
            return Ok(Some(again));
        }
        loop {
            let mut line = match state.line.take() {
                Some(line) => line,
                None => {
                    if !state.pause(deadline).await {
                        return Ok(None);
                    }
                    self.open(&mut state, client, offset.as_deref()).await?
                }
            };
            line.ask();
            let first = match timeout_at(deadline.into(), line.events.recv()).await {
                Err(_) => {
                    state.line = Some(line);
                    return Ok(None);
                }
                Ok(Some(event)) => event,
                Ok(None) => {
                    if line.was_good() {
                        state.tries = 1;
                    }
                    let ending = line.ending().await;
                    let wait = Duration::from_secs(self.config.reconnect_seconds);
                    state.not_before = Some(Instant::now() + backoff(wait, state.tries));
                    if ending == Ending::Closed(4401) && state.tries <= PATIENCE {
                        client.renew().await?;
                        continue;
                    }
                    if let Some(error) = ending.error() {
                        return Err(error);
                    }
                    if state.tries > PATIENCE {
                        let why =
                            "OPERA's stream breaks off again and again before it says anything";
                        return Err(Error::unavailable(OPERATION, why));
                    }
                    continue;
                }
            };
            let mut events = vec![first];
            while events.len() < MOST
                && let Ok(event) = line.events.try_recv()
            {
                events.push(event);
            }
            state.line = Some(line);
            state.tries = 0;
            if let Some(batch) = state.batch(events, after) {
                return Ok(Some(batch));
            }
        }
    }

    async fn open(
        &self,
        state: &mut State,
        client: &OperaClient,
        offset: Option<&str>,
    ) -> Result<Line> {
        let http = match &state.http {
            Some(http) => http.clone(),
            None => {
                let http = crate::http::upgrade_client(Duration::from_secs(10))?;
                state.http.insert(http).clone()
            }
        };
        state.tries += 1;
        let chain = &self.config.chain_code;
        let mut opened = Line::open(&http, client, chain, offset).await;
        if let Err(error) = &opened
            && error.kind() == ErrorKind::Unauthorized
            && client.renew().await?
        {
            opened = Line::open(&http, client, chain, offset).await;
        }
        opened.inspect_err(|error| {
            let wait = Duration::from_secs(self.config.reconnect_seconds);
            let wait = error.retry_after().unwrap_or(backoff(wait, state.tries));
            state.not_before = Some(Instant::now() + wait);
        })
    }
}

impl State {
    /// Learns from where somebody goes on what became of the last batch. One that was not kept is
    /// handed out again; behind any other position the stream is read anew.
    fn settle(&mut self, after: Option<&Value>) -> Option<EventBatch> {
        let Some((before, batch)) = &self.given else {
            return None;
        };
        if batch.position.as_ref() == after {
            return None;
        }
        if before.as_ref() == after {
            return Some(batch.clone());
        }
        self.given = None;
        self.line = None;
        self.seen.clear();
        None
    }

    /// Waits until the next connection may be made. False where that is too late.
    async fn pause(&mut self, deadline: Instant) -> bool {
        match self.not_before {
            Some(at) if at > deadline => {
                sleep_until(deadline.into()).await;
                false
            }
            Some(at) => {
                sleep_until(at.into()).await;
                true
            }
            None => true,
        }
    }

    /// A batch of those that were not handed out before; none where all were.
    fn batch(&mut self, events: Vec<Value>, after: Option<&Value>) -> Option<EventBatch> {
        let mut ids = Vec::new();
        let mut offset = None;
        let mut fresh = Vec::new();
        for event in events {
            let read = BusinessEvent::streamed(Node::of(&event));
            offset = furthest(offset, read.offset);
            if let Some(id) = read.id {
                if self.seen.contains(&id) {
                    continue;
                }
                ids.push(id.clone());
                self.seen.push_back(id);
            }
            fresh.push(event);
        }
        let surplus = self.seen.len().saturating_sub(REMEMBERED);
        self.seen.drain(..surplus);
        if fresh.is_empty() {
            return None;
        }
        let position = match offset {
            Some(offset) => Some(json!({"offset": offset})),
            None => after.cloned(),
        };
        let batch = EventBatch {
            body: json!({BusinessEvent::STREAMED: fresh})
                .to_string()
                .into_bytes(),
            // The stream is ordered: the same ends enclose the same events.
            id: ids
                .first()
                .zip(ids.last())
                .map(|(first, last)| format!("{first}..{last}")),
            position,
        };
        self.given = Some((after.cloned(), batch.clone()));
        Some(batch)
    }
}

/// The later of two places in the stream: events that come in disorder do not take it back.
fn furthest(one: Option<String>, other: Option<String>) -> Option<String> {
    let place = |offset: &str| offset.parse::<u64>().unwrap_or_default();
    match (one, other) {
        (Some(one), Some(other)) if place(&other) < place(&one) => Some(one),
        (one, other) => other.or(one),
    }
}

/// Where a saved position is in the stream.
fn offset_of(position: &Value) -> Result<String> {
    let offset = position.get("offset").and_then(Value::as_str);
    let is_place = |offset: &&str| {
        (1..=10).contains(&offset.len()) && offset.bytes().all(|byte| byte.is_ascii_digit())
    };
    offset.filter(is_place).map(str::to_owned).ok_or_else(|| {
        let why = "not a position of OPERA's stream: remove it to read from now on";
        Error::invalid(OPERATION, why)
    })
}

fn backoff(wait: Duration, tries: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(tries.saturating_sub(1).min(10));
    wait.saturating_mul(doubled).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(offset: u32) -> Value {
        json!({"metadata": {"offset": offset.to_string(), "uniqueEventId": format!("e{offset}")}})
    }

    #[test]
    fn a_batch_is_handed_out_until_it_is_kept_and_then_never_again() {
        let mut state = State::default();
        assert_eq!(state.settle(None), None);
        let first = state
            .batch(vec![event(1), event(2), event(2)], None)
            .unwrap();
        assert_eq!(first.position, Some(json!({"offset": "2"})));
        assert_eq!(first.id.as_deref(), Some("e1..e2"));
        // It was not kept.
        assert_eq!(state.settle(None), Some(first.clone()));
        // It was.
        assert_eq!(state.settle(first.position.as_ref()), None);
        let at = first.position.as_ref();
        assert_eq!(state.batch(vec![event(2), event(1)], at), None);
        assert!(state.batch(vec![event(3)], at).is_some());
        // Somebody goes back: everything behind that is news again.
        let back = json!({"offset": "0"});
        assert_eq!(state.settle(Some(&back)), None);
        assert!(state.batch(vec![event(1)], Some(&back)).is_some());
    }

    #[test]
    fn events_in_disorder_do_not_take_the_position_back() {
        let mut state = State::default();
        let batch = state.batch(vec![event(10), event(9)], None).unwrap();
        assert_eq!(batch.position, Some(json!({"offset": "10"})));
    }

    #[test]
    fn a_position_of_something_else_is_refused() {
        assert_eq!(offset_of(&json!({"offset": "147"})).unwrap(), "147");
        for wrong in [
            json!({}),
            json!({"offset": 1}),
            json!({"offset": "1\"}"}),
            json!({"offset": ""}),
        ] {
            assert!(offset_of(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn connections_are_made_ever_more_seldom() {
        let waits: Vec<u64> = (1..7)
            .map(|tries| backoff(Duration::from_secs(10), tries).as_secs())
            .collect();
        assert_eq!(waits, [10, 20, 40, 80, 120, 120]);
    }
}
