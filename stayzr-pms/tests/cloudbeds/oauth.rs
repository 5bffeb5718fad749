//! Tokens are renewed once, in time, and kept.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use stayzr_core::{Error, ErrorKind, Result, transform::EntityKind};
use stayzr_pms::{
    PageQuery, PmsProvider,
    providers::cloudbeds::{
        CloudbedsConfig, CloudbedsCredentials, CloudbedsProvider, CredentialStore,
    },
    sandbox::{CloudbedsOptions, CloudbedsSandbox, Fault},
};

use crate::common::{options, quick_http};

/// Credentials as a server keeps them.
#[derive(Debug, Default)]
struct Shelf {
    kept: Mutex<Vec<CloudbedsCredentials>>,
    failures: Mutex<u32>,
}

#[async_trait]
impl CredentialStore for Shelf {
    async fn current(&self) -> Result<Option<CloudbedsCredentials>> {
        Ok(self.kept.lock().unwrap().last().cloned())
    }

    async fn keep(&self, credentials: &CloudbedsCredentials) -> Result<()> {
        let mut failures = self.failures.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err(Error::unavailable("test.keep", "the store is down"));
        }
        self.kept.lock().unwrap().push(credentials.clone());
        Ok(())
    }
}

impl Shelf {
    fn refresh_tokens(&self) -> Vec<String> {
        let kept = self.kept.lock().unwrap();
        kept.iter()
            .map(|credentials| match credentials {
                CloudbedsCredentials::OAuth(tokens) => {
                    tokens.refresh_token.expose_secret().to_owned()
                }
                CloudbedsCredentials::ApiKey(_) => panic!("a key is never renewed"),
            })
            .collect()
    }
}

fn credentials(refresh: &str) -> CloudbedsCredentials {
    let json = format!(
        r#"{{"client_id":"sandbox-client","client_secret":"sandbox-client-secret","refresh_token":"{refresh}"}}"#
    );
    CloudbedsCredentials::parse(&SecretString::from(json)).unwrap()
}

fn provider(
    sandbox: &CloudbedsSandbox,
    credentials: CloudbedsCredentials,
    store: &Arc<Shelf>,
) -> Arc<CloudbedsProvider> {
    let store: Arc<dyn CredentialStore> = Arc::clone(store) as _;
    let config = CloudbedsConfig::new(sandbox.base_url());
    Arc::new(CloudbedsProvider::new(
        config,
        credentials,
        quick_http(),
        Some(store),
    ))
}

async fn refreshes(sandbox: &CloudbedsSandbox) -> u64 {
    let client = stayzr_pms::http::default_client(Duration::from_secs(1)).unwrap();
    let url = format!("{}/_sandbox/stats", sandbox.base_url());
    let stats: Value = client.get(url).send().await.unwrap().json().await.unwrap();
    stats["refreshes"].as_u64().unwrap()
}

async fn read(provider: Arc<CloudbedsProvider>) -> Result<usize> {
    let query = PageQuery {
        kind: EntityKind::RoomType,
        changed: None,
        position: None,
    };
    Ok(provider.fetch_page(&query).await?.records.len())
}

async fn hundred(provider: &Arc<CloudbedsProvider>) {
    let calls: Vec<_> = (0..100)
        .map(|_| tokio::spawn(read(Arc::clone(provider))))
        .collect();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap(), 5);
    }
}

fn refuse(sandbox: &CloudbedsSandbox, count: u32) {
    let fault = Fault {
        kind: "error_401".to_owned(),
        operation: Some("getRoomTypes".to_owned()),
        count,
        retry_after: None,
    };
    sandbox.inject(fault).unwrap();
}

#[tokio::test]
async fn a_hundred_who_wait_share_one_renewal() {
    let sandbox = CloudbedsSandbox::start(options()).await.unwrap();
    let shelf = Arc::new(Shelf::default());
    let provider = provider(&sandbox, credentials("sandbox-refresh-token"), &shelf);
    hundred(&provider).await;
    assert_eq!(refreshes(&sandbox).await, 1);
    assert_eq!(shelf.refresh_tokens(), ["sandbox-refresh-1"]);
}

