//! The engine and what it works with.

use std::{collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use chrono::TimeDelta;
use serde_json::Value;
use stayzr_core::{
    Error, ErrorKind, Result,
    clock::Clock,
    ids::{IntegrationId, SyncRunId},
    model::{Integration, IntegrationStatus, RunMode, RunStatus, SyncRun},
    port::{
        entities::Entities,
        queue::JobQueue,
        sync::{RunCounts, RunEnd, SyncStore},
    },
    queue::Lease,
    tenant::TenantScope,
    transform::{EntityKind, FieldRule},
};

use super::{desk::DeskPorts, observe::RunObserver, strategy::Strategies, sweep::Seen};
use crate::{
    PmsProvider,
    config::{ProviderConfig, Reconcile},
};

/// Opens an integration: unseals its credentials and builds its provider.
///
/// Called once for each job, so an implementation keeps what it opened. `integration` is as it is
/// stored now, with what its organization configured for the provider beneath its settings
/// ([`ProviderConfig::layered`]); one whose `updated_at` differs, which is the later of the two, is
/// to be opened again.
#[async_trait]
pub trait Connect: Send + Sync {
    /// The provider of an integration. [`stayzr_core::ErrorKind::Unsupported`] for a provider that
    /// is not built in.
    async fn connect(
        &self,
        scope: TenantScope,
        integration: &Integration,
    ) -> Result<Arc<dyn PmsProvider>>;
}

/// The ports of a store that the engine uses. One store is usually all of them.
#[derive(Clone)]
pub struct EnginePorts {
    /// Integrations, mappings, cursors, runs, pages.
    pub sync: Arc<dyn SyncStore>,
    /// Rows.
    pub entities: Arc<dyn Entities>,
    /// Tells whether a lease still holds.
    pub queue: Arc<dyn JobQueue>,
}

impl EnginePorts {
    /// All ports of one store.
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: SyncStore + Entities + JobQueue + 'static,
    {
        Self {
            sync: store.clone(),
            entities: store.clone(),
            queue: store,
        }
    }
}

/// How the engine works.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// How far an incremental run looks back behind the vendor's time up to which everything was
    /// read. Default 5 minutes.
    pub overlap: TimeDelta,
    /// Who decides conflicts; an integration's settings go before. Default: ours wins.
    pub strategies: Strategies,
    /// How often a page is merged again because somebody else wrote first. Default 5.
    pub replans: u32,
    /// How long a record that looks like one from before our own push, under a mark that does not
    /// say which is newer, is taken for a late read. Default 2 minutes.
    pub late_read: TimeDelta,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            overlap: TimeDelta::minutes(5),
            strategies: Strategies::default(),
            replans: 5,
            late_read: TimeDelta::minutes(2),
        }
    }
}

/// Keeps both sides equal. Cheap to clone; holds nothing between calls.
#[derive(Clone)]
pub struct SyncEngine {
    pub(super) ports: EnginePorts,
    pub(super) connect: Arc<dyn Connect>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) options: EngineOptions,
    pub(super) observer: Option<Arc<dyn RunObserver>>,
    pub(super) desk: Option<DeskPorts>,
}

impl fmt::Debug for SyncEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncEngine")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// One integration, opened.
pub(super) struct Session {
    /// The whole organization: guests belong to it, not to the property.
    pub(super) scope: TenantScope,
    pub(super) integration: Integration,
    pub(super) provider: Arc<dyn PmsProvider>,
    pub(super) strategies: Strategies,
    pub(super) reconcile: Reconcile,
    rules: BTreeMap<EntityKind, Vec<FieldRule>>,
}

impl Session {
    pub(super) fn rules(&self, kind: EntityKind) -> &[FieldRule] {
        self.rules.get(&kind).map_or(&[], Vec::as_slice)
    }

