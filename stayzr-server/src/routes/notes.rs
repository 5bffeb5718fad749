//! Notes about reservations, which the PMS keeps as records of their own.

use serde::Deserialize;
use serde_json::json;
use stayzr_core::{
    model::NoteKind,
    port::entities::EntityFilter,
    transform::{EntityKind, FieldMap},
};
use uuid::Uuid;

use super::entities::{create, listed, noun};
use crate::http::{Call, Handled, Problem};

/// Notes about a reservation.
pub(super) async fn of_reservation(call: Call) -> Handled {
    let id = reservation(&call).await?;
    let filter = EntityFilter {
        reservation_id: Some(id.into()),
        ..EntityFilter::default()
    };
    listed(&call, EntityKind::Note, &filter).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewNote {
    text: String,
    kind: Option<NoteKind>,
}

/// A note that staff writes about a reservation.
pub(super) async fn write(call: Call) -> Handled {
    let id = reservation(&call).await?;
    let NewNote { text, kind } = call.masked_json()?;
    let mut set = FieldMap::new();
    set.insert("reservation_id", json!(id));
    set.insert("text", text);
    if let Some(kind) = kind {
        set.insert("kind", json!(kind));
    }
    create(&call, EntityKind::Note, None, set).await
}

/// The reservation of the path, if it is in sight.
async fn reservation(call: &Call) -> Result<Uuid, Problem> {
    let kind = EntityKind::Reservation;
    let id: Uuid = call.id("id", noun(kind))?;
    match call.state.store.row(call.scope()?, kind, id).await? {
        Some(_) => Ok(id),
        None => Err(Problem::not_found(noun(kind))),
    }
}
