//! What stands at which path.

mod conversations;
mod entities;
mod integrations;
mod jobs;
mod knowledge;
mod operations;
mod setup;
mod webhooks;

use http::Method;
use stayzr_core::{tenant::Role, transform::EntityKind};

use crate::http::{Access, Route, RouteTable, raw, route};

const STAFF: Access = Access::Role(Role::Staff);
const ADMIN: Access = Access::Role(Role::Admin);

/// The longest body of a knowledge document, in bytes: its text as JSON.
const DOCUMENT_BYTES: usize = 8 << 20;

/// The table of all routes.
pub fn table() -> RouteTable {
    let mut routes = Vec::new();
    routes.extend(operations());
    routes.extend(webhooks());
    routes.extend(entities());
    routes.extend(journals());
    routes.extend(synchronisation());
    routes.extend(conversations());
    routes.extend(knowledge());
    routes.extend(setup());
    RouteTable::new(routes)
}

fn operations() -> [Route; 3] {
    [
        route(Method::GET, "/health", Access::Public, operations::health),
        route(Method::GET, "/ready", Access::Public, operations::ready),
        route(Method::GET, "/metrics", Access::Public, operations::metrics),
    ]
}

fn webhooks() -> [Route; 4] {
    const WHATSAPP: &str = "/webhooks/whatsapp";
    const PMS: &str = "/webhooks/pms/{provider}/{integration_id}";
    const PMS_TOKEN: &str = "/webhooks/pms/{provider}/{integration_id}/{token}";
    [
        raw(Method::GET, WHATSAPP, webhooks::receive),
        raw(Method::POST, WHATSAPP, webhooks::receive),
        raw(Method::POST, PMS, webhooks::receive),
        raw(Method::POST, PMS_TOKEN, webhooks::receive),
    ]
}

fn entities() -> Vec<Route> {
    let kinds = [
        (
            EntityKind::Property,
            "/api/v1/properties",
            "/api/v1/properties/{id}",
        ),
        (EntityKind::Room, "/api/v1/rooms", "/api/v1/rooms/{id}"),
        (
            EntityKind::RoomType,
            "/api/v1/room-types",
            "/api/v1/room-types/{id}",
        ),
        (EntityKind::Guest, "/api/v1/guests", "/api/v1/guests/{id}"),
        (
            EntityKind::Reservation,
            "/api/v1/reservations",
            "/api/v1/reservations/{id}",
        ),
    ];
    let mut routes = vec![route(
        Method::GET,
        "/api/v1/organizations/current",
        STAFF,
        entities::organization,
    )];
    for (kind, list, item) in kinds {
        routes.push(route(Method::GET, list, STAFF, move |call| {
            entities::list(kind, call)
        }));
        routes.push(route(Method::GET, item, STAFF, move |call| {
            entities::item(kind, call)
        }));
        if kind != EntityKind::RoomType {
            routes.push(route(Method::PATCH, item, STAFF, move |call| {
                entities::patch(kind, call)
            }));
        }
    }
    routes
}

fn journals() -> Vec<Route> {
    [
        (EntityKind::Property, "/api/v1/properties/{id}/changes"),
        (EntityKind::Room, "/api/v1/rooms/{id}/changes"),
        (EntityKind::Guest, "/api/v1/guests/{id}/changes"),
        (EntityKind::Reservation, "/api/v1/reservations/{id}/changes"),
    ]
    .into_iter()
    .map(|(kind, path)| {
        route(Method::GET, path, STAFF, move |call| {
            entities::changes(kind, call)
        })
    })
    .collect()
}

fn synchronisation() -> [Route; 8] {
    const ITEM: &str = "/api/v1/integrations/{id}";
    [
        route(
            Method::GET,
            "/api/v1/integrations",
            STAFF,
            integrations::list,
        ),
        route(Method::GET, ITEM, STAFF, integrations::item),
        route(
            Method::POST,
            "/api/v1/integrations/{id}/sync",
            STAFF,
            integrations::sync,
        ),
        route(
            Method::GET,
            "/api/v1/integrations/{id}/runs",
            STAFF,
            integrations::runs,
        ),
        route(Method::GET, "/api/v1/jobs", STAFF, jobs::list),
        route(Method::GET, "/api/v1/jobs/{id}", STAFF, jobs::item),
        route(Method::POST, "/api/v1/jobs/{id}/retry", STAFF, jobs::retry),
        route(
            Method::POST,
            "/api/v1/jobs/{id}/cancel",
            STAFF,
            jobs::cancel,
        ),
    ]
}

fn conversations() -> [Route; 9] {
    const ITEM: &str = "/api/v1/conversations/{id}";
    const MESSAGES: &str = "/api/v1/conversations/{id}/messages";
    const TAKEOVER: &str = "/api/v1/conversations/{id}/takeover";
    const RELEASE: &str = "/api/v1/conversations/{id}/release";
    const REQUESTS: &str = "/api/v1/service-requests";
    const REQUEST: &str = "/api/v1/service-requests/{id}";
    const CONCIERGE: &str = "/api/v1/concierge/messages";
    [
        route(
            Method::GET,
            "/api/v1/conversations",
            STAFF,
            conversations::list,
        ),
        route(Method::GET, ITEM, STAFF, conversations::item),
        route(Method::POST, MESSAGES, STAFF, conversations::reply),
        route(Method::POST, TAKEOVER, STAFF, conversations::takeover),
        route(Method::POST, RELEASE, STAFF, conversations::release),
        route(Method::GET, "/api/v1/outbox", STAFF, conversations::outbox),
        route(
            Method::GET,
            REQUESTS,
            STAFF,
            conversations::service_requests,
        ),
        route(
            Method::PATCH,
            REQUEST,
            STAFF,
            conversations::set_service_request,
        ),
        route(Method::POST, CONCIERGE, STAFF, conversations::concierge),
    ]
}

fn knowledge() -> [Route; 5] {
    const DOCUMENTS: &str = "/api/v1/knowledge/documents";
    const DOCUMENT: &str = "/api/v1/knowledge/documents/{id}";
    [
        route(Method::GET, DOCUMENTS, STAFF, knowledge::list),
        route(Method::POST, DOCUMENTS, STAFF, knowledge::put).body_limit(DOCUMENT_BYTES),
        route(Method::GET, DOCUMENT, STAFF, knowledge::item),
        route(Method::DELETE, DOCUMENT, STAFF, knowledge::delete),
        route(
            Method::POST,
            "/api/v1/knowledge/search",
            STAFF,
            knowledge::search,
        ),
    ]
}

fn setup() -> [Route; 7] {
    const CHANNELS: &str = "/api/v1/channels";
    [
        route(
            Method::POST,
            "/api/v1/properties",
            ADMIN,
            setup::create_property,
        ),
        route(
            Method::POST,
            "/api/v1/integrations",
            ADMIN,
            setup::create_integration,
        ),
        route(
            Method::PATCH,
            "/api/v1/integrations/{id}",
            ADMIN,
            setup::change_integration,
        ),
        route(
            Method::DELETE,
            "/api/v1/integrations/{id}",
            ADMIN,
            setup::delete_integration,
        ),
        route(Method::GET, CHANNELS, ADMIN, setup::channels),
        route(Method::POST, CHANNELS, ADMIN, setup::create_channel),
        route(
            Method::DELETE,
            "/api/v1/channels/{id}",
            ADMIN,
            setup::delete_channel,
        ),
    ]
}
