use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use chrono::NaiveDate;
use secrecy::SecretString;
use stayzr_core::clock::{Clock, SystemClock};

use super::super::{Counts, HotelProfile};

/// How a sandbox of Cloudbeds is started.
#[derive(Clone)]
pub struct CloudbedsOptions {
    /// Where it listens; port 0 takes a free one, or the one of the state file if that is free.
    pub listen: SocketAddr,
    /// What ids, names and stays follow from, together with the hotel's slug.
    pub seed: u64,
    /// The hotel.
    pub hotel: HotelProfile,
    /// How many records it starts with.
    pub counts: Counts,
    /// The API key that it lets in.
    pub api_key: SecretString,
    /// The application that it lets in with tokens.
    pub client_id: String,
    /// Its secret.
    pub client_secret: SecretString,
    /// The refresh token that is good at the start; each refresh gives another in its place.
    pub refresh_token: SecretString,
    /// How long an access token is good.
    pub token_life: Duration,
    /// Where every webhook goes, its secret included, beside the endpoints that were subscribed;
    /// none until [`super::CloudbedsSandbox::set_webhook`].
    pub webhook_url: Option<SecretString>,
    /// How long a webhook waits; none sends only on request.
    pub webhook_delay: Option<Duration>,
    /// How long a webhook that was refused waits; it is dropped after five attempts.
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

impl Default for CloudbedsOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 1,
            hotel: HotelProfile::default(),
            counts: Counts::default(),
            api_key: SecretString::from("cbat_sandbox"),
            client_id: "sandbox-client".to_owned(),
            client_secret: SecretString::from("sandbox-client-secret"),
            refresh_token: SecretString::from("sandbox-refresh-token"),
            token_life: Duration::from_secs(8 * 3600),
            webhook_url: None,
            webhook_delay: Some(Duration::from_secs(1)),
            webhook_retry: Duration::from_secs(60),
            limit: 5,
            limit_window: Duration::from_secs(1),
            hang: Duration::from_secs(60),
            state_file: None,
            today: None,
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for CloudbedsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudbedsOptions")
            .field("listen", &self.listen)
            .field("seed", &self.seed)
            .field("hotel", &self.hotel.slug)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
