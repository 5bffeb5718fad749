use std::{fmt, sync::Arc, time::Duration};

use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool, Postgres, Transaction,
    postgres::{PgConnectOptions, PgPoolOptions, PgSslMode},
};

use super::{
    error::{failed, refused},
    lanes::Lanes,
    options::{PostgresOptions, Times},
};
use crate::{Error, ErrorKind, Result, clock::Clock, ids::OrganizationId, tenant::TenantScope};

/// How long to wait for the server, or for a free connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// All ports on one PostgreSQL schema. Cloning is cheap and shares the connections.
#[derive(Clone)]
pub struct PostgresStore {
    pub(super) pool: PgPool,
    pub(super) options: Arc<PostgresOptions>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) lanes: Arc<Lanes>,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects; the schema is left as it is until `migrate` is called.
    ///
    /// Errors say what to do: [`ErrorKind::Invalid`] for a URL that is none,
    /// [`ErrorKind::Unavailable`] where no server answers, [`ErrorKind::Unauthorized`] for a wrong
    /// user or password, [`ErrorKind::NotFound`] where the database does not exist.
    pub async fn connect(options: PostgresOptions) -> Result<Self> {
        options.check()?;
        let connect = options.connect(&options.url, Times::Short)?;
        // A pool tries again and again until its time is over; one connection says what is wrong.
        let (connection, connect) = reach(connect).await?;
        // Without a connection there is nothing to end.
        drop(connection.close().await);
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections.max(1))
            .acquire_timeout(PATIENCE)
            .test_before_acquire(false)
            .connect_lazy_with(connect);
        Ok(Self {
            pool,
            clock: options.clock.clone(),
            options: Arc::new(options),
            lanes: Arc::new(Lanes::default()),
        })
    }

    /// The clock that stamps what is stored.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Begins a transaction as the user who logged in, for callers with tables of their own in this
    /// database; see [`PostgresStore::enqueue_in`].
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>> {
        self.pool.begin().await.map_err(failed("postgres.begin"))
    }

    /// Waits for what is running and closes all connections.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// A transaction that sees one organization.
    pub(super) async fn tenant(
        &self,
        operation: &'static str,
        scope: TenantScope,
    ) -> Result<Transaction<'static, Postgres>> {
        self.organization_tx(operation, scope.organization_id).await
    }

    /// The same by the organization's id.
    pub(super) async fn organization_tx(
        &self,
        operation: &'static str,
        id: OrganizationId,
    ) -> Result<Transaction<'static, Postgres>> {
        // An id is hexadecimal digits and hyphens: it can stand in the text.
        let id = id.to_string();
        self.begin_as(operation, "stayzr_tenant", &id).await
    }

    /// A transaction for what comes before a tenant is known.
    pub(super) async fn system(
        &self,
        operation: &'static str,
    ) -> Result<Transaction<'static, Postgres>> {
        self.begin_as(operation, "stayzr_system", "").await
    }

    /// A transaction for a job's scope, or for one that has none yet.
    pub(super) async fn scoped(
        &self,
        operation: &'static str,
        scope: Option<TenantScope>,
    ) -> Result<Transaction<'static, Postgres>> {
        match scope {
            Some(scope) => self.tenant(operation, scope).await,
            None => self.system(operation).await,
        }
    }

    /// Takes the role and begins in one round trip. `begin` comes last: what stands before it in
    /// the same message belongs to the transaction, and if the role may not be taken, none is left
    /// open on a connection that goes back to the pool.
    ///
    /// Every statement has its index. The planner does not know of dead rows that a transaction
    /// pinned elsewhere keeps in a queue's table, and would read them all.
    async fn begin_as(
        &self,
        operation: &'static str,
        role: &str,
        organization: &str,
    ) -> Result<Transaction<'static, Postgres>> {
        let statement = || {
            AssertSqlSafe(format!(
                "select set_config('role', '{role}', true), \
                 set_config('app.organization_id', '{organization}', true), \
                 set_config('enable_seqscan', 'off', true); begin"
            ))
        };
        // A connection that the server has closed is noticed by its first use; nothing has happened
        // yet, so that another one may be taken. All may have been closed at once.
        for _ in 0..=self.options.max_connections {
            match self.pool.begin_with(statement()).await {
                Err(error) if is_cut(&error) => {}
                result => return result.map_err(|error| role_error(operation, error)),
            }
        }
        self.pool
            .begin_with(statement())
            .await
            .map_err(failed(operation))
    }
}

/// Opens one connection, and says how it was opened: a server that refuses to be spoken to in the
/// clear is asked encrypted.
pub(super) async fn reach(connect: PgConnectOptions) -> Result<(PgConnection, PgConnectOptions)> {
    let refusal = match open(&connect).await {
        Ok(connection) => return Ok((connection, connect)),
        Err(error) => error,
    };
    let clear = matches!(connect.get_ssl_mode(), PgSslMode::Disable);
    if refusal.kind() != ErrorKind::Unauthorized || !clear {
        return Err(refusal);
    }
    let encrypted = connect.ssl_mode(PgSslMode::Prefer);
    match open(&encrypted).await {
        Ok(connection) => Ok((connection, encrypted)),
        Err(_) => Err(refusal),
    }
}

/// Opens one connection, or says why it cannot be.
async fn open(options: &PgConnectOptions) -> Result<PgConnection> {
    let at = |error: Error| {
        error
            .with("host", options.get_host())
            .with("port", options.get_port())
            .with("user", options.get_username())
            .with(
                "database",
                options.get_database().unwrap_or(options.get_username()),
            )
    };
    match tokio::time::timeout(PATIENCE, PgConnection::connect_with(options)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(at(refused(error))),
        Err(_) => Err(at(Error::new(
            ErrorKind::Unavailable,
            "postgres.connect",
            "the server does not answer: check host, port and firewall",
        ))),
    }
}

/// Whether the connection ended, so that another one may be taken.
pub(super) fn is_cut(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        // The server says goodbye before it ends a connection: shut down, or killed by an operator.
        sqlx::Error::Database(database) => {
            matches!(database.code().as_deref(), Some("57P01" | "25P03"))
        }
        _ => false,
    }
}

fn role_error(operation: &'static str, error: sqlx::Error) -> Error {
    let code = error
        .as_database_error()
        .and_then(|database| database.code().map(|code| code.into_owned()));
    match code.as_deref() {
        Some("22023") => Error::new(
            ErrorKind::Unavailable,
            operation,
            "the database has no roles of Stayzr yet: run the migrations",
        )
        .with_source(error),
        Some("42501") => Error::new(
            ErrorKind::Forbidden,
            operation,
            "the user may not take Stayzr's roles: run `grant stayzr_tenant, stayzr_system to \
             USER` as an administrator",
        )
        .with_source(error),
        _ => failed(operation)(error),
    }
}
