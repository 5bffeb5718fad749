use std::{any::Any, convert::Infallible, time::Duration};

use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use stayzr_core::ErrorKind;
use tower::{ServiceBuilder, ServiceExt, util::BoxCloneSyncService};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, CorsLayer},
    request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    sensitive_headers::SetSensitiveRequestHeadersLayer,
    timeout::TimeoutLayer,
    trace::TraceLayer,
};
use tracing::{Level, Span};

use super::{Body, Problem, Router};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What stands around the router.
#[derive(Debug, Clone)]
pub struct Edge {
    /// After how long a request is answered with 504.
    pub timeout: Duration,
    /// Origins of web pages that may call; none switches CORS off.
    pub cors_origins: Vec<HeaderValue>,
}

/// The router with its layers.
pub type Stack = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Puts the layers around the router, the outermost first.
pub fn stack(router: Router, edge: &Edge) -> Stack {
    let cors = (!edge.cors_origins.is_empty()).then(|| cors(edge.cors_origins.clone()));
    let inner = ServiceBuilder::new()
        .layer(CatchPanicLayer::custom(
            panicked as fn(Box<dyn Any + Send>) -> Response<Body>,
        ))
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            edge.timeout,
        ))
        .option_layer(cors)
        .service(router);
    let inner = ServiceExt::<Request<Body>>::map_response(inner, |response: Response<_>| {
        named(response.map(into_body))
    });
    let outer = ServiceBuilder::new()
        .layer(SetRequestIdLayer::new(REQUEST_ID, NewRequestId))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetSensitiveRequestHeadersLayer::new([
            header::AUTHORIZATION,
            header::COOKIE,
        ]))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span::<Body>)
                .on_request(())
                .on_response(log_answer::<Body>)
                .on_failure(()),
        )
        .service(inner);
    BoxCloneSyncService::new(ServiceExt::<Request<Body>>::map_response(
        outer,
        |response: Response<_>| response.map(into_body),
    ))
}

fn into_body<B>(body: B) -> Body
where
    B: hyper::body::Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<super::body::BodyError>,
{
    body.map_err(Into::into).boxed_unsync()
}

/// A bare error of a layer becomes a problem.
fn named(response: Response<Body>) -> Response<Body> {
    let bare = response.status() == StatusCode::GATEWAY_TIMEOUT
        && response.body().size_hint().exact() == Some(0);
    if bare {
        return Problem::of(ErrorKind::Timeout).into_response(None);
    }
    response
}

fn panicked(panic: Box<dyn Any + Send>) -> Response<Body> {
    let message = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    tracing::error!(message, "a handler panicked");
    Problem::of(ErrorKind::Internal).into_response(None)
}

fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("x-organization-id"),
            HeaderName::from_static("x-property-id"),
        ])
        .expose_headers([REQUEST_ID])
}

/// The span of a request. Neither queries nor secrets in paths are in it.
fn span<B>(request: &Request<B>) -> Span {
    let id = request
        .extensions()
        .get::<RequestId>()
        .and_then(|id| id.header_value().to_str().ok())
        .unwrap_or_default();
    tracing::span!(
        Level::INFO,
        "request",
        method = %request.method(),
        path = loggable(request.uri().path()),
        request_id = id,
    )
}

/// A path without what may be secret: the last segment of a PMS webhook is its token, also where a
/// vendor was given the URL with a mistake in it. So only what is known to be harmless is shown.
fn loggable(path: &str) -> &str {
    const PMS: &str = "/webhooks/pms/";
    const KNOWN: [&str; 4] = ["/health", "/ready", "/metrics", "/webhooks/whatsapp"];
    if path.starts_with("/api/") || KNOWN.contains(&path) {
        return path;
    }
    let Some(rest) = path.strip_prefix(PMS) else {
        return "other";
    };
    let mut segments = rest.split('/');
    let provider = segments.next().unwrap_or_default();
    let integration = segments.next().unwrap_or_default();
    match integration.parse::<uuid::Uuid>() {
        Ok(_) => &path[..PMS.len() + provider.len() + 1 + integration.len()],
        Err(_) => "other",
    }
}

fn log_answer<B>(response: &Response<B>, latency: Duration, _: &Span) {
    tracing::debug!(
        status = response.status().as_u16(),
        latency_ms = latency.as_millis() as u64,
        "answered"
    );
}

#[derive(Debug, Clone, Copy)]
struct NewRequestId;

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        let id = uuid::Uuid::now_v7().to_string();
        HeaderValue::from_str(&id).ok().map(RequestId::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_p_the_token_of_a_webhook_is_not_logged() {
        let endpoint = "/webhooks/pms/mews/01a203e3-5729-752d-bc60-74b78ecbac89";
        assert_eq!(loggable(&format!("{endpoint}/s3cret")), endpoint);
        assert_eq!(loggable(endpoint), endpoint);
        assert_eq!(loggable("/ready"), "/ready");
        assert_eq!(loggable("/api/v1/guests/1"), "/api/v1/guests/1");
        assert_eq!(loggable("/webhooks/whatsapp"), "/webhooks/whatsapp");
        // Written wrongly it is no route, and its token is a token all the same.
        for wrong in [
            "/webhooks//pms/mews/0190/s3cret",
            "//webhooks/pms/mews/0190/s3cret",
            "/WEBHOOKS/pms/mews/0190/s3cret",
            "/webhooks/pms%2Fmews/0190/s3cret",
            "/webhooks/pms/0190/s3cret",
            "/prefix/webhooks/pms/mews/0190/s3cret",
        ] {
            assert!(!loggable(wrong).contains("s3cret"), "{wrong}");
        }
    }
}
