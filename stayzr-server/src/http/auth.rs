use http::{HeaderValue, StatusCode, header, request::Parts};
use stayzr_core::{
    ErrorKind,
    ids::{OrganizationId, PropertyId},
    port::Store,
    tenant::{Principal, Role, TenantScope, hash_token},
    transform::EntityKind,
};

use super::{Problem, Query};

/// Who calls, and what the call may touch.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who the token belongs to.
    pub principal: Principal,
    /// The organization, and the property that the call is narrowed to.
    pub scope: TenantScope,
}

/// Finds out who calls and for which organization and property.
///
/// A header, query or cookie only chooses among organizations that the caller belongs to.
pub(crate) async fn authenticate(
    store: &dyn Store,
    parts: &Parts,
    query: &Query,
    role: Role,
) -> Result<Caller, Problem> {
    let token = bearer(parts)?;
    let principal = store
        .principal(&hash_token(token))
        .await?
        .ok_or_else(|| unauthorized("this API token is not known or was revoked"))?;
    if let Some(chosen) = organization(parts, query)?
        && chosen != principal.organization_id
    {
        return Err(Problem::of(ErrorKind::Forbidden)
            .detail("this API token does not belong to the organization that was chosen"));
    }
    if principal.role < role {
        return Err(Problem::of(ErrorKind::Forbidden).detail(format!(
            "this needs a token with the role {}",
            role.as_str()
        )));
    }
    let scope = narrow(store, parts, query, &principal).await?;
    Ok(Caller { principal, scope })
}

fn unauthorized(detail: &str) -> Problem {
    Problem::of(ErrorKind::Unauthorized)
        .detail(detail)
        .header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

fn bearer(parts: &Parts) -> Result<&str, Problem> {
    let Some(value) = single(parts, "authorization")? else {
        return Err(unauthorized(
            "send an API token: `Authorization: Bearer TOKEN`",
        ));
    };
    match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(unauthorized("the scheme of `Authorization` must be Bearer")),
    }
}

/// A header that may be given once.
fn single<'p>(parts: &'p Parts, name: &str) -> Result<Option<&'p str>, Problem> {
    let mut values = parts.headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_some() {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "duplicate_header",
            "A header is given more than once",
        )
        .detail(format!("`{name}` is given more than once")));
    }
    first
        .map(|value| {
            value
                .to_str()
                .map_err(|_| Problem::invalid(format!("`{name}` is not plain text")))
        })
        .transpose()
}

fn organization(parts: &Parts, query: &Query) -> Result<Option<OrganizationId>, Problem> {
    let chosen = match single(parts, "x-organization-id")? {
        Some(value) => Some(value),
        None => match query.one("organization_id")? {
            Some(value) => Some(value),
            None => cookie(parts, "stayzr_organization"),
        },
    };
    chosen
        .map(|value| {
            value
                .trim()
                .parse()
                .map_err(|_| Problem::invalid("the organization that was chosen is not a UUID"))
        })
        .transpose()
}

fn cookie<'p>(parts: &'p Parts, name: &str) -> Option<&'p str> {
    parts
        .headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            (key == name).then_some(value)
        })
}

async fn narrow(
    store: &dyn Store,
    parts: &Parts,
    query: &Query,
    principal: &Principal,
) -> Result<TenantScope, Problem> {
    let organization = TenantScope::organization(principal.organization_id);
    let chosen = match single(parts, "x-property-id")? {
        Some(value) => Some(value),
        None => query.one("property_id")?,
    };
    let Some(chosen) = chosen else {
        return match principal.property_ids.as_slice() {
            [] => Ok(organization),
            [only] => Ok(TenantScope::property(principal.organization_id, *only)),
            _ => Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "property_required",
                "Choose a property",
            )
            .detail(
                "this API token is bound to several properties: choose one with X-Property-ID or property_id",
            )),
        };
    };
    let chosen: PropertyId = chosen
        .trim()
        .parse()
        .map_err(|_| Problem::invalid("the property that was chosen is not a UUID"))?;
    let bound = principal.property_ids.is_empty() || principal.property_ids.contains(&chosen);
    let row = match bound {
        true => {
            store
                .row(organization, EntityKind::Property, chosen.uuid())
                .await?
        }
        false => None,
    };
    match row {
        Some(_) => Ok(TenantScope::property(principal.organization_id, chosen)),
        None => Err(Problem::not_found("property")),
    }
}
