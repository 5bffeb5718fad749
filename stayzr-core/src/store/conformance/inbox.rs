//! What [`Inbox`] promises.

use super::{
    Report, ensure, ensure_eq, ensure_kind,
    fixture::{Hotel, claim, claim_one, complete, expire, hotel, jobs_of, quiet},
};
use crate::{
    Error, ErrorKind, Result,
    clock::{Clock, ManualClock},
    ids::DeliveryId,
    port::{
        directory::Directory,
        inbox::{
            Acceptance, Deliveries, Delivery, EndpointKey, Inbox, REFUSED_KEPT, RefusedDelivery,
        },
        queue::JobQueue,
        setup::Setup,
    },
    queue::{JobStatus, Queue},
};

const QUEUE: Queue = Queue::WebhookInbox;

/// Runs every scenario.
pub async fn run<S>(store: &S, clock: &ManualClock) -> Report
where
    S: Directory + JobQueue + Inbox + Deliveries + Setup + ?Sized,
{
    let mut report = Report::new();
    let r = &mut report;
    r.scenario(
        "inbox::stores_delivery_and_job",
        stores_delivery_and_job(store, clock),
    )
    .await;
    r.scenario(
        "inbox::stores_without_a_tenant",
        stores_without_a_tenant(store, clock),
    )
    .await;
    r.scenario(
        "inbox::stores_a_dedupe_id_once",
        stores_a_dedupe_id_once(store, clock),
    )
    .await;
    r.scenario(
        "inbox::stores_every_delivery_without_one",
        stores_every_delivery_without_one(store, clock),
    )
    .await;
    r.scenario(
        "inbox::stores_several_in_one_go",
        stores_several_in_one_go(store, clock),
    )
    .await;
    r.scenario(
        "inbox::reads_only_under_a_lease",
        reads_only_under_a_lease(store, clock),
    )
    .await;
    r.scenario(
        "inbox::shows_what_it_stored_to_its_owner",
        shows_what_it_stored_to_its_owner(store, clock),
    )
    .await;
    r.scenario(
        "inbox::remembers_the_last_refusals",
        remembers_the_last_refusals(store, clock),
    )
    .await;
    report
}

fn delivery(hotel: &Hotel, dedupe_id: Option<&str>, clock: &ManualClock) -> Delivery {
    Delivery {
        id: DeliveryId::generate(clock),
        endpoint: EndpointKey::Pms {
            provider: "mews".to_owned(),
            integration_id: hotel.integration.id,
        },
        scope: Some(hotel.property_scope()),
        dedupe_id: dedupe_id.map(str::to_owned),
        content_type: Some("application/json".to_owned()),
        body: b"{\"text\":\"caf\xc3\xa9 \\u0000\"}".to_vec(),
        sha256: "ab".repeat(32),
        received_at: clock.now(),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    }
}

/// Stores a delivery and its job, which has the same id.
pub async fn stores_delivery_and_job<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Inbox + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let mut sent = delivery(&hotel, None, clock);
    // Bytes that are no text are stored as they came.
    sent.body.extend([0xff, 0x00, 0xfe]);
    let accepted = store.accept_delivery(sent.clone()).await?;
    ensure_eq(accepted, Acceptance::Stored, "a new delivery is stored")?;
    let claimed = claim_one(store, QUEUE).await?;
    ensure_eq(claimed.job.id.uuid(), sent.id.uuid(), "its job has its id")?;
    ensure_eq(claimed.job.scope(), sent.scope, "and its owner")?;
    let traceparent = claimed.job.traceparent.clone();
    ensure_eq(traceparent, sent.traceparent.clone(), "and its trace")?;
    ensure_eq(
        store.delivery(&claimed.lease).await?,
        sent,
        "it is read as it came",
    )?;
    complete(store, &claimed).await
}

