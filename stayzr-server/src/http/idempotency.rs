use http::{HeaderName, HeaderValue, Response, StatusCode, request::Parts};
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use stayzr_core::{
    crypto::TokenCodec,
    port::{
        Store,
        idempotency::{IdempotencyCheck, StoredResponse},
    },
    tenant::TenantScope,
};
use uuid::Uuid;

use super::{Body, Problem, body::full};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// A key that was claimed for this request.
pub(crate) struct Claim {
    scope: TenantScope,
    route: String,
    key: String,
}

/// What an answer is sealed to: one that is put elsewhere cannot be opened there.
fn place(scope: TenantScope, route: &str, key: &str) -> Uuid {
    let organization = scope.organization_id.to_string();
    let digest = digest([organization.as_bytes(), route.as_bytes(), key.as_bytes()]);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    Uuid::from_bytes(bytes)
}

/// The digest of parts, each with its length before it.
fn digest<const N: usize>(parts: [&[u8]; N]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

/// What to do with a request.
pub(crate) enum Checked {
    /// It carries no key.
    Free,
    /// Do it, then store the answer.
    Claimed(Claim),
    /// It was answered before.
    Replay(Response<Body>),
}

/// Claims the request's `Idempotency-Key`, where it carries one.
pub(crate) async fn begin(
    store: &dyn Store,
    codec: &TokenCodec,
    scope: TenantScope,
    route: &str,
    parts: &Parts,
    body: &[u8],
) -> Result<Checked, Problem> {
    let Some(key) = key(parts)? else {
        return Ok(Checked::Free);
    };
    // What a caller may see is part of the request: a token of one hotel must not be given the
    // answer that another's got.
    let property = scope.property_id.map(|id| id.to_string());
    let fingerprint: String = digest([
        property.as_deref().unwrap_or_default().as_bytes(),
        parts.uri.path().as_bytes(),
        parts.uri.query().unwrap_or_default().as_bytes(),
        body,
    ])
    .iter()
    .map(|byte| format!("{byte:02x}"))
    .collect();
    // A key is the organization's, whichever property a request is narrowed to.
    let scope = TenantScope::organization(scope.organization_id);
    match store.begin(scope, route, &key, &fingerprint).await? {
        IdempotencyCheck::Proceed => Ok(Checked::Claimed(Claim {
            scope,
            route: route.to_owned(),
            key,
        })),
        IdempotencyCheck::Replay(stored) => {
            let body = codec.open(&stored.body, place(scope, route, &key))?;
            let body = body.expose_secret().to_owned();
            Ok(Checked::Replay(replay(stored.status, body)))
        }
        IdempotencyCheck::Mismatch => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_key_reused",
            "The idempotency key came with another request before",
        )),
        IdempotencyCheck::Running => Err(Problem::new(
            StatusCode::CONFLICT,
            "idempotency_key_in_use",
            "The first request with this idempotency key is still running",
        )),
    }
}

/// Stores the answer, sealed: it may hold what is shown this once, such as the URL of a webhook with
/// its token. One that says nothing final (5xx, 408, 409, 429) gives the key free.
pub(crate) async fn complete(
    store: &dyn Store,
    codec: &TokenCodec,
    claim: Claim,
    response: Response<Body>,
) -> Result<Response<Body>, Problem> {
    let (parts, body) = response.into_parts();
    let body = body
        .collect()
        .await
        .map(|body| body.to_bytes())
        .unwrap_or_default();
    let is_final =
        !parts.status.is_server_error() && !matches!(parts.status.as_u16(), 408 | 409 | 429);
    let stored = is_final.then(|| StoredResponse {
        status: parts.status.as_u16(),
        body: codec.seal(
            &String::from_utf8_lossy(&body).into_owned().into(),
            place(claim.scope, &claim.route, &claim.key),
        ),
    });
    let answer = Response::from_parts(parts, full(body));
    if let Err(error) = store
        .complete(claim.scope, &claim.route, &claim.key, stored)
        .await
    {
        // The work is done; an answer that cannot be remembered must not hide that.
        tracing::error!(%error, "the answer to an idempotent request could not be stored");
    }
    Ok(answer)
}

fn replay(status: u16, body: String) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let content_type = match status.is_success() {
        true => "application/json",
        false => "application/problem+json",
    };
    let mut response = super::text(content_type, body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// The key: a string of Structured Fields (quoted), or the bare token that the world sends.
fn key(parts: &Parts) -> Result<Option<String>, Problem> {
    let mut values = parts.headers.get_all("idempotency-key").iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let refused =
        || Problem::invalid("`Idempotency-Key` must be given once, as 1 to 255 visible characters");
    if values.next().is_some() {
        return Err(refused());
    }
    let text = first.to_str().map_err(|_| refused())?.trim();
    let text = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text);
    if text.is_empty() || text.len() > 255 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(refused());
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parse(value: &str) -> Result<Option<String>, Problem> {
        let request = Request::builder()
            .header("Idempotency-Key", value)
            .body(())
            .expect("request");
        key(&request.into_parts().0)
    }

    #[test]
    fn a_key_may_be_quoted_or_bare() {
        assert_eq!(parse("\"a-1\"").expect("quoted"), Some("a-1".to_owned()));
        assert_eq!(parse("a-1").expect("bare"), Some("a-1".to_owned()));
        assert!(parse("").is_err() && parse("\"\"").is_err() && parse("a b").is_err());
        assert!(parse(&"x".repeat(256)).is_err());
    }
}
