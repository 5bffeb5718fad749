//! Asking what the server depends on whether it answers.

use std::sync::Arc;

use async_trait::async_trait;
use stayzr_core::{Result, port::Store};

/// Something the server depends on.
#[async_trait]
pub trait Probe: Send + Sync {
    /// Its name, for readiness and checks.
    fn name(&self) -> &'static str;

    /// What goes on where it does not answer, as a sentence; none where the server is of no use then.
    fn without_it(&self) -> Option<&'static str> {
        None
    }

    /// Whether it answers.
    async fn check(&self) -> Result<()>;
}

/// Asks the store.
pub struct StoreProbe(pub Arc<dyn Store>);

#[async_trait]
impl Probe for StoreProbe {
    fn name(&self) -> &'static str {
        "store"
    }

    async fn check(&self) -> Result<()> {
        self.0.ping().await
    }
}
