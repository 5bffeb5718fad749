//! Four processes that call one vendor under one token, and the vendor, who counts.

use std::{
    fmt,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use stayzr_core::{
    Result,
    limit::{Ledger, Pacer, Priority, Quota, RedisLedger},
    retry::RetryPolicy,
    store::{
        postgres::{PostgresOptions, PostgresStore},
        sqlite::{SqliteOptions, SqliteStore},
    },
};
use stayzr_pms::http::{Dialect, VendorAuth, VendorCall, VendorHttp, default_client};
use tokio::task::JoinSet;

/// What a process is told, and that it is one.
const ORDERS: &str = "STAYZR_TEST_CALLER";

/// Where the limit is kept.
pub(crate) enum Place {
    /// The path of a migrated file.
    Sqlite(String),
    /// The URL of a migrated database.
    Postgres(String),
    /// A URL, and a prefix of keys.
    Redis(String, String),
}

/// What the vendor saw.
pub(crate) struct Run {
    /// The limit.
    pub(crate) quota: Quota,
    /// All calls.
    pub(crate) calls: usize,
    /// Calls in the fullest window, wherever it begins.
    pub(crate) fullest: usize,
    /// The part of the limit that was used while there was enough to do.
    pub(crate) share: f64,
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "limit {} in {:?}; {} calls, {} in the fullest window, {:.2} % used",
            self.quota.limit,
            self.quota.per,
            self.calls,
            self.fullest,
            self.share * 100.0
        )
    }
}

/// The plan of a run, in parts of a window: backfill alone, silence in which the burst comes back,
/// then everybody.
const SILENCE: f64 = 0.2;
const RUSH: f64 = 0.3;
const END: f64 = 1.7;

/// Lets four processes call and counts.
pub(crate) fn run(place: &Place, quota: Quota) -> Run {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let address = vendor(seen.clone());
    // Time for the processes to come up and connect.
    let begin = SystemTime::now() + Duration::from_secs(2);
    let began = Instant::now() + Duration::from_secs(2);
    let place = match place {
        Place::Sqlite(path) => format!("sqlite {path} -"),
        Place::Postgres(url) => format!("postgres {url} -"),
        Place::Redis(url, prefix) => format!("redis {url} {prefix}"),
    };
    let begin = begin.duration_since(UNIX_EPOCH).expect("after 1970");
    let callers: Vec<Child> = ["high", "high", "low", "low"]
        .into_iter()
        .map(|priority| {
            let orders = format!(
                "{place} {address} {} {} {} {priority}",
                quota.limit,
                quota.per.as_millis(),
                begin.as_millis()
            );
            Command::new(std::env::current_exe().expect("this test"))
                .args(["--exact", "a_process_that_calls", "--ignored"])
                .env(ORDERS, orders)
                .stdout(Stdio::null())
                .spawn()
                .expect("a process starts")
        })
        .collect();
    for mut caller in callers {
        let status = caller.wait().expect("it can be waited for");
        assert!(status.success(), "a caller ended with {status}");
    }
    let mut seen = seen.lock().expect("the vendor counts on").clone();
    seen.sort();
    let rush = began + quota.per.mul_f64(RUSH);
    let in_rush: Vec<Instant> = seen.iter().copied().filter(|at| *at >= rush).collect();
    let (first, last) = (in_rush[0], in_rush[in_rush.len() - 1]);
    let windows = (last - first).div_duration_f64(quota.per);
    Run {
        quota,
        calls: seen.len(),
        fullest: fullest(&seen, quota.per),
        share: in_rush.len() as f64 / (f64::from(quota.limit) * windows),
    }
}

fn fullest(seen: &[Instant], window: Duration) -> usize {
    let mut end = 0;
    let in_window = |start: usize| {
        while end < seen.len() && seen[end] < seen[start] + window {
            end += 1;
        }
        end - start
    };
    (0..seen.len()).map(in_window).max().unwrap_or_default()
}

/// A vendor that answers everything and notes when it was called.
fn vendor(seen: Arc<Mutex<Vec<Instant>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let seen = seen.clone();
            std::thread::spawn(move || serve(connection, &seen));
        }
    });
    address
}

