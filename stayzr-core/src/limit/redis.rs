use std::{
    fmt,
    sync::LazyLock,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use redis::{
    Client, ErrorKind as RedisKind, RedisError, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use super::{Entry, Gcra, Ledger, Taken, nanos};
use crate::{Error, ErrorKind, Result};

/// A key that was not asked for so long is forgotten, and begins as an unknown one.
const KEEP: Duration = Duration::from_secs(24 * 3600);

/// Takes a call. What was unknown is noted even where no call is let through: it is known from then
/// on. Times are seconds and nanoseconds apart, since Lua's numbers hold 53 bits; how far
/// the arrival time lies ahead is one number, exact within a hundred days.
///
/// KEYS: the key. ARGV: interval, reach, how far ahead an unknown key is, keep in milliseconds.
/// Answers with the time in seconds and nanoseconds, and how far ahead the arrival time was and is.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local second, nano = tonumber(time[1]), tonumber(time[2]) * 1000
        local interval, reach = tonumber(ARGV[1]), tonumber(ARGV[2])
        local kept = redis.call('HMGET', KEYS[1], 'second', 'nano')
        local before = tonumber(ARGV[3])
        if kept[1] then
            before = (tonumber(kept[1]) - second) * 1e9 + tonumber(kept[2]) - nano
        end
        local after = math.max(before, 0) + interval
        if after > reach then
            after = before
            if kept[1] then
                return {second, nano, before, after}
            end
        end
        local at = nano + after
        redis.call('HSET', KEYS[1], 'second', string.format('%.0f', second + math.floor(at / 1e9)),
            'nano', string.format('%.0f', at % 1e9))
        redis.call('PEXPIRE', KEYS[1], ARGV[4])
        return {second, nano, before, after}
        ",
    )
});

/// Holds a key. KEYS: the key. ARGV: how far ahead the arrival time must at least lie, keep in
/// milliseconds.
static HOLD: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local second, nano = tonumber(time[1]), tonumber(time[2]) * 1000
        local held = tonumber(ARGV[1])
        local kept = redis.call('HMGET', KEYS[1], 'second', 'nano')
        if kept[1] and (tonumber(kept[1]) - second) * 1e9 + tonumber(kept[2]) - nano >= held then
            return
        end
        local at = nano + held
        redis.call('HSET', KEYS[1], 'second', string.format('%.0f', second + math.floor(at / 1e9)),
            'nano', string.format('%.0f', at % 1e9))
        redis.call('PEXPIRE', KEYS[1], ARGV[2])
        ",
    )
});

/// The limits of vendors in Redis (5 or later, or Valkey), for all processes that use it: one key
/// for each, one script for each question, by Redis' clock.
///
/// A Redis that lost its keys costs nothing but bursts: an unknown key begins without one. Limits
/// want a single primary; a replica that takes over may lack the last calls.
#[derive(Clone)]
pub struct RedisLedger {
    connection: ConnectionManager,
    prefix: String,
}

impl fmt::Debug for RedisLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The connection knows a password.
        f.debug_struct("RedisLedger")
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

impl RedisLedger {
    /// Limits at `redis://USER:PASSWORD@HOST:PORT/DATABASE` (`rediss://` for TLS, with the machine's
    /// root certificates), under keys that begin with `prefix`.
    ///
    /// Connects when first asked, and again whenever the connection was lost. Fails with
    /// [`ErrorKind::Invalid`] for a URL that is none; its text never holds the password.
    pub fn new(url: &str, prefix: impl Into<String>) -> Result<Self> {
        const OPERATION: &str = "redis.connect";
        let wrong = |_| {
            Error::invalid(
                OPERATION,
                "not a URL of Redis: write redis://USER:PASSWORD@HOST:PORT/DATABASE",
            )
        };
        let client = Client::open(url).map_err(wrong)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(Duration::from_secs(2)))
            // Who asks comes again; a long pause of our own would only add to Redis' absence.
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(200));
        let connection =
            ConnectionManager::new_lazy_with_config(client, config).map_err(failed(OPERATION))?;
        Ok(Self {
            connection,
            prefix: prefix.into(),
        })
    }

    fn key(&self, key: &str) -> String {
        format!("{}limit:{key}", self.prefix)
    }
}

/// How long to keep a key whose arrival time lies so far ahead.
fn keep(ahead: Duration) -> u64 {
    u64::try_from(KEEP.saturating_add(ahead).as_millis()).unwrap_or(u64::MAX)
}

#[async_trait]
impl Ledger for RedisLedger {
    fn place(&self) -> &'static str {
        "Redis"
    }

    async fn take(&self, key: &str, gcra: Gcra, reserve: u32) -> Result<Taken> {
        const OPERATION: &str = "redis.limit.take";
        let reach = gcra.reach(1, reserve);
        let asked = Instant::now();
        let (second, nano, before, after): (i64, i64, i64, i64) = TAKE
            .key(self.key(key))
            .arg(nanos(gcra.interval()))
            .arg(nanos(reach))
            .arg(nanos(gcra.unknown(Duration::ZERO)))
            .arg(keep(reach))
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(failed(OPERATION))?;
        let now = i128::from(second) * 1_000_000_000 + i128::from(nano);
        let entry = Entry {
            asked,
            now,
            before: now + i128::from(before),
            after: now + i128::from(after),
        };
        entry.settle(OPERATION, gcra, reserve)
    }

    async fn hold(&self, key: &str, gcra: Gcra, wait: Duration) -> Result<()> {
        let held = gcra.held(Duration::ZERO, Duration::ZERO, wait);
        HOLD.key(self.key(key))
            .arg(nanos(held))
            .arg(keep(held))
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(failed("redis.limit.hold"))
    }

    async fn check(&self) -> Result<()> {
        redis::cmd("PING")
            .query_async::<()>(&mut self.connection.clone())
            .await
            .map_err(failed("redis.check"))
    }
}

/// What the caller can do about a failure of Redis.
fn failed(operation: &'static str) -> impl Fn(RedisError) -> Error {
    move |error| {
        let (kind, message) = match error.kind() {
            RedisKind::AuthenticationFailed => (
                ErrorKind::Unauthorized,
                "Redis refuses this user or password: check both in the URL",
            ),
            RedisKind::InvalidClientConfig => {
                (ErrorKind::Invalid, "Redis cannot be used with this URL")
            }
            _ if error.is_timeout() => (ErrorKind::Unavailable, "Redis does not answer in time"),
            _ if error.is_io_error() => (
                ErrorKind::Unavailable,
                "Redis does not answer: start it, or correct host and port in the URL",
            ),
            _ => (ErrorKind::Unavailable, "Redis refuses to do this"),
        };
        Error::new(kind, operation, message).with_source(error)
    }
}
