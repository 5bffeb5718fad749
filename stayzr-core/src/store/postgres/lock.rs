//! Locks that end with the transaction, for what two transactions must not do at once and no row
//! stands for yet.

use sqlx::PgConnection;

use super::error::failed;
use crate::Result;

/// Waits until no other transaction holds any of these names, and holds them. They are taken in one
/// order, whoever asks, so that two transactions with the same names do not wait for each other.
/// What is read by the next statement is what the others committed.
pub(super) async fn names(tx: &mut PgConnection, names: &[String]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "select count(pg_advisory_xact_lock(n.lock)) from (
             select distinct hashtextextended(current_schema() || ' stayzr ' || name, 0) as lock
             from unnest($1) name order by 1) n",
    )
    .bind(names)
    .execute(tx)
    .await
    .map_err(failed("postgres.lock"))?;
    Ok(())
}
