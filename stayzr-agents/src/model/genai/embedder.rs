use async_trait::async_trait;
use genai::embed::EmbedOptions;
use stayzr_core::{Error, ErrorKind, Result, port::knowledge::EmbedderMark};

use super::{
    config::{GenaiConfig, Provider},
    connection::{Connection, http_client},
    error::translate,
};
use crate::model::embedder::{Calibration, Curve, Embedder};

/// Texts of one call; Gemini takes a hundred.
const BATCH: usize = 100;
/// How long one call may take.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(30);
const OPERATION: &str = "model.embed";

/// An embedder of a provider. Vectors are brought to length one: Gemini's shorter ones are not.
pub struct GenaiEmbedder {
    connection: Connection,
    provider: Provider,
    mark: EmbedderMark,
    calibration: Calibration,
}

impl GenaiEmbedder {
    /// An embedder with vectors of `dimension` numbers (768, 1,536 and 3,072 are usual). Nothing is
    /// sent. Invalid if the configuration is incomplete.
    pub fn new(config: &GenaiConfig, dimension: u32) -> Result<Self> {
        Self::with_client(config, dimension, http_client()?)
    }

    /// An embedder over this client; it must not follow redirects.
    pub fn with_client(
        config: &GenaiConfig,
        dimension: u32,
        http: reqwest::Client,
    ) -> Result<Self> {
        if dimension == 0 {
            return Err(Error::invalid(
                OPERATION,
                "a vector has at least one number",
            ));
        }
        // Where cosines of unrelated and of related texts lie differs between families.
        let points = match config.provider {
            Provider::Gemini => vec![(0.50, 0.0), (0.58, 0.15), (0.64, 0.3), (0.90, 1.0)],
            _ => vec![(0.15, 0.0), (0.25, 0.15), (0.35, 0.3), (0.80, 1.0)],
        };
        Ok(Self {
            connection: Connection::new(config, http)?,
            provider: config.provider,
            mark: EmbedderMark {
                embedder: config.model.clone(),
                dimension,
            },
            calibration: Calibration::semantic(Curve::new(points)?),
        })
    }

    /// Reads cosines so.
    #[must_use]
    pub fn with_calibration(mut self, calibration: Calibration) -> Self {
        self.calibration = calibration;
        self
    }

    async fn embed(&self, texts: &[String], task: &str) -> Result<Vec<Vec<f32>>> {
        let dimension = self.mark.dimension as usize;
        let mut options = EmbedOptions::new().with_dimensions(dimension);
        if self.provider == Provider::Gemini {
            options = options.with_embedding_type(task);
        }
        let mut vectors = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            let call = self.connection.client.embed_batch(
                self.connection.target(),
                batch.to_vec(),
                Some(&options),
            );
            let mut response = tokio::time::timeout(TIMEOUT, call)
                .await
                .map_err(|_| {
                    Error::new(
                        ErrorKind::Timeout,
                        OPERATION,
                        "the provider did not answer in time",
                    )
                })?
                .map_err(|error| translate(OPERATION, &error))?;
            response.embeddings.sort_by_key(|embedding| embedding.index);
            if response.embeddings.len() != batch.len() {
                return Err(corrupt("the provider sent another number of vectors"));
            }
            for embedding in response.embeddings {
                vectors.push(unit(embedding.vector, dimension)?);
            }
        }
        Ok(vectors)
    }
}

fn corrupt(message: &'static str) -> Error {
    Error::corrupt(OPERATION, message)
}

/// The vector with length one.
fn unit(mut vector: Vec<f32>, dimension: usize) -> Result<Vec<f32>> {
    if vector.len() != dimension {
        return Err(corrupt("the provider sent vectors of another dimension"));
    }
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if !length.is_finite() || length <= f32::EPSILON {
        return Err(corrupt("the provider sent a vector without direction"));
    }
    for x in &mut vector {
        *x /= length;
    }
    Ok(vector)
}

#[async_trait]
impl Embedder for GenaiEmbedder {
    fn mark(&self) -> EmbedderMark {
        self.mark.clone()
    }

    fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    async fn embed_documents(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        self.embed(texts, "RETRIEVAL_DOCUMENT").await
    }

    async fn embed_queries(&self, texts: &[String]) -> Result<Vec<Vec<f32>>> {
        self.embed(texts, "RETRIEVAL_QUERY").await
    }
}

impl std::fmt::Debug for GenaiEmbedder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GenaiEmbedder")
            .field("provider", &self.provider)
            .field("mark", &self.mark)
            .finish_non_exhaustive()
    }
}