#[tokio::test]
async fn a_hundred_who_are_refused_share_one_renewal() {
    let sandbox = CloudbedsSandbox::start(options()).await.unwrap();
    let shelf = Arc::new(Shelf::default());
    let mut known = match credentials("sandbox-refresh-token") {
        CloudbedsCredentials::OAuth(tokens) => tokens,
        CloudbedsCredentials::ApiKey(_) => unreachable!(),
    };
    // A token that ended earlier than it should have.
    known.access_token = Some(SecretString::from("ended"));
    known.expires_at = Some(chrono::Utc::now() + chrono::TimeDelta::hours(1));
    let provider = provider(&sandbox, CloudbedsCredentials::OAuth(known), &shelf);
    hundred(&provider).await;
    assert_eq!(refreshes(&sandbox).await, 1);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let sandbox = CloudbedsSandbox::start(CloudbedsOptions {
        token_life: Duration::from_secs(1),
        ..options()
    })
    .await
    .unwrap();
    let shelf = Arc::new(Shelf::default());
    let provider = provider(&sandbox, credentials("sandbox-refresh-token"), &shelf);
    // For longer than two lives, so that the clock itself ends the tokens.
    let until = tokio::time::Instant::now() + Duration::from_millis(2300);
    while tokio::time::Instant::now() < until {
        assert_eq!(read(Arc::clone(&provider)).await.unwrap(), 5);
    }
    let renewed = refreshes(&sandbox).await;
    assert!((2..=5).contains(&renewed), "{renewed}");
    let kept = shelf.refresh_tokens();
    assert_eq!(kept.last().unwrap(), &format!("sandbox-refresh-{renewed}"));
}

#[tokio::test]
async fn a_refusal_right_after_a_renewal_is_told_and_not_renewed_away() {
    let sandbox = CloudbedsSandbox::start(options()).await.unwrap();
    let shelf = Arc::new(Shelf::default());
    let provider = provider(&sandbox, credentials("sandbox-refresh-token"), &shelf);
    provider.check().await.unwrap();
    refuse(&sandbox, 5);
    let error = read(Arc::clone(&provider)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert_eq!(refreshes(&sandbox).await, 1);
}

#[tokio::test]
async fn a_store_that_fails_is_asked_again_and_stops_nobody() {
    let sandbox = CloudbedsSandbox::start(options()).await.unwrap();
    let shelf = Arc::new(Shelf::default());
    *shelf.failures.lock().unwrap() = 1;
    let provider = provider(&sandbox, credentials("sandbox-refresh-token"), &shelf);
    assert_eq!(read(Arc::clone(&provider)).await.unwrap(), 5);
    assert_eq!(read(provider).await.unwrap(), 5);
    assert_eq!(shelf.refresh_tokens(), ["sandbox-refresh-1"]);
}

#[tokio::test]
async fn tokens_that_another_process_renewed_are_taken_instead_of_renewed_again() {
    let sandbox = CloudbedsSandbox::start(options()).await.unwrap();
    let shelf = Arc::new(Shelf::default());
    let one = provider(&sandbox, credentials("sandbox-refresh-token"), &shelf);
    assert_eq!(read(one).await.unwrap(), 5);
    // The other still has the token that the first has used up.
    let other = provider(&sandbox, credentials("sandbox-refresh-token"), &shelf);
    assert_eq!(read(other).await.unwrap(), 5);
    assert_eq!(refreshes(&sandbox).await, 1);
}

#[tokio::test]
async fn a_refresh_token_that_is_refused_says_to_connect_anew() {
    let sandbox = CloudbedsSandbox::start(options()).await.unwrap();
    let shelf = Arc::new(Shelf::default());
    let provider = provider(&sandbox, credentials("used-up"), &shelf);
    let error = provider.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("connect anew"), "{error}");
    assert!(!format!("{error:?}").contains("used-up"));
}
