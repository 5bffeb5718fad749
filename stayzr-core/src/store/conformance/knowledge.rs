//! [`crate::port::knowledge::KnowledgeStore`].

use chrono::TimeDelta;

use super::{Report, sample};
use crate::{
    ErrorKind, Result,
    clock::{Clock, ManualClock},
    ids::{ChunkId, DocumentId, PropertyId},
    model::{Chunk, Document},
    port::{
        PageRequest,
        knowledge::{EmbedderMark, KnowledgeStore},
        setup::Setup,
    },
    tenant::TenantScope,
};

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Setup + KnowledgeStore + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "knowledge::a_document_comes_back_with_its_passages",
        a_document_comes_back_with_its_passages(store, clock),
    )
    .await;
    r.scenario(
        "knowledge::a_document_replaces_its_namesake",
        a_document_replaces_its_namesake(store, clock),
    )
    .await;
    r.scenario(
        "knowledge::invariant_t_documents_stay_in_their_house",
        invariant_t_documents_stay_in_their_house(store, clock),
    )
    .await;
    r.scenario(
        "knowledge::another_embedder_is_refused",
        another_embedder_is_refused(store, clock),
    )
    .await;
    report
}

fn document(
    clock: &ManualClock,
    scope: TenantScope,
    property_id: Option<PropertyId>,
    file_name: &str,
) -> Document {
    Document {
        id: DocumentId::generate(clock),
        organization_id: scope.organization_id,
        property_id,
        category: "breakfast".to_owned(),
        file_name: file_name.to_owned(),
        content_type: "text/markdown".to_owned(),
        content: "# Breakfast\n07:00–10:30 · € 18".to_owned(),
        sha256: "0".repeat(64),
        created_at: clock.now(),
        updated_at: clock.now(),
    }
}

fn chunks(clock: &ManualClock, document: &Document, count: i64) -> Vec<Chunk> {
    (0..count)
        .map(|ordinal| Chunk {
            id: ChunkId::generate(clock),
            document_id: document.id,
            organization_id: document.organization_id,
            property_id: document.property_id,
            category: document.category.clone(),
            file_name: document.file_name.clone(),
            ordinal,
            heading: "Breakfast › Hours".to_owned(),
            text: format!("passage {ordinal}"),
            embedding: vec![0.1, -0.3, f32::MIN_POSITIVE],
        })
        .collect()
}

fn mark() -> EmbedderMark {
    EmbedderMark {
        embedder: "offline-lexical-1".to_owned(),
        dimension: 3,
    }
}

async fn put<S: KnowledgeStore + ?Sized>(
    store: &S,
    clock: &ManualClock,
    scope: TenantScope,
    document: &Document,
    count: i64,
) -> Document {
    let chunks = chunks(clock, document, count);
    store
        .put_document(scope, document.clone(), chunks, &mark())
        .await
        .expect("stored")
}

/// A document and its passages come back as they were stored, vectors bit by bit, in order.
pub async fn a_document_comes_back_with_its_passages<S>(
    store: &S,
    clock: &ManualClock,
) -> Result<()>
where
    S: Setup + KnowledgeStore + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    assert_eq!(store.embedder_mark(scope).await?, None);
    assert_eq!(store.generation(scope).await?, 0);
    let document = document(clock, scope, scope.property_id, "breakfast.md");
    let passages = chunks(clock, &document, 12);
    let stored = store
        .put_document(scope, document.clone(), passages.clone(), &mark())
        .await?;
    assert_eq!(stored, document);
    let read = store.document(scope, document.id).await?;
    assert_eq!(read, Some(document));
    assert_eq!(store.chunks(scope).await?, passages);
    assert_eq!(store.embedder_mark(scope).await?, Some(mark()));
    assert!(store.generation(scope).await? > 0);
    Ok(())
}

