//! A person decides a conflict.

use serde_json::{Value, json};
use stayzr_core::{
    ErrorKind, Result,
    flow::{EditRequest, ResolveRequest, as_seen, edit, resolve},
    model::{Change, ChangeOutcome, Conflict, ConflictStatus, ContactChannel, ResolutionChoice},
    port::{
        Store,
        sync::{PageWrite, RowWrite},
    },
    store::conformance::sample,
    transform::{EntityKind, EntityRow, FieldMap},
};

use crate::{
    hotel::Hotel,
    pms::{Known, Pms, fields, staff},
};

on_each_store! {
    invariant_b_ours_stays_is_pushed_and_theirs_can_be_restored
    theirs_is_taken_with_what_waited
    field_by_field_a_side_or_another_value
    every_disputed_field_is_decided_and_no_other
    a_value_is_checked_as_in_an_edit
    what_the_vendor_cannot_be_told_is_not_pushed
    invariant_b_what_waits_and_was_edited_here_is_disputed_too
    it_is_decided_once_and_as_it_was_seen
    invariant_t_not_found_elsewhere
}

fn request(conflict: &Conflict, choice: ResolutionChoice, named: Value) -> ResolveRequest {
    ResolveRequest {
        conflict_id: conflict.id,
        choice,
        fields: fields(named),
        expected_revision: None,
        source: staff(),
    }
}

async fn decide<S: Store>(at: &Hotel<S>, request: ResolveRequest) -> Result<(Conflict, EntityRow)> {
    resolve(&at.store, &Pms, at.clock.as_ref(), at.scope, request).await
}

fn line<'a>(journal: &'a [Change], field: &str, outcome: ChangeOutcome) -> Option<&'a Change> {
    journal
        .iter()
        .find(|line| line.field.as_deref() == Some(field) && line.outcome == outcome)
}

async fn set<S: Store>(at: &Hotel<S>, known: &Known, values: Value) -> EntityRow {
    let request = EditRequest {
        kind: EntityKind::Guest,
        id: known.row.id,
        set: fields(values),
        expected_version: None,
        source: staff(),
    };
    let scope = sample::widened(at.scope);
    let edited = edit(&at.store, &Pms, at.clock.as_ref(), scope, request).await;
    edited.expect("the edit is taken")
}

async fn invariant_b_ours_stays_is_pushed_and_theirs_can_be_restored<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let conflict = at.is_disputed(&known).await;
    let before = at.mapping(&known).await;
    let request = request(&conflict, ResolutionChoice::Local, json!({}));
    let (resolved, row) = decide(&at, request).await.expect("decided");

    assert_eq!(resolved.status, ConflictStatus::Resolved);
    let resolution = resolved.resolution.expect("a resolution");
    assert_eq!(resolution.choice, ResolutionChoice::Local);
    assert_eq!(resolution.fields, conflict.local);
    assert_eq!(resolution.source, Some(staff()));
    assert_eq!(row.fields.text("email"), Some("ours@example.com"));
    assert_eq!(row.fields.text("last_name"), Some("Sylva"));
    assert_eq!(row.fields.text("loyalty_code"), Some("L-1"), "what waited");

    let mapping = at.mapping(&known).await;
    let mut base = before.base.clone();
    base.extend(&conflict.remote);
    base.extend(&conflict.waiting);
    assert_eq!(mapping.base, base, "the vendor's values are known");
    assert_eq!(mapping.extra, before.extra);

    let journal = at.journal(EntityKind::Guest, known.row.id).await;
    let refused = line(&journal, "email", ChangeOutcome::Refused).expect("what lost");
    assert_eq!(refused.old, Some(json!("ours@example.com")));
    assert_eq!(refused.new, Some(json!("theirs@example.com")));
    assert_eq!(refused.base, Some(json!("ana@example.com")));
    assert_eq!(refused.source, staff());
    let waited = line(&journal, "loyalty_code", ChangeOutcome::Applied).expect("what waited");
    assert_eq!(waited.new, Some(json!("L-1")));
    assert_eq!(journal.len(), 4, "two that lost, two that waited");

    let pushes = at.pushes().await;
    assert_eq!(pushes.len(), 1);
    assert_eq!(pushes[0].payload["id"], json!(known.row.id));
    assert_eq!(pushes[0].property_id, at.scope.property_id);
}

