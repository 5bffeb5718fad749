use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions, SqlitePool, Transaction,
    sqlite::{
        Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
    },
};

use super::error::failed;
use crate::{
    Error, ErrorKind, Result,
    clock::{Clock, SystemClock},
};

/// How long a connection waits for a lock that another process holds.
const BUSY: Duration = Duration::from_secs(10);

/// Pages that a connection keeps in memory, at most, in KiB (SQLite's notation is negative): keys of a
/// PMS come in no order, so that each record of a page touches another leaf of an index.
const WRITER_CACHE: &str = "-65536";
const READER_CACHE: &str = "-16384";

/// Which database file, and how to open it.
#[derive(Clone)]
pub struct SqliteOptions {
    /// The file.
    pub path: PathBuf,
    /// How many connections read at once, at least 1; one more writes.
    pub max_connections: u32,
    /// Whether the file and its folder are made where they are missing.
    pub create: bool,
    /// Tells the time of everything that is stored.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for SqliteOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteOptions")
            .field("path", &self.path)
            .field("max_connections", &self.max_connections)
            .field("create", &self.create)
            .finish_non_exhaustive()
    }
}

impl SqliteOptions {
    /// A database in this file, made where it is missing, with four readers and the machine's
    /// clock.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_connections: 4,
            create: true,
            clock: Arc::new(SystemClock),
        }
    }

    /// The same for a URL: `sqlite:///absolute/path` or `sqlite://relative/path`.
    /// [`ErrorKind::Invalid`] for anything else; a database in memory is refused because
    /// connections would not share it.
    pub fn from_url(url: &str) -> Result<Self> {
        let path = url
            .strip_prefix("sqlite://")
            .or_else(|| url.strip_prefix("sqlite:"))
            .filter(|path| !path.is_empty() && !path.contains('?') && *path != ":memory:")
            .ok_or_else(|| {
                // The URL itself is not repeated: one of another database holds a password.
                Error::invalid(
                    "sqlite.open",
                    "not a URL of a SQLite file: write sqlite:///path/to/file.db",
                )
            })?;
        Ok(Self::new(path))
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how many connections read at once.
    #[must_use]
    pub fn max_connections(mut self, count: u32) -> Self {
        self.max_connections = count;
        self
    }

    /// Sets whether a missing file is made.
    #[must_use]
    pub fn create(mut self, create: bool) -> Self {
        self.create = create;
        self
    }
}

/// All ports on one SQLite file. Cloning is cheap and shares the connections.
///
/// The file is in WAL mode: readers never wait for the writer. There is one writer, and its
/// commits are synced to disk before they return (`synchronous = FULL`), so that what was
/// acknowledged survives a power cut.
#[derive(Clone)]
pub struct SqliteStore {
    pub(super) reader: SqlitePool,
    pub(super) writer: SqlitePool,
    pub(super) clock: Arc<dyn Clock>,
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore")
            .field("file", &self.writer.connect_options().get_filename())
            .finish_non_exhaustive()
    }
}

impl SqliteStore {
    /// Opens the file; the schema is left as it is until `migrate` is called.
    ///
    /// Errors say what to do: [`ErrorKind::NotFound`] where the file is missing and may not be
    /// made, [`ErrorKind::Forbidden`] where it may not be written, [`ErrorKind::Corrupt`] where it
    /// is no database, [`ErrorKind::Unavailable`] where the disk is full or another process holds
    /// the lock.
    pub async fn open(options: SqliteOptions) -> Result<Self> {
        prepare(&options.path, options.create)?;
        let connect = SqliteConnectOptions::new()
            .filename(&options.path)
            .create_if_missing(options.create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("temp_store", "memory")
            .statement_cache_capacity(256)
            .disable_statement_logging();
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(30))
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(
                connect
                    .clone()
                    // A page of a backfill is some 8 MB of log: it is not brought home after each.
                    .pragma("wal_autocheckpoint", "8000")
                    .pragma("cache_size", WRITER_CACHE),
            )
            .await
            .map_err(|error| with_path(failed("sqlite.open")(error), &options.path))?;
        let reader = SqlitePoolOptions::new()
            .max_connections(options.max_connections.max(1))
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(30))
            .connect_lazy_with(
                connect
                    .pragma("query_only", "true")
                    .pragma("cache_size", READER_CACHE),
            );
        let store = Self {
            reader,
            writer,
            clock: options.clock,
        };
        // A file that is no database is only noticed by reading it, one that may not be written
        // only by writing.
        store
            .probe()
            .await
            .map_err(|error| with_path(error, &options.path))?;
        Ok(store)
    }

    async fn probe(&self) -> Result<()> {
        let mut tx = self.write("sqlite.open").await?;
        sqlx::query("pragma user_version = 0")
            .execute(&mut *tx)
            .await
            .map_err(failed("sqlite.open"))?;
        tx.rollback().await.map_err(failed("sqlite.open"))
    }

    /// The clock that stamps what is stored.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Begins a transaction of the one writer, for callers with tables of their own in this file;
    /// see [`SqliteStore::enqueue_in`].
    pub async fn begin(&self) -> Result<Transaction<'static, Sqlite>> {
        self.write("sqlite.begin").await
    }

    /// Waits for what is running and closes all connections.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// A transaction that holds the write lock from its beginning, so that it never fails halfway
    /// because another process wrote.
    pub(super) async fn write(
        &self,
        operation: &'static str,
    ) -> Result<Transaction<'static, Sqlite>> {
        self.writer
            .begin_with("BEGIN IMMEDIATE")
            .await
            .map_err(failed(operation))
    }
}

fn with_path(error: Error, path: &Path) -> Error {
    error.with("path", path.display())
}

/// Makes the folder and the file, readable by their owner alone: they hold personal data.
fn prepare(path: &Path, create: bool) -> Result<()> {
    if path.is_dir() {
        let error = Error::invalid("sqlite.open", "a folder, not a file: name a file in it");
        return Err(with_path(error, path));
    }
    if path.exists() {
        return Ok(());
    }
    if !create {
        let error = Error::not_found(
            "sqlite.open",
            "there is no such database file, and it may not be made",
        );
        return Err(with_path(error, path));
    }
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(path, error))?;
    }
    let mut file = std::fs::OpenOptions::new();
    file.write(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
    file.open(path).map_err(|error| unwritable(path, error))?;
    Ok(())
}

fn unwritable(path: &Path, error: io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Unavailable,
        _ => ErrorKind::Forbidden,
    };
    let message = "the database file cannot be made: choose a folder that this user may write, or \
                   make it writable";
    with_path(Error::new(kind, "sqlite.open", message), path).with_source(error)
}

#[cfg(test)]
pub(super) mod tests {
    use sqlx::{AssertSqlSafe, Row};

    use super::{SqliteOptions, SqliteStore};
    use crate::port::setup::Maintenance;

    /// How SQLite would run a statement.
    pub(in super::super) async fn plan(statement: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions::new(folder.path().join("stayzr.db"));
        let store = SqliteStore::open(options).await.unwrap();
        store.migrate().await.unwrap();
        let statement = AssertSqlSafe(format!("explain query plan {statement}"));
        let rows = sqlx::query(statement)
            .fetch_all(&store.reader)
            .await
            .unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        steps.join("; ")
    }

    #[test]
    fn invariant_p_a_url_that_is_refused_is_not_repeated() {
        let error = SqliteOptions::from_url("postgres://stayzr:hunter2@db/stayzr").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
