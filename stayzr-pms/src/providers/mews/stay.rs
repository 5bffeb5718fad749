use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    Error, Result,
    limit::Priority,
    transform::{EntityKind, FieldMap},
};

use super::{
    push::{OPERATION, Writer, cannot_say},
    quote,
    transform::person_counts,
    wire::{
        Interval, Limitation, PersonCount, ReservationAdd, ReservationState, ReservationUpdate,
        ReservationsAdd, ReservationsCancel, ReservationsConfirm, ReservationsGetAll,
        ReservationsProcess, ReservationsStart, ReservationsUpdate, Set, seconds,
    },
};
use crate::provider::{Push, PushOutcome, RemoteRecord};

/// Why Mews is told that a reservation is cancelled; it wants a reason.
const CANCELLED: &str = "Cancelled in Stayzr";

impl Writer<'_> {
    pub(super) async fn update_reservation(&self, id: &str, push: &Push) -> Result<PushOutcome> {
        let changes_room = push.links.contains_key("room_id");
        let changes_persons = push.changed.contains("adults") || push.changed.contains("children");
        let now = if changes_room || changes_persons {
            Some(
                self.one(EntityKind::Reservation, id)
                    .await?
                    .ok_or_else(|| {
                        Error::not_found(OPERATION, "Mews no longer has the reservation")
                            .with("id", id)
                    })?,
            )
        } else {
            None
        };
        let pinned = changes_room && now.as_ref().is_some_and(is_pinned);
        let update = self.reservation_update(id, push, now.as_ref(), pinned)?;
        let mut answer = None;
        if pinned {
            let unpin = ReservationUpdate {
                reservation_id: id.to_owned(),
                assigned_resource_locked: Set::to(false),
                ..ReservationUpdate::default()
            };
            self.update(id, unpin).await?;
        }
        let bare = ReservationUpdate {
            reservation_id: id.to_owned(),
            ..ReservationUpdate::default()
        };
        if update != bare {
            let written = self.update(id, update).await;
            if written.is_err() && pinned {
                self.pin_again(id).await;
            }
            answer = Some(written?);
        }
        let step = Step::of(push);
        if let Some(step) = step {
            self.take(id, step).await?;
        }
        let answer = answer.and_then(|answer| answer.pointer("/Reservations/0").cloned());
        self.reservation_after(id, answer, step).await
    }

    async fn take(&self, id: &str, step: Step) -> Result<()> {
        let client = self.provider.client();
        let reservation_ids = vec![id.to_owned()];
        let reservation_id = id.to_owned();
        let enterprise_id = client.config().enterprise_id.clone();
        match step {
            Step::Confirm => {
                let body = ReservationsConfirm {
                    reservation_ids,
                    send_confirmation_email: Some(false),
                    enterprise_id,
                };
                client.send(&body).await?;
            }
            Step::Start => {
                let body = ReservationsStart {
                    reservation_id,
                    enterprise_id,
                };
                client.send(&body).await?;
            }
            Step::Process => {
                // Whoever has not paid does not leave by a click of ours.
                let body = ReservationsProcess {
                    reservation_id,
                    close_bills: false,
                    allow_open_balance: false,
                    notes: None,
                    enterprise_id,
                };
                client.send(&body).await?;
            }
            Step::Cancel => {
                let body = ReservationsCancel {
                    reservation_ids,
                    post_cancellation_fee: false,
                    send_email: false,
                    notes: CANCELLED.to_owned(),
                    enterprise_id,
                };
                client.send(&body).await?;
            }
        }
        Ok(())
    }

    /// Books a stay at the rate that is named, or at the one that quotes are made with.
    pub(super) async fn add_reservation(&self, push: &Push) -> Result<PushOutcome> {
        let client = self.provider.client();
        let linked = |field: &str| {
            let link = push.links.get(field).and_then(Option::as_ref);
            link.map(|link| link.id.clone())
        };
        let said = |field: &str| push.changed.text(field).map(str::to_owned);
        let time = |field: &str| -> Result<Option<String>> {
            Ok(whole_seconds(Set { value: said(field) })?.value)
        };
        let (Some(customer_id), Some(category), Some(start_utc), Some(end_utc)) = (
            linked("guest_id"),
            linked("room_type_id"),
            time("arrival")?,
            time("departure")?,
        ) else {
            return Err(Error::invalid(
                OPERATION,
                "a reservation at Mews has a guest, a room type, an arrival and a departure",
            ));
        };
        let count = |field: &str| push.changed.get(field).and_then(Value::as_i64);
        let person_counts = person_counts(
            count("adults").unwrap_or(1),
            count("children").unwrap_or_default(),
            &[],
            &self.context.transform,
        )
        .map_err(cannot_say)?;
        let rate_id = match said("rate_vendor") {
            Some(rate) => rate,
            None => quote::rate(client, self.context).await?.id,
        };
        let known = self.context.category(&category);
        let service_id = known.and_then(|category| category.service_id.clone());
        let optional = said("status").as_deref() == Some("tentative");
        let body = ReservationsAdd {
            service_id: service_id
                .or_else(|| self.context.service_ids.first().cloned())
                .unwrap_or_default(),
            send_confirmation_email: false,
            check_rate_applicability: true,
            check_overbooking: true,
            reservations: vec![ReservationAdd {
                state: optional.then_some(ReservationState::Optional),
                start_utc,
                end_utc,
                customer_id: Some(customer_id),
                requested_category_id: category,
                rate_id,
                person_counts,
                assigned_resource_id: linked("room_id"),
                channel_number: said("channel_number"),
                ..ReservationAdd::default()
            }],
            enterprise_id: client.config().enterprise_id.clone(),
            ..ReservationsAdd::default()
        };
        let answer = client.send(&body).await?;
        let mut added = answer.reservations.into_iter();
        let Some(made) = added.find_map(|added| added.reservation) else {
            return Err(self.unseen("the reservation that was added"));
        };
        let id = made.shared.id.clone();
        let answer = serde_json::to_value(&made).ok();
        self.reservation_after(&id, answer, None).await
    }

    /// Stays of the guest from the same day to the same day, in the same type of room.
    pub(super) async fn find_reservations(&self, push: &Push) -> Result<Vec<RemoteRecord>> {
        let guest = push.links.get("guest_id").and_then(Option::as_ref);
        let arrival = push.changed.text("arrival");
        let arrival = arrival.and_then(|time| time.parse::<DateTime<Utc>>().ok());
        let (Some(guest), Some(arrival)) = (guest, arrival) else {
            return Ok(Vec::new());
        };
        let client = self.provider.client();
        let day = TimeDelta::days(1);
        let body = ReservationsGetAll {
            account_ids: Some(vec![guest.id.clone()]),
            service_ids: Some(self.context.service_ids.clone()),
            scheduled_start_utc: Some(Interval::new(arrival - day, arrival + day)),
            enterprise_ids: client.config().enterprises(),
            limitation: Limitation::first(),
            ..ReservationsGetAll::default()
        };
        let page = client.page(&body, Priority::High).await?;
        let zone = self.context.transform.time_zone;
        let date = |fields: &FieldMap, field: &str| {
            let time = fields.text(field)?.parse::<DateTime<Utc>>().ok()?;
            Some(time.with_timezone(&zone).date_naive())
        };
        let mut found = self.read_all(EntityKind::Reservation, &page.items);
        found.retain(|stay| {
            let same_days = ["arrival", "departure"]
                .iter()
                .all(|field| date(&stay.fields, field) == date(&push.changed, field));
            let wanted = push.links.get("room_type_id");
            let same_type = wanted.is_none() || stay.links.get("room_type_id") == wanted;
            let ended = stay.fields.text("status");
            same_days && same_type && !matches!(ended, Some("cancelled" | "no_show"))
        });
        Ok(found)
    }

    fn reservation_update(
        &self,
        id: &str,
        push: &Push,
        now: Option<&RemoteRecord>,
        pinned: bool,
    ) -> Result<ReservationUpdate> {
        let text = |field: &str| {
            push.changed
                .get(field)
                .and_then(|value| Set::or_empty(value.as_str().map(str::to_owned)))
        };
        let link = |field: &str| {
            push.links
                .get(field)
                .and_then(|link| Set::or_empty(link.as_ref().map(|link| link.id.clone())))
        };
        let mut update = ReservationUpdate {
            reservation_id: id.to_owned(),
            channel_number: text("channel_number"),
            start_utc: text("arrival").map(whole_seconds).transpose()?,
            end_utc: text("departure").map(whole_seconds).transpose()?,
            assigned_resource_id: link("room_id"),
            requested_category_id: link("room_type_id"),
            purpose: text("purpose"),
            ..ReservationUpdate::default()
        };
        if pinned {
            update.assigned_resource_locked = Set::to(true);
        }
        if let Some(now) =
            now.filter(|_| push.changed.contains("adults") || push.changed.contains("children"))
        {
            let count = |field: &str| {
                let wanted = push.changed.get(field).or_else(|| now.fields.get(field));
                wanted.and_then(Value::as_i64).unwrap_or_default()
            };
            let current: Vec<PersonCount> = now
                .extra
                .get("PersonCounts")
                .and_then(|counts| serde_json::from_value(counts.clone()).ok())
                .unwrap_or_default();
            let counts = person_counts(
                count("adults"),
                count("children"),
                &current,
                &self.context.transform,
            )
            .map_err(cannot_say)?;
            update.person_counts = Set::to(counts);
        }
        Ok(update)
    }

    /// A change that failed must not leave a room unpinned that the desk had pinned: the next
    /// attempt would no longer know of it.
    async fn pin_again(&self, id: &str) {
        let pin = ReservationUpdate {
            reservation_id: id.to_owned(),
            assigned_resource_locked: Set::to(true),
            ..ReservationUpdate::default()
        };
        if let Err(error) = self.update(id, pin).await {
            tracing::warn!(reservation = id, %error, "the room stays unpinned at Mews");
        }
    }

    async fn update(&self, id: &str, update: ReservationUpdate) -> Result<Value> {
        let body = ReservationsUpdate {
            reservation_updates: vec![update],
            reprice: false,
            apply_cancellation_fee: false,
            reason: None,
            reservation_id: id.to_owned(),
            enterprise_id: self.provider.client().config().enterprise_id.clone(),
        };
        self.provider.client().send(&body).await
    }

    /// The reservation after the write: as it is read then, which is the form that later syncs
    /// see, unless that read is older than the write's own answer. A step has no answer.
    async fn reservation_after(
        &self,
        id: &str,
        answer: Option<Value>,
        step: Option<Step>,
    ) -> Result<PushOutcome> {
        let answered = answer
            .and_then(|value| self.read(EntityKind::Reservation, &value))
            .filter(|record| record.external_id == id && step.is_none());
        let read = self.one(EntityKind::Reservation, id).await;
        let record = match (read, answered) {
            (Ok(Some(read)), Some(answered)) if read.version < answered.version => answered,
            (Ok(Some(read)), _) => read,
            (Ok(None) | Err(_), Some(answered)) => answered,
            (Ok(None) | Err(_), None) => return Err(self.unseen("the reservation")),
        };
        let status = record.fields.text("status").unwrap_or_default();
        let shown = step.is_none_or(|step| step.leads_to().contains(&status));
        self.applied(record, shown)
    }
}

