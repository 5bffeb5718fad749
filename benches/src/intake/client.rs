//! Connections that send the same bytes again and again.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use super::broken;

/// What a load came to.
#[derive(Debug, Default)]
pub(super) struct Load {
    /// Answers with 200.
    pub(super) taken: u64,
    /// Those of them in the measured time.
    pub(super) counted: u64,
    /// Answers with 503 and `Retry-After`.
    pub(super) refused: u64,
    /// Waits, in milliseconds.
    pub(super) waits: Vec<f64>,
    /// How long it took.
    pub(super) elapsed: Duration,
}

impl Load {
    /// Requests taken in a second.
    pub(super) fn rate(&self) -> f64 {
        #[allow(
            clippy::cast_precision_loss,
            reason = "far fewer than 2^52 requests are counted"
        )]
        let counted = self.counted as f64;
        counted / self.elapsed.as_secs_f64()
    }

    /// The wait that this share of the requests did not exceed, in milliseconds.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        let mut waits = self.waits.clone();
        waits.sort_by(f64::total_cmp);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "the share is between 0 and 1"
        )]
        let index = (waits.len() as f64 * share) as usize;
        let index = index.min(waits.len().saturating_sub(1));
        waits.get(index).copied().unwrap_or(f64::NAN)
    }

    /// Counts an answer.
    pub(super) fn count(&mut self, answer: Answer, wait: Duration) -> Result<(), String> {
        match answer {
            Answer::Taken => {
                self.taken += 1;
                self.counted += 1;
            }
            Answer::TryLater => self.refused += 1,
            Answer::Other(status) => return Err(format!("answered with {status}")),
        }
        self.waits.push(wait.as_secs_f64() * 1e3);
        Ok(())
    }
}

/// What a request was answered with.
pub(super) enum Answer {
    /// 200.
    Taken,
    /// 503 with `Retry-After`.
    TryLater,
    /// Something else.
    Other(String),
}

/// A connection that is kept.
pub(super) struct Connection {
    stream: TcpStream,
    answer: Vec<u8>,
}

impl Connection {
    pub(super) async fn open(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect(address).await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        Ok(Self {
            stream,
            answer: Vec::new(),
        })
    }

    /// Sends a request and reads its answer whole.
    pub(super) async fn ask(&mut self, request: &[u8]) -> Result<Answer, String> {
        self.stream.write_all(request).await.map_err(broken)?;
        self.answer.clear();
        loop {
            if let Some(head) = self.answer.windows(4).position(|end| end == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&self.answer[..head]).to_ascii_lowercase();
                let header = |name: &str| {
                    let line = head.lines().find_map(|line| line.strip_prefix(name));
                    line.map(|value| value.trim().to_owned())
                };
                let length = header("content-length:").and_then(|length| length.parse().ok());
                let whole = head.len() + 4 + length.unwrap_or(0_usize);
                if self.answer.len() >= whole {
                    let status = head.split(' ').nth(1).unwrap_or_default();
                    return Ok(match (status, header("retry-after:")) {
                        ("200", _) => Answer::Taken,
                        ("503", Some(_)) => Answer::TryLater,
                        _ => Answer::Other(status.to_owned()),
                    });
                }
            }
            let read = self.stream.read_buf(&mut self.answer).await;
            if read.map_err(broken)? == 0 {
                return Err("the connection ended in the middle of an answer".to_owned());
            }
        }
    }
}

/// Connections that ask for this long, each as soon as it is answered.
pub(super) async fn closed_loop(
    address: SocketAddr,
    request: &[u8],
    connections: usize,
    time: Duration,
) -> Result<Load, String> {
    let mut asking = JoinSet::new();
    let started = Instant::now();
    for _ in 0..connections {
        let request = request.to_vec();
        asking.spawn(async move {
            let mut connection = Connection::open(address).await?;
            let mut load = Load::default();
            while started.elapsed() < time {
                let asked = Instant::now();
                let answer = connection.ask(&request).await?;
                load.count(answer, asked.elapsed())?;
            }
            Ok::<_, String>(load)
        });
    }
    let mut whole = Load::default();
    while let Some(load) = asking.join_next().await {
        let load = load.map_err(broken)??;
        whole.taken += load.taken;
        whole.counted += load.counted;
        whole.refused += load.refused;
        whole.waits.extend(load.waits);
    }
    whole.elapsed = started.elapsed();
    Ok(whole)
}
