//! What is wired to what, from the top to the bottom: the one place where the crates meet.

use std::{net::SocketAddr, path::Path, sync::Arc, time::Duration};

use http::HeaderValue;
use secrecy::ExposeSecret;
use stayzr_agents::{concierge::AgentConcierge, knowledge::KnowledgeBase};
use stayzr_core::{
    clock::{Clock, SystemClock},
    crypto::TokenCodec,
    flow::StoreBackend,
    limit::Ledger,
    port::{
        Store, backend::HotelBackend, concierge::Concierge, directory::Directory, queue::JobQueue,
    },
    queue::{Handler, Queue, Wakes, Worker, WorkerConfig},
    store::sqlite::{SqliteOptions, SqliteStore},
};
use stayzr_pms::engine::{
    DeskPorts, EngineOptions, EnginePorts, EngineQuotes, EngineSender, SyncEngine,
};
use stayzr_webhooks::{
    channels::whatsapp::{WhatsappConfig, WhatsappSender},
    receiver::{Observation, Receiver, ReceiverObserver},
};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    config::{Config, StoreBackendKind, StoreUrl, load_master_key},
    endpoints::StoredEndpoints,
    failure::Failure,
    http::{Bound, Edge, Metrics, Router, stack},
    limits, models,
    probe::{Probe, StoreProbe},
    providers::{Providers, PushRules},
    routes,
    state::ServerState,
    worker::{
        Channels, InboxHandler, JobMetrics, OutboundHandler, Scheduler, SyncHandler, TurnHandler,
        refused_notes, schedule,
    },
};

/// What the server and every command stand on.
pub struct Foundation {
    /// The configuration.
    pub config: Config,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// What everything depends on, to be asked whether it answers.
    pub probes: Vec<Arc<dyn Probe>>,
    /// PMS providers, with the codec that opens their credentials.
    pub providers: Arc<Providers>,
    /// Keeps a PMS and us equal.
    pub engine: SyncEngine,
    /// What the concierge knows.
    pub knowledge: Arc<KnowledgeBase>,
}

/// What may be done to a store when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// It must be there with an up-to-date schema.
    Existing,
    /// It is made where it is missing, and brought up to date if the configuration says so.
    Prepare,
}