/// What moves a reservation on at Mews, where a status cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Confirm,
    Start,
    Process,
    Cancel,
}

impl Step {
    /// The step to the status that is wanted, from the one that both sides knew; none if there is
    /// no such step. Only what is held as optional can be confirmed.
    pub(super) fn of(push: &Push) -> Option<Self> {
        let base = |field| push.base.text(field);
        match (push.changed.text("status")?, base("status")) {
            ("cancelled", _) => Some(Self::Cancel),
            ("confirmed", _) if base("status_vendor") == Some("Optional") => Some(Self::Confirm),
            ("in_house", Some("confirmed")) => Some(Self::Start),
            ("departed", Some("in_house")) => Some(Self::Process),
            _ => None,
        }
    }

    /// What a reservation may be after it.
    const fn leads_to(self) -> &'static [&'static str] {
        match self {
            Self::Confirm => &["confirmed", "in_house", "departed"],
            Self::Start => &["in_house", "departed"],
            Self::Process => &["departed"],
            Self::Cancel => &["cancelled", "no_show"],
        }
    }
}

fn is_pinned(record: &RemoteRecord) -> bool {
    record.extra.get("AssignedResourceLocked") == Some(&json!(true))
}

/// Mews writes times in whole seconds of UTC.
fn whole_seconds(time: Set<String>) -> Result<Set<String>> {
    let value = time
        .value
        .map(|text| {
            chrono::DateTime::parse_from_rfc3339(&text)
                .map(|time| seconds(time.to_utc()))
                .map_err(|_| Error::invalid(OPERATION, "a time must be as in RFC 3339"))
        })
        .transpose()?;
    Ok(Set { value })
}
