//! What every [`KnowledgeIndex`] promises, as scenarios to run against one.
//!
//! Panics where a promise is broken, since it is meant for tests. The scenarios make organizations
//! of their own and remove what they put, so a shared server may be used.

use std::sync::Arc;

use stayzr_core::{
    ErrorKind,
    clock::{Clock, SystemClock},
    ids::{ChunkId, DocumentId, OrganizationId, PropertyId},
    model::{Chunk, Document},
    port::knowledge::{EmbedderMark, KnowledgeStore},
    tenant::TenantScope,
};

use super::index::KnowledgeIndex;

/// The dimension of the vectors that the scenarios use.
pub const DIMENSION: u32 = 4;

/// The embedder that the scenarios pretend to use. An index that is bound to one is made with it.
pub fn mark() -> EmbedderMark {
    EmbedderMark {
        embedder: "conformance-1".to_owned(),
        dimension: DIMENSION,
    }
}

/// Runs all scenarios. `store` is where the index under test reads rows, if it does.
///
/// # Panics
/// Where the index breaks a promise, with the promise.
pub async fn run(store: Arc<dyn KnowledgeStore>, index: Arc<dyn KnowledgeIndex>) {
    let bench = Bench { store, index };
    bench.finds_the_nearest_first().await;
    bench.shows_only_what_the_scope_sees().await;
    bench.replaces_a_document_whole().await;
    bench.forgets_a_deleted_document().await;
    bench.deletes_only_in_its_scope().await;
    bench.refuses_another_embedder().await;
    bench.keeps_every_part_of_a_passage().await;
}

struct Bench {
    store: Arc<dyn KnowledgeStore>,
    index: Arc<dyn KnowledgeIndex>,
}

fn organization() -> OrganizationId {
    OrganizationId::generate(&SystemClock)
}

fn property() -> PropertyId {
    PropertyId::generate(&SystemClock)
}

impl Bench {
    async fn put(
        &self,
        organization: OrganizationId,
        property: Option<PropertyId>,
        file_name: &str,
        passages: &[(&str, [f32; 4])],
    ) -> DocumentId {
        let now = SystemClock.now();
        let id = DocumentId::generate(&SystemClock);
        let document = Document {
            id,
            organization_id: organization,
            property_id: property,
            category: "test".to_owned(),
            file_name: file_name.to_owned(),
            content_type: "text/plain".to_owned(),
            content: "text".to_owned(),
            sha256: "0".repeat(64),
            created_at: now,
            updated_at: now,
        };
        let mut chunks: Vec<Chunk> = passages
            .iter()
            .zip(0_i64..)
            .map(|((text, vector), ordinal)| Chunk {
                id: ChunkId::generate(&SystemClock),
                document_id: id,
                organization_id: organization,
                property_id: property,
                category: "test".to_owned(),
                file_name: file_name.to_owned(),
                ordinal,
                heading: "House › Rules".to_owned(),
                text: (*text).to_owned(),
                embedding: vector.to_vec(),
            })
            .collect();
        let scope = TenantScope::organization(organization);
        let stored = self
            .store
            .put_document(scope, document, chunks.clone(), &mark())
            .await
            .expect("the store takes the document");
        for chunk in &mut chunks {
            chunk.document_id = stored.id;
        }
        self.index
            .upsert(scope, stored.id, &chunks, &mark())
            .await
            .expect("the index takes the passages");
        stored.id
    }

    async fn delete(&self, organization: OrganizationId, id: DocumentId) {
        let scope = TenantScope::organization(organization);
        self.store
            .delete_document(scope, id)
            .await
            .expect("the store deletes");
        self.index
            .delete(scope, id)
            .await
            .expect("the index deletes");
    }

    async fn texts(&self, scope: TenantScope, vector: [f32; 4], limit: usize) -> Vec<String> {
        self.index
            .search(scope, &vector, &mark(), limit)
            .await
            .expect("the index searches")
            .into_iter()
            .map(|hit| hit.chunk.text.clone())
            .collect()
    }

    async fn finds_the_nearest_first(&self) {
        let (organization, property) = (organization(), property());
        let id = self
            .put(
                organization,
                Some(property),
                "near.txt",
                &[
                    ("far", [0.0, 1.0, 0.0, 0.0]),
                    ("near", [1.0, 0.0, 0.0, 0.0]),
                    ("between", [0.6, 0.8, 0.0, 0.0]),
                ],
            )
            .await;
        let scope = TenantScope::property(organization, property);
        let found = self
            .index
            .search(scope, &[1.0, 0.0, 0.0, 0.0], &mark(), 2)
            .await
            .expect("the index searches");
        let texts: Vec<&str> = found.iter().map(|hit| hit.chunk.text.as_str()).collect();
        assert_eq!(texts, ["near", "between"], "best first, at most the limit");
        let cosines: Vec<f32> = found.iter().map(|hit| hit.cosine).collect();
        assert!(
            (cosines[0] - 1.0).abs() < 1e-3 && (cosines[1] - 0.6).abs() < 1e-3,
            "the score is the cosine: {cosines:?}"
        );
        self.delete(organization, id).await;
    }

