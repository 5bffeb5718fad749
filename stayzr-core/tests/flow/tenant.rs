//! What the stores that need no server refuse to write for a tenant.

use stayzr_core::{
    ErrorKind,
    clock::Clock,
    ids::{PropertyId, ServiceRequestId},
    model::{Channel, ServiceRequest, ServiceRequestStatus},
    port::{PageRequest, Store, conversation::AcceptMessage, edit::CreateWrite},
    store::conformance::sample,
    tenant::TenantScope,
};

use crate::hotel::Hotel;

on_each_store! {
    invariant_t_no_message_is_stored_under_another_tenants_property
    invariant_t_no_service_request_is_stored_under_another_tenants_property
}

async fn invariant_t_no_message_is_stored_under_another_tenants_property<S: Store>(at: Hotel<S>) {
    let elsewhere = sample::tenant(&at.store, at.clock.as_ref()).await;
    let message = AcceptMessage {
        scope: sample::widened(at.scope),
        property_id: sample::property_of(elsewhere),
        channel: Channel::Api,
        channel_account_id: None,
        guest_id: None,
        conversation_id: None,
        contacts: Vec::new(),
        reply_to: None,
        name: None,
        vendor_message_id: None,
        kind: "text".to_owned(),
        text: "Hello".to_owned(),
        sent_at: at.clock.now(),
        enqueue_turn: true,
    };
    let refused = at.store.accept_message(message).await;
    let refused = refused.expect_err("it is refused");
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    for scope in [sample::widened(at.scope), elsewhere] {
        let found = at.store.conversations(scope, &PageRequest::default()).await;
        assert!(found.expect("conversations").items.is_empty());
    }
}

fn request(scope: TenantScope, property_id: PropertyId, clock: &dyn Clock) -> ServiceRequest {
    ServiceRequest {
        id: ServiceRequestId::generate(clock),
        organization_id: scope.organization_id,
        property_id,
        version: 1,
        guest_id: None,
        reservation_id: None,
        conversation_id: None,
        category: "housekeeping".to_owned(),
        description: "Towels".to_owned(),
        status: ServiceRequestStatus::Open,
        status_vendor: None,
        due_at: None,
        created_at: clock.now(),
        updated_at: clock.now(),
    }
}

async fn invariant_t_no_service_request_is_stored_under_another_tenants_property<S: Store>(
    at: Hotel<S>,
) {
    let clock = at.clock.as_ref();
    let elsewhere = sample::tenant(&at.store, clock).await;
    let theirs = sample::property_of(elsewhere);
    let organization = sample::widened(at.scope);
    for (scope, request) in [
        (organization, request(elsewhere, theirs, clock)),
        (organization, request(organization, theirs, clock)),
        (at.scope, request(at.scope, theirs, clock)),
    ] {
        let create = CreateWrite {
            scope,
            row: request.to_row().expect("a row"),
            contacts: Vec::new(),
            changes: Vec::new(),
            jobs: Vec::new(),
        };
        let refused = at.store.create_row(create).await;
        assert_eq!(
            refused.expect_err("it is refused").kind(),
            ErrorKind::NotFound
        );
    }
    for scope in [organization, sample::widened(elsewhere)] {
        let page = PageRequest::default();
        let found = at.store.service_requests(scope, &page).await;
        assert!(found.expect("requests").items.is_empty());
    }
}
