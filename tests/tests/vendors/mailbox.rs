//! Takes in webhooks and keeps their bodies.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

type Letters = Arc<Mutex<Vec<Vec<u8>>>>;

pub struct Mailbox {
    pub url: String,
    letters: Letters,
}

impl Mailbox {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let letters = Letters::default();
        let kept = Arc::clone(&letters);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(read(stream, Arc::clone(&kept)));
            }
        });
        Self {
            url: format!("http://{address}/webhooks"),
            letters,
        }
    }

    /// What came since the last time.
    pub fn take(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.letters.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads one request after another; each is kept before it is answered.
async fn read(stream: TcpStream, letters: Letters) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        letters
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(body);
        stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .await?;
    }
}
