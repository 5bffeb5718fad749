//! Finds the servers that tests need, makes each test its own database, and says what was skipped.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use sqlx::{Connection, Executor, PgConnection};
use stayzr_core::limit::{Ledger, RedisLedger};

/// A PostgreSQL database of its own. It is dropped with this value, also where the test fails.
#[derive(Debug)]
pub struct TestDatabase {
    admin_url: String,
    name: String,
}

impl TestDatabase {
    /// A new, empty database; none, with one line said, where there is no server. With
    /// `postgres` in `STAYZR_TEST_REQUIRE` that is a failure.
    pub async fn create() -> Option<Self> {
        let Some(admin_url) = postgres_url() else {
            skip(
                "postgres",
                "no PostgreSQL server answers and initdb is not installed",
            );
            return None;
        };
        let name = format!("stayzr_test_{}", uuid::Uuid::now_v7().simple());
        let mut admin = PgConnection::connect(&admin_url)
            .await
            .expect("the server answered before");
        admin
            .execute(sqlx::AssertSqlSafe(format!("create database {name}")))
            .await
            .expect("the test user may create databases");
        Some(Self { admin_url, name })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        let (base, query) = self
            .admin_url
            .split_once('?')
            .unwrap_or((&self.admin_url, ""));
        let (server, _) = base.rsplit_once('/').expect("the URL names a database");
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        };
        format!("{server}/{}{query}", self.name)
    }

    /// Drops the database, whoever is still connected.
    pub async fn drop_database(mut self) {
        let name = std::mem::take(&mut self.name);
        drop_database(&self.admin_url, &name)
            .await
            .expect("the database can be dropped");
    }
}

impl Drop for TestDatabase {
    /// On a thread of its own, since a test that fails is inside of a runtime.
    #[allow(clippy::print_stderr, reason = "a database that stays is said so")]
    fn drop(&mut self) {
        let (url, name) = (self.admin_url.clone(), std::mem::take(&mut self.name));
        if name.is_empty() {
            return;
        }
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .ok()?;
            runtime.block_on(drop_database(&url, &name)).ok()
        });
        if !matches!(dropped.join(), Ok(Some(()))) {
            eprintln!("a database of a test could not be dropped");
        }
    }
}

async fn drop_database(admin_url: &str, name: &str) -> Result<(), sqlx::Error> {
    let mut admin = PgConnection::connect(admin_url).await?;
    let statement = format!("drop database {name} with (force)");
    admin.execute(sqlx::AssertSqlSafe(statement)).await?;
    Ok(())
}

/// Says that a test was skipped; fails where the server is required.
///
/// # Panics
///
/// If `STAYZR_TEST_REQUIRE` names the server.
pub fn skip(server: &str, why: &str) {
    let required = std::env::var("STAYZR_TEST_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name.trim() == server),
        "{server} is required by STAYZR_TEST_REQUIRE: {why}"
    );
    #[allow(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("skipped: {server}: {why}");
    }
}

/// A Redis and a prefix of keys of its own, dropped at the end.
#[derive(Debug)]
pub struct TestRedis {
    url: String,
    prefix: String,
}

