//! Webhooks: handed to the receiver, which verifies, stores, and only then acknowledges.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use stayzr_core::queue::Queue;
use stayzr_webhooks::receiver::endpoint_key;

use crate::{
    http::{Body, Params, Problem},
    state::ServerState,
};

pub(super) async fn receive(
    state: Arc<ServerState>,
    _: Params,
    request: Request<Body>,
) -> Response<Body> {
    let Some(key) = endpoint_key(request.uri().path()) else {
        return Problem::new(
            StatusCode::NOT_FOUND,
            "unknown_endpoint",
            "There is no webhook endpoint at this path",
        )
        .into_response(None);
    };
    let response = state.receiver.handle(key, request).await;
    if response.status() == StatusCode::OK {
        state.wakes.wake(Queue::WebhookInbox);
    }
    response.map(|body| body.map_err(|never| match never {}).boxed_unsync())
}
