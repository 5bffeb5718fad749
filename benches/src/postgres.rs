//! Databases of a benchmark's own, on the server that `STAYZR_BENCH_POSTGRES_URL` names.

use sqlx::{Connection, Executor, PgConnection};

/// The URL of a database on that server.
pub(crate) fn url(database: &str) -> String {
    let server = std::env::var("STAYZR_BENCH_POSTGRES_URL")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    match server.rsplit_once('/') {
        Some((server, _)) => format!("{server}/{database}"),
        None => server,
    }
}

/// Makes or drops a database.
pub(crate) async fn administer(statement: String) -> Result<(), String> {
    let mut connection = PgConnection::connect(&url("postgres"))
        .await
        .map_err(|error| error.to_string())?;
    connection
        .execute(sqlx::AssertSqlSafe(statement))
        .await
        .map_err(|error| error.to_string())?;
    Ok(())
}