    async fn shows_only_what_the_scope_sees(&self) {
        let (mine, other) = (organization(), organization());
        let (here, there) = (property(), property());
        let same = [1.0, 0.0, 0.0, 0.0];
        let ids = [
            (
                mine,
                self.put(mine, Some(here), "a.txt", &[("here", same)]).await,
            ),
            (
                mine,
                self.put(mine, Some(there), "a.txt", &[("there", same)])
                    .await,
            ),
            (
                mine,
                self.put(mine, None, "a.txt", &[("everywhere", same)]).await,
            ),
            (
                other,
                self.put(other, None, "a.txt", &[("foreign", same)]).await,
            ),
        ];
        let sorted = async |scope| {
            let mut texts = self.texts(scope, same, 10).await;
            texts.sort();
            texts
        };
        assert_eq!(
            sorted(TenantScope::property(mine, here)).await,
            ["everywhere", "here"],
            "a property sees its own and the organization's"
        );
        assert_eq!(
            sorted(TenantScope::organization(mine)).await,
            ["everywhere", "here", "there"],
            "an organization sees all of its own"
        );
        assert_eq!(
            sorted(TenantScope::property(other, here)).await,
            ["foreign"],
            "another organization's property id opens nothing"
        );
        assert!(
            sorted(TenantScope::organization(organization()))
                .await
                .is_empty(),
            "an organization without documents sees nothing"
        );
        for (owner, id) in ids {
            self.delete(owner, id).await;
        }
    }

    async fn replaces_a_document_whole(&self) {
        let (organization, property) = (organization(), property());
        let scope = TenantScope::property(organization, property);
        let (x, y) = ([1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]);
        let old = self
            .put(
                organization,
                Some(property),
                "menu.txt",
                &[("old one", x), ("old two", y)],
            )
            .await;
        assert_eq!(self.texts(scope, x, 10).await.len(), 2);
        let new = self
            .put(organization, Some(property), "menu.txt", &[("new", x)])
            .await;
        assert_eq!(new, old, "a file of the same name keeps its id");
        assert_eq!(
            self.texts(scope, x, 10).await,
            ["new"],
            "nothing of the old one is left"
        );
        self.delete(organization, new).await;
    }

    async fn forgets_a_deleted_document(&self) {
        let (organization, property) = (organization(), property());
        let scope = TenantScope::property(organization, property);
        let x = [1.0, 0.0, 0.0, 0.0];
        let gone = self
            .put(organization, Some(property), "gone.txt", &[("gone", x)])
            .await;
        let kept = self
            .put(organization, Some(property), "kept.txt", &[("kept", x)])
            .await;
        self.delete(organization, gone).await;
        assert_eq!(self.texts(scope, x, 10).await, ["kept"]);
        self.index
            .delete(scope, gone)
            .await
            .expect("deleting again is fine");
        self.delete(organization, kept).await;
    }

    async fn deletes_only_in_its_scope(&self) {
        let (mine, property) = (organization(), property());
        let scope = TenantScope::property(mine, property);
        let x = [1.0, 0.0, 0.0, 0.0];
        let id = self
            .put(mine, Some(property), "mine.txt", &[("mine", x)])
            .await;
        self.index
            .delete(TenantScope::organization(organization()), id)
            .await
            .expect("deleting what is not there is fine");
        assert_eq!(self.texts(scope, x, 10).await, ["mine"]);
        self.delete(mine, id).await;
    }

    async fn refuses_another_embedder(&self) {
        let (organization, property) = (organization(), property());
        let scope = TenantScope::property(organization, property);
        let x = [1.0, 0.0, 0.0, 0.0];
        let id = self
            .put(organization, Some(property), "mark.txt", &[("marked", x)])
            .await;
        let renamed = EmbedderMark {
            embedder: "conformance-2".to_owned(),
            ..mark()
        };
        let wider = EmbedderMark {
            dimension: 5,
            ..mark()
        };
        for (other, vector) in [(&renamed, x.to_vec()), (&wider, vec![0.5; 5])] {
            let searched = self.index.search(scope, &vector, other, 1).await;
            assert_eq!(
                searched.expect_err("another embedder is refused").kind(),
                ErrorKind::Conflict
            );
            let put = self.index.upsert(scope, id, &[], other).await;
            assert_eq!(
                put.expect_err("another embedder is refused").kind(),
                ErrorKind::Conflict
            );
        }
        assert_eq!(
            self.texts(scope, x, 1).await,
            ["marked"],
            "and nothing was harmed"
        );
        self.delete(organization, id).await;
    }

    async fn keeps_every_part_of_a_passage(&self) {
        let (organization, property) = (organization(), property());
        let x = [1.0, 0.0, 0.0, 0.0];
        let text = "Ünïcode “quotes” 早餐, and\na second line";
        let id = self
            .put(organization, Some(property), "whole.txt", &[(text, x)])
            .await;
        let scope = TenantScope::property(organization, property);
        let found = self
            .index
            .search(scope, &x, &mark(), 1)
            .await
            .expect("the index searches");
        let chunk = &found[0].chunk;
        assert_eq!(chunk.text, text);
        assert_eq!(chunk.heading, "House › Rules");
        assert_eq!(chunk.file_name, "whole.txt");
        assert_eq!(chunk.category, "test");
        assert_eq!(chunk.ordinal, 0);
        assert_eq!(
            (chunk.document_id, chunk.organization_id, chunk.property_id),
            (id, organization, Some(property))
        );
        self.delete(organization, id).await;
    }
}
