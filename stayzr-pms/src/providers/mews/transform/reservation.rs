use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use stayzr_core::{
    clock::truncate,
    model::{ExternalRef, Reservation as Local, ReservationStatus},
    transform::{
        EntityKind, FieldMap, FieldRule, TransformContext, TransformError, Transformed, Transformer,
    },
};

use super::{lookup, text};
use crate::providers::mews::wire::{
    AccountType, CancellationReason, PersonCount, Reservation, ReservationState,
};

/// Between a reservation of Mews, in its newer form, and ours.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReservationTransformer;

// A status can be written in one way only: to cancel. Being checked in or out follows from what
// the desk does and is never written back.
const RULES: &[FieldRule] = &[
    FieldRule::remote("number"),
    FieldRule::remote("guest_id"),
    FieldRule::shared("room_type_id").not_clearable(),
    FieldRule::shared("room_id"),
    FieldRule::shared("status").not_clearable(),
    FieldRule::remote("status_vendor"),
    FieldRule::shared("arrival").not_clearable(),
    FieldRule::shared("departure").not_clearable(),
    FieldRule::shared("adults").not_clearable(),
    FieldRule::shared("children").not_clearable(),
    FieldRule::remote("rate_vendor"),
    FieldRule::shared("channel_number"),
    FieldRule::shared("purpose"),
    FieldRule::remote("origin"),
    FieldRule::remote("cancelled_at"),
    FieldRule::remote("cancellation_reason"),
];

impl Transformer<Local, Reservation> for ReservationTransformer {
    fn to_local(
        &self,
        remote: &Reservation,
        context: &TransformContext,
    ) -> Result<Transformed, TransformError> {
        let (arrival, departure) = stay(remote)?;
        let (adults, children) = persons(remote, context)?;
        let mut fields = FieldMap::new();
        fields.insert("number", text(remote.number.as_ref()));
        fields.insert("status", status(remote).as_str());
        fields.insert(
            "status_vendor",
            remote.state.as_ref().map(ReservationState::as_str),
        );
        fields.insert("arrival", json!(arrival));
        fields.insert("departure", json!(departure));
        fields.insert("adults", adults);
        fields.insert("children", children);
        for (field, value) in [
            ("rate_vendor", &remote.rate_id),
            ("channel_number", &remote.channel_number),
            ("purpose", &remote.purpose),
            ("origin", &remote.origin),
        ] {
            fields.insert(field, text(value.as_ref()));
        }
        fields.insert("cancelled_at", json!(remote.cancelled_utc.map(truncate)));
        fields.insert(
            "cancellation_reason",
            remote
                .cancellation_reason
                .as_ref()
                .map(CancellationReason::as_str),
        );
        Ok(Transformed {
            fields,
            links: links(remote),
            extra: extra(remote),
        })
    }

    fn to_remote(
        &self,
        local: &Local,
        context: &TransformContext,
    ) -> Result<Reservation, TransformError> {
        Ok(Reservation {
            number: local.number.clone(),
            state: local.status_vendor.as_deref().map(ReservationState::from),
            origin: local.origin.clone(),
            cancelled_utc: local.cancelled_at,
            cancellation_reason: local
                .cancellation_reason
                .as_deref()
                .map(CancellationReason::from),
            rate_id: local.rate_vendor.clone(),
            channel_number: local.channel_number.clone(),
            scheduled_start_utc: Some(local.arrival),
            scheduled_end_utc: Some(local.departure),
            purpose: local.purpose.clone(),
            person_counts: person_counts(local.adults, local.children, &[], context)?,
            ..Reservation::default()
        })
    }

    fn fields(&self) -> &'static [FieldRule] {
        RULES
    }
}

fn stay(remote: &Reservation) -> Result<(DateTime<Utc>, DateTime<Utc>), TransformError> {
    let arrival = remote
        .scheduled_start_utc
        .or(remote.start_utc)
        .ok_or_else(|| TransformError::new("ScheduledStartUtc", "is missing"))?;
    let departure = remote
        .scheduled_end_utc
        .or(remote.end_utc)
        .ok_or_else(|| TransformError::new("ScheduledEndUtc", "is missing"))?;
    if departure < arrival {
        return Err(TransformError::new(
            "ScheduledEndUtc",
            "is before ScheduledStartUtc",
        ));
    }
    Ok((truncate(arrival), truncate(departure)))
}

