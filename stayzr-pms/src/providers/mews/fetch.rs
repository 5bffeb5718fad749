use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::Value;
use stayzr_core::{Error, ErrorKind, Result, limit::Priority, transform::EntityKind};

use super::{
    MewsClient, RawPage,
    client::PAGE,
    context::MewsContext,
    position::Position,
    transform::NoteId,
    wire::{
        ActivityState, CustomerExtent, CustomersGetAll, Interval, Limitation, NotesGetAll,
        ReservationsGetAll, ResourceBlock, ResourceBlocksGetAll, ResourceCategoriesGetAll,
        ResourceExtent, ResourcesGetAll, read_element,
    },
};

/// A vendor that says nothing is slow or gone. It is asked for less this often: each silence costs
/// the whole time of a call, while a job holds its lease.
const SILENCES: u32 = 2;

/// How often a position is made lighter after a silence.
const STEPS_AFTER_SILENCE: u32 = 3;

/// How far Mews' clock may be ahead of ours where ours ends a span.
pub(super) const AHEAD: TimeDelta = TimeDelta::days(1);

/// Which records to read, at one position or by id.
pub(super) enum Wanted<'a> {
    At(&'a Position),
    Ids(&'a [String]),
}

impl Wanted<'_> {
    fn ids(&self) -> Option<Vec<String>> {
        match self {
            Self::At(_) => None,
            Self::Ids(ids) => Some(ids.to_vec()),
        }
    }

    fn updated(&self) -> Option<Interval> {
        match self {
            Self::At(position) => position.updated(),
            Self::Ids(_) => None,
        }
    }

    fn limitation(&self) -> Option<Limitation> {
        match self {
            Self::At(position) => position.limitation(),
            Self::Ids(_) => Limitation::first(),
        }
    }
}

/// Reads records of a kind as they come.
pub(super) async fn read(
    client: &MewsClient,
    context: &MewsContext,
    kind: EntityKind,
    wanted: Wanted<'_>,
    priority: Priority,
) -> Result<RawPage> {
    let enterprise_ids = client.config().enterprises();
    let (ids, updated_utc, limitation) = (wanted.ids(), wanted.updated(), wanted.limitation());
    match kind {
        EntityKind::RoomType => {
            let body = ResourceCategoriesGetAll {
                service_ids: context.service_ids.clone(),
                updated_utc,
                activity_states: Some(vec![ActivityState::Active, ActivityState::Deleted]),
                enterprise_ids,
                limitation,
            };
            client.page(&body, priority).await
        }
        EntityKind::Room => {
            let body = ResourcesGetAll {
                resource_ids: ids,
                extent: ResourceExtent {
                    resources: true,
                    inactive: true,
                    ..ResourceExtent::default()
                },
                updated_utc,
                enterprise_ids,
                limitation,
                ..ResourcesGetAll::default()
            };
            let mut page = client.page(&body, priority).await?;
            if let Some(ids) = &body.resource_ids {
                add_blocked(client, ids, &mut page, priority).await?;
            }
            Ok(page)
        }
        EntityKind::Guest => {
            let chain = enterprise_ids.and(context.enterprise.chain_id.clone());
            let body = CustomersGetAll {
                chain_ids: chain.map(|id| vec![id]),
                customer_ids: ids,
                updated_utc,
                activity_states: Some(vec![ActivityState::Active, ActivityState::Deleted]),
                extent: CustomerExtent {
                    customers: true,
                    ..CustomerExtent::default()
                },
                limitation,
                ..CustomersGetAll::default()
            };
            client.page(&body, priority).await
        }
        EntityKind::Reservation => {
            // Ids of a webhook may be of any service; what is no stay is left out afterwards.
            let services = ids.is_none().then(|| context.service_ids.clone());
            let body = ReservationsGetAll {
                reservation_ids: ids,
                service_ids: services,
                updated_utc,
                enterprise_ids,
                limitation,
                ..ReservationsGetAll::default()
            };
            client.page(&body, priority).await
        }
        EntityKind::Note => {
            if let Some(ids) = ids {
                return notes_by_id(client, &ids, priority).await;
            }
            let body = NotesGetAll {
                updated_utc,
                types: NotesGetAll::all_types(),
                enterprise_ids,
                limitation,
                ..NotesGetAll::default()
            };
            let mut page = client.page(&body, priority).await?;
            keep_stays(client, context, &mut page, priority).await?;
            Ok(page)
        }
        EntityKind::Property | EntityKind::ServiceRequest => Err(Error::unsupported(
            "mews.fetch_page",
            "records of this kind are not listed at Mews",
        )),
    }
}

