//! Where the server counts, and what it says where that does not answer.

use serde_json::Value;
use stayzr_server::{
    compose::{Foundation, Opening},
    config::{Sources, load},
    http::bind,
};
use stayzr_tests::servers::{TestDatabase, TestRedis};

async fn foundation(folder: &tempfile::TempDir, flags: &[(&str, &str)]) -> Foundation {
    let mut sources = Sources::default()
        .flag("server.data_dir", folder.path().display().to_string())
        .flag("server.listen", "127.0.0.1:0");
    for (key, value) in flags {
        sources = sources.flag(key, *value);
    }
    let config = load(&sources).expect("a configuration");
    let opened = Foundation::open(config, Opening::Prepare).await;
    opened.expect("a foundation")
}

async fn place(flags: &[(&str, &str)]) -> &'static str {
    let folder = tempfile::tempdir().expect("a folder");
    let base = foundation(&folder, flags).await;
    let ledger = base.providers.ledger();
    ledger.check().await.expect("it answers");
    assert!(ledger.is_shared());
    ledger.place()
}

#[tokio::test]
async fn the_server_counts_where_its_processes_meet() {
    assert_eq!(place(&[]).await, "SQLite");
    if let Some(database) = TestDatabase::create().await {
        let place = place(&[("store.url", &database.url())]).await;
        database.drop_database().await;
        assert_eq!(place, "PostgreSQL");
    }
    if let Some(redis) = TestRedis::create().await {
        assert_eq!(place(&[("cache.redis_url", redis.url())]).await, "Redis");
    }
}

#[tokio::test]
async fn without_redis_the_server_starts_and_is_degraded_not_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = foundation(&folder, &[("cache.redis_url", "redis://127.0.0.1:9")]).await;
    let bound = bind(base.config.server.listen).await.expect("a free port");
    let app = base.start(bound).expect("a server");
    let client =
        stayzr_pms::http::default_client(std::time::Duration::from_secs(5)).expect("a client");
    let url = format!("{}/ready", app.public_url);
    let answer = client.get(url).send().await.expect("it answers");
    let status = answer.status();
    let ready: Value = answer.json().await.expect("JSON");
    app.stop().await;

    assert_eq!(status, 200, "webhooks are still taken: {ready}");
    assert_eq!(ready["status"], "degraded", "{ready}");
    let dependencies = ready["dependencies"].as_array().expect("a list");
    let redis = dependencies.iter().find(|one| one["name"] == "redis");
    let redis = redis.expect("it is asked");
    assert_eq!(redis["status"], "down", "{ready}");
    let consequence = redis["consequence"].as_str().expect("a sentence");
    assert!(consequence.contains("calls to vendors wait"), "{ready}");
}
