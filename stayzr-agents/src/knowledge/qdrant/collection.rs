//! The collection: made where it is missing, and bound to one embedder.

use ::qdrant_client::{
    Payload, Qdrant,
    qdrant::{
        CollectionInfo, CreateCollectionBuilder, CreateFieldIndexCollectionBuilder, Distance,
        FieldType, GetPointsBuilder, KeywordIndexParamsBuilder, PointStruct, UpsertPointsBuilder,
        VectorParamsBuilder, vectors_config,
    },
};
use serde_json::json;
use stayzr_core::{Error, Result, port::knowledge::EmbedderMark};

use super::{
    error::mapped,
    point::{CATEGORY, DOCUMENT, FILE_NAME, ORGANIZATION, PROPERTY},
};
use crate::knowledge::index::other_embedder;

/// The point that remembers the embedder. It has no organization, so no search ever sees it, and
/// unlike a collection's own metadata every version of the server keeps it.
const MARK_POINT: &str = "00000000-0000-0000-0000-000000000001";

/// Makes the collection and its payload indexes where they are missing, and binds it to this
/// embedder or refuses it. May be repeated, also by several processes at once.
pub(super) async fn prepare(client: &Qdrant, name: &str, mark: &EmbedderMark) -> Result<()> {
    create(client, name, mark).await?;
    let info = client
        .collection_info(name)
        .await
        .map_err(mapped("index.prepare"))?
        .result;
    let dimension = info.as_ref().and_then(dimension_of).ok_or_else(|| {
        Error::corrupt(
            "index.prepare",
            "the collection has no single unnamed vector",
        )
    })?;
    if dimension != u64::from(mark.dimension) {
        let known = EmbedderMark {
            embedder: "unknown".to_owned(),
            dimension: u32::try_from(dimension).unwrap_or(u32::MAX),
        };
        return Err(other_embedder("index.prepare", &known, mark));
    }
    bind(client, name, mark).await?;
    index_payload(client, name).await
}

async fn create(client: &Qdrant, name: &str, mark: &EmbedderMark) -> Result<()> {
    let exists = async || {
        client
            .collection_exists(name)
            .await
            .map_err(mapped("index.prepare"))
    };
    if exists().await? {
        return Ok(());
    }
    let params = VectorParamsBuilder::new(u64::from(mark.dimension), Distance::Cosine);
    let request = CreateCollectionBuilder::new(name).vectors_config(params);
    match client.create_collection(request).await {
        Ok(_) => Ok(()),
        // Another process may have been faster.
        Err(_) if exists().await? => Ok(()),
        Err(cause) => Err(mapped("index.prepare")(cause)),
    }
}

fn dimension_of(info: &CollectionInfo) -> Option<u64> {
    let vectors = info
        .config
        .as_ref()?
        .params
        .as_ref()?
        .vectors_config
        .as_ref()?;
    match vectors.config.as_ref()? {
        vectors_config::Config::Params(params) => Some(params.size),
        vectors_config::Config::ParamsMap(_) => None,
    }
}

async fn bind(client: &Qdrant, name: &str, mark: &EmbedderMark) -> Result<()> {
    let request = GetPointsBuilder::new(name, vec![MARK_POINT.into()]).with_payload(true);
    let found = client
        .get_points(request)
        .await
        .map_err(mapped("index.prepare"))?
        .result
        .into_iter()
        .next();
    if let Some(point) = found {
        let embedder = point
            .payload
            .get("embedder")
            .and_then(|value| value.as_str());
        if embedder == Some(&mark.embedder) {
            return Ok(());
        }
        let known = EmbedderMark {
            embedder: embedder.cloned().unwrap_or_default(),
            dimension: mark.dimension,
        };
        return Err(other_embedder("index.prepare", &known, mark));
    }
    let payload = Payload::try_from(json!({
        "embedder": mark.embedder,
        "dimension": mark.dimension,
    }))
    .map_err(mapped("index.prepare"))?;
    let mut vector = vec![0.0; mark.dimension as usize];
    if let Some(first) = vector.first_mut() {
        // A vector of zeros has no direction, which the cosine distance needs.
        *first = 1.0;
    }
    let point = PointStruct::new(MARK_POINT, vector, payload);
    client
        .upsert_points(UpsertPointsBuilder::new(name, vec![point]).wait(true))
        .await
        .map_err(mapped("index.prepare"))?;
    Ok(())
}

async fn index_payload(client: &Qdrant, name: &str) -> Result<()> {
    for field in [ORGANIZATION, PROPERTY, CATEGORY, FILE_NAME, DOCUMENT] {
        let params = KeywordIndexParamsBuilder::default().is_tenant(field == ORGANIZATION);
        let request = CreateFieldIndexCollectionBuilder::new(name, field, FieldType::Keyword)
            .field_index_params(params.build())
            .wait(true);
        client
            .create_field_index(request)
            .await
            .map_err(mapped("index.prepare"))?;
    }
    Ok(())
}