/// Adds the rooms of blocks: what `ResourceBlockUpdated` names is asked for as a room, since a room
/// out of order is a block at Mews and a condition here.
async fn add_blocked(
    client: &MewsClient,
    ids: &[String],
    page: &mut RawPage,
    priority: Priority,
) -> Result<()> {
    let known = |id: &String| {
        let mut rooms = page.items.iter();
        rooms.any(|room| room.get("Id").and_then(Value::as_str) == Some(id))
    };
    let strange: Vec<String> = ids.iter().filter(|id| !known(id)).cloned().collect();
    if strange.is_empty() {
        return Ok(());
    }
    let body = ResourceBlocksGetAll {
        resource_block_ids: Some(strange),
        activity_states: Some(vec![ActivityState::Active, ActivityState::Deleted]),
        enterprise_ids: client.config().enterprises(),
        limitation: Limitation::first(),
        ..ResourceBlocksGetAll::default()
    };
    let blocks = client.page(&body, priority).await?;
    let rooms: BTreeSet<String> = blocks
        .items
        .iter()
        .filter_map(|block| {
            read_element::<ResourceBlock>(block)
                .ok()?
                .assigned_resource_id
        })
        .filter(|room| !ids.contains(room))
        .collect();
    if rooms.is_empty() {
        return Ok(());
    }
    let body = ResourcesGetAll {
        resource_ids: Some(rooms.into_iter().collect()),
        extent: ResourceExtent {
            resources: true,
            inactive: true,
            ..ResourceExtent::default()
        },
        enterprise_ids: client.config().enterprises(),
        limitation: Limitation::first(),
        ..ResourcesGetAll::default()
    };
    page.items.extend(client.page(&body, priority).await?.items);
    Ok(())
}

/// Reads the page at a position, with less at a time where Mews asks for it, and says where it was
/// read in the end.
pub(super) async fn read_page(
    client: &MewsClient,
    context: &MewsContext,
    kind: EntityKind,
    mut position: Position,
    priority: Priority,
) -> Result<(RawPage, Position)> {
    let mut silences = 0;
    loop {
        let error = match read(client, context, kind, Wanted::At(&position), priority).await {
            Ok(page) => return Ok((page, position)),
            Err(error) => error,
        };
        if error.kind() != ErrorKind::Timeout {
            return Err(error);
        }
        let mut steps = 1;
        if !says_so(&error) {
            if silences == SILENCES {
                let operation = error.operation().to_owned();
                let message = "Mews does not answer in time, even where it is asked for little";
                return Err(Error::unavailable(operation, message).with_source(error));
            }
            silences += 1;
            steps = STEPS_AFTER_SILENCE;
        }
        for _ in 0..steps {
            match position.lighter() {
                Some(lighter) => position = lighter,
                None => return Err(error),
            }
        }
    }
}

/// Whether a timeout is Mews' own word (408) rather than our patience that ended.
fn says_so(error: &Error) -> bool {
    error.context().iter().any(|(key, _)| *key == "status")
}

/// Notes of these orders, of any number of pages.
pub(super) async fn notes_of(
    client: &MewsClient,
    orders: Vec<String>,
    priority: Priority,
) -> Result<RawPage> {
    let mut whole = RawPage::default();
    let mut body = NotesGetAll {
        service_order_ids: Some(orders),
        types: NotesGetAll::all_types(),
        enterprise_ids: client.config().enterprises(),
        ..NotesGetAll::default()
    };
    loop {
        body.limitation = Some(Limitation {
            count: PAGE,
            cursor: whole.cursor.take(),
        });
        let page = client.page(&body, priority).await?;
        whole.items.extend(page.items);
        whole.vendor_now = whole.vendor_now.or(page.vendor_now);
        whole.cursor = page.cursor;
        if whole.cursor.is_none() {
            return Ok(whole);
        }
    }
}

/// Notes by their ids here, which name their orders.
async fn notes_by_id(client: &MewsClient, ids: &[String], priority: Priority) -> Result<RawPage> {
    let wanted: BTreeSet<NoteId> = ids.iter().filter_map(|id| NoteId::parse(id)).collect();
    let orders: BTreeSet<&String> = wanted.iter().map(|id| &id.order).collect();
    if orders.is_empty() {
        return Ok(RawPage::default());
    }
    let orders = orders.into_iter().cloned().collect();
    let mut page = notes_of(client, orders, priority).await?;
    page.items.retain(|note| {
        let text = |key| note.get(key).and_then(Value::as_str).map(str::to_owned);
        let id = text("OrderId").zip(text("Id"));
        id.is_some_and(|(order, note)| wanted.contains(&NoteId { order, note }))
    });
    Ok(page)
}

/// Leaves out notes of orders that are no stays: those of a restaurant, or of an hour at the spa.
/// A note that does not say its order stays, to be put aside.
async fn keep_stays(
    client: &MewsClient,
    context: &MewsContext,
    page: &mut RawPage,
    priority: Priority,
) -> Result<()> {
    let order = |note: &Value| {
        note.get("OrderId")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let orders: BTreeSet<String> = page.items.iter().filter_map(order).collect();
    if orders.is_empty() {
        return Ok(());
    }
    let body = ReservationsGetAll {
        reservation_ids: Some(orders.into_iter().collect()),
        service_ids: Some(context.service_ids.clone()),
        enterprise_ids: client.config().enterprises(),
        limitation: Limitation::first(),
        ..ReservationsGetAll::default()
    };
    let stays = client.page(&body, priority).await?;
    let stays: BTreeSet<&str> = stays
        .items
        .iter()
        .filter_map(|stay| stay.get("Id").and_then(Value::as_str))
        .collect();
    page.items
        .retain(|note| order(note).is_none_or(|id| stays.contains(id.as_str())));
    Ok(())
}
