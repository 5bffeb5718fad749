use std::{fmt, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use chrono::NaiveDate;
use secrecy::SecretString;
use stayzr_core::clock::{Clock, SystemClock};

use super::super::{Counts, HotelProfile};

/// How a sandbox of OPERA Cloud is started.
#[derive(Clone)]
pub struct OperaOptions {
    /// Where it listens; port 0 takes a free one, or the one of the state file if that is free.
    pub listen: SocketAddr,
    /// What ids, names and stays follow from, together with the hotel's slug.
    pub seed: u64,
    /// The hotel.
    pub hotel: HotelProfile,
    /// How many records it starts with.
    pub counts: Counts,
    /// The hotel's code.
    pub hotel_id: String,
    /// The application that it lets in.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: SecretString,
    /// The application's key.
    pub app_key: SecretString,
    /// The integration user, for the grant `password`.
    pub username: String,
    /// The integration user's password.
    pub password: SecretString,
    /// The enterprise, for the grant `client_credentials`.
    pub enterprise_id: String,
    /// How long a token is good.
    pub token_life: Duration,
    /// The external system that events are queued for; its own writes make none.
    pub external_system: String,
    /// Calls that are let through in any window of [`Self::limit_window`]: Oracle's burst.
    pub limit: usize,
    /// The window.
    pub limit_window: Duration,
    /// The most reservations on a page, whatever is asked for.
    pub largest_page: usize,
    /// How long a call with the fault `timeout` hangs.
    pub hang: Duration,
    /// Where its state is kept, so that changes survive a restart.
    pub state_file: Option<PathBuf>,
    /// The day that counts as today when records are made; none for the clock's.
    pub today: Option<NaiveDate>,
    /// The clock of the vendor.
    pub clock: Arc<dyn Clock>,
}

impl Default for OperaOptions {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 1,
            hotel: HotelProfile::default(),
            counts: Counts::default(),
            hotel_id: "SAND01".to_owned(),
            client_id: "sandbox-client".to_owned(),
            client_secret: SecretString::from("sandbox-client-secret"),
            app_key: SecretString::from("41ecd082-8997-4c69-af34-2f72b83645ff"),
            username: "SANDBOX_USER".to_owned(),
            password: SecretString::from("sandbox-password"),
            enterprise_id: "SANDBOX".to_owned(),
            token_life: Duration::from_secs(3600),
            external_system: "STAYZR".to_owned(),
            limit: 100,
            limit_window: Duration::from_secs(1),
            largest_page: 100,
            hang: Duration::from_secs(60),
            state_file: None,
            today: None,
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for OperaOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperaOptions")
            .field("listen", &self.listen)
            .field("seed", &self.seed)
            .field("hotel", &self.hotel.slug)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}
