//! An inbox on PostgreSQL, and a plain table in the same database.

use std::sync::Arc;

use sqlx::{Connection, Executor, PgConnection, PgPool, postgres::PgPoolOptions};
use stayzr_core::{
    port::{inbox::Inbox, setup::Maintenance},
    store::postgres::{PostgresOptions, PostgresStore},
};
use uuid::Uuid;

use super::{Database, broken, handlers::Handler};
use crate::postgres::{administer, url};

/// Connections of either.
const CONNECTIONS: u32 = 20;

pub(super) struct Server {
    store: Arc<PostgresStore>,
    plain: PgPool,
    name: String,
}

impl Server {
    pub(super) async fn reachable() -> bool {
        PgConnection::connect(&url("postgres")).await.is_ok()
    }
}

impl Database for Server {
    const NAME: &'static str = "PostgreSQL";

    async fn open() -> Result<Self, String> {
        let name = format!("stayzr_bench_{}", Uuid::now_v7().simple());
        administer(format!("create database {name}")).await?;
        let mut options = PostgresOptions::new(url(&name));
        options.max_connections = CONNECTIONS;
        let store = PostgresStore::connect(options).await.map_err(broken)?;
        store.migrate().await.map_err(broken)?;
        let plain = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .connect(&url(&name))
            .await
            .map_err(broken)?;
        plain
            .execute(
                "create table plain (id uuid primary key, received_at timestamptz, body bytea)",
            )
            .await
            .map_err(broken)?;
        Ok(Self {
            store: Arc::new(store),
            plain,
            name,
        })
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.store.clone()
    }

    fn plain(&self) -> Handler {
        Handler::InsertServer(self.plain.clone())
    }

    async fn stored(&self) -> Result<u64, String> {
        let count: i64 = sqlx::query_scalar(
            "select count(*) from webhook_deliveries d join jobs j on j.id = d.id",
        )
        .fetch_one(&self.plain)
        .await
        .map_err(broken)?;
        u64::try_from(count).map_err(broken)
    }

    async fn close(self) -> Result<(), String> {
        self.plain.close().await;
        self.store.close().await;
        administer(format!("drop database {} with (force)", self.name)).await
    }
}
