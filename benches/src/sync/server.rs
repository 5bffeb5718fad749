//! The same work on PostgreSQL: with the engine, record by record, and with `COPY`.

use std::{sync::Arc, time::Instant};

use chrono::Utc;
use futures::TryStreamExt;
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection, Row};
use stayzr_core::{
    port::setup::Maintenance,
    store::postgres::{PostgresOptions, PostgresStore},
};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{
    Database, LOOP, broken,
    hotel::Hotel,
    vendor::{external_id, record},
};
use crate::{
    postgres::{administer, url},
    report::complain,
};

/// A hotel in a database of its own.
pub(super) struct Server {
    store: Arc<PostgresStore>,
    hotel: Hotel,
    /// As the owner of the tables, whom row-level security does not cost anything.
    owner: Mutex<PgConnection>,
    database: Made,
}

/// A database that was made here. It is dropped with this value, also where the measurement fails.
struct Made(String);

impl Drop for Made {
    fn drop(&mut self) {
        let statement = format!("drop database if exists {} with (force)", self.0);
        let dropped = std::thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(broken)?;
            runtime.block_on(administer(statement))
        });
        if !matches!(dropped.join(), Ok(Ok(()))) {
            complain(&format!("the database {} could not be dropped", self.0));
        }
    }
}

impl Server {
    pub(super) async fn reachable() -> bool {
        PgConnection::connect(&url("postgres")).await.is_ok()
    }

    pub(super) async fn open(records: usize) -> Result<Self, String> {
        let name = format!("stayzr_bench_{}", Uuid::now_v7().simple());
        administer(format!("create database {name}")).await?;
        let database = Made(name.clone());
        let options = PostgresOptions::new(url(&name));
        let store = Arc::new(PostgresStore::connect(options).await.map_err(broken)?);
        store.migrate().await.map_err(broken)?;
        let hotel = Hotel::open(store.clone(), records).await.map_err(broken)?;
        let owner = PgConnection::connect(&url(&name)).await.map_err(broken)?;
        Ok(Self {
            store,
            hotel,
            owner: Mutex::new(owner),
            database,
        })
    }

    /// Copies the guests and mappings of this database into empty tables of another with the same
    /// indexes, in one transaction: records a second.
    pub(super) async fn copy(&self) -> Result<f64, String> {
        let mut source = self.owner.lock().await;
        let mut tables = Vec::new();
        for (out, into) in [
            ("copy guests to stdout", "copy guests from stdin"),
            (
                "copy pms_entity_mappings to stdout",
                "copy pms_entity_mappings from stdin",
            ),
        ] {
            let mut bytes = Vec::new();
            let mut stream = source.copy_out_raw(out).await.map_err(broken)?;
            while let Some(part) = stream.try_next().await.map_err(broken)? {
                bytes.extend_from_slice(&part);
            }
            tables.push((into, bytes));
        }
        let empty = Self::open(0).await?;
        let mut target = empty.owner.lock().await;
        let started = Instant::now();
        target.execute("begin").await.map_err(broken)?;
        let mut rows = 0;
        for (into, bytes) in tables {
            let mut copy = target.copy_in_raw(into).await.map_err(broken)?;
            copy.send(bytes.as_slice()).await.map_err(broken)?;
            rows = copy.finish().await.map_err(broken)?;
        }
        target.execute("commit").await.map_err(broken)?;
        let rate = super::rate(usize::try_from(rows).map_err(broken)?, started);
        drop(target);
        empty.close().await?;
        Ok(rate)
    }
}

impl Database for Server {
    fn hotel(&self) -> &Hotel {
        &self.hotel
    }

