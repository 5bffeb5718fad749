//! Passages in Qdrant: written by document, found by scope and vector.

use std::time::Duration;

use ::qdrant_client::{
    Qdrant,
    qdrant::{
        Condition, DeletePointsBuilder, Filter, PointId, QueryPointsBuilder, SearchParamsBuilder,
        UpsertPointsBuilder,
    },
};
use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use stayzr_core::{
    Result, ids::DocumentId, model::Chunk, port::knowledge::EmbedderMark, tenant::TenantScope,
};
use tokio::sync::OnceCell;

use super::{
    collection::prepare,
    error::mapped,
    point::{DOCUMENT, ORGANIZATION, PROPERTY, hit_of, point_of},
};
use crate::knowledge::index::{Hit, KnowledgeIndex, other_embedder};

/// The collection's name.
pub const COLLECTION: &str = "stayzr_knowledge";

/// How many points go in one request: 64 of 3,072 numbers are below the server's 4 MB of gRPC.
const BATCH: usize = 64;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const TIMEOUT: Duration = Duration::from_secs(15);

/// A [`KnowledgeIndex`] in a Qdrant collection, bound to one embedder. The collection is made by
/// the first call that needs it, so that a server may start while Qdrant is down.
pub struct QdrantIndex {
    client: Qdrant,
    collection: String,
    mark: EmbedderMark,
    ready: OnceCell<()>,
}

impl QdrantIndex {
    /// An index at this gRPC address (`http://localhost:6334`) for the vectors of one embedder.
    /// Opens no connection yet. [`stayzr_core::ErrorKind::Invalid`] if the address is none.
    pub fn connect(url: &str, api_key: Option<&SecretString>, mark: EmbedderMark) -> Result<Self> {
        // The check of versions asks the server at once and prints to standard output.
        let mut config = Qdrant::from_url(url)
            .skip_compatibility_check()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT);
        if let Some(key) = api_key {
            config.set_api_key(key.expose_secret());
        }
        let client = config.build().map_err(mapped("index.connect"))?;
        Ok(Self {
            client,
            collection: COLLECTION.to_owned(),
            mark,
            ready: OnceCell::new(),
        })
    }

    /// The same index in a collection of another name.
    #[must_use]
    pub fn with_collection(mut self, name: impl Into<String>) -> Self {
        self.collection = name.into();
        self.ready = OnceCell::new();
        self
    }

    /// Whether the server answers, for readiness.
    /// [`stayzr_core::ErrorKind::Unavailable`] where it does not.
    pub async fn check(&self) -> Result<()> {
        self.client
            .health_check()
            .await
            .map(|_| ())
            .map_err(mapped("index.check"))
    }

    /// Removes the whole collection, all organizations' passages with it.
    pub async fn drop_collection(&self) -> Result<()> {
        self.client
            .delete_collection(&self.collection)
            .await
            .map(|_| ())
            .map_err(mapped("index.drop"))
    }

    async fn ready(&self, operation: &'static str, mark: &EmbedderMark) -> Result<()> {
        if *mark != self.mark {
            return Err(other_embedder(operation, &self.mark, mark));
        }
        self.ready
            .get_or_try_init(|| prepare(&self.client, &self.collection, &self.mark))
            .await
            .copied()
    }
}

/// What a scope sees. The organization is a condition of its own that must hold; were it one of
/// the alternatives, a passage without property would belong to everybody.
fn visible(scope: TenantScope) -> Filter {
    let mut must = vec![Condition::matches(
        ORGANIZATION,
        scope.organization_id.to_string(),
    )];
    if let Some(property) = scope.property_id {
        let own = Condition::matches(PROPERTY, property.to_string());
        let shared = Condition::is_empty(PROPERTY);
        must.push(Filter::should([own, shared]).into());
    }
    Filter::must(must)
}

fn of_document(scope: TenantScope, document: DocumentId) -> Filter {
    let mut filter = visible(scope);
    filter
        .must
        .push(Condition::matches(DOCUMENT, document.to_string()));
    filter
}

#[async_trait]
impl KnowledgeIndex for QdrantIndex {
    async fn upsert(
        &self,
        scope: TenantScope,
        document: DocumentId,
        chunks: &[Chunk],
        mark: &EmbedderMark,
    ) -> Result<()> {
        self.ready("index.upsert", mark).await?;
        for batch in chunks.chunks(BATCH) {
            let points = batch.iter().map(point_of).collect::<Result<Vec<_>>>()?;
            self.client
                .upsert_points(UpsertPointsBuilder::new(&self.collection, points).wait(true))
                .await
                .map_err(mapped("index.upsert"))?;
        }
        // The old passages go after the new ones are there: a search in between finds both rather
        // than none.
        let mut stale = of_document(scope, document);
        if !chunks.is_empty() {
            let fresh: Vec<PointId> = chunks
                .iter()
                .map(|chunk| chunk.id.to_string().into())
                .collect();
            stale.must_not.push(Condition::has_id(fresh));
        }
        self.client
            .delete_points(
                DeletePointsBuilder::new(&self.collection)
                    .points(stale)
                    .wait(true),
            )
            .await
            .map_err(mapped("index.upsert"))?;
        Ok(())
    }

    async fn delete(&self, scope: TenantScope, document: DocumentId) -> Result<()> {
        self.ready("index.delete", &self.mark).await?;
        let gone = of_document(scope, document);
        self.client
            .delete_points(
                DeletePointsBuilder::new(&self.collection)
                    .points(gone)
                    .wait(true),
            )
            .await
            .map_err(mapped("index.delete"))?;
        Ok(())
    }

    async fn search(
        &self,
        scope: TenantScope,
        vector: &[f32],
        mark: &EmbedderMark,
        limit: usize,
    ) -> Result<Vec<Hit>> {
        self.ready("index.search", mark).await?;
        // Exact: a scope has few passages, and a graph search under a filter may miss some.
        let request = QueryPointsBuilder::new(&self.collection)
            .query(vector.to_vec())
            .filter(visible(scope))
            .params(SearchParamsBuilder::default().exact(true))
            .limit(limit as u64)
            .with_payload(true);
        self.client
            .query(request)
            .await
            .map_err(mapped("index.search"))?
            .result
            .into_iter()
            .map(hit_of)
            .collect()
    }
}
