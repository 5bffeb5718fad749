//! Starting and stopping: what goes wrong is said clearly, and nothing is half done.

mod common;

use std::time::Duration;

use common::Server;
use stayzr_server::{
    compose::{Foundation, Opening, prepare_folder},
    config::{Sources, load},
    http::bind,
};

#[tokio::test]
async fn a_port_in_use_has_a_code() {
    let taken = bind("127.0.0.1:0".parse().expect("an address"))
        .await
        .expect("free");
    let failure = bind(taken.address()).await.expect_err("taken");
    assert_eq!(failure.code, "port_in_use");
    assert!(failure.message.contains("server.listen"), "{failure}");
}

#[test]
fn a_data_folder_that_cannot_be_written_has_a_code() {
    let file = tempfile::NamedTempFile::new().expect("temporary file");
    let failure = prepare_folder(&file.path().join("data")).expect_err("below a file");
    assert_eq!(failure.code, "data_dir_not_writable");
}

#[tokio::test]
async fn a_missing_database_is_not_made_by_a_command_that_only_looks() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let data = folder.path().join("none");
    let sources = Sources::default().flag("server.data_dir", data.display().to_string());
    let config = load(&sources).expect("configuration");
    let failure = Foundation::open(config, Opening::Existing)
        .await
        .err()
        .expect("there is no database");
    assert_eq!(failure.code, "database_missing", "{failure}");
    assert!(!data.exists(), "nothing was made");
}

#[tokio::test]
async fn a_server_told_to_stop_ends_and_answers_nobody() {
    let server = Server::start().await;
    let url = server.url("/health");
    let client = server.client.clone();
    assert!(client.get(&url).send().await.is_ok());
    let stopped = tokio::time::timeout(Duration::from_secs(5), server.app.stop()).await;
    assert!(stopped.is_ok(), "idle, it ends at once");
    assert!(client.get(&url).send().await.is_err());
}
