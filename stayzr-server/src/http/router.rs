use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    sync::Arc,
    task,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body_util::BodyExt;
use stayzr_core::{ErrorKind, tenant::Role};
use tower::Service;

use super::{
    Body, Call, Problem, Query, auth,
    body::BodyError,
    idempotency::{self, Checked},
};
use crate::state::ServerState;

/// What a handler gives.
pub type Handled = Result<Response<Body>, Problem>;

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Handler = Box<dyn Fn(Call) -> Boxed<Handled> + Send + Sync>;
type RawHandler =
    Box<dyn Fn(Arc<ServerState>, Params, Request<Body>) -> Boxed<Response<Body>> + Send + Sync>;

/// Parameters of a path.
pub type Params = Vec<(String, String)>;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// A token with at least this role.
    Role(Role),
}

enum Target {
    Handler {
        access: Access,
        limit: Option<usize>,
        handler: Handler,
    },
    Raw(RawHandler),
}

/// A method and path with what answers there.
pub struct Route {
    method: Method,
    path: &'static str,
    target: Target,
}

/// A route whose handler gets a [`Call`].
pub fn route<F, R>(method: Method, path: &'static str, access: Access, handler: F) -> Route
where
    F: Fn(Call) -> R + Send + Sync + 'static,
    R: Future<Output = Handled> + Send + 'static,
{
    Route {
        method,
        path,
        target: Target::Handler {
            access,
            limit: None,
            handler: Box::new(move |call| Box::pin(handler(call))),
        },
    }
}

/// A route whose handler gets the request as it came, such as a webhook that reads its own body.
pub fn raw<F, R>(method: Method, path: &'static str, handler: F) -> Route
where
    F: Fn(Arc<ServerState>, Params, Request<Body>) -> R + Send + Sync + 'static,
    R: Future<Output = Response<Body>> + Send + 'static,
{
    Route {
        method,
        path,
        target: Target::Raw(Box::new(move |state, params, request| {
            Box::pin(handler(state, params, request))
        })),
    }
}

impl Route {
    /// Sets the longest body, in bytes, where it is not the server's usual one.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        if let Target::Handler { limit, .. } = &mut self.target {
            *limit = Some(bytes);
        }
        self
    }
}

/// All routes, by path.
#[derive(Default)]
pub struct RouteTable {
    paths: matchit::Router<usize>,
    methods: Vec<Vec<Route>>,
    index: std::collections::BTreeMap<&'static str, usize>,
}

impl RouteTable {
    /// The table of these routes.
    ///
    /// # Panics
    /// If two routes have the same method and path, or a path is malformed: a mistake in the
    /// server's own table, which its first test finds.
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Self {
        let mut table = Self::default();
        for route in routes {
            let next = table.methods.len();
            let at = *table.index.entry(route.path).or_insert(next);
            if at == next {
                table
                    .paths
                    .insert(route.path, at)
                    .expect("paths of the server's table do not contradict each other");
                table.methods.push(Vec::new());
            }
            let methods = &mut table.methods[at];
            assert!(
                methods.iter().all(|other| other.method != route.method),
                "{} {} is routed twice",
                route.method,
                route.path
            );
            methods.push(route);
        }
        table
    }

    fn find(&self, method: &Method, path: &str) -> Result<(&Route, Params), Problem> {
        let Ok(found) = self.paths.at(path) else {
            return Err(Problem::new(
                StatusCode::NOT_FOUND,
                "route_not_found",
                "There is nothing at this path",
            ));
        };
        let methods = &self.methods[*found.value];
        // hyper leaves the body of an answer to HEAD out.
        let wanted = methods
            .iter()
            .find(|route| route.method == *method)
            .or_else(|| {
                let get = |route: &&Route| route.method == Method::GET;
                (*method == Method::HEAD).then(|| methods.iter().find(get))?
            });
        let Some(route) = wanted else {
            let allowed: Vec<&str> = methods.iter().map(|route| route.method.as_str()).collect();
            let allowed = allowed.join(", ");
            let problem = Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "This path does not take this method",
            )
            .detail(format!("this path takes {allowed}"));
            return Err(match HeaderValue::from_str(&allowed) {
                Ok(value) => problem.header(header::ALLOW, value),
                Err(_) => problem,
            });
        };
        let params = found
            .params
            .iter()
            .map(|(name, value)| (name.to_owned(), percent_decode(value)))
            .collect();
        Ok((route, params))
    }
}

/// The method as a label: strangers cannot make up labels.
fn known_method(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE => method.as_str(),
        _ => "other",
    }
}