/// A delivery whose tenant is not known yet is stored all the same.
pub async fn stores_without_a_tenant<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Inbox + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let sent = Delivery {
        scope: None,
        endpoint: EndpointKey::Whatsapp,
        ..delivery(&hotel, None, clock)
    };
    store.accept_delivery(sent.clone()).await?;
    ensure(
        jobs_of(store, &hotel, QUEUE).await?.is_empty(),
        "no tenant sees it",
    )?;
    let claimed = claim_one(store, QUEUE).await?;
    ensure_eq(claimed.lease.scope, None, "its lease names none")?;
    ensure_eq(
        store.delivery(&claimed.lease).await?,
        sent,
        "it is read as it came",
    )?;
    complete(store, &claimed).await
}

/// A second delivery with a dedupe id to the same endpoint is not stored again.
pub async fn stores_a_dedupe_id_once<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Inbox + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let one = hotel(store, clock).await?;
    let other = hotel(store, clock).await?;
    let first = delivery(&one, Some("msg-1"), clock);
    store.accept_delivery(first.clone()).await?;
    let again = delivery(&one, Some("msg-1"), clock);
    let accepted = store.accept_delivery(again).await?;
    ensure_eq(accepted, Acceptance::Duplicate, "the same id again")?;
    ensure_eq(
        jobs_of(store, &one, QUEUE).await?.len(),
        1,
        "stores nothing",
    )?;
    let elsewhere = delivery(&other, Some("msg-1"), clock);
    let accepted = store.accept_delivery(elsewhere).await?;
    ensure_eq(accepted, Acceptance::Stored, "to another endpoint")?;
    for claimed in claim(store, QUEUE, 10).await? {
        complete(store, &claimed).await?;
    }
    let late = delivery(&one, Some("msg-1"), clock);
    let accepted = store.accept_delivery(late).await?;
    ensure_eq(
        accepted,
        Acceptance::Duplicate,
        "processed ones are remembered",
    )
}

/// Without a dedupe id every delivery is stored.
pub async fn stores_every_delivery_without_one<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Inbox + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    for _ in 0..2 {
        let accepted = store.accept_delivery(delivery(&hotel, None, clock)).await?;
        ensure_eq(accepted, Acceptance::Stored, "each is stored")?;
    }
    ensure_eq(
        jobs_of(store, &hotel, QUEUE).await?.len(),
        2,
        "with a job of its own",
    )
}

/// Several deliveries of several tenants are stored together, each with an answer of its own; one that
/// is repeated among them is stored once.
pub async fn stores_several_in_one_go<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Inbox + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let one = hotel(store, clock).await?;
    let other = hotel(store, clock).await?;
    let known = delivery(&one, Some("msg-0"), clock);
    store.accept_delivery(known).await?;
    let nobodys = Delivery {
        scope: None,
        endpoint: EndpointKey::Whatsapp,
        ..delivery(&one, None, clock)
    };
    let sent = vec![
        delivery(&one, Some("msg-1"), clock),
        delivery(&other, None, clock),
        delivery(&one, Some("msg-0"), clock),
        nobodys,
        delivery(&one, Some("msg-1"), clock),
    ];
    let mut answers = Vec::new();
    for answer in store.accept_deliveries(sent.clone()).await {
        answers.push(answer?);
    }
    let (stored, duplicate) = (Acceptance::Stored, Acceptance::Duplicate);
    let expected = vec![stored, stored, duplicate, stored, duplicate];
    ensure_eq(answers, expected, "each is answered in its place")?;
    let none = store.accept_deliveries(Vec::new()).await;
    ensure(none.is_empty(), "and nothing of nothing")?;
    let mut found = 0;
    for claimed in claim(store, QUEUE, 10).await? {
        let id = claimed.job.id.uuid();
        if let Some(sent) = sent.iter().find(|sent| sent.id.uuid() == id) {
            let kept = store.delivery(&claimed.lease).await?;
            ensure_eq(&kept, sent, "each is read as it came")?;
            found += 1;
        }
        complete(store, &claimed).await?;
    }
    ensure_eq(found, 3, "each that was stored has its job")
}

