//! Guests and notes that staff makes here.

use serde_json::{Value, json};
use stayzr_core::{
    ErrorKind, Result,
    flow::{CreateRequest, EditRequest, PushPolicy, create, edit},
    ids::IntegrationId,
    model::{ChangeOutcome, ContactChannel, Guest, GuestOrigin, Note, NoteKind},
    port::{
        Store,
        sync::{PageWrite, RowWrite},
    },
    queue::NewJob,
    store::conformance::sample,
    tenant::TenantScope,
    transform::{Entity, EntityKind, EntityRow, FieldRule},
};
use uuid::Uuid;

use crate::{
    hotel::Hotel,
    pms::{Known, Pms, fields, staff},
};

on_each_store! {
    a_guest_is_made_with_its_addresses
    a_note_is_made_and_told_where_the_pms_knows_its_reservation
    a_guest_without_a_property_is_made_by_the_only_pms_that_makes_guests
    what_says_too_little_or_too_much_is_refused
    a_note_is_edited
    invariant_t_a_note_is_about_what_is_in_sight
}

async fn makes<S: Store>(
    at: &Hotel<S>,
    scope: TenantScope,
    kind: EntityKind,
    set: Value,
) -> Result<EntityRow> {
    let request = CreateRequest {
        id: None,
        kind,
        property_id: None,
        set: fields(set),
        source: staff(),
    };
    create(&at.store, &Pms, at.clock.as_ref(), scope, request).await
}

/// A reservation of the guest, which the PMS knows as this.
async fn stays<S: Store>(at: &Hotel<S>, known: &Known, external: Option<&str>) -> Uuid {
    let clock = at.clock.as_ref();
    let stay = sample::reservation(clock, at.scope, known.row.id.into());
    let row = sample::row(&stay);
    let mut page = PageWrite::new(at.scope, known.integration_id);
    page.mappings = external
        .map(|id| sample::mapping(clock, known.integration_id, row.kind, id, row.id))
        .into_iter()
        .collect();
    page.rows = vec![RowWrite::Insert(row)];
    at.store.apply_page(page).await.expect("a page");
    stay.id.uuid()
}

async fn a_guest_is_made_with_its_addresses<S: Store>(at: Hotel<S>) {
    at.knows_ana().await;
    let set = json!({
        "first_name": " Bo ", "last_name": "Ek", "email": "Bo@Example.com",
        "phone": "912 345 678", "language": "sv", "title": "",
    });
    let row = makes(&at, at.scope, EntityKind::Guest, set).await;
    let row = row.expect("it is made");
    let guest = Guest::from_row(&row).expect("a guest");
    assert_eq!(guest.origin, GuestOrigin::Staff);
    assert_eq!(guest.first_name.as_deref(), Some("Bo"));
    assert_eq!((guest.title, guest.active, guest.version), (None, true, 1));
    let scope = sample::widened(at.scope);
    let found = at.store.row(scope, EntityKind::Guest, row.id).await;
    assert_eq!(found.expect("rows"), Some(row.clone()));
    for (channel, address) in [
        (ContactChannel::Email, "bo@example.com"),
        (ContactChannel::Phone, "+351912345678"),
    ] {
        assert_eq!(at.leads(channel, address).await, Some(guest.id));
    }
    let journal = at.journal(EntityKind::Guest, row.id).await;
    assert_eq!(journal.len(), 1, "one line for a row that is made");
    assert_eq!((&journal[0].field, &journal[0].source), (&None, &staff()));
    assert_eq!(journal[0].outcome, ChangeOutcome::Applied);
    assert!(at.pushes().await.is_empty(), "this PMS makes no guests");
}

/// A PMS that makes guests.
struct MakesGuests;

impl PushPolicy for MakesGuests {
    fn rule(&self, provider: &str, kind: EntityKind, field: &str) -> Option<FieldRule> {
        Pms.rule(provider, kind, field)
    }

    fn creates(&self, _: &str, kind: EntityKind) -> bool {
        kind == EntityKind::Guest
    }

    fn push_job(
        &self,
        scope: TenantScope,
        of: IntegrationId,
        kind: EntityKind,
        id: Uuid,
    ) -> NewJob {
        Pms.push_job(scope, of, kind, id)
    }
}

async fn a_guest_without_a_property_is_made_by_the_only_pms_that_makes_guests<S: Store>(
    at: Hotel<S>,
) {
    let clock = at.clock.as_ref();
    let whole = sample::widened(at.scope);
    let request = |property_id| CreateRequest {
        id: None,
        kind: EntityKind::Guest,
        property_id,
        set: fields(json!({ "last_name": "Ek", "phone": "912 345 678" })),
        source: staff(),
    };
    let makes = async |property_id| {
        create(&at.store, &MakesGuests, clock, whole, request(property_id)).await
    };
    makes(None)
        .await
        .expect("it stays here where there is no PMS");
    assert!(at.pushes().await.is_empty());

    sample::connected(&at.store, clock, at.scope).await;
    let second = sample::another_property(&at.store, clock, at.scope.organization_id).await;
    let row = makes(None).await.expect("there is one PMS");
    let pushes = at.pushes().await;
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0].payload["id"], json!(row.id));
    assert_eq!(pushes[0].property_id, at.scope.property_id);
    let guest = at.leads(ContactChannel::Phone, "+351912345678").await;
    assert!(guest.is_some(), "its telephone is read in that country");

    sample::connected(&at.store, clock, second).await;
    let error = makes(None).await.expect_err("nobody knows which PMS");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let named = |key: &str| error.context().iter().find(|(name, _)| *name == key);
    assert!(
        named("field").is_some_and(|(_, field)| field == "property_id"),
        "{error}"
    );
    assert_eq!(at.pushes().await.len(), 1, "nothing of it is done");
    makes(second.property_id).await.expect("it is named");
    let pushes = at.pushes().await;
    assert!(
        pushes
            .iter()
            .any(|push| push.property_id == second.property_id)
    );
}

