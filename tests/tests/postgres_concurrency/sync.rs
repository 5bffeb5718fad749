//! Decisions, pages, merges of guests and messages side by side: each waits for the other or is
//! refused, and nothing is lost.

use serde_json::json;
use sqlx::{Connection, PgConnection};
use stayzr_core::{
    ErrorKind,
    clock::Clock,
    ids::{ConflictId, GuestId},
    model::{
        Channel, Conflict, ConflictStatus, Contact, ContactChannel, Resolution, ResolutionChoice,
    },
    port::{
        conflict::{Conflicts, ResolveWrite},
        conversation::{AcceptMessage, Conversations},
        entities::Entities,
        sync::{ContactWrite, GuestMerge, Mapping, PageWrite, RowWrite, SyncStore},
    },
    store::{conformance::fixture, postgres::PostgresStore},
    transform::{EntityKind, EntityRow},
};
use uuid::Uuid;

use super::{Processes, QUEUE};

const KIND: EntityKind = EntityKind::Guest;

impl Processes {
    /// A guest who is mapped under this id, with an address.
    async fn guest(&self, external: &str) -> EntityRow {
        let guest = fixture::guest(&self.hotel, &self.clock).expect("a guest");
        let mut page = PageWrite::new(self.hotel.scope, self.hotel.integration.id);
        page.mappings = vec![self.mapping(&guest, external, 1)];
        page.contacts = vec![ContactWrite {
            guest_id: guest.id.into(),
            channel: ContactChannel::Email,
            address: Some(format!("{external}@example.com")),
        }];
        page.rows = vec![RowWrite::Insert(guest.clone())];
        self.stores[0].apply_page(page).await.expect("a page");
        guest
    }

    fn mapping(&self, row: &EntityRow, external: &str, revision: i64) -> Mapping {
        Mapping {
            revision,
            ..fixture::mapping(&self.hotel, row, external, &self.clock)
        }
    }

    /// An open conflict about a guest's email.
    async fn conflict(&self, row: &EntityRow, external: &str) -> Conflict {
        let conflict = Conflict {
            id: ConflictId::generate(&*self.clock),
            organization_id: self.hotel.scope.organization_id,
            integration_id: self.hotel.integration.id,
            entity: KIND,
            entity_id: row.id,
            external_id: external.to_owned(),
            base: fixture::field("email", "base@example.com"),
            local: fixture::field("email", "zoe@example.com"),
            remote: fixture::field("email", "theirs@example.com"),
            waiting: fixture::field("phone", json!(null)),
            status: ConflictStatus::Open,
            resolution: None,
            revision: 1,
            created_at: self.clock.now(),
            updated_at: self.clock.now(),
        };
        let mut page = PageWrite::new(self.hotel.scope, self.hotel.integration.id);
        page.conflicts = vec![conflict.clone()];
        self.stores[0].apply_page(page).await.expect("a page");
        conflict
    }

    fn decision(&self, row: &EntityRow, conflict: &Conflict, email: &str) -> ResolveWrite {
        ResolveWrite {
            scope: self.hotel.scope,
            id: conflict.id,
            expected_revision: 1,
            resolution: Resolution {
                choice: ResolutionChoice::Fields,
                fields: fixture::field("email", email),
                source: None,
                at: self.clock.now(),
            },
            expected_version: 1,
            set: fixture::field("email", email),
            mapping: self.mapping(row, &conflict.external_id, 2),
            contacts: Vec::new(),
            changes: vec![fixture::change(
                &self.hotel,
                (KIND, row.id),
                "email",
                &self.clock,
            )],
            jobs: vec![self.hotel.job(QUEUE, email)],
        }
    }

    /// The email and version of a guest, and the revision of his mapping.
    async fn stands(&self, row: &EntityRow, external: &str) -> (String, i64, i64) {
        let store = &self.stores[0];
        let scope = self.hotel.scope;
        let found = store.row(scope, KIND, row.id).await.expect("a read");
        let found = found.expect("the guest");
        let email = found.fields.text("email").unwrap_or_default().to_owned();
        let names = [external.to_owned()];
        let mappings = store
            .mappings(scope, self.hotel.integration.id, KIND, &names)
            .await
            .expect("a read");
        (email, found.version, mappings[0].revision)
    }
}