async fn theirs_is_taken_with_what_waited<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let conflict = at.is_disputed(&known).await;
    let request = request(&conflict, ResolutionChoice::Remote, json!({}));
    let (resolved, row) = decide(&at, request).await.expect("decided");

    let resolution = resolved.resolution.expect("a resolution");
    assert_eq!(resolution.fields, conflict.remote);
    assert_eq!(row.fields.text("email"), Some("theirs@example.com"));
    assert_eq!(row.fields.text("phone"), Some("912 345 678"));
    let mapping = at.mapping(&known).await;
    assert_eq!(mapping.base, row.fields, "both sides agree");
    assert!(at.pushes().await.is_empty(), "there is nothing to tell");
    let journal = at.journal(EntityKind::Guest, known.row.id).await;
    assert_eq!(journal.len(), 4);
    let taken = line(&journal, "email", ChangeOutcome::Applied).expect("a line");
    assert_eq!(
        taken.old,
        Some(json!("ours@example.com")),
        "ours can be restored"
    );
    let guest = Some(known.row.id.into());
    let email = at.leads(ContactChannel::Email, "theirs@example.com").await;
    assert_eq!(email, guest);
    let phone = at.leads(ContactChannel::Phone, "+351912345678").await;
    assert_eq!(phone, guest, "read in the property's country");
}

async fn field_by_field_a_side_or_another_value<S: Store>(at: Hotel<S>) {
    for (wish, email) in [
        (json!({ "value": "local" }), None),
        (json!("remote"), Some("theirs@example.com")),
        (json!("local"), Some("ours@example.com")),
        (json!("  both@example.com "), Some("both@example.com")),
        (json!({ "value": null }), None),
    ] {
        let known = at.knows_ana().await;
        let conflict = at.is_disputed(&known).await;
        let named = json!({ "email": wish, "last_name": "remote" });
        let request = request(&conflict, ResolutionChoice::Fields, named);
        let (resolved, row) = decide(&at, request).await.expect("decided");
        let expected = match wish == json!({ "value": "local" }) {
            true => Some("local"),
            false => email,
        };
        assert_eq!(row.fields.text("email"), expected, "{wish}");
        assert_eq!(row.fields.text("last_name"), Some("Silveira"));
        let resolution = resolved.resolution.expect("a resolution");
        assert_eq!(resolution.fields, row.fields.only(["email", "last_name"]));
        let base = at.mapping(&known).await.base;
        assert_eq!(base.text("email"), Some("theirs@example.com"));
        let journal = at.journal(EntityKind::Guest, known.row.id).await;
        let lost = line(&journal, "email", ChangeOutcome::Refused);
        assert_eq!(lost.is_some(), wish != json!("remote"), "{wish}");
        let (told, pushes) = (wish != json!("remote"), at.pushes().await);
        let of_guest = |job: &&stayzr_core::queue::Job| job.payload["id"] == json!(known.row.id);
        assert_eq!(pushes.iter().filter(of_guest).count(), usize::from(told));
    }
}

async fn every_disputed_field_is_decided_and_no_other<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let conflict = at.is_disputed(&known).await;
    for (choice, named, field) in [
        (
            ResolutionChoice::Fields,
            json!({ "email": "local" }),
            "last_name",
        ),
        (ResolutionChoice::Fields, json!({}), "email"),
        (
            ResolutionChoice::Fields,
            json!({ "email": "local", "last_name": "local", "phone": "remote" }),
            "phone",
        ),
        (
            ResolutionChoice::Local,
            json!({ "email": "local" }),
            "email",
        ),
        (ResolutionChoice::Converged, json!({}), ""),
    ] {
        let refused = decide(&at, request(&conflict, choice, named.clone())).await;
        let error = refused.expect_err("it is refused");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{named}");
        let said = error.context().iter().find(|(key, _)| *key == "field");
        assert_eq!(said.map_or("", |(_, field)| field.as_str()), field);
    }
    let found = at.store.conflict(at.scope, conflict.id).await;
    assert_eq!(found.expect("conflicts"), Some(conflict), "it waits");
}

async fn a_value_is_checked_as_in_an_edit<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let mut conflict = at.is_disputed(&known).await;
    conflict.remote.insert("phone", "1");
    conflict.remote.insert("origin", "channel");
    let mut page = PageWrite::new(at.scope, known.integration_id);
    page.conflicts = vec![conflict.clone()];
    at.store.apply_page(page).await.expect("a page");
    let sides =
        json!({ "email": "local", "last_name": "local", "phone": "local", "origin": "local" });
    for (field, value) in [
        ("email", json!(["no", "text"])),
        ("phone", json!({ "value": null })),
        ("origin", json!({ "value": "staff" })),
    ] {
        let mut named = sides.clone();
        named[field] = value;
        let refused = decide(&at, request(&conflict, ResolutionChoice::Fields, named)).await;
        let error = refused.expect_err("it is refused");
        assert_eq!(error.kind(), ErrorKind::Invalid, "{field}");
    }
}

