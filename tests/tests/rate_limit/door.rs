//! A door before a server: it can be shut, and it can be slow.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::watch,
};

/// Passes connections on to a server while it is open.
pub(crate) struct Door {
    url: String,
    is_open: watch::Sender<bool>,
    delay: Arc<AtomicU64>,
}

impl Door {
    /// A door before the Redis of this URL.
    pub(crate) async fn open(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").expect("a URL");
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, server) = authority.rsplit_once('@').unwrap_or(("", authority));
        let server = match server.contains(':') {
            true => server.to_owned(),
            false => format!("{server}:6379"),
        };
        let at = if user.is_empty() { "" } else { "@" };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (is_open, watched) = watch::channel(true);
        let delay = Arc::new(AtomicU64::new(0));
        tokio::spawn(pass(listener, server, watched, delay.clone()));
        Self {
            url: format!("{scheme}://{user}{at}{address}/{path}"),
            is_open,
            delay,
        }
    }

    /// The server's URL through this door.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Ends connections, and those that come, too.
    pub(crate) fn shut(&self) {
        self.is_open.send_replace(false);
    }

    /// Passes connections on again.
    pub(crate) fn open_again(&self) {
        self.is_open.send_replace(true);
    }

    /// Makes every answer come so much later.
    pub(crate) fn delay(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).expect("short");
        self.delay.store(millis, Ordering::Relaxed);
    }
}

async fn pass(
    listener: TcpListener,
    server: String,
    is_open: watch::Receiver<bool>,
    delay: Arc<AtomicU64>,
) {
    while let Ok((client, _)) = listener.accept().await {
        let (server, delay) = (server.clone(), delay.clone());
        let mut is_open = is_open.clone();
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(server).await else {
                return;
            };
            let (from_client, to_client) = client.into_split();
            let (from_server, to_server) = server.into_split();
            let at_once = AtomicU64::new(0);
            tokio::select! {
                _ = is_open.wait_for(|is_open| !is_open) => {}
                () = copy(from_client, to_server, &at_once) => {}
                () = copy(from_server, to_client, &delay) => {}
            }
        });
    }
}

async fn copy(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, delay: &AtomicU64) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        tokio::time::sleep(Duration::from_millis(delay.load(Ordering::Relaxed))).await;
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
