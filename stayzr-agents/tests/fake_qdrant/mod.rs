//! A small Qdrant in the process, on the client's own gRPC server stubs: the calls that the index
//! makes, and `unimplemented` for all others. A real server must pass the same tests.

mod filter;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard},
};

use ::qdrant_client::qdrant::{
    collections_server::{Collections, CollectionsServer},
    points_selector::PointsSelectorOneOf,
    points_server::{Points, PointsServer},
    qdrant_server::{Qdrant, QdrantServer},
    query, vector, vector_input, vectors, vectors_config, *,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tonic::{
    Request, Response, Status, async_trait,
    transport::{Server, server::TcpIncoming},
};

/// A running fake. It stops when it is dropped.
pub(crate) struct FakeQdrant {
    /// Where it listens.
    pub(crate) url: String,
    state: State,
    task: JoinHandle<()>,
}

impl FakeQdrant {
    /// Starts one on a free port.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = State::default();
        let server = Server::builder()
            .add_service(QdrantServer::new(state.clone()))
            .add_service(CollectionsServer::new(state.clone()))
            .add_service(PointsServer::new(state.clone()));
        let task = tokio::spawn(async move {
            server
                .serve_with_incoming(TcpIncoming::from(listener))
                .await
                .unwrap();
        });
        Self { url, state, task }
    }

    /// The payload fields of a collection that have an index, sorted.
    pub(crate) fn indexed_fields(&self, collection: &str) -> Vec<String> {
        self.state.lock()[collection].indexed.clone()
    }
}

impl Drop for FakeQdrant {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone, Default)]
struct State(Arc<Mutex<HashMap<String, Stored>>>);

struct Stored {
    params: VectorParams,
    points: BTreeMap<String, (Vec<f32>, HashMap<String, Value>)>,
    indexed: Vec<String>,
}

impl State {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Stored>> {
        self.0.lock().unwrap()
    }

    fn with<T>(
        &self,
        name: &str,
        work: impl FnOnce(&mut Stored) -> Result<T, Status>,
    ) -> Result<Response<T>, Status> {
        let mut collections = self.lock();
        let stored = collections
            .get_mut(name)
            .ok_or_else(|| Status::not_found(format!("no collection {name}")))?;
        work(stored).map(Response::new)
    }
}

/// Writes a service with some methods written out and the others answering `unimplemented`.
macro_rules! service {
    ($service:ident { $($written:tt)* } $(($method:ident, $request:ty, $response:ty);)*) => {
        #[async_trait]
        impl $service for State {
            $($written)*
            $(async fn $method(
                &self,
                _request: Request<$request>,
            ) -> Result<Response<$response>, Status> {
                Err(Status::unimplemented(stringify!($method)))
            })*
        }
    };
}

service! {
    Qdrant {
        async fn health_check(
            &self,
            _request: Request<HealthCheckRequest>,
        ) -> Result<Response<HealthCheckReply>, Status> {
            Ok(Response::new(HealthCheckReply { version: "1.20.0".into(), ..Default::default() }))
        }
    }
}

