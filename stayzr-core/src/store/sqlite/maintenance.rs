use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{
    SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use super::{SqliteStore, error::failed};
use crate::{Error, ErrorKind, Result, port::setup::Maintenance, store::codec};

/// The table that remembers which migrations ran. A host application's own migrator keeps another.
const TABLE: &str = "stayzr_migrations";

fn migrations() -> Vec<Migration> {
    let one = |version, name: &'static str, sql: &'static str| {
        Migration::new(
            version,
            name.into(),
            MigrationType::Simple,
            sql.into_sql_str(),
            false,
        )
    };
    vec![
        one(
            1,
            "init",
            include_str!("../../../migrations/sqlite/0001_init.sql"),
        ),
        one(
            2,
            "sync",
            include_str!("../../../migrations/sqlite/0002_sync.sql"),
        ),
        one(
            3,
            "rate_limits",
            include_str!("../../../migrations/sqlite/0003_rate_limits.sql"),
        ),
        one(
            4,
            "desk",
            include_str!("../../../migrations/sqlite/0004_desk.sql"),
        ),
        one(
            5,
            "webhook_refusals",
            include_str!("../../../migrations/sqlite/0005_webhook_refusals.sql"),
        ),
    ]
}

#[async_trait]
impl Maintenance for SqliteStore {
    async fn migrate(&self) -> Result<()> {
        let mut migrator = Migrator::with_migrations(migrations());
        migrator.dangerous_set_table_name(TABLE);
        migrator
            .run(&self.writer)
            .await
            .map_err(|error| match error {
                MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                    failed("sqlite.migrate")(error)
                }
                MigrateError::VersionMissing(_) => Error::new(
                    ErrorKind::Unsupported,
                    "sqlite.migrate",
                    "the database is newer than this program: use a newer version of it",
                )
                .with_source(error),
                _ => Error::new(
                    ErrorKind::Corrupt,
                    "sqlite.migrate",
                    "the database's migrations are not those of this program",
                )
                .with_source(error),
            })
    }

    async fn pending_migrations(&self) -> Result<Vec<String>> {
        let ran = sqlx::query_scalar::<_, i64>(
            "select version from stayzr_migrations where success order by version",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(failed("sqlite.pending_migrations"));
        let ran = match ran {
            Ok(ran) => ran,
            // Nothing has run yet, not even the table is there.
            Err(error) if error.kind() == ErrorKind::Unavailable => self.no_table(error).await?,
            Err(error) => return Err(error),
        };
        Ok(migrations()
            .into_iter()
            .filter(|migration| !ran.contains(&migration.version))
            .map(|migration| format!("{:04}_{}", migration.version, migration.description))
            .collect())
    }

    async fn ping(&self) -> Result<()> {
        sqlx::query_scalar::<_, i64>("select 1")
            .fetch_one(&self.reader)
            .await
            .map_err(failed("sqlite.ping"))?;
        Ok(())
    }

    async fn prove_isolation(&self) -> Result<()> {
        let seen: i64 = sqlx::query_scalar(
            "select (select count(*) from properties where organization_id = $1)
                  + (select count(*) from guests where organization_id = $1)
                  + (select count(*) from jobs where lane = $1)",
        )
        .bind(self.clock.uuid().to_string())
        .fetch_one(&self.reader)
        .await
        .map_err(failed("sqlite.prove_isolation"))?;
        if seen == 0 {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forbidden,
            "sqlite.prove_isolation",
            "an organization that does not exist sees rows",
        ))
    }

    async fn database_time(&self) -> Result<DateTime<Utc>> {
        // SQLite runs in this process: its clock is the machine's.
        let text: String = sqlx::query_scalar("select strftime('%Y-%m-%dT%H:%M:%fZ', 'now')")
            .fetch_one(&self.reader)
            .await
            .map_err(failed("sqlite.database_time"))?;
        DateTime::parse_from_rfc3339(&text)
            .map(|at| at.with_timezone(&Utc))
            .map_err(|error| {
                Error::corrupt("sqlite.database_time", "not a time").with_source(error)
            })
    }

    async fn sweep(&self) -> Result<()> {
        let now = self.clock.now();
        let ago = |days| codec::time(now - TimeDelta::days(days));
        let old = [
            (
                "delete from jobs_done where rowid in (select rowid from jobs_done
                 where status = 'COMPLETED' and updated_at < $1 limit 1000)",
                ago(7),
            ),
            (
                "delete from jobs_done where rowid in (select rowid from jobs_done
                 where status = 'FAILED' and updated_at < $1 limit 1000)",
                ago(90),
            ),
            (
                // A delivery stays while its job is unfinished.
                "delete from webhook_deliveries where rowid in (
                     select d.rowid from webhook_deliveries d
                     where d.received_at < $1 and not exists (select 1 from jobs j where j.id = d.id)
                     limit 1000)",
                ago(30),
            ),
            (
                "delete from pms_sync_runs where rowid in (select rowid from pms_sync_runs
                 where finished_at < $1 limit 1000)",
                ago(30),
            ),
            (
                "delete from idempotency_keys where rowid in (select rowid from idempotency_keys
                 where begun_at < $1 limit 1000)",
                ago(1),
            ),
            (
                "delete from rate_limits where key in (select key from rate_limits
                 where asked_at < unixepoch($1) * 1000000000 limit 1000)",
                ago(1),
            ),
        ];
        for (statement, before) in old {
            // In small bites, so that nobody waits for the sweep.
            while self.delete_some(statement, &before).await? == 1000 {}
        }
        Ok(())
    }
}

impl SqliteStore {
    async fn delete_some(&self, statement: &'static str, before: &str) -> Result<u64> {
        let done = sqlx::query(statement)
            .bind(before)
            .execute(&self.writer)
            .await
            .map_err(failed("sqlite.sweep"))?;
        Ok(done.rows_affected())
    }

    async fn no_table(&self, error: Error) -> Result<Vec<i64>> {
        let there: Option<i64> = sqlx::query_scalar(
            "select 1 from sqlite_master where type = 'table' and name = 'stayzr_migrations'",
        )
        .fetch_optional(&self.reader)
        .await
        .map_err(failed("sqlite.pending_migrations"))?;
        match there {
            Some(_) => Err(error),
            None => Ok(Vec::new()),
        }
    }
}