fn status(remote: &Reservation) -> ReservationStatus {
    match &remote.state {
        Some(
            ReservationState::Inquired | ReservationState::Requested | ReservationState::Optional,
        ) => ReservationStatus::Tentative,
        Some(ReservationState::Confirmed) => ReservationStatus::Confirmed,
        Some(ReservationState::Started) => ReservationStatus::InHouse,
        Some(ReservationState::Processed) => ReservationStatus::Departed,
        Some(ReservationState::Canceled) => match &remote.cancellation_reason {
            Some(CancellationReason::NoShow) => ReservationStatus::NoShow,
            _ => ReservationStatus::Cancelled,
        },
        Some(ReservationState::Unknown(_)) | None => ReservationStatus::Unknown,
    }
}

fn links(remote: &Reservation) -> Vec<(&'static str, Option<ExternalRef>)> {
    let link = |kind, id: Option<&String>| {
        text(id).map(|id| ExternalRef {
            kind,
            id: id.to_owned(),
        })
    };
    let guest = match remote.account_type {
        Some(AccountType::Customer) | None => link(EntityKind::Guest, remote.account_id.as_ref()),
        Some(AccountType::Company | AccountType::Unknown(_)) => None,
    };
    vec![
        ("guest_id", guest),
        (
            "room_type_id",
            link(
                EntityKind::RoomType,
                remote.requested_resource_category_id.as_ref(),
            ),
        ),
        (
            "room_id",
            link(EntityKind::Room, remote.assigned_resource_id.as_ref()),
        ),
    ]
}

/// What is read but has no field of ours.
fn extra(remote: &Reservation) -> serde_json::Map<String, Value> {
    let mut extra = remote.extra.clone();
    if !matches!(remote.account_type, Some(AccountType::Customer) | None) {
        extra.insert("AccountId".to_owned(), json!(remote.account_id));
        extra.insert("AccountType".to_owned(), json!(remote.account_type));
    }
    for (key, value) in [
        ("ServiceId", json!(remote.service_id)),
        (
            "AssignedResourceLocked",
            json!(remote.assigned_resource_locked),
        ),
        ("PersonCounts", json!(remote.person_counts)),
    ] {
        extra.insert(key.to_owned(), value);
    }
    extra
}

fn is_child(category: &str, context: &TransformContext) -> bool {
    context
        .lookups
        .get(lookup::AGE_CATEGORIES)
        .and_then(|categories| categories.get(category))
        .and_then(Value::as_str)
        == Some("Child")
}

/// Adults and children. A category nobody knows counts as adult: its person needs a bed.
fn persons(remote: &Reservation, context: &TransformContext) -> Result<(i64, i64), TransformError> {
    let (mut adults, mut children) = (0_i64, 0_i64);
    for group in &remote.person_counts {
        if !(0..=10_000).contains(&group.count) {
            return Err(TransformError::new(
                "PersonCounts",
                "is not a possible count",
            ));
        }
        if is_child(&group.age_category_id, context) {
            children += group.count;
        } else {
            adults += group.count;
        }
    }
    // Answers in the older form may have these instead.
    let counted = |key: &str| {
        let count = remote.extra.get(key).and_then(Value::as_i64);
        count.unwrap_or_default().clamp(0, 10_000)
    };
    if remote.person_counts.is_empty() {
        (adults, children) = (counted("AdultCount"), counted("ChildCount"));
    }
    Ok((adults, children))
}

/// Counts by age category for so many adults and children. Mews replaces them as a whole, so that
/// what the vendor has now (`current`) stays where its sum is right already.
pub fn person_counts(
    adults: i64,
    children: i64,
    current: &[PersonCount],
    context: &TransformContext,
) -> Result<Vec<PersonCount>, TransformError> {
    let mut counts = Vec::new();
    for (wanted, child, key) in [
        (adults, false, lookup::ADULT_CATEGORY),
        (children, true, lookup::CHILD_CATEGORY),
    ] {
        let mut groups: Vec<PersonCount> = current
            .iter()
            .filter(|group| is_child(&group.age_category_id, context) == child)
            .cloned()
            .collect();
        let sum: i64 = groups.iter().map(|group| group.count).sum();
        if sum != wanted {
            let largest = groups.iter().max_by_key(|group| group.count);
            let category = match largest {
                Some(group) => group.age_category_id.clone(),
                None => context
                    .lookups
                    .get(key)
                    .and_then(Value::as_str)
                    .map(str::to_owned)
                    .ok_or_else(|| {
                        TransformError::new("PersonCounts", "Mews has no age category for this")
                    })?,
            };
            groups = vec![PersonCount {
                age_category_id: category,
                count: wanted,
            }];
        }
        counts.extend(groups.into_iter().filter(|group| group.count > 0));
    }
    Ok(counts)
}