/// Decodes `%41` in a segment of a path; what is not UTF-8 then stays as it came.
fn percent_decode(segment: &str) -> String {
    let bytes = segment.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes
            .get(at + 1..at + 3)
            .and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if bytes[at] == b'%' => {
                decoded.push(byte);
                at += 3;
            }
            _ => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|_| segment.to_owned())
}

/// Sends each request to its route, as a `tower::Service`.
#[derive(Clone)]
pub struct Router {
    state: Arc<ServerState>,
    table: Arc<RouteTable>,
}

impl Router {
    /// A router over a table.
    pub fn new(state: Arc<ServerState>, table: RouteTable) -> Self {
        Self {
            state,
            table: Arc::new(table),
        }
    }

    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let began = Instant::now();
        let method = request.method().clone();
        let path = request.uri().path().to_owned();
        let (route, answer) = match self.table.find(&method, &path) {
            Ok((route, params)) => (route.path, self.run(route, params, request).await),
            Err(problem) => ("unknown", Err(problem)),
        };
        let response = answer.unwrap_or_else(|problem| {
            if problem.status().is_server_error() {
                tracing::error!(
                    code = problem.code(),
                    cause = problem.cause().map(tracing::field::debug),
                    "request failed"
                );
            }
            problem.into_response(Some(&path))
        });
        let status = response.status();
        let labels = [
            ("method", known_method(&method)),
            ("route", route),
            ("status", status.as_str()),
        ];
        let metrics = &self.state.metrics;
        metrics.count("stayzr_http_requests_total", &labels, 1);
        metrics.time(
            "stayzr_http_request_duration_seconds",
            &labels[..2],
            began.elapsed(),
        );
        response
    }

    async fn run(&self, route: &Route, params: Params, request: Request<Body>) -> Handled {
        let (access, limit, handler) = match &route.target {
            Target::Raw(handler) => {
                return Ok(handler(Arc::clone(&self.state), params, request).await);
            }
            Target::Handler {
                access,
                limit,
                handler,
            } => (access, limit, handler),
        };
        let (parts, body) = request.into_parts();
        let query = Query::parse(parts.uri.query())?;
        let store = self.state.store.as_ref();
        let codec = self.state.providers.codec();
        let caller = match access {
            Access::Public => None,
            Access::Role(role) => Some(auth::authenticate(store, &parts, &query, *role).await?),
        };
        let body = read(&parts, body, limit.unwrap_or(self.state.max_body_bytes)).await?;
        let claim = match &caller {
            Some(caller) if parts.method == Method::POST => {
                match idempotency::begin(store, codec, caller.scope, route.path, &parts, &body)
                    .await?
                {
                    Checked::Free => None,
                    Checked::Claimed(claim) => Some(claim),
                    Checked::Replay(response) => return Ok(response),
                }
            }
            _ => None,
        };
        let path = parts.uri.path().to_owned();
        let answer = handler(Call {
            state: Arc::clone(&self.state),
            parts,
            query,
            body,
            params,
            caller,
        })
        .await;
        let Some(claim) = claim else {
            return answer;
        };
        let response = match answer {
            Ok(response) => response,
            Err(problem) if problem.status().is_server_error() => {
                tracing::error!(
                    code = problem.code(),
                    cause = problem.cause().map(tracing::field::debug),
                    "request failed"
                );
                problem.into_response(Some(&path))
            }
            Err(problem) => problem.into_response(Some(&path)),
        };
        idempotency::complete(store, codec, claim, response).await
    }
}

async fn read(parts: &Parts, body: Body, limit: usize) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "The body is too long",
        )
        .detail(format!("a body here may have {limit} bytes"))
    };
    let announced = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        drain(body).await;
        return Err(too_large());
    }
    let mut body = body;
    let mut whole = Vec::with_capacity(announced.unwrap_or(0) as usize);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| unreadable(&error))?;
        let Ok(bytes) = frame.into_data() else {
            continue;
        };
        if whole.len() + bytes.len() > limit {
            drain(body).await;
            return Err(too_large());
        }
        whole.extend_from_slice(&bytes);
    }
    Ok(whole.into())
}

/// Reads on for a while and forgets it: a client that is still writing when the connection closes
/// would never see the answer.
async fn drain(mut body: Body) {
    const MOST: usize = 64 << 20;
    const LONGEST: Duration = Duration::from_secs(5);
    let rest = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > MOST {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(LONGEST, rest).await;
}

fn unreadable(error: &BodyError) -> Problem {
    tracing::debug!(%error, "a body could not be read");
    Problem::of(ErrorKind::Invalid).detail("the body could not be read to its end")
}

impl Service<Request<Body>> for Router {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Boxed<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut task::Context<'_>) -> task::Poll<Result<(), Infallible>> {
        task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let router = self.clone();
        Box::pin(async move { Ok(router.answer(request).await) })
    }
}