service! {
    Collections {
        async fn get(
            &self,
            request: Request<GetCollectionInfoRequest>,
        ) -> Result<Response<GetCollectionInfoResponse>, Status> {
            self.with(&request.into_inner().collection_name, |stored| {
                let params = CollectionParams {
                    vectors_config: Some(VectorsConfig {
                        config: Some(vectors_config::Config::Params(stored.params)),
                    }),
                    ..Default::default()
                };
                let config = CollectionConfig { params: Some(params), ..Default::default() };
                let info = CollectionInfo { config: Some(config), ..Default::default() };
                Ok(GetCollectionInfoResponse { result: Some(info), time: 0.0 })
            })
        }

        async fn create(
            &self,
            request: Request<CreateCollection>,
        ) -> Result<Response<CollectionOperationResponse>, Status> {
            let request = request.into_inner();
            let Some(vectors_config::Config::Params(params)) =
                request.vectors_config.and_then(|vectors| vectors.config)
            else {
                return Err(Status::invalid_argument("no vector"));
            };
            let mut collections = self.lock();
            if collections.contains_key(&request.collection_name) {
                return Err(Status::already_exists("collection exists"));
            }
            let stored = Stored { params, points: BTreeMap::new(), indexed: Vec::new() };
            collections.insert(request.collection_name, stored);
            Ok(Response::new(CollectionOperationResponse { result: true, time: 0.0 }))
        }

        async fn delete(
            &self,
            request: Request<DeleteCollection>,
        ) -> Result<Response<CollectionOperationResponse>, Status> {
            let result = self.lock().remove(&request.into_inner().collection_name).is_some();
            Ok(Response::new(CollectionOperationResponse { result, time: 0.0 }))
        }

        async fn collection_exists(
            &self,
            request: Request<CollectionExistsRequest>,
        ) -> Result<Response<CollectionExistsResponse>, Status> {
            let exists = self.lock().contains_key(&request.into_inner().collection_name);
            let result = Some(CollectionExists { exists });
            Ok(Response::new(CollectionExistsResponse { result, time: 0.0 }))
        }
    }
    (list, ListCollectionsRequest, ListCollectionsResponse);
    (update, UpdateCollection, CollectionOperationResponse);
    (update_aliases, ChangeAliases, CollectionOperationResponse);
    (list_collection_aliases, ListCollectionAliasesRequest, ListAliasesResponse);
    (list_aliases, ListAliasesRequest, ListAliasesResponse);
    (collection_cluster_info, CollectionClusterInfoRequest, CollectionClusterInfoResponse);
    (update_collection_cluster_setup, UpdateCollectionClusterSetupRequest, UpdateCollectionClusterSetupResponse);
    (create_shard_key, CreateShardKeyRequest, CreateShardKeyResponse);
    (delete_shard_key, DeleteShardKeyRequest, DeleteShardKeyResponse);
    (list_shard_keys, ListShardKeysRequest, ListShardKeysResponse);
}

