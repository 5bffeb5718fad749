//! What an engine with a front desk does beyond keeping records.

use std::sync::Arc;

use stayzr_core::{
    Error, ErrorKind, Result,
    port::{conversation::Conversations, directory::Directory, inbox::Inbox, setup::Setup},
};

use super::session::{Session, SyncEngine};
use crate::desk::Desk;

/// The ports of a store that a front desk uses beside those of the engine.
#[derive(Clone)]
pub struct DeskPorts {
    /// Keeps events as deliveries.
    pub inbox: Arc<dyn Inbox>,
    /// Keeps messages.
    pub conversations: Arc<dyn Conversations>,
    /// Finds the account of an integration's threads.
    pub directory: Arc<dyn Directory>,
    /// Makes it when it is first needed.
    pub setup: Arc<dyn Setup>,
}

impl DeskPorts {
    /// All ports of one store.
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: Inbox + Conversations + Directory + Setup + 'static,
    {
        Self {
            inbox: store.clone(),
            conversations: store.clone(),
            directory: store.clone(),
            setup: store,
        }
    }
}

impl SyncEngine {
    /// Keeps events and messages of vendors through these ports, of the same store as the engine's
    /// others.
    #[must_use]
    pub fn with_desk(mut self, ports: DeskPorts) -> Self {
        self.desk = Some(ports);
        self
    }

    pub(super) fn desk_ports(&self) -> Result<&DeskPorts> {
        self.desk.as_ref().ok_or_else(|| {
            Error::internal(
                "sync.desk",
                "this engine keeps records only: give it the ports of a desk with `with_desk`",
            )
        })
    }
}

impl Session {
    /// The vendor's front desk, where it can do this.
    pub(super) fn desk(&self, can: bool, what: &'static str) -> Result<&dyn Desk> {
        self.provider.desk().filter(|_| can).ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "sync.desk", what)
                .with("provider", self.provider.name())
        })
    }
}
