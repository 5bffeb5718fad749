use std::{net::SocketAddr, sync::Arc};

use stayzr_core::{Error, Result};

use super::{
    super::{
        Fault, file,
        server::{Server, listen},
    },
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
        let kept: Option<Hotel> = file::load(options.state_file.as_deref())?;
        let ours = |hotel: &Hotel| hotel.seed == options.seed && hotel.slug == options.hotel.slug;
        let mut hotel = kept.filter(ours).unwrap_or_else(|| {
            let now = options.clock.now();
            let today = options.today.unwrap_or_else(|| options.hotel.day(now));
            Hotel::seeded(&options, today, now)
        });
        let listener = listen(options.listen, &mut hotel.port).await?;
        let vendor = Arc::new_cyclic(|myself| Vendor::new(hotel, options, myself.clone()));
        vendor.keep(&vendor.running().hotel);
        let server = Server::start(listener, Arc::clone(&vendor) as _)?;
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