impl Foundation {
    /// Opens the store and puts on it what needs no network.
    pub async fn open(config: Config, opening: Opening) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let opened = open(&config, opening).await.map_err(|failure| {
            match (opening, failure.code.as_ref()) {
                (Opening::Existing, "not_found") => Failure::new(
                    "database_missing",
                    format!(
                        "there is no database yet: `stayzr init NAME` or `stayzr migrate` makes it ({})",
                        failure.message
                    ),
                ),
                _ => failure,
            }
        })?;
        let OpenedStore { store, ledger } = opened;
        if opening == Opening::Prepare && config.store.auto_migrate {
            store.migrate().await?;
        }
        let pending = store.pending_migrations().await?;
        if !pending.is_empty() {
            return Err(Failure::new(
                "migrations_pending",
                format!(
                    "the database's schema is not up to date ({} missing); run `stayzr migrate`",
                    pending.len()
                ),
            ));
        }
        store.prove_isolation().await?;
        let codec = TokenCodec::new(load_master_key(&config)?, []);
        let limits::Limits {
            ledger,
            probe: limit,
        } = limits::limits(&config, ledger)?;
        let providers = Arc::new(Providers::new(codec, ledger).keeping(store.clone()));
        let ports = EnginePorts {
            sync: store.clone(),
            entities: store.clone(),
            queue: store.clone(),
        };
        let connect = providers.clone();
        let engine = SyncEngine::new(ports, connect, clock.clone(), EngineOptions::default())
            .with_desk(DeskPorts {
                inbox: store.clone(),
                conversations: store.clone(),
                directory: store.clone(),
                setup: store.clone(),
            });
        let embedder = models::embedder(&config)?;
        let models::Index { passages, probe } = models::index(&config, &store, embedder.as_ref())?;
        let knowledge = KnowledgeBase::new(store.clone(), passages, embedder, clock.clone());
        let knowledge = Arc::new(knowledge);
        let mut probes: Vec<Arc<dyn Probe>> = vec![Arc::new(StoreProbe(store.clone()))];
        probes.extend(probe);
        probes.extend(limit);
        Ok(Self {
            config,
            clock,
            store,
            probes,
            providers,
            engine,
            knowledge,
        })
    }

    /// Puts the server on this foundation and starts it.
    pub fn start(self, bound: Bound) -> Result<App, Failure> {
        let Self {
            config,
            clock,
            store,
            probes,
            providers,
            engine,
            knowledge,
        } = self;
        let metrics = Metrics::new();
        let wakes = Wakes::new();
        let address = bound.address();
        let public_url = public_url(&config, address);

        // The concierge sees the hotel through the store, prices through the PMS.
        let quotes = Arc::new(EngineQuotes::new(engine.clone()));
        let backend: Arc<dyn HotelBackend> = Arc::new(StoreBackend::new(
            store.clone(),
            quotes,
            Arc::new(PushRules),
            clock.clone(),
        ));
        let (model, router) = models::chat(&config)?;
        let mut concierge = AgentConcierge::new(model, backend, knowledge.clone(), clock.clone())
            .with_router(router);
        if config.model.fallback == "none" {
            concierge = concierge.without_fallback();
        }
        let concierge: Arc<dyn Concierge> = Arc::new(concierge);

        // Webhooks come in here.
        let whatsapp = &config.channels.whatsapp;
        let endpoints = StoredEndpoints::new(
            store.clone(),
            providers.clone(),
            config.channels.clone(),
            config.payments.clone(),
        );
        let observer = Arc::new(JobMetrics(metrics.clone()));
        let (refused, refused_log) = refused_notes(store.clone(), clock.clone());
        let counted = observer.clone();
        let observe = move |seen: &Observation<'_>| {
            counted.observe(seen);
            refused.observe(seen);
        };
        let receiver = Receiver::new(Arc::new(endpoints), store.clone(), clock.clone())
            .with_observer(Arc::new(observe));

        // And messages go out here.
        let codec = providers.codec().clone();
        let tokens = move |account: &stayzr_core::model::ChannelAccount| {
            codec.open(&account.sealed, account.id)
        };
        let sender = WhatsappSender::new(
            &WhatsappConfig {
                base_url: whatsapp.base_url.clone(),
                api_version: whatsapp.api_version.clone(),
                ..WhatsappConfig::default()
            },
            Arc::new(tokens),
            clock.clone(),
            stayzr_webhooks::default_client()?,
        )?;

        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(refused_log.run(stop.clone()));
        if config.workers.enabled {
            let handlers: [(Queue, Arc<dyn Handler>); 4] = [
                (
                    Queue::WebhookInbox,
                    Arc::new(InboxHandler {
                        store: store.clone(),
                        providers: providers.clone(),
                        wakes: wakes.clone(),
                        metrics: metrics.clone(),
                    }),
                ),
                (
                    Queue::PmsSyncQueue,
                    Arc::new(SyncHandler {
                        engine: engine.clone().observed_by(observer.clone()),
                        store: store.clone(),
                    }),
                ),
                (
                    Queue::AgentTurnQueue,
                    Arc::new(TurnHandler {
                        store: store.clone(),
                        concierge: concierge.clone(),
                        clock: clock.clone(),
                        wakes: wakes.clone(),
                    }),
                ),
                (
                    Queue::OutboundQueue,
                    Arc::new(OutboundHandler {
                        store: store.clone(),
                        sender: Arc::new(Channels {
                            whatsapp: Arc::new(sender),
                            pms: Arc::new(EngineSender::new(engine.clone())),
                        }),
                    }),
                ),
            ];
            let process = clock.uuid();
            for (queue, handler) in handlers {
                let directory: Arc<dyn Directory> = store.clone();
                let jobs: Arc<dyn JobQueue> = store.clone();
                let options = worker_config(&config, queue, process);
                let worker = Worker::new(directory, jobs, handler, wakes.clone(), options)
                    .observed_by(observer.clone());
                tasks.spawn(worker.run(stop.clone()));
            }
            let scheduler = Scheduler {
                store: store.clone(),
                clock: clock.clone(),
                wakes: wakes.clone(),
                metrics: metrics.clone(),
            };
            tasks.spawn(schedule(scheduler, stop.clone()));
        }

        let edge = Edge {
            timeout: config.request_timeout(),
            cors_origins: config
                .server
                .cors_origins
                .iter()
                .filter_map(|origin| HeaderValue::from_str(origin).ok())
                .collect(),
        };
        let state = Arc::new(ServerState {
            store,
            probes,
            clock,
            wakes,
            push_policy: Arc::new(PushRules),
            providers,
            engine,
            receiver,
            knowledge,
            concierge,
            metrics,
            max_body_bytes: config.server.max_body_bytes,
            public_url: public_url.clone(),
        });
        let stack = stack(Router::new(state.clone(), routes::table()), &edge);
        let drain = Duration::from_secs(config.server.drain_seconds);
        tasks.spawn(bound.serve(stack, stop.clone(), drain));
        Ok(App {
            address,
            public_url,
            state,
            stop,
            tasks,
            drain,
        })
    }
}

