//! Where vendors' limits are counted: in Redis where one is configured, else in the store.

use std::sync::Arc;

use async_trait::async_trait;
use stayzr_core::{Result, limit::Ledger};

use crate::{config::Config, failure::Failure, probe::Probe};

/// Where limits are counted, and how to ask whether it answers where that is a server of its own.
pub(crate) struct Limits {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) probe: Option<Arc<dyn Probe>>,
}

/// The ledger that the configuration names, else the store's own.
pub(crate) fn limits(config: &Config, of_store: Arc<dyn Ledger>) -> Result<Limits, Failure> {
    if let Some(ledger) = redis(config)? {
        return Ok(Limits {
            probe: Some(Arc::new(LedgerProbe(ledger.clone()))),
            ledger,
        });
    }
    Ok(Limits {
        ledger: of_store,
        probe: None,
    })
}

/// Asks Redis.
struct LedgerProbe(Arc<dyn Ledger>);

#[async_trait]
impl Probe for LedgerProbe {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn without_it(&self) -> Option<&'static str> {
        Some("calls to vendors wait; everything else goes on")
    }

    async fn check(&self) -> Result<()> {
        self.0.check().await
    }
}

#[cfg(feature = "redis")]
fn redis(config: &Config) -> Result<Option<Arc<dyn Ledger>>, Failure> {
    use secrecy::ExposeSecret;
    use stayzr_core::limit::RedisLedger;
    let url = config.cache.redis_url.expose_secret();
    if url.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(RedisLedger::new(url, "stayzr:")?)))
}

/// The configuration is validated, so that none is configured.
#[cfg(not(feature = "redis"))]
#[allow(clippy::unnecessary_wraps, reason = "with the feature it may fail")]
fn redis(_: &Config) -> Result<Option<Arc<dyn Ledger>>, Failure> {
    Ok(None)
}
