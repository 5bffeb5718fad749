use std::{io, net::SocketAddr, time::Duration};

use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto::Builder, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::{ServiceExt, util::BoxCloneSyncService};

use super::{Body, Stack};
use crate::failure::Failure;

/// A slow or silent client is cut off before it has sent its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(20);

/// A listener that is bound.
#[derive(Debug)]
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

/// Takes the address. `port_in_use` where somebody else has it.
pub async fn bind(address: SocketAddr) -> Result<Bound, Failure> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        let (code, hint) = match error.kind() {
            io::ErrorKind::AddrInUse => (
                "port_in_use",
                "another program listens there; choose another server.listen, or port 0 for a free one",
            ),
            io::ErrorKind::PermissionDenied => (
                "port_not_permitted",
                "ports below 1024 need a permission; choose another server.listen",
            ),
            _ => ("address_not_usable", "choose another server.listen"),
        };
        Failure::new(code, format!("cannot listen on {address}: {error}; {hint}"))
    })?;
    let address = listener.local_addr().map_err(|error| {
        Failure::new(
            "address_not_usable",
            format!("cannot listen on {address}: {error}"),
        )
    })?;
    Ok(Bound { listener, address })
}

impl Bound {
    /// The address with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop`, then lets requests that have begun end within `drain`.
    pub async fn serve(self, stack: Stack, stop: CancellationToken, drain: Duration) {
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT);
        builder.http2().timer(TokioTimer::new());
        let graceful = GracefulShutdown::new();
        let boxed: fn(Request<Incoming>) -> Request<Body> = boxed;
        let service = BoxCloneSyncService::new(stack.map_request(boxed));
        loop {
            let stream = tokio::select! {
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        // Out of file descriptors, most likely: wait instead of spinning.
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
                () = stop.cancelled() => break,
            };
            let _ = stream.set_nodelay(true);
            let service = TowerToHyperService::new(service.clone());
            let connection = builder
                .serve_connection(TokioIo::new(stream), service)
                .into_owned();
            let connection = graceful.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(error, "a connection ended early");
                }
            });
        }
        drop(self.listener);
        if tokio::time::timeout(drain, graceful.shutdown())
            .await
            .is_err()
        {
            tracing::warn!("requests that had begun did not end in time");
        }
    }
}

fn boxed(request: Request<Incoming>) -> Request<Body> {
    request.map(|body| body.map_err(Into::into).boxed_unsync())
}