    /// What may be said of a new record: also where the vendor cannot change one later.
    pub(super) fn rules_to_create(
        &self,
        kind: EntityKind,
    ) -> impl Iterator<Item = &'static FieldRule> {
        let rules = self.provider.fields(kind).iter();
        rules.filter(|rule| rule.writable)
    }

    /// The kinds that the vendor gives, what others refer to first.
    pub(super) fn kinds(&self) -> impl Iterator<Item = EntityKind> + '_ {
        let read = &self.provider.capabilities().read;
        EntityKind::ALL
            .into_iter()
            .filter(|kind| read.contains(kind))
    }
}

/// A run that goes on, with the lease it works under.
pub(super) struct Progress<'a> {
    pub(super) run: SyncRun,
    /// The name of its provider.
    pub(super) provider: String,
    pub(super) lease: Option<&'a Lease>,
    /// Whose cursors move as pages are written; none moves any.
    pub(super) cursors: Option<RunMode>,
    /// Which records were read, where somebody asks.
    pub(super) seen: Option<Seen>,
}

impl Progress<'_> {
    pub(super) fn id(&self) -> SyncRunId {
        self.run.id
    }

    pub(super) fn add(&mut self, counts: RunCounts) {
        self.run.read += counts.read;
        self.run.created += counts.created;
        self.run.updated += counts.updated;
        self.run.unchanged += counts.unchanged;
        self.run.parked += counts.parked;
        self.run.conflicts += counts.conflicts;
        self.run.unknown += counts.unknown;
        self.run.gone += counts.gone;
    }
}

impl SyncEngine {
    /// An engine over these ports.
    pub fn new(
        ports: EnginePorts,
        connect: Arc<dyn Connect>,
        clock: Arc<dyn Clock>,
        options: EngineOptions,
    ) -> Self {
        Self {
            ports,
            connect,
            clock,
            options,
            observer: None,
            desk: None,
        }
    }

    /// Reads everything, or what changed since the last run, and brings our rows up to date; in
    /// mode [`RunMode::Reconcile`] as [`SyncEngine::reconcile`] does with its brake on.
    ///
    /// A backfill that was stopped goes on where it stopped; one that was finished starts over,
    /// and writes only what differs. The returned run holds what this call did. Errors are the
    /// provider's and the store's; the run is stored as FAILED then and the next one goes on.
    /// [`stayzr_core::ErrorKind::Conflict`] means that the lease was lost.
    pub async fn run(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        mode: RunMode,
        lease: Option<&Lease>,
    ) -> Result<SyncRun> {
        self.start(scope, integration_id, mode, false, lease).await
    }

    pub(super) async fn start(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        mode: RunMode,
        accept_missing: bool,
        lease: Option<&Lease>,
    ) -> Result<SyncRun> {
        if mode == RunMode::Targeted {
            return Err(Error::invalid(
                "sync.run",
                "a targeted run names its records: use `targeted`",
            ));
        }
        let integration = self.integration(scope, integration_id).await?;
        let mut progress = self.begin(&integration, mode, lease).await?;
        let result = match self.open(scope, integration).await {
            Ok(session) => self.go(&session, &mut progress, accept_missing).await,
            Err(error) => Err(error),
        };
        self.end(progress, result).await
    }

    pub(super) async fn go(
        &self,
        session: &Session,
        progress: &mut Progress<'_>,
        accept_missing: bool,
    ) -> Result<RunEnd> {
        match progress.run.mode {
            RunMode::Backfill => self.backfill(session, progress).await?,
            RunMode::Reconcile => return self.sweep(session, progress, accept_missing).await,
            RunMode::Incremental | RunMode::Targeted => self.incremental(session, progress).await?,
        }
        Ok(RunEnd::Completed)
    }

    /// An integration of the scope that is in use.
    pub(super) async fn integration(
        &self,
        scope: TenantScope,
        id: IntegrationId,
    ) -> Result<Integration> {
        let integration = self
            .ports
            .sync
            .integration(scope, id)
            .await?
            .ok_or_else(|| {
                Error::not_found("sync.open", "there is no integration with this id").with("id", id)
            })?;
        if integration.status == IntegrationStatus::Disabled {
            return Err(Error::invalid(
                "sync.open",
                "the integration is switched off: switch it on to synchronise it",
            )
            .with("id", id));
        }
        Ok(integration)
    }