service! {
    Points {
        async fn upsert(
            &self,
            request: Request<UpsertPoints>,
        ) -> Result<Response<PointsOperationResponse>, Status> {
            let request = request.into_inner();
            self.with(&request.collection_name, |stored| {
                for point in request.points {
                    let vector = dense(point.vectors)?;
                    if vector.len() as u64 != stored.params.size {
                        return Err(Status::invalid_argument("wrong vector dimension"));
                    }
                    stored.points.insert(id(point.id)?, (vector, point.payload));
                }
                Ok(PointsOperationResponse::default())
            })
        }

        async fn delete(
            &self,
            request: Request<DeletePoints>,
        ) -> Result<Response<PointsOperationResponse>, Status> {
            let request = request.into_inner();
            let Some(PointsSelectorOneOf::Filter(filter)) =
                request.points.and_then(|points| points.points_selector_one_of)
            else {
                return Err(Status::unimplemented("delete without a filter"));
            };
            self.with(&request.collection_name, |stored| {
                stored.points.retain(|id, (_, payload)| !filter::holds(&filter, id, payload));
                Ok(PointsOperationResponse::default())
            })
        }

        async fn get(&self, request: Request<GetPoints>) -> Result<Response<GetResponse>, Status> {
            let request = request.into_inner();
            self.with(&request.collection_name, |stored| {
                let mut result = Vec::new();
                for wanted in request.ids {
                    if let Some((_, payload)) = stored.points.get(&id(Some(wanted.clone()))?) {
                        result.push(RetrievedPoint {
                            id: Some(wanted),
                            payload: payload.clone(),
                            ..Default::default()
                        });
                    }
                }
                Ok(GetResponse { result, ..Default::default() })
            })
        }

        async fn create_field_index(
            &self,
            request: Request<CreateFieldIndexCollection>,
        ) -> Result<Response<PointsOperationResponse>, Status> {
            let request = request.into_inner();
            self.with(&request.collection_name, |stored| {
                stored.indexed.push(request.field_name);
                stored.indexed.sort();
                stored.indexed.dedup();
                Ok(PointsOperationResponse::default())
            })
        }

        async fn query(
            &self,
            request: Request<QueryPoints>,
        ) -> Result<Response<QueryResponse>, Status> {
            let request = request.into_inner();
            let Some(query::Variant::Nearest(VectorInput {
                variant: Some(vector_input::Variant::Dense(wanted)),
            })) = request.query.and_then(|query| query.variant)
            else {
                return Err(Status::unimplemented("query without a vector"));
            };
            let filter = request.filter.unwrap_or_default();
            self.with(&request.collection_name, |stored| {
                if wanted.data.len() as u64 != stored.params.size {
                    return Err(Status::invalid_argument("wrong vector dimension"));
                }
                let mut result: Vec<ScoredPoint> = stored
                    .points
                    .iter()
                    .filter(|(id, (_, payload))| filter::holds(&filter, id, payload))
                    .map(|(id, (vector, payload))| ScoredPoint {
                        id: Some(id.clone().into()),
                        payload: payload.clone(),
                        score: cosine(vector, &wanted.data),
                        ..Default::default()
                    })
                    .collect();
                result.sort_by(|a, b| b.score.total_cmp(&a.score));
                result.truncate(request.limit.unwrap_or(10) as usize);
                Ok(QueryResponse { result, ..Default::default() })
            })
        }
    }
    (update_vectors, UpdatePointVectors, PointsOperationResponse);
    (delete_vectors, DeletePointVectors, PointsOperationResponse);
    (set_payload, SetPayloadPoints, PointsOperationResponse);
    (overwrite_payload, SetPayloadPoints, PointsOperationResponse);
    (delete_payload, DeletePayloadPoints, PointsOperationResponse);
    (clear_payload, ClearPayloadPoints, PointsOperationResponse);
    (delete_field_index, DeleteFieldIndexCollection, PointsOperationResponse);
    (create_vector_name, CreateVectorNameRequest, PointsOperationResponse);
    (delete_vector_name, DeleteVectorNameRequest, PointsOperationResponse);
    (search, SearchPoints, SearchResponse);
    (search_batch, SearchBatchPoints, SearchBatchResponse);
    (search_groups, SearchPointGroups, SearchGroupsResponse);
    (scroll, ScrollPoints, ScrollResponse);
    (recommend, RecommendPoints, RecommendResponse);
    (recommend_batch, RecommendBatchPoints, RecommendBatchResponse);
    (recommend_groups, RecommendPointGroups, RecommendGroupsResponse);
    (discover, DiscoverPoints, DiscoverResponse);
    (discover_batch, DiscoverBatchPoints, DiscoverBatchResponse);
    (count, CountPoints, CountResponse);
    (update_batch, UpdateBatchPoints, UpdateBatchResponse);
    (query_batch, QueryBatchPoints, QueryBatchResponse);
    (query_groups, QueryPointGroups, QueryGroupsResponse);
    (facet, FacetCounts, FacetResponse);
    (search_matrix_pairs, SearchMatrixPoints, SearchMatrixPairsResponse);
    (search_matrix_offsets, SearchMatrixPoints, SearchMatrixOffsetsResponse);
}

fn id(id: Option<PointId>) -> Result<String, Status> {
    match id.and_then(|id| id.point_id_options) {
        Some(point_id::PointIdOptions::Uuid(id)) => Ok(id),
        _ => Err(Status::invalid_argument("an id must be a UUID")),
    }
}

fn dense(vectors: Option<Vectors>) -> Result<Vec<f32>, Status> {
    match vectors.and_then(|vectors| vectors.vectors_options) {
        Some(vectors::VectorsOptions::Vector(Vector {
            vector: Some(vector::Vector::Dense(dense)),
            ..
        })) => Ok(dense.data),
        _ => Err(Status::invalid_argument("no dense vector")),
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}