    async fn create_by_loop(&self) -> Result<f64, String> {
        let organization = self.hotel.organization_id.uuid();
        let mut connection = self.owner.lock().await;
        let started = Instant::now();
        for number in 0..LOOP {
            let record = record(number);
            let text = |field| record.fields.text(field).map(str::to_owned);
            let (now, guest) = (Utc::now(), Uuid::now_v7());
            let mut tx = connection.begin().await.map_err(broken)?;
            sqlx::query(
                "insert into guests (id, organization_id, version, created_at, updated_at, origin,
                     first_name, last_name, email, phone, nationality, language, loyalty_code,
                     classifications, active)
                 values ($1, $2, 1, $3, $3, 'pms', $4, $5, $6, $7, $8, $9, $10, $11, true)",
            )
            .bind(guest)
            .bind(organization)
            .bind(now)
            .bind(text("first_name"))
            .bind(text("last_name"))
            .bind(text("email"))
            .bind(text("phone"))
            .bind(text("nationality"))
            .bind(text("language"))
            .bind(text("loyalty_code"))
            .bind(serde_json::json!(["Returning"]))
            .execute(&mut *tx)
            .await
            .map_err(broken)?;
            for (channel, address) in [("email", text("email")), ("phone", text("phone"))] {
                sqlx::query(
                    "insert into guest_contacts (organization_id, channel, address, guest_id,
                         source, created_at)
                     values ($1, $2, $3, $4, 'record', $5)",
                )
                .bind(organization)
                .bind(channel)
                .bind(address)
                .bind(guest)
                .bind(now)
                .execute(&mut *tx)
                .await
                .map_err(broken)?;
            }
            sqlx::query(
                "insert into pms_entity_mappings (organization_id, integration_id, entity,
                     external_id, local_id, base, version, hash, extra, revision, updated_at)
                 values ($1, $2, 'guest', $3, $4, $5, $6, $7, '{}', 1, $8)",
            )
            .bind(organization)
            .bind(self.hotel.integration_id.uuid())
            .bind(&record.external_id)
            .bind(guest)
            .bind(record.fields.clone().into_json())
            .bind(&record.version)
            .bind(record.fields.hash())
            .bind(now)
            .execute(&mut *tx)
            .await
            .map_err(broken)?;
            sqlx::query(
                "insert into change_log (id, organization_id, entity, entity_id, external_id,
                     source, outcome, created_at)
                 values ($1, $2, 'guest', $3, $4, '{}', 'applied', $5)",
            )
            .bind(Uuid::now_v7())
            .bind(organization)
            .bind(guest)
            .bind(&record.external_id)
            .bind(now)
            .execute(&mut *tx)
            .await
            .map_err(broken)?;
            tx.commit().await.map_err(broken)?;
        }
        Ok(super::rate(LOOP, started))
    }

    async fn compare_by_loop(&self) -> Result<f64, String> {
        let mut connection = self.owner.lock().await;
        let started = Instant::now();
        for number in 0..LOOP {
            let mut tx = connection.begin().await.map_err(broken)?;
            let row = sqlx::query(
                "select base, version, hash from pms_entity_mappings
                 where integration_id = $1 and entity = 'guest' and external_id = $2",
            )
            .bind(self.hotel.integration_id.uuid())
            .bind(external_id(number))
            .fetch_one(&mut *tx)
            .await
            .map_err(broken)?;
            super::compare(number, &row.get::<String, _>("hash"));
            tx.commit().await.map_err(broken)?;
        }
        Ok(super::rate(LOOP, started))
    }

    async fn written(&self) -> Result<String, String> {
        let mut connection = self.owner.lock().await;
        let counted: Value = sqlx::query_scalar(
            "select jsonb_build_array(
                 (select count(*) from guests), (select sum(version) from guests),
                 (select count(*) from pms_entity_mappings),
                 (select sum(revision) from pms_entity_mappings),
                 (select count(*) from guest_contacts), (select count(*) from change_log),
                 (select count(*) from jobs), (select count(*) from jobs_done),
                 (select count(*) from pms_conflicts))",
        )
        .fetch_one(&mut *connection)
        .await
        .map_err(broken)?;
        Ok(counted.to_string())
    }

    async fn close(self) -> Result<(), String> {
        self.store.close().await;
        drop((self.owner, self.database));
        Ok(())
    }
}