#[tokio::test]
async fn invariant_b_of_two_decisions_about_one_conflict_one_wins() {
    let Some(all) = Processes::start(2).await else {
        return;
    };
    let mut outcomes = Vec::new();
    for round in 0..10 {
        let external = format!("g-{round}");
        let guest = all.guest(&external).await;
        let conflict = all.conflict(&guest, &external).await;
        let (one, two) = tokio::join!(
            all.stores[0].resolve_conflict(all.decision(&guest, &conflict, "one@example.com")),
            all.stores[1].resolve_conflict(all.decision(&guest, &conflict, "two@example.com")),
        );
        let won = match (&one, &two) {
            (Ok(_), Err(error)) if error.kind() == ErrorKind::Conflict => "one@example.com",
            (Err(error), Ok(_)) if error.kind() == ErrorKind::Conflict => "two@example.com",
            _ => "both or neither",
        };
        let stands = all.stands(&guest, &external).await;
        outcomes.push((stands, (won.to_owned(), 2, 2)));
    }
    let jobs = fixture::claim(&all.stores[0], QUEUE, 100).await;
    all.end().await;
    for (stands, expected) in outcomes {
        assert_eq!(stands, expected);
    }
    assert_eq!(jobs.expect("a claim").len(), 10, "one push for each");
}

#[tokio::test]
async fn invariant_b_a_decision_and_a_page_about_one_row_do_not_overwrite_each_other() {
    let Some(all) = Processes::start(2).await else {
        return;
    };
    let mut outcomes = Vec::new();
    for round in 0..10 {
        let external = format!("g-{round}");
        let guest = all.guest(&external).await;
        let conflict = all.conflict(&guest, &external).await;
        let mut page = PageWrite::new(all.hotel.scope, all.hotel.integration.id);
        page.rows = vec![RowWrite::Update {
            kind: KIND,
            id: guest.id,
            expected_version: 1,
            set: fixture::field("email", "page@example.com"),
        }];
        page.mappings = vec![all.mapping(&guest, &external, 2)];
        page.conflicts = vec![conflict.clone()];
        let (decided, written) = tokio::join!(
            all.stores[0].resolve_conflict(all.decision(&guest, &conflict, "staff@example.com")),
            all.stores[1].apply_page(page),
        );
        let won = match (decided.map_err(|e| e.kind()), written.map_err(|e| e.kind())) {
            (Ok(_), Err(ErrorKind::Conflict)) => "staff@example.com",
            (Err(ErrorKind::Conflict), Ok(())) => "page@example.com",
            other => panic!("both or neither: {other:?}"),
        };
        let after = all.stores[0].conflict(all.hotel.scope, conflict.id).await;
        let after = after.expect("a read").expect("the conflict");
        let open = after.status == ConflictStatus::Open;
        assert_eq!(open, won == "page@example.com");
        assert_eq!(after.revision, 2, "written by who won, and nobody else");
        let stands = all.stands(&guest, &external).await;
        outcomes.push((stands, (won.to_owned(), 2, 2)));
    }
    all.end().await;
    for (stands, expected) in outcomes {
        assert_eq!(stands, expected);
    }
}

fn message(all: &Processes, from: &str, guest: Option<GuestId>, number: usize) -> AcceptMessage {
    AcceptMessage {
        scope: all.hotel.scope,
        property_id: all.hotel.property_id,
        channel: Channel::Whatsapp,
        channel_account_id: None,
        guest_id: guest,
        conversation_id: None,
        contacts: vec![Contact {
            channel: ContactChannel::Email,
            address: format!("{from}@example.com"),
        }],
        reply_to: None,
        name: None,
        vendor_message_id: Some(format!("{from} {number}")),
        kind: "text".to_owned(),
        text: "Hello".to_owned(),
        sent_at: all.clock.now(),
        enqueue_turn: true,
    }
}

async fn merge(store: &PostgresStore, all: &Processes, from: Uuid, into: Uuid) {
    let mut page = PageWrite::new(all.hotel.scope, all.hotel.integration.id);
    page.merges = vec![GuestMerge {
        from: from.into(),
        into: into.into(),
    }];
    store.apply_page(page).await.expect("merged");
}

/// What hangs on a guest: conversations, those that are not closed, addresses.
async fn hanging(all: &Processes, guest: Uuid) -> (i64, i64, i64) {
    let mut admin = PgConnection::connect(&all.database.url())
        .await
        .expect("admin");
    sqlx::query_as(
        "select (select count(*) from conversations where guest_id = $1),
             (select count(*) from conversations where guest_id = $1 and status <> 'closed'),
             (select count(*) from guest_contacts where guest_id = $1)",
    )
    .bind(guest)
    .fetch_one(&mut admin)
    .await
    .expect("a count")
}

