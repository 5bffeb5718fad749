use std::{net::SocketAddr, sync::Arc};

use secrecy::SecretString;
use serde_json::Value;
use stayzr_core::{Error, Result};
use tokio::task::JoinHandle;

use super::{
    super::{
        Fault, HotelProfile,
        deliver::Deliveries,
        file,
        server::{Server, listen},
    },
    SandboxOptions,
    api::Vendor,
    delivery,
    state::Hotel,
};

/// A running sandbox of Mews with one hotel. Several may run in a process, each on its own port.
/// It stops when it is dropped.
///
/// ```no_run
/// use stayzr_pms::sandbox::{MewsSandbox, SandboxOptions};
///
/// # async fn run() -> stayzr_core::Result<()> {
/// let sandbox = MewsSandbox::start(SandboxOptions::default()).await?;
/// println!("Mews is at {}", sandbox.base_url());
/// sandbox.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct MewsSandbox {
    server: Server,
    vendor: Arc<Vendor>,
    courier: JoinHandle<()>,
    base_url: String,
}

impl std::fmt::Debug for MewsSandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MewsSandbox")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl MewsSandbox {
    /// Starts a sandbox: with the state of its file, or with records made from the seed. Errors if
    /// it cannot listen, or if the file cannot be read.
    pub async fn start(options: SandboxOptions) -> Result<Self> {
        let kept: Option<Hotel> = file::load(options.state_file.as_deref())?;
        let ours = |hotel: &Hotel| hotel.seed == options.seed && hotel.slug == options.hotel.slug;
        let seeded = |profile: &HotelProfile| {
            let now = options.clock.now();
            let today = options.today.unwrap_or_else(|| profile.day(now));
            Hotel::seeded(options.seed, profile, options.counts, today, now)
        };
        let mut hotel = kept.filter(ours).unwrap_or_else(|| seeded(&options.hotel));
        let sisters = options.sisters.iter().map(seeded).collect();
        let listener = listen(options.listen, &mut hotel.port).await?;
        let deliveries = Deliveries::new(options.webhook_url.clone())?;
        let vendor = Arc::new(Vendor::new(hotel, sisters, &options, deliveries));
        vendor.keep(&vendor.running().hotel);
        let server = Server::start(listener, Arc::clone(&vendor) as _)?;
        let courier = tokio::spawn(delivery::run(Arc::downgrade(&vendor)));
        let base_url = format!("http://{}", server.address);
        Ok(Self {
            server,
            vendor,
            courier,
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

    /// The property's id at the vendor.
    pub fn enterprise_id(&self) -> String {
        let running = self.vendor.running();
        let id = running.hotel.enterprise.get("Id").and_then(Value::as_str);
        id.unwrap_or_default().to_owned()
    }

    /// Where webhooks go from now on, the URL's token included; none keeps them waiting.
    pub fn set_webhook(&self, url: Option<SecretString>) {
        self.vendor.deliveries.set(url);
    }

    /// Lets a fault happen. [`stayzr_core::ErrorKind::Invalid`] if its kind does not exist.
    pub fn inject(&self, fault: Fault) -> Result<()> {
        let added = self.vendor.running().faults.add(fault);
        added.map_err(|reason| Error::invalid("sandbox.mews.inject", reason))
    }

    /// Sends the webhooks that wait, now.
    pub async fn deliver(&self) -> Value {
        self.vendor.deliver(true).await
    }

    /// Closes every connection and frees the port.
    pub async fn shutdown(self) {
        self.courier.abort();
        self.server.shutdown().await;
    }
}