    pub(super) async fn open(
        &self,
        scope: TenantScope,
        integration: Integration,
    ) -> Result<Session> {
        let (integration, config) = self.layered(scope, integration).await?;
        let strategies = self.options.strategies.clone();
        let strategies = strategies.with_conflicts(&config.conflicts);
        let provider = self.connect.connect(scope, &integration).await?;
        let update = &provider.capabilities().update;
        let rules = EntityKind::ALL
            .into_iter()
            .map(|kind| {
                let updates = update.contains(&kind);
                (kind, strategies.rules(kind, provider.fields(kind), updates))
            })
            .collect();
        Ok(Session {
            scope: TenantScope::organization(integration.organization_id),
            integration,
            provider,
            strategies,
            reconcile: config.reconcile,
            rules,
        })
    }

    /// An integration whose settings stand on top of what its organization configured for the
    /// provider, and what they say together.
    async fn layered(
        &self,
        scope: TenantScope,
        mut integration: Integration,
    ) -> Result<(Integration, ProviderConfig)> {
        let document = match self
            .ports
            .sync
            .provider_document(scope, &integration.provider)
            .await
        {
            // A store of somebody else's may keep none.
            Err(error) if error.kind() == ErrorKind::Unsupported => None,
            document => document?,
        };
        let below = document
            .as_ref()
            .map_or(&Value::Null, |found| &found.config);
        let config = ProviderConfig::layered(below, &integration.settings)
            .map_err(|error| error.with("provider", &integration.provider))?;
        if let Some(document) = &document {
            integration.settings = ProviderConfig::layer(below, &integration.settings);
            integration.updated_at = integration.updated_at.max(document.updated_at);
        }
        Ok((integration, config))
    }

    pub(super) async fn begin<'a>(
        &self,
        integration: &Integration,
        mode: RunMode,
        lease: Option<&'a Lease>,
    ) -> Result<Progress<'a>> {
        let run = SyncRun {
            id: SyncRunId::generate(&*self.clock),
            organization_id: integration.organization_id,
            integration_id: integration.id,
            mode,
            status: RunStatus::Running,
            read: 0,
            created: 0,
            updated: 0,
            unchanged: 0,
            parked: 0,
            conflicts: 0,
            unknown: 0,
            gone: 0,
            error: None,
            started_at: self.clock.now(),
            finished_at: None,
        };
        let scope = TenantScope::organization(integration.organization_id);
        self.ports.sync.begin_run(scope, &run).await?;
        let cursors = match mode {
            RunMode::Targeted => None,
            // It begins as an incremental run, and goes on where that stood.
            RunMode::Reconcile => Some(RunMode::Incremental),
            RunMode::Backfill | RunMode::Incremental => Some(mode),
        };
        Ok(Progress {
            run,
            provider: integration.provider.clone(),
            lease,
            cursors,
            seen: None,
        })
    }

    /// Ends a run as it came out, and hands on its error.
    pub(super) async fn end(
        &self,
        progress: Progress<'_>,
        result: Result<RunEnd>,
    ) -> Result<SyncRun> {
        let mut run = progress.run;
        let scope = TenantScope::organization(run.organization_id);
        let end = match &result {
            Ok(end) => end.clone(),
            Err(error) => RunEnd::Failed(error.to_string()),
        };
        run.status = end.status();
        run.error = end.reason().map(str::to_owned);
        run.finished_at = Some(self.clock.now());
        let ended = self.ports.sync.end_run(scope, run.id, end).await;
        if let Some(observer) = &self.observer {
            observer.ended(&progress.provider, &run);
        }
        result?;
        ended?;
        Ok(run)
    }
}
