//! The index in the process: an exact scan over the vectors that a scope sees.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use stayzr_core::{
    Error, Result,
    ids::{DocumentId, OrganizationId, PropertyId},
    model::Chunk,
    port::knowledge::{EmbedderMark, KnowledgeStore},
    tenant::TenantScope,
};

use super::index::{Hit, KnowledgeIndex, other_embedder};

/// What the cached vectors and texts may weigh together unless told otherwise: 256 MiB.
const DEFAULT_CAPACITY_BYTES: usize = 256 << 20;

/// Above so many numbers a scan leaves the async threads: it takes longer than a millisecond.
const BLOCKING_ABOVE: usize = 8 << 20;

/// Reads the store's vectors once for each (organization, property) and keeps them in memory until
/// the store's generation moves. Exact: it compares with every passage that the scope sees, which
/// for one property is a fraction of a millisecond. Several processes may share one store.
pub struct EmbeddedIndex {
    store: Arc<dyn KnowledgeStore>,
    cache: Mutex<Cache>,
}

impl EmbeddedIndex {
    /// An index over this store's vectors that keeps 256 MiB of them in memory.
    pub fn new(store: Arc<dyn KnowledgeStore>) -> Self {
        Self::with_capacity(store, DEFAULT_CAPACITY_BYTES)
    }

    /// An index that keeps at most so many bytes in memory. What is larger by itself is read from
    /// the store for every search.
    pub fn with_capacity(store: Arc<dyn KnowledgeStore>, capacity_bytes: usize) -> Self {
        Self {
            store,
            cache: Mutex::new(Cache {
                capacity_bytes,
                ..Cache::default()
            }),
        }
    }