/// A running server.
pub struct App {
    /// The address listened on, with its real port.
    pub address: SocketAddr,
    /// Under which address vendors reach it.
    pub public_url: String,
    /// What its requests can reach.
    pub state: Arc<ServerState>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
    drain: Duration,
}

impl App {
    /// Tells everything to stop.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// Stops: no new requests or jobs, those begun end within the drain time; what does not goes
    /// back to its queue when its lease runs out.
    pub async fn stop(mut self) {
        self.stop.cancel();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // Workers release what they cut off; a second is for that.
        let deadline = self.drain + Duration::from_secs(2);
        if tokio::time::timeout(deadline, ended).await.is_err() {
            tracing::warn!("work that had begun was cut off");
            self.tasks.abort_all();
        }
    }
}

/// A store, by its ports and as the place where vendors' limits are counted.
struct OpenedStore {
    store: Arc<dyn Store>,
    ledger: Arc<dyn Ledger>,
}

/// Opens the store that the configuration names; its schema is left as it is.
pub async fn open_store(config: &Config, opening: Opening) -> Result<Arc<dyn Store>, Failure> {
    Ok(open(config, opening).await?.store)
}

async fn open(config: &Config, opening: Opening) -> Result<OpenedStore, Failure> {
    let url = config.store_url()?;
    match url.kind {
        StoreBackendKind::Sqlite => {
            let options = SqliteOptions::from_url(url.url.expose_secret())?
                .max_connections(config.store.max_connections.min(8))
                .create(opening == Opening::Prepare);
            let store = Arc::new(SqliteStore::open(options).await?);
            Ok(OpenedStore {
                store: store.clone(),
                ledger: store,
            })
        }
        StoreBackendKind::Postgres => open_postgres(config, &url).await,
    }
}

#[cfg(feature = "postgres")]
async fn open_postgres(config: &Config, url: &StoreUrl) -> Result<OpenedStore, Failure> {
    use stayzr_core::store::postgres::{PostgresOptions, PostgresStore};
    let mut options = PostgresOptions::new(url.url.expose_secret())
        .schema(config.store.schema.as_str())
        .max_connections(config.store.max_connections);
    let migrate_url = config.store.migrate_url.expose_secret();
    if !migrate_url.is_empty() {
        options = options.migrate_url(migrate_url);
    }
    let store = Arc::new(PostgresStore::connect(options).await?);
    Ok(OpenedStore {
        store: store.clone(),
        ledger: store,
    })
}

/// The configuration is validated, so this build never comes here.
#[cfg(not(feature = "postgres"))]
async fn open_postgres(_: &Config, _: &StoreUrl) -> Result<OpenedStore, Failure> {
    Err(Failure::new("not_built_in", "this build has no PostgreSQL"))
}

fn worker_config(config: &Config, queue: Queue, process: uuid::Uuid) -> WorkerConfig {
    let workers = &config.workers;
    // What one burst of webhooks names is read together, in as few calls as the vendor takes.
    let (batch, linger) = match queue {
        Queue::PmsSyncQueue => (100, Duration::from_millis(100)),
        _ => (1, Duration::ZERO),
    };
    WorkerConfig {
        batch,
        linger,
        concurrency: workers.concurrency,
        poll: Duration::from_millis(workers.poll_milliseconds),
        lease: Duration::from_secs(workers.lease_seconds),
        grace: Duration::from_secs(config.server.drain_seconds),
        ..WorkerConfig::new(queue, format!("{process}:{queue}"))
    }
}

fn public_url(config: &Config, address: SocketAddr) -> String {
    match config.server.public_url.trim_end_matches('/') {
        "" => format!("http://{address}"),
        url => url.to_owned(),
    }
}

/// Makes the data folder and says clearly why where it cannot.
pub fn prepare_folder(folder: &Path) -> Result<(), Failure> {
    let refused = |error: std::io::Error| {
        Failure::new(
            "data_dir_not_writable",
            format!(
                "the data folder {} cannot be written: {error}; choose another with server.data_dir or --data-dir",
                folder.display()
            ),
        )
    };
    std::fs::create_dir_all(folder).map_err(refused)?;
    let probe = folder.join(format!(".probe{}", std::process::id()));
    std::fs::write(&probe, b"").map_err(refused)?;
    std::fs::remove_file(&probe).map_err(refused)
}