async fn a_note_is_made_and_told_where_the_pms_knows_its_reservation<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let unknown = stays(&at, &known, None).await;
    let set = json!({ "reservation_id": unknown, "text": "a cot" });
    let row = makes(&at, sample::widened(at.scope), EntityKind::Note, set).await;
    let row = row.expect("it is made");
    assert_eq!(row.property_id, at.scope.property_id, "where the stay is");
    assert!(
        at.pushes().await.is_empty(),
        "the PMS does not know the stay"
    );

    let mapped = stays(&at, &known, Some("r-1")).await;
    let set = json!({ "reservation_id": mapped, "text": "a cot", "kind": "special_request" });
    let row = makes(&at, at.scope, EntityKind::Note, set).await;
    let note = Note::from_row(&row.expect("it is made")).expect("a note");
    assert_eq!((note.kind, note.active), (NoteKind::SpecialRequest, true));
    let pushes = at.pushes().await;
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0].payload["id"], json!(note.id));
    assert_eq!(pushes[0].property_id, at.scope.property_id);
    let journal = at.journal(EntityKind::Note, note.id.uuid()).await;
    assert_eq!(journal.len(), 1);
}

async fn what_says_too_little_or_too_much_is_refused<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let stay = stays(&at, &known, None).await;
    let (guest, note) = (EntityKind::Guest, EntityKind::Note);
    let widened = sample::widened(at.scope);
    for (scope, kind, set) in [
        (at.scope, guest, json!({})),
        (at.scope, guest, json!({ "title": "Dr" })),
        (
            at.scope,
            guest,
            json!({ "last_name": "Ek", "origin": "pms" }),
        ),
        (at.scope, guest, json!({ "last_name": "Ek", "shoe": 43 })),
        (
            at.scope,
            guest,
            json!({ "last_name": "Ek", "language": "no such" }),
        ),
        (
            at.scope,
            note,
            json!({ "reservation_id": stay, "text": "  " }),
        ),
        (at.scope, note, json!({ "reservation_id": stay })),
        (at.scope, note, json!({ "text": "about nobody" })),
        (
            at.scope,
            note,
            json!({ "reservation_id": stay, "text": "a", "kind": "unknown" }),
        ),
        (
            at.scope,
            note,
            json!({ "reservation_id": Uuid::max(), "text": "a" }),
        ),
        (
            widened,
            note,
            json!({ "guest_id": known.row.id, "text": "where?" }),
        ),
        (at.scope, EntityKind::Reservation, json!({ "number": "1" })),
    ] {
        let refused = makes(&at, scope, kind, set.clone()).await;
        let error = refused.expect_err("it is refused");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{set}: {error}");
    }
}

async fn a_note_is_edited<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let stay = stays(&at, &known, Some("r-1")).await;
    let set = json!({ "reservation_id": stay, "text": "a cot" });
    let row = makes(&at, at.scope, EntityKind::Note, set).await;
    let row = row.expect("it is made");
    let edits = async |set: Value| {
        let request = EditRequest {
            kind: EntityKind::Note,
            id: row.id,
            set: fields(set),
            expected_version: None,
            source: staff(),
        };
        edit(&at.store, &Pms, at.clock.as_ref(), at.scope, request).await
    };
    let edited = edits(json!({ "text": "two cots", "active": false })).await;
    let note = Note::from_row(&edited.expect("it is taken")).expect("a note");
    assert_eq!((note.text.as_str(), note.active), ("two cots", false));
    for set in [
        json!({ "text": "" }),
        json!({ "reservation_id": null }),
        json!({ "kind": "unknown" }),
        json!({ "active": "no" }),
    ] {
        let refused = edits(set.clone()).await.expect_err("it is refused");
        assert_eq!(refused.kind(), ErrorKind::Invalid, "{set}");
    }
}

async fn invariant_t_a_note_is_about_what_is_in_sight<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let stay = stays(&at, &known, None).await;
    let clock = at.clock.as_ref();
    let stranger = sample::tenant(&at.store, clock).await;
    let sister = sample::another_property(&at.store, clock, at.scope.organization_id).await;
    for scope in [stranger, sister] {
        for set in [
            json!({ "reservation_id": stay, "text": "a" }),
            json!({ "guest_id": known.row.id, "text": "a" }),
        ] {
            let refused = makes(&at, scope, EntityKind::Note, set).await;
            let error = refused.expect_err("not in sight");
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
    }
    let request = CreateRequest {
        id: None,
        kind: EntityKind::Guest,
        property_id: at.scope.property_id,
        set: fields(json!({ "last_name": "Ek" })),
        source: staff(),
    };
    let refused = create(&at.store, &Pms, clock, stranger, request).await;
    let error = refused.expect_err("another's property");
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
