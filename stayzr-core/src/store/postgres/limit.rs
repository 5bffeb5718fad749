use std::{
    fmt::Write,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, Row, postgres::PgRow};

use super::{PostgresStore, connect::is_cut, error::failed};
use crate::{
    Result,
    limit::{Entry, Gcra, Ledger, Taken, nanos},
};

/// The database's time, read when the row is already ours: a process that waited for the row must
/// not decide by the time at which it began to wait.
const NOW: &str = "(select (extract(epoch from clock_timestamp()) * 1000000000)::bigint as now)";

/// The limits of vendors, for all processes on this database. One row for each key, one round trip
/// for each question, by the database's clock.
#[async_trait]
impl Ledger for PostgresStore {
    fn place(&self) -> &'static str {
        "PostgreSQL"
    }

    async fn take(&self, key: &str, gcra: Gcra, reserve: u32) -> Result<Taken> {
        const OPERATION: &str = "postgres.limit.take";
        let key = literal(key);
        let interval = nanos(gcra.interval());
        let reach = nanos(gcra.reach(1, reserve));
        let statement = format!(
            "insert into rate_limits as l (key, arrival_before, asked_at, arrival)
             select {key}, c.now, c.now, c.now + {interval} from {NOW} c
             on conflict (key) do update set (arrival_before, asked_at, arrival) = (
                 select l.arrival, c.now,
                     case when greatest(l.arrival, c.now) + {interval} - c.now <= {reach}
                          then greatest(l.arrival, c.now) + {interval}
                          else l.arrival end
                 from {NOW} c)
             returning asked_at, arrival_before, arrival"
        );
        let asked = Instant::now();
        let rows = self.as_system(OPERATION, &statement).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound);
        let time =
            |row: &PgRow, column: &str| row.try_get(column).map(i128::from as fn(i64) -> i128);
        let entry = row.and_then(|row| {
            Ok(Entry {
                asked,
                now: time(row, "asked_at")?,
                before: time(row, "arrival_before")?,
                after: time(row, "arrival")?,
            })
        });
        entry
            .map_err(failed(OPERATION))?
            .settle(OPERATION, gcra, reserve)
    }

    async fn hold(&self, key: &str, gcra: Gcra, wait: Duration) -> Result<()> {
        let key = literal(key);
        let held = nanos(gcra.held(Duration::ZERO, Duration::ZERO, wait));
        let statement = format!(
            "insert into rate_limits as l (key, arrival_before, asked_at, arrival)
             select {key}, c.now, c.now, c.now + {held} from {NOW} c
             on conflict (key) do update set (arrival_before, asked_at, arrival) = (
                 select l.arrival, c.now, greatest(l.arrival, c.now + {held}) from {NOW} c)"
        );
        self.as_system("postgres.limit.hold", &statement).await?;
        Ok(())
    }

    async fn check(&self) -> Result<()> {
        let statement = "select from rate_limits limit 0";
        self.as_system("postgres.limit.check", statement).await?;
        Ok(())
    }
}

impl PostgresStore {
    /// Runs one statement as `stayzr_system` in one round trip: what stands in one message is one
    /// transaction, committed when this returns. Numbers and hexadecimal digits alone go into the
    /// text.
    async fn as_system(&self, operation: &'static str, statement: &str) -> Result<Vec<PgRow>> {
        let message = format!("set local role stayzr_system; {statement}");
        let run = || sqlx::raw_sql(AssertSqlSafe(message.clone())).fetch_all(&self.pool);
        // As for every transaction: all connections may have been closed at once. A call that was
        // taken on one that was cut is counted and not made.
        for _ in 0..self.options.max_connections {
            match run().await {
                Err(error) if is_cut(&error) => {}
                result => return result.map_err(failed(operation)),
            }
        }
        run().await.map_err(failed(operation))
    }
}

/// A text that can stand in a statement, whatever is in it.
fn literal(text: &str) -> String {
    let mut literal = String::from("convert_from('\\x");
    for byte in text.bytes() {
        // Writing to a text does not fail.
        let _ = write!(literal, "{byte:02x}");
    }
    literal.push_str("'::bytea, 'UTF8')");
    literal
}
