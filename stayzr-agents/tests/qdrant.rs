//! The Qdrant index against a fake in the process and, where `STAYZR_TEST_QDRANT_URL` names one,
//! against a real server. Both run the same tests.
#![cfg(feature = "qdrant")]
#![allow(clippy::print_stderr, reason = "a skip is told in one line")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod fake_qdrant;

use std::sync::Arc;

use fake_qdrant::FakeQdrant;
use stayzr_agents::{
    knowledge::{
        InProcessKnowledge, KnowledgeBase, KnowledgeIndex, NewDocument, OfflineEmbedder,
        SearchRequest, conformance, qdrant::QdrantIndex,
    },
    model::embedder::Embedder,
};
use stayzr_core::{
    ErrorKind,
    clock::{Clock, SystemClock},
    ids::{OrganizationId, PropertyId},
    model::Tier,
    port::knowledge::EmbedderMark,
    tenant::TenantScope,
};

fn own_collection() -> String {
    format!("stayzr_knowledge_test_{}", SystemClock.uuid().simple())
}

async fn keeps_its_promises(url: &str) {
    let name = own_collection();
    let connect = |mark| {
        QdrantIndex::connect(url, None, mark)
            .unwrap()
            .with_collection(&name)
    };
    let index = Arc::new(connect(conformance::mark()));
    index.check().await.unwrap();
    conformance::run(Arc::new(InProcessKnowledge::default()), index.clone()).await;

    // Another embedder is refused by the collection itself, also after a restart.
    let scope = TenantScope::organization(OrganizationId::generate(&SystemClock));
    for other in [
        EmbedderMark {
            embedder: "another-1".to_owned(),
            ..conformance::mark()
        },
        EmbedderMark {
            dimension: 7,
            ..conformance::mark()
        },
    ] {
        let vector = vec![0.5; other.dimension as usize];
        let refused = connect(other.clone())
            .search(scope, &vector, &other, 1)
            .await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Conflict);
    }
    let again = connect(conformance::mark());
    let found = again
        .search(scope, &[1.0, 0.0, 0.0, 0.0], &conformance::mark(), 5)
        .await;
    assert!(
        found.unwrap().is_empty(),
        "the point that remembers the embedder is never found"
    );
    index.drop_collection().await.unwrap();
}

async fn answers_questions(url: &str) {
    let name = own_collection();
    let store = Arc::new(InProcessKnowledge::default());
    let connect = || {
        let index = QdrantIndex::connect(url, None, OfflineEmbedder.mark()).unwrap();
        Arc::new(index.with_collection(&name))
    };
    let index = connect();
    let base = |index| {
        KnowledgeBase::new(
            store.clone(),
            index,
            Arc::new(OfflineEmbedder),
            Arc::new(SystemClock),
        )
    };
    let knowledge = base(index.clone());
    let property = PropertyId::generate(&SystemClock);
    let scope = TenantScope::property(OrganizationId::generate(&SystemClock), property);
    let new = |file_name: &str, content: &str| NewDocument {
        property_id: Some(property),
        category: "general".to_owned(),
        file_name: file_name.to_owned(),
        content_type: String::new(),
        content: content.as_bytes().to_vec(),
    };
    let text = "# Breakfast\nFrom 7:00 to 10:30.\n# Pool\nFrom 9:00 to 20:00.\n# Garage\n24 EUR.\n";
    knowledge.put(scope, new("house.md", text)).await.unwrap();
    let ask = async |knowledge: &KnowledgeBase, question: &str| {
        let request = SearchRequest::new(None, question);
        knowledge.search(scope, &request).await.unwrap()
    };
    let found = ask(&knowledge, "Wann gibt es Frühstück?").await;
    assert_eq!(found[0].heading, "Breakfast");
    assert_eq!(found[0].text, "From 7:00 to 10:30.");
    assert_eq!(found[0].match_tier, Tier::Strict);

    // An index that was lost is filled again from the store.
    index.drop_collection().await.unwrap();
    let fresh = base(connect());
    assert!(ask(&fresh, "When does the pool open?").await.is_empty());
    assert_eq!(fresh.reindex(scope).await.unwrap(), 3);
    assert_eq!(
        ask(&fresh, "When does the pool open?").await[0].heading,
        "Pool"
    );
    connect().drop_collection().await.unwrap();
}

#[tokio::test]
async fn the_index_keeps_its_promises_on_a_fake() {
    let fake = FakeQdrant::start().await;
    keeps_its_promises(&fake.url).await;
}

#[tokio::test]
async fn questions_are_answered_on_a_fake() {
    let fake = FakeQdrant::start().await;
    answers_questions(&fake.url).await;
}

#[tokio::test]
async fn what_is_filtered_by_is_indexed() {
    let fake = FakeQdrant::start().await;
    let index = QdrantIndex::connect(&fake.url, None, conformance::mark()).unwrap();
    let scope = TenantScope::organization(OrganizationId::generate(&SystemClock));
    index
        .search(scope, &[1.0, 0.0, 0.0, 0.0], &conformance::mark(), 1)
        .await
        .unwrap();
    assert_eq!(
        fake.indexed_fields("stayzr_knowledge"),
        [
            "category",
            "documentId",
            "fileName",
            "organizationId",
            "propertyId"
        ]
    );
}

#[tokio::test]
async fn a_server_that_is_down_is_unavailable_and_does_not_stop_the_start() {
    let fake = FakeQdrant::start().await;
    let url = fake.url.clone();
    drop(fake);
    let index = QdrantIndex::connect("http://127.0.0.1:1", None, conformance::mark()).unwrap();
    assert_eq!(
        index.check().await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    let scope = TenantScope::organization(OrganizationId::generate(&SystemClock));
    let searched = index
        .search(scope, &[1.0, 0.0, 0.0, 0.0], &conformance::mark(), 1)
        .await;
    assert!(searched.unwrap_err().is_retryable());
    assert!(QdrantIndex::connect(&url, None, conformance::mark()).is_ok());
}

#[tokio::test]
async fn the_index_keeps_its_promises_on_a_real_server() {
    let Ok(url) = std::env::var("STAYZR_TEST_QDRANT_URL") else {
        let required = std::env::var("STAYZR_TEST_REQUIRE").unwrap_or_default();
        assert!(
            !required.split(',').any(|name| name.trim() == "qdrant"),
            "STAYZR_TEST_REQUIRE names qdrant, but STAYZR_TEST_QDRANT_URL is not set"
        );
        eprintln!("skipped: STAYZR_TEST_QDRANT_URL is not set");
        return;
    };
    keeps_its_promises(&url).await;
    answers_questions(&url).await;
}