impl TestRedis {
    /// A new prefix in the server of `STAYZR_TEST_REDIS_URL`, else of the usual local address;
    /// none, with one line said, where there is none. With `redis` in `STAYZR_TEST_REQUIRE` that is
    /// a failure.
    pub async fn create() -> Option<Self> {
        let url = std::env::var("STAYZR_TEST_REDIS_URL")
            .unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
        let prefix = format!("stayzr_test_{}:", uuid::Uuid::now_v7().simple());
        let server = RedisLedger::new(&url, prefix.clone()).expect("a URL of Redis");
        if server.check().await.is_err() {
            skip("redis", "no Redis server answers");
            return None;
        }
        Some(Self { url, prefix })
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What its keys begin with.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A ledger with a connection of its own.
    pub fn ledger(&self) -> RedisLedger {
        RedisLedger::new(&self.url, self.prefix.clone()).expect("a URL of Redis")
    }

    /// Drops its keys.
    pub async fn drop_keys(self) {
        let client = redis::Client::open(self.url).expect("a URL of Redis");
        let mut connection = client
            .get_multiplexed_async_connection()
            .await
            .expect("the server is there");
        let pattern = format!("{}*", self.prefix);
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(pattern)
            .query_async(&mut connection)
            .await
            .expect("keys can be listed");
        for key in keys {
            redis::cmd("DEL")
                .arg(key)
                .query_async::<()>(&mut connection)
                .await
                .expect("a key can be dropped");
        }
    }
}

/// A server from `STAYZR_TEST_POSTGRES_URL`, else at the usual local address, else a throw-away
/// cluster.
fn postgres_url() -> Option<String> {
    static URL: OnceLock<Option<String>> = OnceLock::new();
    URL.get_or_init(|| {
        if let Ok(url) = std::env::var("STAYZR_TEST_POSTGRES_URL") {
            return Some(url);
        }
        let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
        ["postgres".to_owned(), user]
            .into_iter()
            .map(|user| format!("postgres://{user}@127.0.0.1:5432/postgres"))
            .find(|url| answers(url))
            .or_else(throw_away_cluster)
    })
    .clone()
}

fn answers(url: &str) -> bool {
    let url = url.to_owned();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .ok()?;
        runtime.block_on(async {
            let connect = PgConnection::connect(&url);
            tokio::time::timeout(Duration::from_secs(2), connect)
                .await
                .ok()?
                .ok()
        })
    })
    .join()
    .is_ok_and(|connection| connection.is_some())
}

/// A cluster in a temporary folder, on a Unix socket only. It is stopped when this process ends.
fn throw_away_cluster() -> Option<String> {
    let bin = initdb_folder()?;
    let folder = tempfile::Builder::new()
        .prefix("stayzr-pg-")
        .tempdir()
        .ok()?
        .keep();
    let data = folder.join("data");
    // initdb and postgres refuse to run as root.
    let root = Command::new("id")
        .arg("-u")
        .output()
        .ok()?
        .stdout
        .trim_ascii()
        == b"0";
    if root {
        Command::new("chown")
            .arg("postgres")
            .arg(&folder)
            .status()
            .ok()?;
    }
    let run = |program: &str, args: &[&str]| -> Command {
        let path = bin.join(program);
        if root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
            command.arg(path).args(args);
            command
        } else {
            let mut command = Command::new(path);
            command.args(args);
            command
        }
    };
    let data_text = data.to_str()?;
    let folder_text = folder.to_str()?;
    let made = run(
        "initdb",
        &[
            "-D",
            data_text,
            "-U",
            "postgres",
            "-A",
            "trust",
            "--no-sync",
        ],
    )
    .stdout(Stdio::null())
    .stderr(Stdio::null())
    .status()
    .ok()?;
    if !made.success() {
        return None;
    }
    let child = run(
        "postgres",
        &["-D", data_text, "-k", folder_text, "-h", "", "-F"],
    )
    .stdout(Stdio::null())
    .stderr(Stdio::null())
    .spawn()
    .ok()?;
    // The watcher ends the server when this process is gone, however it went.
    watch(&child, &folder);
    let url = format!(
        "postgres://postgres@localhost/postgres?host={}",
        folder_text.replace('/', "%2F")
    );
    let deadline = Instant::now() + Duration::from_secs(20);
    while Instant::now() < deadline {
        if answers(&url) {
            return Some(url);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    None
}

fn watch(server: &Child, folder: &Path) {
    let script = format!(
        "while kill -0 {} 2>/dev/null; do sleep 1; done; kill -QUIT {} 2>/dev/null; sleep 1; rm -rf '{}'",
        std::process::id(),
        server.id(),
        folder.display()
    );
    // Without it the folder stays in the temporary directory: no reason to fail a test.
    let _ = Command::new("sh")
        .arg("-c")
        .arg(script)
        .stdin(Stdio::null())
        .spawn();
}

fn initdb_folder() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().or_else(|| {
        std::env::split_paths(&std::env::var_os("PATH")?).find(|bin| bin.join("initdb").is_file())
    })
}