#[tokio::test]
async fn messages_that_arrive_during_a_merge_reach_the_guest_who_remains() {
    let Some(all) = Processes::start(4).await else {
        return;
    };
    for round in 0..10 {
        let names = (format!("from-{round}"), format!("into-{round}"));
        let (from, into) = (all.guest(&names.0).await, all.guest(&names.1).await);
        let named = Some(GuestId::from(from.id));
        let (_, one, two, three) = tokio::join!(
            merge(&all.stores[0], &all, from.id, into.id),
            all.stores[1].accept_message(message(&all, &names.0, None, 1)),
            all.stores[2].accept_message(message(&all, &names.1, None, 2)),
            all.stores[3].accept_message(message(&all, "other", named, round)),
        );
        for accepted in [one, two, three] {
            accepted.expect("accepted");
        }
        let (left, kept) = (hanging(&all, from.id).await, hanging(&all, into.id).await);
        assert_eq!(left, (0, 0, 0), "round {round}");
        assert_eq!((kept.1, kept.2 >= 2), (1, true), "round {round}: {kept:?}");
    }
    all.end().await;
}

#[tokio::test]
async fn merges_both_of_whose_guests_others_merge_too_end_all_the_same() {
    let Some(all) = Processes::start(2).await else {
        return;
    };
    for round in 0..10 {
        let a = all.guest(&format!("a-{round}")).await.id;
        let b = all.guest(&format!("b-{round}")).await.id;
        let c = all.guest(&format!("c-{round}")).await.id;
        tokio::join!(
            merge(&all.stores[0], &all, a, b),
            merge(&all.stores[1], &all, b, c),
        );
        // Whichever came first, what arrives for any of them reaches the last.
        let named = message(&all, &format!("d-{round}"), Some(a.into()), 1);
        let accepted = all.stores[0].accept_message(named).await.expect("accepted");
        assert_eq!(accepted.guest_id, GuestId::from(c), "round {round}");
    }
    all.end().await;
}

#[tokio::test]
async fn a_page_that_links_to_a_guest_waits_for_no_edit_of_him() {
    let Some(all) = Processes::start(1).await else {
        return;
    };
    let guest = all.guest("g-1").await;
    let stay = fixture::reservation(&all.hotel, Some(guest.id), &all.clock).expect("a stay");
    let mut admin = PgConnection::connect(&all.database.url())
        .await
        .expect("admin");
    let mut edit = admin.begin().await.expect("a transaction");
    sqlx::query("update guests set notes = 'Prefers tea' where id = $1")
        .bind(guest.id)
        .execute(&mut *edit)
        .await
        .expect("an edit");
    let mut page = PageWrite::new(all.hotel.scope, all.hotel.integration.id);
    page.mappings = vec![all.mapping(&stay, "r-1", 1)];
    page.rows = vec![RowWrite::Insert(stay)];

    let limit = std::time::Duration::from_secs(5);
    let written = tokio::time::timeout(limit, all.stores[0].apply_page(page)).await;

    edit.rollback().await.expect("a rollback");
    drop(admin);
    all.end().await;
    let written = written.expect("it is written while the edit is open");
    written.expect("it is written");
}

#[tokio::test]
async fn a_stay_that_is_written_during_a_merge_belongs_to_the_guest_who_remains() {
    let Some(all) = Processes::start(2).await else {
        return;
    };
    for round in 0..10 {
        let from = all.guest(&format!("from-{round}")).await.id;
        let into = all.guest(&format!("into-{round}")).await.id;
        let stay = fixture::reservation(&all.hotel, Some(from), &all.clock).expect("a stay");
        let mut page = PageWrite::new(all.hotel.scope, all.hotel.integration.id);
        page.mappings = vec![all.mapping(&stay, &format!("r-{round}"), 1)];
        page.rows = vec![RowWrite::Insert(stay.clone())];
        let (_, written) = tokio::join!(
            merge(&all.stores[0], &all, from, into),
            all.stores[1].apply_page(page),
        );
        written.expect("written");
        let row = all.stores[0].row(all.hotel.scope, stay.kind, stay.id).await;
        let row = row.expect("a read").expect("the stay");
        let owner = into.to_string();
        assert_eq!(
            row.fields.text("guest_id"),
            Some(owner.as_str()),
            "round {round}"
        );
    }
    all.end().await;
}