fn serve(mut connection: TcpStream, seen: &Mutex<Vec<Instant>>) {
    let reader = connection.try_clone().expect("a connection can be shared");
    let mut is_call = false;
    for line in BufReader::new(reader).lines() {
        let Ok(line) = line else { return };
        is_call |= line.starts_with("GET /call");
        if !line.is_empty() {
            continue;
        }
        if is_call {
            seen.lock().expect("a list").push(Instant::now());
        }
        is_call = false;
        let answer =
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
        if connection.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// What one of the processes does.
pub(crate) fn call_as_told() {
    let Ok(orders) = std::env::var(ORDERS) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(call(&orders));
}

async fn call(orders: &str) {
    let words: Vec<&str> = orders.split(' ').collect();
    let [place, url, prefix, address, limit, window, begin, priority] = words[..] else {
        panic!("orders are eight words");
    };
    let number = |word: &str| word.parse::<u64>().expect("a number");
    let window = Duration::from_millis(number(window));
    let quota = Quota::new(u32::try_from(number(limit)).expect("a limit"), window);
    let ledger: Arc<dyn Ledger> = match place {
        "sqlite" => {
            let store = SqliteStore::open(SqliteOptions::new(url)).await;
            Arc::new(store.expect("it opens"))
        }
        "redis" => Arc::new(RedisLedger::new(url, prefix).expect("a URL")),
        _ => {
            let options = PostgresOptions::new(url).max_connections(4);
            Arc::new(PostgresStore::connect(options).await.expect("it connects"))
        }
    };
    ledger.check().await.expect("it answers");
    let client = default_client(Duration::from_secs(5)).expect("a client");
    // Connections are there before anything is measured.
    let mut warm = JoinSet::new();
    for _ in 0..12 {
        warm.spawn(client.get(format!("http://{address}/warm")).send());
    }
    for answer in warm.join_all().await {
        answer.expect("the vendor is there");
    }
    let caller = Arc::new(Caller {
        http: VendorHttp::new(client, Arc::new(Pacer::new(ledger, quota)))
            .with_retry(RetryPolicy::never()),
        url: format!("http://{address}/call"),
    });
    let begin = UNIX_EPOCH + Duration::from_millis(number(begin));
    let begin = begin.duration_since(SystemTime::now()).expect("in time");
    let begin = tokio::time::Instant::now() + begin;
    let at = |part: f64| begin + window.mul_f64(part);
    if priority == "low" {
        tokio::time::sleep_until(begin).await;
        caller.backfill(at(SILENCE)).await;
        tokio::time::sleep_until(at(RUSH)).await;
        caller.backfill(at(END)).await;
    } else {
        tokio::time::sleep_until(at(RUSH)).await;
        caller.bursts(at(END), window.mul_f64(0.05)).await;
    }
}

struct Caller {
    http: VendorHttp,
    url: String,
}

impl Caller {
    async fn call(&self, priority: Priority) {
        let call = VendorCall::get("test.call", self.url.clone()).with_priority(priority);
        let answer = self.http.send(&call, &Token, &DIALECT).await;
        answer.expect("the vendor answers");
    }

    /// Four jobs that read page after page.
    async fn backfill(self: &Arc<Self>, until: tokio::time::Instant) {
        let mut jobs = JoinSet::new();
        for _ in 0..4 {
            let caller = Arc::clone(self);
            jobs.spawn(async move {
                while tokio::time::timeout_at(until, caller.call(Priority::Low))
                    .await
                    .is_ok()
                {}
            });
        }
        jobs.join_all().await;
    }

    /// Webhooks that come twelve at once, and a pause after they were worked on.
    async fn bursts(self: &Arc<Self>, until: tokio::time::Instant, pause: Duration) {
        while tokio::time::Instant::now() < until {
            let mut jobs = JoinSet::new();
            for _ in 0..12 {
                let caller = Arc::clone(self);
                jobs.spawn(async move {
                    let call = caller.call(Priority::High);
                    // What is not done at the end is left.
                    drop(tokio::time::timeout_at(until, call).await);
                });
            }
            jobs.join_all().await;
            tokio::time::sleep(pause).await;
        }
    }
}

/// One token of one vendor.
#[derive(Debug)]
struct Token;

#[async_trait]
impl VendorAuth for Token {
    fn limit_key(&self) -> &str {
        "test:token"
    }

    async fn authorize(&self, _: &mut VendorCall) -> Result<()> {
        Ok(())
    }

    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

const DIALECT: Dialect = Dialect {
    name: "test",
    complaint: |_, _| None,
    rows: &[],
};
