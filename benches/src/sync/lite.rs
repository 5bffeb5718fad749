//! The same work on SQLite: with the engine, and record by record.

use std::{sync::Arc, time::Instant};

use chrono::{SecondsFormat, Utc};
use sqlx::Row;
use stayzr_core::{
    port::setup::Maintenance,
    store::sqlite::{SqliteOptions, SqliteStore},
};
use uuid::Uuid;

use super::{
    Database, LOOP, broken,
    hotel::Hotel,
    vendor::{external_id, record},
};

/// A hotel in a file of its own.
pub(super) struct Lite {
    store: Arc<SqliteStore>,
    hotel: Hotel,
    _folder: tempfile::TempDir,
}

impl Lite {
    pub(super) async fn open(records: usize) -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(broken)?;
        let options = SqliteOptions::new(folder.path().join("hotel.db"));
        let store = Arc::new(SqliteStore::open(options).await.map_err(broken)?);
        store.migrate().await.map_err(broken)?;
        let hotel = Hotel::open(store.clone(), records).await.map_err(broken)?;
        Ok(Self {
            store,
            hotel,
            _folder: folder,
        })
    }
}

impl Database for Lite {
    fn hotel(&self) -> &Hotel {
        &self.hotel
    }

    async fn create_by_loop(&self) -> Result<f64, String> {
        let organization = self.hotel.organization_id.to_string();
        let integration = self.hotel.integration_id.to_string();
        let started = Instant::now();
        for number in 0..LOOP {
            let record = record(number);
            let text = |field| record.fields.text(field).map(str::to_owned);
            let now = Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true);
            let guest = Uuid::now_v7().to_string();
            let mut tx = self.store.begin().await.map_err(broken)?;
            sqlx::query(
                "insert into guests (id, organization_id, version, created_at, updated_at, origin,
                     first_name, last_name, email, phone, nationality, language, loyalty_code,
                     classifications, active)
                 values ($1, $2, 1, $3, $3, 'pms', $4, $5, $6, $7, $8, $9, $10, $11, 1)",
            )
            .bind(&guest)
            .bind(&organization)
            .bind(&now)
            .bind(text("first_name"))
            .bind(text("last_name"))
            .bind(text("email"))
            .bind(text("phone"))
            .bind(text("nationality"))
            .bind(text("language"))
            .bind(text("loyalty_code"))
            .bind("[\"Returning\"]")
            .execute(&mut *tx)
            .await
            .map_err(broken)?;
            for (channel, address) in [("email", text("email")), ("phone", text("phone"))] {
                sqlx::query(
                    "insert into guest_contacts (organization_id, channel, address, guest_id,
                         source, created_at)
                     values ($1, $2, $3, $4, 'record', $5)",
                )
                .bind(&organization)
                .bind(channel)
                .bind(address)
                .bind(&guest)
                .bind(&now)
                .execute(&mut *tx)
                .await
                .map_err(broken)?;
            }
            sqlx::query(
                "insert into pms_entity_mappings (organization_id, integration_id, entity,
                     external_id, local_id, base, version, hash, extra, revision, updated_at)
                 values ($1, $2, 'guest', $3, $4, $5, $6, $7, '{}', 1, $8)",
            )
            .bind(&organization)
            .bind(&integration)
            .bind(&record.external_id)
            .bind(&guest)
            .bind(record.fields.canonical_json())
            .bind(&record.version)
            .bind(record.fields.hash())
            .bind(&now)
            .execute(&mut *tx)
            .await
            .map_err(broken)?;
            sqlx::query(
                "insert into change_log (id, organization_id, entity, entity_id, external_id,
                     source, outcome, created_at)
                 values ($1, $2, 'guest', $3, $4, '{}', 'applied', $5)",
            )
            .bind(Uuid::now_v7().to_string())
            .bind(&organization)
            .bind(&guest)
            .bind(&record.external_id)
            .bind(&now)
            .execute(&mut *tx)
            .await
            .map_err(broken)?;
            tx.commit().await.map_err(broken)?;
        }
        Ok(super::rate(LOOP, started))
    }

    async fn compare_by_loop(&self) -> Result<f64, String> {
        let integration = self.hotel.integration_id.to_string();
        let started = Instant::now();
        for number in 0..LOOP {
            let mut tx = self.store.begin().await.map_err(broken)?;
            let row = sqlx::query(
                "select base, version, hash from pms_entity_mappings
                 where integration_id = $1 and entity = 'guest' and external_id = $2",
            )
            .bind(&integration)
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
        let mut tx = self.store.begin().await.map_err(broken)?;
        sqlx::query_scalar(
            "select json_array(
                 (select count(*) from guests), (select sum(version) from guests),
                 (select count(*) from pms_entity_mappings),
                 (select sum(revision) from pms_entity_mappings),
                 (select count(*) from guest_contacts), (select count(*) from change_log),
                 (select count(*) from jobs), (select count(*) from jobs_done),
                 (select count(*) from pms_conflicts))",
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(broken)
    }

    async fn close(self) -> Result<(), String> {
        self.store.close().await;
        Ok(())
    }
}