    /// What the cache weighs now, in bytes.
    pub fn cached_bytes(&self) -> usize {
        self.lock().bytes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn matrix(&self, scope: TenantScope) -> Result<Arc<Matrix>> {
        // Read before the rows: if a write comes between, the next search sees a newer number and
        // reads again, instead of keeping old rows under the new number.
        let generation = self.store.generation(scope).await?;
        let key = (scope.organization_id, scope.property_id);
        if let Some(matrix) = self.lock().get(key, generation) {
            return Ok(matrix);
        }
        let mark = self.store.embedder_mark(scope).await?;
        let matrix = Arc::new(Matrix::new(
            self.store.chunks(scope).await?,
            mark,
            generation,
        )?);
        self.lock().put(key, Arc::clone(&matrix));
        Ok(matrix)
    }

    async fn refuse_other(
        &self,
        operation: &'static str,
        scope: TenantScope,
        mark: &EmbedderMark,
    ) -> Result<()> {
        match self.store.embedder_mark(scope).await? {
            Some(known) if known != *mark => Err(other_embedder(operation, &known, mark)),
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl KnowledgeIndex for EmbeddedIndex {
    async fn upsert(
        &self,
        scope: TenantScope,
        _document: DocumentId,
        _chunks: &[Chunk],
        mark: &EmbedderMark,
    ) -> Result<()> {
        self.refuse_other("index.upsert", scope, mark).await?;
        self.lock().forget(scope.organization_id);
        Ok(())
    }

    async fn delete(&self, scope: TenantScope, _document: DocumentId) -> Result<()> {
        self.lock().forget(scope.organization_id);
        Ok(())
    }

    async fn search(
        &self,
        scope: TenantScope,
        vector: &[f32],
        mark: &EmbedderMark,
        limit: usize,
    ) -> Result<Vec<Hit>> {
        let matrix = self.matrix(scope).await?;
        let Some(known) = &matrix.mark else {
            return Ok(Vec::new());
        };
        if known != mark || vector.len() != known.dimension as usize {
            return Err(other_embedder("index.search", known, mark));
        }
        if matrix.numbers.len() <= BLOCKING_ABOVE {
            return Ok(matrix.nearest(vector, limit));
        }
        let vector = vector.to_vec();
        tokio::task::spawn_blocking(move || matrix.nearest(&vector, limit))
            .await
            .map_err(|cause| {
                Error::internal("index.search", "the scan was aborted").with_source(cause)
            })
    }
}

type Key = (OrganizationId, Option<PropertyId>);

/// Matrices by scope; the least recently used leave first when the weight passes the cap.
#[derive(Default)]
struct Cache {
    entries: HashMap<Key, (Arc<Matrix>, u64)>,
    capacity_bytes: usize,
    bytes: usize,
    clock: u64,
}

impl Cache {
    fn get(&mut self, key: Key, generation: i64) -> Option<Arc<Matrix>> {
        self.clock += 1;
        let (matrix, used) = self.entries.get_mut(&key)?;
        *used = self.clock;
        (matrix.generation == generation).then(|| Arc::clone(matrix))
    }

    fn put(&mut self, key: Key, matrix: Arc<Matrix>) {
        self.remove(key);
        if matrix.bytes() > self.capacity_bytes {
            return;
        }
        while self.bytes + matrix.bytes() > self.capacity_bytes {
            let Some(oldest) = self
                .entries
                .iter()
                .min_by_key(|(_, (_, used))| *used)
                .map(|(key, _)| *key)
            else {
                break;
            };
            self.remove(oldest);
        }
        self.clock += 1;
        self.bytes += matrix.bytes();
        self.entries.insert(key, (matrix, self.clock));
    }

    fn remove(&mut self, key: Key) {
        if let Some((matrix, _)) = self.entries.remove(&key) {
            self.bytes -= matrix.bytes();
        }
    }

    fn forget(&mut self, organization: OrganizationId) {
        let keys: Vec<Key> = self
            .entries
            .keys()
            .filter(|(owner, _)| *owner == organization)
            .copied()
            .collect();
        keys.into_iter().for_each(|key| self.remove(key));
    }
}

/// The vectors of a scope in one piece of memory, row by row, and the passages they belong to.
struct Matrix {
    numbers: Vec<f32>,
    chunks: Vec<Arc<Chunk>>,
    mark: Option<EmbedderMark>,
    generation: i64,
    text_bytes: usize,
}

impl Matrix {
    fn new(chunks: Vec<Chunk>, mark: Option<EmbedderMark>, generation: i64) -> Result<Self> {
        let width = mark.as_ref().map_or(0, |mark| mark.dimension as usize);
        let mut numbers = Vec::with_capacity(chunks.len() * width);
        let mut kept = Vec::with_capacity(chunks.len());
        let mut text_bytes = 0;
        for mut chunk in chunks {
            let vector = std::mem::take(&mut chunk.embedding);
            if vector.len() != width {
                return Err(
                    Error::corrupt("index.load", "a passage's vector has another length")
                        .with("chunk_id", chunk.id)
                        .with("length", vector.len())
                        .with("dimension", width),
                );
            }
            numbers.extend_from_slice(&vector);
            text_bytes += size_of::<Chunk>()
                + chunk.text.len()
                + chunk.heading.len()
                + chunk.category.len()
                + chunk.file_name.len();
            kept.push(Arc::new(chunk));
        }
        Ok(Self {
            numbers,
            chunks: kept,
            mark,
            generation,
            text_bytes,
        })
    }

    fn bytes(&self) -> usize {
        size_of_val(self.numbers.as_slice()) + self.text_bytes
    }

    fn nearest(&self, vector: &[f32], limit: usize) -> Vec<Hit> {
        let mut scored: Vec<(f32, usize)> = self
            .numbers
            .chunks_exact(vector.len().max(1))
            .map(|row| dot(row, vector))
            .zip(0..self.chunks.len())
            .collect();
        // Equal scores keep the order of the store, so that the same question gets the same answer.
        let order = |a: &(f32, usize), b: &(f32, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if limit < scored.len() {
            scored.select_nth_unstable_by(limit, order);
            scored.truncate(limit);
        }
        scored.sort_unstable_by(order);
        scored
            .into_iter()
            .map(|(cosine, at)| Hit {
                cosine,
                chunk: Arc::clone(&self.chunks[at]),
            })
            .collect()
    }
}

/// The dot product in sixteen sums that do not wait for each other, which the compiler turns into
/// vector instructions. One running sum would forbid it, since it may not reorder additions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
