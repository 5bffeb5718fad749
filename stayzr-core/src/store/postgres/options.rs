use std::{fmt, str::FromStr, sync::Arc};

use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgSslMode},
};

use crate::{
    Error, Result,
    clock::{Clock, SystemClock},
};

/// Which database, and how to use it.
#[derive(Clone)]
pub struct PostgresOptions {
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with `?sslmode=verify-full&sslrootcert=FILE`
    /// and the other parameters of libpq where needed. Without `sslmode` a server on this machine is
    /// spoken to in the clear, any other one encrypted if it can. The user needs no rights but the
    /// membership that the migration grants.
    pub url: String,
    /// The same for migrations, as a user who may create tables and roles; none for `url`.
    pub migrate_url: Option<String>,
    /// The schema of Stayzr's tables: letters, digits and underscores, not beginning with a digit.
    pub schema: String,
    /// How many connections are open at most, at least 1.
    pub max_connections: u32,
    /// Tells the time of everything that is stored.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for PostgresOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A URL holds a password.
        f.debug_struct("PostgresOptions")
            .field("schema", &self.schema)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

impl PostgresOptions {
    /// A database at this URL: the schema `public`, 20 connections, the machine's clock.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            migrate_url: None,
            schema: "public".to_owned(),
            max_connections: 20,
            clock: Arc::new(SystemClock),
        }
    }

    /// Sets the URL for migrations.
    #[must_use]
    pub fn migrate_url(mut self, url: impl Into<String>) -> Self {
        self.migrate_url = Some(url.into());
        self
    }

    /// Sets the schema.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = schema.into();
        self
    }

    /// Sets how many connections are open at most.
    #[must_use]
    pub fn max_connections(mut self, count: u32) -> Self {
        self.max_connections = count;
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// How to connect with a URL. A name in a statement means a table of the schema, and a
    /// statement that hangs ends by itself.
    pub(super) fn connect(&self, url: &str, times: Times) -> Result<PgConnectOptions> {
        let wrong = || {
            Error::invalid(
                "postgres.connect",
                "not a URL of PostgreSQL: write postgres://USER:PASSWORD@HOST:PORT/DATABASE",
            )
        };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(wrong());
        }
        let options =
            PgConnectOptions::from_str(url).map_err(|error| wrong().with_source(error))?;
        // Encrypted, a page of records goes out in pieces of 16 KB, and without TCP_NODELAY, which
        // sqlx does not set, the last one waits 40 ms for an acknowledgement.
        let options = match is_near(&options) && !url.contains("sslmode=") {
            true => options.ssl_mode(PgSslMode::Disable),
            false => options,
        };
        let options = options
            .options([("search_path", self.schema.as_str())])
            .application_name("stayzr")
            .statement_cache_capacity(256)
            .disable_statement_logging();
        Ok(match times {
            Times::Short => options.options([
                ("statement_timeout", "30s"),
                ("lock_timeout", "10s"),
                ("idle_in_transaction_session_timeout", "30s"),
            ]),
            Times::Migration => options.options([("lock_timeout", "60s")]),
        })
    }

    /// [`crate::ErrorKind::Invalid`] for a schema whose name would have to be quoted.
    pub(super) fn check(&self) -> Result<()> {
        let mut characters = self.schema.chars();
        let first = characters
            .next()
            .is_some_and(|first| first.is_ascii_lowercase() || first == '_');
        let rest = characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if first && rest && self.schema.len() <= 63 {
            return Ok(());
        }
        Err(Error::invalid(
            "postgres.connect",
            "a schema's name is lower-case letters, digits and underscores, 63 at most",
        )
        .with("schema", &self.schema))
    }
}

/// Whether the server is on this machine, and nothing says how to speak to it.
fn is_near(options: &PgConnectOptions) -> bool {
    let near = ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&options.get_host());
    near && matches!(options.get_ssl_mode(), PgSslMode::Prefer)
}

/// How long statements may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    /// Requests and jobs.
    Short,
    /// Migrations, which may take as long as they need once they have their locks.
    Migration,
}

#[cfg(test)]
mod tests {
    use super::{PgSslMode, PostgresOptions, Times};

    #[test]
    fn only_this_machine_is_spoken_to_in_the_clear_and_only_if_nothing_else_is_said() {
        let table = [
            ("localhost", "", true),
            ("127.0.0.1:5433", "", true),
            ("127.0.0.1", "?sslmode=prefer", false),
            ("127.0.0.1", "?sslmode=verify-full", false),
            ("localhost.example.com", "", false),
            ("10.0.0.7", "", false),
        ];
        for (host, query, clear) in table {
            let url = format!("postgres://user@{host}/hotel{query}");
            let options = PostgresOptions::new(&url).connect(&url, Times::Short);
            let mode = options.expect("a URL").get_ssl_mode();
            assert_eq!(matches!(mode, PgSslMode::Disable), clear, "{url}: {mode:?}");
        }
    }
}