/// A document takes the place of the one with the same property and file name and keeps its id;
/// the passages of before are gone. Each write counts.
pub async fn a_document_replaces_its_namesake<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + KnowledgeStore + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let wide = sample::widened(scope);
    let first = document(clock, scope, scope.property_id, "a.md");
    put(store, clock, scope, &first, 3).await;
    let generation = store.generation(scope).await?;

    clock.advance(TimeDelta::seconds(5));
    let mut second = document(clock, scope, scope.property_id, "a.md");
    second.content = "other".to_owned();
    second.category = "wifi".to_owned();
    let stored = put(store, clock, scope, &second, 1).await;
    assert_eq!(stored.id, first.id);
    assert_eq!(stored.content, "other");
    let passages = store.chunks(scope).await?;
    assert_eq!(passages.len(), 1);
    assert_eq!(passages[0].document_id, first.id);
    assert_eq!(passages[0].category, "wifi");
    assert!(store.generation(scope).await? > generation);

    // The organization's own document of that name is another one.
    let shared = document(clock, scope, None, "a.md");
    let stored = put(store, clock, wide, &shared, 1).await;
    assert_eq!(stored.id, shared.id);
    let page = PageRequest::default();
    let listed = store.documents(wide, &page).await?.items;
    assert_eq!(listed.len(), 2);
    Ok(())
}

/// A property sees its own documents and the organization's, another property and another
/// organization do not see them.
pub async fn invariant_t_documents_stay_in_their_house<S>(
    store: &S,
    clock: &ManualClock,
) -> Result<()>
where
    S: Setup + KnowledgeStore + ?Sized,
{
    let here = sample::tenant(store, clock).await;
    let there = sample::another_property(store, clock, here.organization_id).await;
    let stranger = sample::tenant(store, clock).await;
    let own = document(clock, here, here.property_id, "own.md");
    let shared = document(clock, here, None, "shared.md");
    put(store, clock, here, &own, 2).await;
    put(store, clock, sample::widened(here), &shared, 1).await;

    for (scope, documents) in [
        (sample::widened(here), vec![&own, &shared]),
        (here, vec![&own, &shared]),
        (there, vec![&shared]),
        (stranger, vec![]),
    ] {
        let page = PageRequest::default();
        let listed = store.documents(scope, &page).await?.items;
        assert_eq!(
            listed
                .iter()
                .map(|document| document.id)
                .collect::<Vec<_>>(),
            documents
                .iter()
                .map(|document| document.id)
                .collect::<Vec<_>>(),
            "{scope:?}"
        );
        let passages = store.chunks(scope).await?;
        assert!(
            passages
                .iter()
                .all(|chunk| documents.iter().any(|seen| seen.id == chunk.document_id))
        );
        let seen = store.document(scope, own.id).await?;
        assert_eq!(seen.is_some(), documents.contains(&&own));
    }
    let generation = store.generation(here).await?;
    for scope in [there, stranger] {
        assert!(!store.delete_document(scope, own.id).await?);
    }
    let error = store
        .put_document(stranger, own.clone(), Vec::new(), &mark())
        .await
        .expect_err("another tenant's");
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(store.generation(here).await?, generation);
    assert!(store.delete_document(here, own.id).await?);
    assert!(!store.delete_document(here, own.id).await?);
    assert!(store.generation(here).await? > generation);
    let left = store.chunks(here).await?;
    assert!(left.iter().all(|chunk| chunk.document_id == shared.id));
    Ok(())
}

/// Vectors of another embedder, or of another dimension, are refused and nothing is written.
pub async fn another_embedder_is_refused<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Setup + KnowledgeStore + ?Sized,
{
    let scope = sample::tenant(store, clock).await;
    let first = document(clock, scope, scope.property_id, "a.md");
    put(store, clock, scope, &first, 1).await;
    let generation = store.generation(scope).await?;
    let second = document(clock, scope, scope.property_id, "b.md");
    let foreign = EmbedderMark {
        embedder: "gemini-embedding-001".to_owned(),
        dimension: 3,
    };
    let passages = chunks(clock, &second, 1);
    let error = store
        .put_document(scope, second.clone(), passages, &foreign)
        .await
        .expect_err("another embedder");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(store.document(scope, second.id).await?, None);
    assert_eq!(store.embedder_mark(scope).await?, Some(mark()));
    assert_eq!(store.generation(scope).await?, generation);
    Ok(())
}
