use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::{PostgresStore, error::failed, migrate::migrations};
use crate::{Error, ErrorKind, Result, port::setup::Maintenance};

#[async_trait]
impl Maintenance for PostgresStore {
    async fn migrate(&self) -> Result<()> {
        // Where the schema is this program's, the user need not be one who may change it. A user who
        // may not take the roles yet is not told apart here: migrating grants them.
        match self.applied().await {
            Ok(applied) if applied == versions() => Ok(()),
            _ => self.run_migrations().await,
        }
    }

    async fn pending_migrations(&self) -> Result<Vec<String>> {
        let applied = self.applied().await?;
        Ok(migrations()
            .into_iter()
            .filter(|migration| !applied.contains(&migration.version))
            .map(|migration| format!("{:04}_{}", migration.version, migration.description))
            .collect())
    }

    async fn ping(&self) -> Result<()> {
        sqlx::query_scalar::<_, i32>("select 1")
            .fetch_one(&self.pool)
            .await
            .map_err(failed("postgres.ping"))?;
        Ok(())
    }

    async fn prove_isolation(&self) -> Result<()> {
        const OPERATION: &str = "postgres.prove_isolation";
        let nobody = self.clock.uuid().into();
        let mut tx = self.organization_tx(OPERATION, nobody).await?;
        let (user, above, owns): (String, bool, bool) = sqlx::query_as(
            "select r.rolname::text, r.rolsuper or r.rolbypassrls,
                 exists (select 1 from pg_class c
                         where c.relnamespace = current_schema()::regnamespace
                           and c.relkind = 'r' and pg_has_role(r.oid, c.relowner, 'member'))
             from pg_roles r where r.rolname = current_user",
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        if above {
            return Err(refused("the tenants' role stands above row-level security")
                .with("role", &user)
                .with("run", format!("alter role {user} nosuperuser nobypassrls")));
        }
        if owns {
            return Err(refused("the tenants' role owns the tables it reads")
                .with("role", &user)
                .with(
                    "run",
                    "alter table … owner to another user, and revoke that user's role",
                ));
        }
        let unforced: Option<String> = sqlx::query_scalar(
            "select c.relname::text from pg_class c
             join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id'
             join pg_policy p on p.polrelid = c.oid
             where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
               and not (c.relrowsecurity and c.relforcerowsecurity) limit 1",
        )
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        if let Some(table) = unforced {
            return Err(
                refused("row-level security is switched off for a table").with(
                    "run",
                    format!(
                        "alter table {table} enable row level security, force row level security"
                    ),
                ),
            );
        }
        // No condition here: what keeps rows away is the database alone.
        let seen: bool = sqlx::query_scalar(
            "select exists (select 1 from organizations) or exists (select 1 from properties)
                 or exists (select 1 from guests) or exists (select 1 from reservations)
                 or exists (select 1 from messages) or exists (select 1 from jobs)
                 or exists (select 1 from api_tokens)",
        )
        .fetch_one(&mut *tx)
        .await
        .map_err(failed(OPERATION))?;
        match seen {
            false => Ok(()),
            true => Err(
                refused("an organization that does not exist sees rows").with(
                    "run",
                    "drop the policies on Stayzr's tables that are not Stayzr's",
                ),
            ),
        }
    }

    async fn database_time(&self) -> Result<DateTime<Utc>> {
        sqlx::query_scalar("select clock_timestamp()")
            .fetch_one(&self.pool)
            .await
            .map_err(failed("postgres.database_time"))
    }

    async fn sweep(&self) -> Result<()> {
        let now = self.clock.now();
        let ago = |days| now - TimeDelta::days(days);
        let old = [
            (
                "delete from jobs_done where ctid = any(array(
                     select ctid from jobs_done
                     where status = 'COMPLETED' and updated_at < $1 limit 1000))",
                ago(7),
            ),
            (
                "delete from jobs_done where ctid = any(array(
                     select ctid from jobs_done
                     where status = 'FAILED' and updated_at < $1 limit 1000))",
                ago(90),
            ),
            (
                // A delivery stays while its job is unfinished.
                "delete from webhook_deliveries where ctid = any(array(
                     select d.ctid from webhook_deliveries d
                     where d.received_at < $1 and not exists (select 1 from jobs j where j.id = d.id)
                     limit 1000))",
                ago(30),
            ),
            (
                "delete from pms_sync_runs where id = any(array(
                     select id from pms_sync_runs where finished_at < $1 limit 1000))",
                ago(30),
            ),
            (
                "delete from idempotency_keys where begun_at < $1 and begun_at <= (
                     select max(begun_at) from (
                         select begun_at from idempotency_keys order by begun_at limit 1000) oldest)",
                ago(1),
            ),
            (
                "delete from rate_limits where key = any(array(
                     select key from rate_limits
                     where asked_at < extract(epoch from $1) * 1000000000 limit 1000))",
                ago(1),
            ),
        ];
        for (statement, before) in old {
            // In small bites, so that nobody waits for the sweep.
            while self.delete_some(statement, before).await? >= 1000 {}
        }
        Ok(())
    }
}

impl PostgresStore {
    /// Versions of the migrations that ran, in order.
    async fn applied(&self) -> Result<Vec<i64>> {
        const OPERATION: &str = "postgres.pending_migrations";
        let there: bool = sqlx::query_scalar(
            "select exists (select 1 from pg_tables
                            where schemaname = $1 and tablename = 'stayzr_migrations')",
        )
        .bind(&self.options.schema)
        .fetch_one(&self.pool)
        .await
        .map_err(failed(OPERATION))?;
        if !there {
            return Ok(Vec::new());
        }
        sqlx::query_scalar("select version from stayzr_migrations where success order by version")
            .fetch_all(&mut *self.system(OPERATION).await?)
            .await
            .map_err(failed(OPERATION))
    }

    async fn delete_some(&self, statement: &'static str, before: DateTime<Utc>) -> Result<u64> {
        const OPERATION: &str = "postgres.sweep";
        let mut tx = self.system(OPERATION).await?;
        let done = sqlx::query(statement)
            .bind(before)
            .execute(&mut *tx)
            .await
            .map_err(failed(OPERATION))?;
        tx.commit().await.map_err(failed(OPERATION))?;
        Ok(done.rows_affected())
    }
}

fn versions() -> Vec<i64> {
    migrations()
        .iter()
        .map(|migration| migration.version)
        .collect()
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorKind::Forbidden, "postgres.prove_isolation", message)
}
