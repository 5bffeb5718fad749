use std::{fmt, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;
use stayzr_core::{Result, model::PmsEvent, transform::EntityKind};

use crate::provider::PmsProvider;

/// Starts simulated vendors: a fresh one for each scenario, so that none finds what another left.
#[async_trait]
pub trait Bench: Send + Sync {
    /// A vendor with records of every kind that the provider reads: of those that come in pages
    /// more than one page, of those that can be changed at least three.
    async fn start(&self) -> Result<Box<dyn Vendor>>;

    /// Bodies of webhooks as the vendor sends them, with what they say. Empty for a vendor without
    /// webhooks.
    fn events(&self) -> Vec<EventExample>;

    /// Canonical values that the vendor takes for a field, at least two that differ; none takes
    /// the kit's own. Values should stand in the form in which the vendor gives them back.
    fn samples(&self, kind: EntityKind, field: &str) -> Option<Vec<Value>> {
        let _ = (kind, field);
        None
    }
}

/// A simulated vendor that runs until it is dropped, and a person at its desk.
#[async_trait]
pub trait Vendor: Send + Sync {
    /// A new provider connected to this vendor. It should wait milliseconds where the real one waits
    /// seconds, and give up an answer after two seconds.
    fn provider(&self, access: Access) -> Result<Arc<dyn PmsProvider>>;

    /// Every secret that providers of either [`Access`] hold or are given meanwhile.
    fn secrets(&self) -> Vec<String>;

    /// The ids of all records of a kind that a provider should find; none where the desk has no
    /// list of them.
    async fn ids(&self, kind: EntityKind) -> Result<Option<Vec<String>>>;

    /// A record in the vendor's own words, without its mark of version and times of change; none
    /// where it is not there or the desk cannot show such records.
    async fn look(&self, kind: EntityKind, id: &str) -> Result<Option<Value>>;

    /// Somebody at the vendor does this to a record. None where this cannot happen at this vendor.
    async fn act(&self, act: Act, kind: EntityKind, id: &str) -> Result<Option<Done>>;

    /// The next so many calls of this sort go wrong; zero ends every fault that still waits. False
    /// where such calls cannot go wrong so, or nobody makes them.
    async fn fault(&self, fault: Fault, call: Call, times: u32) -> Result<bool>;

    /// How many calls of this sort have arrived, those that went wrong included.
    async fn calls(&self, call: Call) -> Result<u64>;

    /// How many letters, fees, prices and the like the vendor has made by itself because of a write.
    async fn side_effects(&self) -> Result<u64>;
}

/// Which credentials a provider is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Those that the vendor takes.
    Granted,
    /// Those that it refuses.
    Refused,
}

/// What a person does at the vendor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Changes a field that the provider reads, to a value it never had.
    Change,
    /// Writes a field that the provider's code does not name.
    UnknownField,
    /// Sets a known field to a word that the provider does not know, such as a new status.
    UnknownValue,
    /// Damages the record so that it cannot be read, such as by a day that is none. Its id stays.
    Damage,
    /// Removes it without a trace.
    Remove,
    /// Merges it into the record of this id, which remains.
    MergeInto(String),
}

/// What became of an [`Act`].
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// It is done.
    Done,
    /// This field of ours reads so from now on.
    Reads(&'static str, Value),
    /// This name, at any depth, stands in [`crate::RemoteRecord::extra`] with this value.
    Extra(&'static str, Value),
    /// This word stands in [`crate::RemoteRecord::unknown`].
    Unknown(String),
}

/// Calls that belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Reads of a kind, by page and by id.
    Read(EntityKind),
    /// Changes of records of a kind.
    Update(EntityKind),
    /// Creations of records of a kind.
    Create(EntityKind),
}

/// How a call goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// This status, without an effect.
    Status(u16),
    /// The vendor's limit is reached: 429 with this `Retry-After`, without an effect.
    Limit(Option<String>),
    /// The connection breaks, without an effect.
    LostBefore,
    /// The connection breaks after the effect.
    LostAfter,
    /// Half an answer, after the effect.
    Garbled,
    /// No answer, after the effect.
    Silence,
}

/// A webhook body and what it says.
#[derive(Clone)]
pub struct EventExample {
    /// What it is an example of.
    pub name: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// What it says.
    pub says: Says,
}

/// What a webhook body says.
#[derive(Debug, Clone, PartialEq)]
pub enum Says {
    /// These events, in this order.
    Events(Vec<PmsEvent>),
    /// Something that nobody knows: [`PmsEvent::Unknown`] alone.
    Unknown,
    /// Nothing: it is not the vendor's at all, and an error.
    NotOurs,
}

// Bodies may hold what belongs in no log.
impl fmt::Debug for EventExample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventExample")
            .field("name", &self.name)
            .field("says", &self.says)
            .finish_non_exhaustive()
    }
}
