use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use chrono::NaiveDate;
use secrecy::SecretString;
use stayzr_core::clock::{Clock, SystemClock};

use super::super::{Counts, HotelProfile};

/// How a sandbox of Mews is started.
#[derive(Clone)]
pub struct SandboxOptions {
    /// Where it listens; port 0 takes a free one, or the one of the state file if that is free.
    pub listen: SocketAddr,
    /// What ids, names and stays follow from, together with the hotel's slug.
    pub seed: u64,
    /// The hotel.
    pub hotel: HotelProfile,
    /// How many records it starts with.
    pub counts: Counts,
    /// Other hotels that the token covers too: then it is a portfolio's, and calls name the
    /// property they mean. These send no webhooks and are not kept in the state file.
    pub sisters: Vec<HotelProfile>,
    /// The token of the application that it lets in.
    pub client_token: SecretString,
    /// The token of the connection that it lets in.
    pub access_token: SecretString,
    /// Where webhooks go, its token included; none until [`super::MewsSandbox::set_webhook`].
    pub webhook_url: Option<SecretString>,
    /// How long a webhook waits to be joined by others; none sends only on request.
    pub webhook_delay: Option<Duration>,
    /// How long a webhook that was refused waits; it is dropped after ten attempts.
    pub webhook_retry: Duration,
    /// Calls that are let through in any window of [`Self::limit_window`].
    pub limit: usize,
    /// The window.
    pub limit_window: Duration,
    /// How long a call with the fault `timeout` hangs.
    pub hang: Duration,
    /// Where its state is kept, so that changes survive a restart.
    pub state_file: Option<PathBuf>,
    /// The day that counts as today when records are made; none for the clock's.
    pub today: Option<NaiveDate>,
    /// The clock of the vendor.
    pub clock: Arc<dyn Clock>,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 1,
            hotel: HotelProfile::default(),
            counts: Counts::default(),
            sisters: Vec::new(),
            client_token: SecretString::from("sandbox-client-token"),
            access_token: SecretString::from("sandbox-access-token"),
            webhook_url: None,
            webhook_delay: Some(Duration::from_secs(1)),
            webhook_retry: Duration::from_secs(30),
            limit: 200,
            limit_window: Duration::from_secs(30),
            hang: Duration::from_secs(60),
            state_file: None,
            today: None,
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for SandboxOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SandboxOptions")
            .field("listen", &self.listen)
            .field("seed", &self.seed)
            .field("hotel", &self.hotel.slug)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
