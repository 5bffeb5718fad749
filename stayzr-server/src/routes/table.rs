//! The table of all routes: method, path, who may call, what answers.

use http::Method;
use stayzr_core::{tenant::Role, transform::EntityKind};

use super::{
    changes, conflicts, conversations, desk, entities, integrations, jobs, knowledge, notes,
    operations, provider_configs, setup, webhooks as hooks,
};
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
    routes.extend(conflicts());
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

fn webhooks() -> [Route; 9] {
    const WHATSAPP: &str = "/webhooks/whatsapp";
    const PMS: &str = "/webhooks/pms/{provider}/{integration_id}";
    const PMS_TOKEN: &str = "/webhooks/pms/{provider}/{integration_id}/{token}";
    [
        raw(Method::GET, WHATSAPP, hooks::receive),
        raw(Method::POST, WHATSAPP, hooks::receive),
        raw(Method::POST, PMS, hooks::receive),
        raw(Method::POST, PMS_TOKEN, hooks::receive),
        raw(Method::POST, "/webhooks/email/resend", hooks::receive),
        raw(Method::POST, "/webhooks/email/postmark", hooks::receive),
        raw(
            Method::POST,
            "/webhooks/email/postmark-inbound",
            hooks::receive,
        ),
        raw(
            Method::POST,
            "/webhooks/payments/stripe/{account_id}",
            hooks::receive,
        ),
        raw(
            Method::POST,
            "/webhooks/payments/razorpay/{account_id}",
            hooks::receive,
        ),
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
        (EntityKind::Note, "/api/v1/notes", "/api/v1/notes/{id}"),
    ];
    let mut routes = vec![route(
        Method::GET,
        "/api/v1/organizations/current",
        STAFF,
        entities::organization,
    )];
    const NOTES: &str = "/api/v1/reservations/{id}/notes";
    routes.push(route(Method::GET, NOTES, STAFF, notes::of_reservation));
    routes.push(route(Method::POST, NOTES, STAFF, notes::write));
    for (kind, list) in [
        (EntityKind::Guest, "/api/v1/guests"),
        (EntityKind::ServiceRequest, "/api/v1/service-requests"),
    ] {
        routes.push(route(Method::POST, list, STAFF, move |call| {
            entities::create_here(kind, call)
        }));
    }
    const PRODUCTS: &str = "/api/v1/properties/{id}/products";
    const ORDERS: &str = "/api/v1/reservations/{id}/orders";
    const MESSAGES: &str = "/api/v1/reservations/{id}/messages";
    routes.push(route(Method::GET, PRODUCTS, STAFF, desk::products));
    routes.push(route(Method::POST, ORDERS, STAFF, desk::order));
    routes.push(route(Method::POST, MESSAGES, STAFF, desk::leave_message));
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
    let mut routes = vec![route(Method::GET, "/api/v1/changes", STAFF, changes::list)];
    for (kind, list, restore) in [
        (
            EntityKind::Property,
            "/api/v1/properties/{id}/changes",
            "/api/v1/properties/{id}/changes/{change_id}/restore",
        ),
        (
            EntityKind::Room,
            "/api/v1/rooms/{id}/changes",
            "/api/v1/rooms/{id}/changes/{change_id}/restore",
        ),
        (
            EntityKind::Guest,
            "/api/v1/guests/{id}/changes",
            "/api/v1/guests/{id}/changes/{change_id}/restore",
        ),
        (
            EntityKind::Reservation,
            "/api/v1/reservations/{id}/changes",
            "/api/v1/reservations/{id}/changes/{change_id}/restore",
        ),
        (
            EntityKind::Note,
            "/api/v1/notes/{id}/changes",
            "/api/v1/notes/{id}/changes/{change_id}/restore",
        ),
        (
            EntityKind::ServiceRequest,
            "/api/v1/service-requests/{id}/changes",
            "/api/v1/service-requests/{id}/changes/{change_id}/restore",
        ),
    ] {
        routes.push(route(Method::GET, list, STAFF, move |call| {
            changes::of_row(kind, call)
        }));
        routes.push(route(Method::POST, restore, STAFF, move |call| {
            changes::restore(kind, call)
        }));
    }
    routes
}

fn conflicts() -> [Route; 3] {
    const RESOLVE: &str = "/api/v1/conflicts/{id}/resolve";
    const ITEM: &str = "/api/v1/conflicts/{id}";
    [
        route(Method::GET, "/api/v1/conflicts", STAFF, conflicts::list),
        route(Method::GET, ITEM, STAFF, conflicts::item),
        route(Method::POST, RESOLVE, STAFF, conflicts::resolve),
    ]
}

fn synchronisation() -> [Route; 9] {
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
            "/api/v1/integrations/{id}/plan",
            STAFF,
            integrations::plan,
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

fn conversations() -> [Route; 10] {
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
        route(Method::GET, REQUEST, STAFF, |call| {
            entities::item(EntityKind::ServiceRequest, call)
        }),
        route(Method::PATCH, REQUEST, STAFF, |call| {
            entities::patch(EntityKind::ServiceRequest, call)
        }),
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

fn setup() -> [Route; 11] {
    const CONFIG: &str = "/api/v1/provider-configs/{provider}";
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
        route(
            Method::GET,
            "/api/v1/provider-configs",
            ADMIN,
            provider_configs::list,
        ),
        route(
            Method::GET,
            "/api/v1/provider-configs/schema",
            ADMIN,
            provider_configs::schema,
        ),
        route(Method::GET, CONFIG, ADMIN, provider_configs::item),
        route(Method::PUT, CONFIG, ADMIN, provider_configs::put),
    ]
}
