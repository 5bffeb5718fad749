//! The scripted vendor behind other capabilities: as many ids in a call as a test wants.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, atomic::AtomicUsize, atomic::Ordering},
};

use async_trait::async_trait;
use stayzr_core::{
    Error, ErrorKind, Result,
    model::{Integration, PmsEvent},
    port::backend::StayQuery,
    tenant::TenantScope,
    transform::{EntityKind, FieldRule},
};
use stayzr_pms::{
    Capabilities, PageQuery, PmsProvider, Push, PushOutcome, RecordPage, RemoteProperty,
    RemoteQuote, RemoteRecord,
    engine::{Connect, EngineOptions, EnginePorts, SyncEngine},
};

use crate::{
    hotel::Hotel,
    vendor::{Call, Vendor, rules},
};

pub struct Wide {
    pub vendor: Arc<Vendor>,
    capabilities: Capabilities,
    /// A call for more ids than this takes the vendor too long.
    pub patience: AtomicUsize,
    /// Records that the next call for them does not give, once.
    pub hidden: Mutex<HashSet<String>>,
    /// The call for ids that fails, counted from 1; 0 for none.
    pub failing_call: AtomicUsize,
    pub error: Mutex<ErrorKind>,
    calls: AtomicUsize,
    /// What is found before a create.
    pub finds: Mutex<Vec<RemoteRecord>>,
    pub asked_to_find: Mutex<Vec<Push>>,
}

impl fmt::Debug for Wide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wide")
    }
}

struct Opens(Arc<Wide>);

#[async_trait]
impl Connect for Opens {
    async fn connect(&self, _: TenantScope, _: &Integration) -> Result<Arc<dyn PmsProvider>> {
        Ok(self.0.clone())
    }
}

impl Wide {
    /// A hotel's vendor that takes so many ids in a call, and the engine that talks to it.
    pub fn open(hotel: &Hotel, ids: usize) -> (Arc<Self>, SyncEngine) {
        Self::with(hotel, |capabilities| {
            for most in capabilities.by_id.values_mut() {
                *most = ids;
            }
            capabilities.changed_since = EntityKind::ALL.to_vec();
        })
    }

    /// A hotel's vendor with other capabilities.
    pub fn with(hotel: &Hotel, change: impl FnOnce(&mut Capabilities)) -> (Arc<Self>, SyncEngine) {
        let mut capabilities = hotel.vendor.capabilities().clone();
        change(&mut capabilities);
        let wide = Arc::new(Self {
            vendor: hotel.vendor.clone(),
            capabilities,
            patience: AtomicUsize::new(usize::MAX),
            hidden: Mutex::default(),
            failing_call: AtomicUsize::new(0),
            error: Mutex::new(ErrorKind::Unavailable),
            calls: AtomicUsize::new(0),
            finds: Mutex::default(),
            asked_to_find: Mutex::default(),
        });
        let ports = EnginePorts {
            sync: hotel.racing.clone(),
            entities: hotel.store.clone(),
            queue: hotel.store.clone(),
        };
        let connect = Arc::new(Opens(wide.clone()));
        let options = EngineOptions::default();
        let engine = SyncEngine::new(ports, connect, hotel.clock.clone(), options);
        (wide, engine)
    }

    /// Ids asked for since the calls were last taken, one list for each call.
    pub fn asked(&self, wanted: EntityKind) -> Vec<Vec<String>> {
        let state = self.vendor.lock();
        let calls = state.calls.iter();
        calls
            .filter_map(|call| match call {
                Call::Ids(kind, ids) if *kind == wanted => Some(ids.clone()),
                _ => None,
            })
            .collect()
    }
}

#[async_trait]
impl PmsProvider for Wide {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn fields(&self, kind: EntityKind) -> &'static [FieldRule] {
        rules(kind)
    }

    async fn check(&self) -> Result<RemoteProperty> {
        self.vendor.check().await
    }

    async fn fetch_page(&self, query: &PageQuery) -> Result<RecordPage> {
        self.vendor.fetch_page(query).await
    }

    async fn fetch_ids(&self, kind: EntityKind, ids: &[String]) -> Result<RecordPage> {
        assert!(ids.len() <= self.capabilities.by_id[&kind], "too many ids");
        let mut state = self.vendor.lock();
        state.calls.push(Call::Ids(kind, ids.to_vec()));
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if call == self.failing_call.load(Ordering::SeqCst) {
            let kind = *self.error.lock().unwrap();
            return Err(Error::new(kind, "vendor.ids", "told to fail"));
        }
        if ids.len() > self.patience.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Timeout, "vendor.ids", "408"));
        }
        let mut hidden = self.hidden.lock().unwrap();
        let records = ids
            .iter()
            .filter(|id| !hidden.remove(*id))
            .filter_map(|id| state.records.get(&(kind, id.clone())).cloned())
            .collect();
        Ok(RecordPage {
            records,
            vendor_now: Some(state.now),
            ..RecordPage::default()
        })
    }

    async fn push(&self, push: &Push) -> Result<PushOutcome> {
        self.vendor.push(push).await
    }

    async fn find(&self, push: &Push) -> Result<Vec<RemoteRecord>> {
        self.asked_to_find.lock().unwrap().push(push.clone());
        Ok(self.finds.lock().unwrap().clone())
    }

    async fn quote(&self, stay: &StayQuery) -> Result<Vec<RemoteQuote>> {
        self.vendor.quote(stay).await
    }

    fn parse_event(&self, body: &[u8]) -> Result<Vec<PmsEvent>> {
        self.vendor.parse_event(body)
    }
}
