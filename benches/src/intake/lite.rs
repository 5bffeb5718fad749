//! An inbox on SQLite, and a plain table in a file with the same settings.

use std::sync::Arc;

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use stayzr_core::{
    port::{inbox::Inbox, setup::Maintenance},
    store::sqlite::{SqliteOptions, SqliteStore},
};

use super::{Database, broken, handlers::Handler};

pub(super) struct Lite {
    store: Arc<SqliteStore>,
    plain: SqlitePool,
    _folder: tempfile::TempDir,
}

impl Database for Lite {
    const NAME: &'static str = "SQLite";

    async fn open() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(broken)?;
        let options = SqliteOptions::new(folder.path().join("stayzr.db"));
        let store = SqliteStore::open(options).await.map_err(broken)?;
        store.migrate().await.map_err(broken)?;
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("plain.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        let plain = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await
            .map_err(broken)?;
        sqlx::query("create table plain (id text primary key, received_at text, body blob)")
            .execute(&plain)
            .await
            .map_err(broken)?;
        Ok(Self {
            store: Arc::new(store),
            plain,
            _folder: folder,
        })
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.store.clone()
    }

    fn plain(&self) -> Handler {
        Handler::InsertLite(self.plain.clone())
    }

    async fn stored(&self) -> Result<u64, String> {
        let mut tx = self.store.begin().await.map_err(broken)?;
        let count: i64 = sqlx::query_scalar(
            "select count(*) from webhook_deliveries d join jobs j on j.id = d.id",
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(broken)?;
        u64::try_from(count).map_err(broken)
    }

    async fn close(self) -> Result<(), String> {
        self.plain.close().await;
        self.store.close().await;
        Ok(())
    }
}