async fn what_the_vendor_cannot_be_told_is_not_pushed<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let mut conflict = at.is_disputed(&known).await;
    conflict.remote = fields(json!({ "notes": "theirs", "phone": "+351 1" }));
    conflict.waiting = FieldMap::new();
    let mut page = PageWrite::new(at.scope, known.integration_id);
    page.rows = vec![RowWrite::Update {
        kind: EntityKind::Guest,
        id: known.row.id,
        expected_version: 2,
        set: fields(json!({ "notes": "ours", "phone": null })),
    }];
    page.conflicts = vec![conflict.clone()];
    at.store.apply_page(page).await.expect("a page");
    let request = request(&conflict, ResolutionChoice::Local, json!({}));
    let (_, row) = decide(&at, request).await.expect("decided");
    assert_eq!(row.fields.text("notes"), Some("ours"));
    assert_eq!(row.fields.text("phone"), None);
    assert!(
        at.pushes().await.is_empty(),
        "one cannot be set, one not emptied"
    );
}

async fn invariant_b_what_waits_and_was_edited_here_is_disputed_too<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let conflict = at.is_disputed(&known).await;
    let row = set(&at, &known, json!({ "phone": "+351 911 111 111" })).await;
    let seen = as_seen(conflict.clone(), &row, Some(&at.mapping(&known).await));
    let disputed: Vec<&str> = seen.remote.names().collect();
    assert_eq!(disputed, ["email", "last_name", "phone"]);
    assert_eq!(seen.local.text("phone"), Some("+351 911 111 111"));
    assert_eq!(seen.waiting, fields(json!({ "loyalty_code": "L-1" })));

    let named = json!({ "email": "remote", "last_name": "remote" });
    let refused = decide(&at, request(&conflict, ResolutionChoice::Fields, named)).await;
    assert_eq!(
        refused.expect_err("phone is missing").kind(),
        ErrorKind::Invalid
    );

    let request = request(&conflict, ResolutionChoice::Local, json!({}));
    let (_, row) = decide(&at, request).await.expect("decided");
    assert_eq!(
        row.fields.text("phone"),
        Some("+351 911 111 111"),
        "no edit is lost"
    );
    let base = at.mapping(&known).await.base;
    assert_eq!(base.text("phone"), Some("912 345 678"));
    let journal = at.journal(EntityKind::Guest, known.row.id).await;
    let lost = line(&journal, "phone", ChangeOutcome::Refused).expect("a line");
    assert_eq!(lost.new, Some(json!("912 345 678")));
}

async fn it_is_decided_once_and_as_it_was_seen<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let conflict = at.is_disputed(&known).await;
    let mut newer = conflict.clone();
    newer.remote.insert("email", "newest@example.com");
    let mut page = PageWrite::new(at.scope, known.integration_id);
    page.conflicts = vec![newer];
    at.store.apply_page(page).await.expect("a page");
    let mut request = request(&conflict, ResolutionChoice::Remote, json!({}));
    request.expected_revision = Some(1);
    let refused = decide(&at, request.clone()).await;
    let error = refused.expect_err("the vendor said something else since");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    request.expected_revision = Some(2);
    let (_, row) = decide(&at, request.clone()).await.expect("decided");
    assert_eq!(row.fields.text("email"), Some("newest@example.com"));
    request.expected_revision = None;
    let error = decide(&at, request).await.expect_err("it is over");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(at.journal(EntityKind::Guest, known.row.id).await.len(), 4);
}

async fn invariant_t_not_found_elsewhere<S: Store>(at: Hotel<S>) {
    let known = at.knows_ana().await;
    let conflict = at.is_disputed(&known).await;
    let clock = at.clock.as_ref();
    let stranger = sample::tenant(&at.store, clock).await;
    let organization = at.scope.organization_id;
    let sister = sample::another_property(&at.store, clock, organization).await;
    for scope in [stranger, sample::widened(stranger), sister] {
        let request = request(&conflict, ResolutionChoice::Remote, json!({}));
        let refused = resolve(&at.store, &Pms, clock, scope, request).await;
        let error = refused.expect_err("somebody else's");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