/// The delivery of a job that is held.
pub async fn reads_only_under_a_lease<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Inbox + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let hotel = hotel(store, clock).await?;
    let sent = delivery(&hotel, None, clock);
    store.accept_delivery(sent.clone()).await?;
    let old = claim_one(store, QUEUE).await?;
    expire(clock);
    let new = claim_one(store, QUEUE).await?;
    let stale = store.delivery(&old.lease).await;
    ensure_kind(stale, ErrorKind::Conflict, "a lost lease reads nothing")?;
    ensure_eq(store.delivery(&new.lease).await?, sent, "the new one does")?;
    complete(store, &new).await
}

/// An operator sees deliveries of every owner and of none, an organization its own alone.
pub async fn shows_what_it_stored_to_its_owner<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Directory + JobQueue + Inbox + Deliveries + Setup + ?Sized,
{
    quiet(store, clock, QUEUE).await?;
    let one = hotel(store, clock).await?;
    let other = hotel(store, clock).await?;
    let sent = delivery(&one, Some("msg-1"), clock);
    let nobodys = Delivery {
        scope: None,
        ..delivery(&one, None, clock)
    };
    store.accept_delivery(sent.clone()).await?;
    store.accept_delivery(nobodys.clone()).await?;
    let claimed = claim(store, QUEUE, 10).await?;
    for claimed in &claimed {
        complete(store, claimed).await?;
    }
    let last = store.deliveries(None, 2).await?;
    let ids: Vec<_> = last.iter().map(|record| record.id).collect();
    ensure_eq(ids, vec![nobodys.id, sent.id], "the newest first")?;
    let record = last.into_iter().find(|record| record.id == sent.id);
    let record = record.ok_or_else(|| Error::internal("conformance", "it is listed"))?;
    ensure_eq(record.status, Some(JobStatus::Completed), "with its job")?;
    ensure_eq(record.body_bytes, sent.body.len() as u64, "and its size")?;
    ensure_eq(&record.sha256, &sent.sha256, "and its hash")?;
    for (scope, id, seen) in [
        (None, sent.id, true),
        (None, nobodys.id, true),
        (Some(one.property_scope()), sent.id, true),
        (Some(one.property_scope()), nobodys.id, false),
        (Some(other.property_scope()), sent.id, false),
    ] {
        let listed = store.deliveries(scope, 10).await?;
        let listed = listed.iter().any(|record| record.id == id);
        ensure_eq(listed, seen, "it is listed to whom it belongs")?;
        let stored = store.stored_delivery(scope, id).await?;
        ensure_eq(stored.is_some(), seen, "and shown to whom it belongs")?;
    }
    let stored = store.stored_delivery(None, sent.id).await?;
    ensure_eq(stored, Some(sent), "it is shown as it came")
}

/// Only the last refusals are kept, whoever sends how many.
pub async fn remembers_the_last_refusals<S>(store: &S, clock: &ManualClock) -> Result<()>
where
    S: Deliveries + ?Sized,
{
    let refused = |number: u64| RefusedDelivery {
        id: DeliveryId::generate(clock),
        source: "mews".to_owned(),
        verdict: "reject".to_owned(),
        reason: "bad_token".to_owned(),
        status: 401,
        body_bytes: number,
        at: clock.now(),
    };
    let surplus = u64::from(REFUSED_KEPT) + 20;
    let many: Vec<_> = (0..surplus).map(refused).collect();
    store.remember_refused(many.clone()).await?;
    store.remember_refused(Vec::new()).await?;
    let kept = store.refused(1000).await?;
    ensure_eq(kept.len(), REFUSED_KEPT as usize, "so many are kept")?;
    ensure_eq(kept.first(), many.last(), "the newest comes first")?;
    ensure_eq(
        store.refused(1).await?.len(),
        1,
        "and no more than asked for",
    )
}
