use std::{net::SocketAddr, sync::Arc};

use stayzr_core::{Error, Result};
use tokio::net::TcpListener;

use super::{
    super::{Fault, server::Server},
    OperaOptions,
    api::Vendor,
    state::Hotel,
};

/// A running sandbox of OPERA Cloud with one hotel. Several may run in a process, each on its own
/// port. It stops when it is dropped.
///
/// ```no_run
/// use stayzr_pms::sandbox::{OperaOptions, OperaSandbox};
///
/// # async fn run() -> stayzr_core::Result<()> {
/// let sandbox = OperaSandbox::start(OperaOptions::default()).await?;
/// println!("OPERA's gateway is at {}", sandbox.base_url());
/// sandbox.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct OperaSandbox {
    server: Server,
    vendor: Arc<Vendor>,
    base_url: String,
}

impl std::fmt::Debug for OperaSandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OperaSandbox")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl OperaSandbox {
    /// Starts a sandbox: with the state of its file, or with records made from the seed. Errors if
    /// it cannot listen, or if the file cannot be read.
    pub async fn start(options: OperaOptions) -> Result<Self> {
        let fault = |what: &'static str, error: std::io::Error| {
            Error::internal("sandbox.opera.start", what).with_source(error)
        };
        let kept = match &options.state_file {
            Some(path) => Hotel::load(path, options.seed, &options.hotel.slug)
                .map_err(|error| fault("the state file cannot be read", error))?,
            None => None,
        };
        let mut hotel = kept.unwrap_or_else(|| {
            let now = options.clock.now();
            let zone: chrono_tz::Tz = options.hotel.time_zone.parse().unwrap_or(chrono_tz::UTC);
            let today = options
                .today
                .unwrap_or_else(|| now.with_timezone(&zone).date_naive());
            Hotel::seeded(&options, today, now)
        });
        let listener = listen(options.listen, hotel.port)
            .await
            .map_err(|error| fault("the sandbox cannot listen", error))?;
        hotel.port = listener.local_addr().ok().map(|address| address.port());
        let vendor = Arc::new_cyclic(|myself| Vendor::new(hotel, options, myself.clone()));
        vendor.keep(&vendor.running().hotel);
        let server = Server::start(listener, Arc::clone(&vendor) as _)
            .map_err(|error| fault("the sandbox cannot listen", error))?;
        let base_url = format!("http://{}", server.address);
        Ok(Self {
            server,
            vendor,
            base_url,
        })
    }

    /// Where it is: the `base_url` of a provider, and what `/_sandbox` is appended to.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// The code of the hotel's chain, which streams its events.
    pub fn chain_code(&self) -> String {
        self.vendor.running().hotel.chain()
    }

    /// The hotel's code.
    pub fn property_id(&self) -> String {
        self.vendor.running().hotel.hotel_id.clone()
    }

    /// Lets a fault happen. [`stayzr_core::ErrorKind::Invalid`] if its kind does not exist.
    pub fn inject(&self, fault: Fault) -> Result<()> {
        let added = self.vendor.running().faults.add(fault);
        added.map_err(|reason| Error::invalid("sandbox.opera.inject", reason))
    }

    /// Hangs up on whoever reads the stream of events, or reads it next, with this code; 1006 without
    /// a word.
    pub fn hang_up(&self, code: u16) {
        self.vendor.running().hang_up = Some(code);
    }

    /// Closes every connection and frees the port.
    pub async fn shutdown(self) {
        self.server.shutdown().await;
    }
}

/// The port of last time, if it is free and none is asked for: connections that were set up with
/// it go on working.
async fn listen(wanted: SocketAddr, last: Option<u16>) -> std::io::Result<TcpListener> {
    if let (0, Some(port)) = (wanted.port(), last)
        && let Ok(listener) = TcpListener::bind(SocketAddr::new(wanted.ip(), port)).await
    {
        return Ok(listener);
    }
    TcpListener::bind(wanted).await
}
