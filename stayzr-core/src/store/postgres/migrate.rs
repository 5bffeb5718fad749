use sqlx::{
    Connection, PgConnection, SqlSafeStr,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use super::{PostgresStore, connect::reach, error::failed, options::Times};
use crate::{Error, ErrorKind, Result};

/// The table that remembers which migrations ran. A host application's own migrator keeps another.
const TABLE: &str = "stayzr_migrations";

const OPERATION: &str = "postgres.migrate";

/// All migrations, the oldest first.
pub(super) fn migrations() -> Vec<Migration> {
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
            include_str!("../../../migrations/postgres/0001_init.sql"),
        ),
        one(
            2,
            "sync",
            include_str!("../../../migrations/postgres/0002_sync.sql"),
        ),
        one(
            3,
            "rate_limits",
            include_str!("../../../migrations/postgres/0003_rate_limits.sql"),
        ),
        one(
            4,
            "desk",
            include_str!("../../../migrations/postgres/0004_desk.sql"),
        ),
        one(
            5,
            "webhook_refusals",
            include_str!("../../../migrations/postgres/0005_webhook_refusals.sql"),
        ),
    ]
}

impl PostgresStore {
    /// Brings the schema up to date as the user who may, and lets the user of `url` take the roles.
    pub(super) async fn run_migrations(&self) -> Result<()> {
        let url = self
            .options
            .migrate_url
            .as_deref()
            .unwrap_or(&self.options.url);
        let connect = self.options.connect(url, Times::Migration)?;
        let login = self.options.connect(&self.options.url, Times::Short)?;
        let (mut connection, _) = reach(connect).await?;
        let result = migrate(&mut connection, &self.options.schema, login.get_username()).await;
        // The lock ends with the connection, whatever became of the migration.
        drop(connection.close().await);
        result
    }
}

async fn migrate(connection: &mut PgConnection, schema: &str, login: &str) -> Result<()> {
    // Two processes that migrate at once come one after the other.
    sqlx::query("select pg_advisory_lock(hashtextextended('stayzr migrate', 0))")
        .execute(&mut *connection)
        .await
        .map_err(failed(OPERATION))?;
    create_schema(connection, schema).await?;
    let mut migrator = Migrator::with_migrations(migrations());
    migrator.dangerous_set_table_name(TABLE);
    migrator.set_locking(false);
    migrator
        .run_direct(None, &mut *connection, false)
        .await
        .map_err(|error| match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                failed(OPERATION)(error)
            }
            MigrateError::VersionMissing(_) => Error::new(
                ErrorKind::Unsupported,
                OPERATION,
                "the database is newer than this program: use a newer version of it",
            )
            .with_source(error),
            _ => Error::new(
                ErrorKind::Corrupt,
                OPERATION,
                "the database's migrations are not those of this program",
            )
            .with_source(error),
        })?;
    sqlx::query("grant select on stayzr_migrations to stayzr_tenant, stayzr_system")
        .execute(&mut *connection)
        .await
        .map_err(failed(OPERATION))?;
    grant_roles(connection, login).await
}

async fn create_schema(connection: &mut PgConnection, schema: &str) -> Result<()> {
    let there: bool =
        sqlx::query_scalar("select exists (select 1 from pg_namespace where nspname = $1)")
            .bind(schema)
            .fetch_one(&mut *connection)
            .await
            .map_err(failed(OPERATION))?;
    if there {
        return Ok(());
    }
    // The name was checked when the options were: letters, digits and underscores.
    sqlx::query(sqlx::AssertSqlSafe(format!("create schema {schema}")))
        .execute(connection)
        .await
        .map_err(failed(OPERATION))?;
    Ok(())
}

/// Lets the user take the roles. A superuser may anyway. Memberships belong to the whole cluster,
/// so that another database may be granting the same at this moment.
async fn grant_roles(connection: &mut PgConnection, login: &str) -> Result<()> {
    sqlx::query("select set_config('stayzr.login', $1, false)")
        .bind(login)
        .execute(&mut *connection)
        .await
        .map_err(failed(OPERATION))?;
    sqlx::raw_sql(
        "do $$
         declare
             login constant text := current_setting('stayzr.login');
             name text;
         begin
             if not exists (select 1 from pg_roles where rolname = login and not rolsuper) then
                 return;
             end if;
             foreach name in array array['stayzr_tenant', 'stayzr_system'] loop
                 if not exists (
                     select 1 from pg_auth_members m
                     join pg_roles r on r.oid = m.roleid
                     join pg_roles u on u.oid = m.member
                     where r.rolname = name and u.rolname = login
                 ) then
                     begin
                         execute format('grant %I to %I', name, login);
                     exception when unique_violation or internal_error then
                         null;
                     end;
                 end if;
             end loop;
         end
         $$",
    )
    .execute(connection)
    .await
    .map_err(failed(OPERATION))?;
    Ok(())
}
