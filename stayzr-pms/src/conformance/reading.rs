//! What a page holds.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate};
use serde_json::Value;
use stayzr_core::{
    ErrorKind,
    transform::{ColumnType, EntityKind, Owner},
};

use super::{
    Act, Case, Done, Outcome, Stop,
    case::link_target,
    report::{ensure, fail},
};
use crate::provider::{PageQuery, RecordPage, RemoteRecord};

/// Every record that the vendor has is read, and no other.
pub async fn every_record_is_read(case: &Case<'_>) -> Outcome {
    let mut compared = false;
    for kind in case.capabilities().read.clone() {
        let read: BTreeSet<String> = ids(&case.whole(kind, None).await?);
        ensure(!read.is_empty(), || {
            format!("{kind}: nothing is read; the bench has records of every kind that is read")
        })?;
        let Some(there) = case.vendor.ids(kind).await? else {
            continue;
        };
        compared = true;
        let there: BTreeSet<String> = there.into_iter().collect();
        let missing: Vec<&String> = there.difference(&read).take(3).collect();
        ensure(missing.is_empty(), || {
            format!(
                "{kind}: {} of {} records are not read, such as {missing:?}",
                there.difference(&read).count(),
                there.len()
            )
        })?;
        let more: Vec<&String> = read.difference(&there).take(3).collect();
        ensure(more.is_empty(), || {
            format!("{kind}: read and not at the vendor: {more:?}")
        })?;
    }
    ensure(compared, || "the bench lists the ids of no kind".to_owned())
}

/// Records are of the kind that was asked for, and have an id.
pub async fn records_are_of_the_kind_that_was_asked_for(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().read.clone() {
        let page = case.whole(kind, None).await?;
        let strange = |record: &&RemoteRecord| record.kind != kind || record.external_id.is_empty();
        if let Some(record) = page.records.iter().find(strange) {
            let (of, id) = (record.kind, &record.external_id);
            return Err(fail(format!("asked for {kind}, got {of} {id:?}")));
        }
        ensure(page.parked.is_empty(), || {
            format!(
                "{kind}: sound records are parked: {:?}",
                page.parked.first()
            )
        })?;
    }
    Ok(())
}

/// Fields are columns of the model, and values are canonical: times in UTC with a `Z`, days as such.
pub async fn values_are_canonical(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().read.clone() {
        for record in case.whole(kind, None).await?.records {
            for (field, value) in record.fields.iter() {
                let column = kind.columns().iter().find(|column| column.name == field);
                let Some(column) = column else {
                    return Err(fail(format!("{kind}.{field} is no column of the model")));
                };
                ensure(value.is_null() || is_canonical(column.kind, value), || {
                    format!(
                        "{kind}.{field} of {}: not canonical for {:?}: {value}",
                        record.external_id, column.kind
                    )
                })?;
            }
        }
    }
    Ok(())
}

fn is_canonical(kind: ColumnType, value: &Value) -> bool {
    let text = value.as_str();
    match kind {
        ColumnType::Text => text.is_some(),
        // Ids of ours are the engine's to give; a provider says links instead.
        ColumnType::Uuid => false,
        ColumnType::Timestamp => text
            .is_some_and(|text| text.ends_with('Z') && DateTime::parse_from_rfc3339(text).is_ok()),
        ColumnType::Date => text.is_some_and(|text| text.parse::<NaiveDate>().is_ok()),
        ColumnType::Integer => value.is_i64() || value.is_u64(),
        ColumnType::Boolean => value.is_boolean(),
        ColumnType::Json => value.is_object() || value.is_array(),
    }
}

/// Rules are about columns of the model; what is writable is shared, what can be emptied writable.
pub async fn rules_are_about_fields_of_the_model(case: &Case<'_>) -> Outcome {
    for kind in EntityKind::ALL {
        let mut seen = BTreeSet::new();
        for rule in case.provider.fields(kind) {
            let field = rule.field;
            ensure(
                kind.columns().iter().any(|column| column.name == field),
                || format!("{kind}.{field} has a rule and is no column of the model"),
            )?;
            ensure(seen.insert(field), || {
                format!("{kind}.{field} has two rules")
            })?;
            ensure(!rule.writable || rule.owner == Owner::Shared, || {
                format!("{kind}.{field} is writable and not shared")
            })?;
            ensure(!rule.clearable || rule.writable, || {
                format!("{kind}.{field} can be emptied and not written")
            })?;
        }
    }
    for kind in case.capabilities().update.clone() {
        ensure(!case.writable(kind).is_empty(), || {
            format!("{kind} is in `update` and has no writable field")
        })?;
    }
    Ok(())
}

/// What is read has a rule that lets the vendor have a say in it.
pub async fn what_is_read_has_a_rule(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().read.clone() {
        let rules = case.provider.fields(kind);
        for record in case.whole(kind, None).await?.records {
            let links = record.links.keys().copied();
            for field in record.fields.names().chain(links) {
                let rule = rules.iter().find(|rule| rule.field == field);
                let heard = rule.is_some_and(|rule| rule.owner != Owner::Local);
                // Merges are the engine's; it needs no rule for them.
                ensure(heard || field == "merged_into", || {
                    format!("{kind}.{field} is read, and its rule gives the vendor no say in it")
                })?;
            }
        }
    }
    Ok(())
}

/// Links stand under names of links and name records of the right kind that the vendor has.
pub async fn links_name_records_that_are_there(case: &Case<'_>) -> Outcome {
    for kind in case.capabilities().read.clone() {
        for record in case.whole(kind, None).await?.records.iter().take(25) {
            for (field, link) in &record.links {
                let target = link_target(kind, field);
                ensure(target.is_some(), || {
                    format!("{kind}.{field} is no link of the model")
                })?;
                let Some(link) = link else { continue };
                ensure(target == Some(link.kind), || {
                    format!("{kind}.{field} links to a {}", link.kind)
                })?;
                let Some(there) = case.vendor.ids(link.kind).await? else {
                    continue;
                };
                ensure(there.contains(&link.id), || {
                    format!(
                        "{kind} {}: {field} is {}, which nobody has",
                        record.external_id, link.id
                    )
                })?;
            }
        }
    }
    Ok(())
}

/// Records that did not change read the same, so that reading again is no news.
pub async fn reading_twice_is_reading_once(case: &Case<'_>) -> Outcome {
    let mut first = Vec::new();
    for kind in case.capabilities().read.clone() {
        first.extend(case.whole(kind, None).await?.records);
    }
    let other = case.another()?;
    let mut second = Vec::new();
    for kind in case.capabilities().read.clone() {
        let pages = case.pages(&*other, kind, None).await?;
        second.extend(pages.into_iter().flat_map(|page| page.records));
    }
    for record in &first {
        let same = |other: &&RemoteRecord| {
            (other.kind, &other.external_id) == (record.kind, &record.external_id)
        };
        let again = second.iter().find(same);
        ensure(again == Some(record), || {
            format!(
                "{} {} reads differently the second time: {}",
                record.kind,
                record.external_id,
                difference(record, again)
            )
        })?;
    }
    Ok(())
}

/// A kind that is not declared is refused, never an empty page.
pub async fn undeclared_kinds_are_unsupported(case: &Case<'_>) -> Outcome {
    let declared = &case.capabilities().read;
    let undeclared = EntityKind::ALL
        .into_iter()
        .filter(|kind| !declared.contains(kind));
    let mut asked = false;
    for kind in undeclared {
        asked = true;
        let query = PageQuery {
            kind,
            changed: None,
            position: None,
        };
        match case.provider.fetch_page(&query).await {
            Err(error) if error.kind() == ErrorKind::Unsupported => {}
            Err(error) => return Err(fail(format!("{kind}: not unsupported: {error}"))),
            Ok(_) => return Err(fail(format!("{kind}: a page of what is not declared"))),
        }
    }
    if asked {
        Ok(())
    } else {
        Err(Stop::Skip("every kind is declared".to_owned()))
    }
}

/// A field that nobody told us of stands in `extra`.
pub async fn unknown_fields_survive(case: &Case<'_>) -> Outcome {
    let mut seen = false;
    for kind in case.capabilities().read.clone() {
        let Some(id) = case.ids(kind).await?.into_iter().next() else {
            continue;
        };
        let Some(done) = case.vendor.act(Act::UnknownField, kind, &id).await? else {
            continue;
        };
        let record = case.there(kind, &id).await?;
        holds_extra(&record, &done)?;
        seen = true;
    }
    if seen {
        Ok(())
    } else {
        Err(Stop::Skip("no record takes an unknown field".to_owned()))
    }
}

/// Fails unless the record's `extra` has, at any depth, what was added.
#[track_caller]
pub(super) fn holds_extra(record: &RemoteRecord, done: &Done) -> Outcome {
    let Done::Extra(name, value) = done else {
        return Err(fail(format!(
            "the bench answers an unknown field with {done:?}"
        )));
    };
    let extra = Value::Object(record.extra.clone());
    ensure(finds(&extra, name, value), || {
        format!(
            "{} {}: the unknown field {name} is dropped",
            record.kind, record.external_id
        )
    })
}

fn finds(within: &Value, name: &str, value: &Value) -> bool {
    match within {
        Value::Object(fields) => fields
            .iter()
            .any(|(key, inner)| (key == name && inner == value) || finds(inner, name, value)),
        Value::Array(items) => items.iter().any(|inner| finds(inner, name, value)),
        _ => false,
    }
}

/// A word that nobody told us of is kept and counted; the record is not parked.
pub async fn unknown_values_are_kept_and_counted(case: &Case<'_>) -> Outcome {
    let mut seen = false;
    for kind in case.capabilities().read.clone() {
        let Some(id) = case.ids(kind).await?.into_iter().next() else {
            continue;
        };
        let Some(done) = case.vendor.act(Act::UnknownValue, kind, &id).await? else {
            continue;
        };
        let Done::Unknown(word) = done else {
            return Err(fail(format!(
                "the bench answers an unknown value with {done:?}"
            )));
        };
        let page = case.whole(kind, None).await?;
        ensure(page.parked.is_empty(), || {
            format!("{kind} {id} is parked because of {word}")
        })?;
        let record = case.there(kind, &id).await?;
        ensure(
            record.unknown.iter().any(|unknown| unknown.value == word),
            || {
                format!(
                    "{kind} {id}: {word} is not in `unknown`: {:?}",
                    record.unknown
                )
            },
        )?;
        seen = true;
    }
    if seen {
        Ok(())
    } else {
        Err(Stop::Skip("no field takes an unknown word".to_owned()))
    }
}

/// A record that cannot be read is parked with its id and a reason, and the rest of its page goes on.
pub async fn a_damaged_record_is_parked_alone(case: &Case<'_>) -> Outcome {
    let kinds = case.capabilities().read.clone();
    let mut before = Vec::new();
    for kind in &kinds {
        before.push((*kind, ids(&case.whole(*kind, None).await?)));
    }
    let (kind, id, _) = case.first_act(&kinds, Act::Damage).await?;
    let page = case.whole(kind, None).await?;
    is_parked(&page, &id)?;
    let mut there = ids(&page);
    there.insert(id.clone());
    let was = before
        .into_iter()
        .find(|(of, _)| *of == kind)
        .map(|(_, ids)| ids);
    ensure(Some(&there) == was.as_ref(), || {
        format!("{kind}: other records are lost with {id}")
    })
}

/// Asked for by id, it is parked likewise: what is missing would be taken for removed.
pub async fn a_damaged_record_is_parked_by_id(case: &Case<'_>) -> Outcome {
    let kinds: Vec<EntityKind> = case.capabilities().by_id.keys().copied().collect();
    let (kind, id, _) = case.first_act(&kinds, Act::Damage).await?;
    let page = case
        .provider
        .fetch_ids(kind, std::slice::from_ref(&id))
        .await?;
    is_parked(&page, &id)
}

#[track_caller]
fn is_parked(page: &RecordPage, id: &str) -> Outcome {
    let parked = page
        .parked
        .iter()
        .find(|parked| parked.external_id.as_deref() == Some(id));
    ensure(
        page.records.iter().all(|record| record.external_id != id),
        || format!("{id} cannot be read, and is read"),
    )?;
    let Some(parked) = parked else {
        return Err(fail(format!(
            "{id} cannot be read and is not parked by its id: {:?}",
            page.parked
        )));
    };
    ensure(parked.reason.len() >= 8, || {
        format!("{id} is parked without a reason: {:?}", parked.reason)
    })
}

fn ids(page: &RecordPage) -> BTreeSet<String> {
    let ids = page.records.iter().map(|record| record.external_id.clone());
    ids.collect()
}

/// What differs between two reads, by name.
pub(super) fn difference(one: &RemoteRecord, other: Option<&RemoteRecord>) -> String {
    let Some(other) = other else {
        return "it is missing".to_owned();
    };
    let mut names: Vec<String> = Vec::new();
    for (field, value) in one.fields.iter() {
        if other.fields.get(field) != Some(value) {
            names.push(field.to_owned());
        }
    }
    for (name, differs) in [
        ("version", one.version != other.version),
        ("links", one.links != other.links),
        ("extra", one.extra != other.extra),
        ("unknown", one.unknown != other.unknown),
        ("merged_into", one.merged_into != other.merged_into),
    ] {
        if differs {
            names.push(name.to_owned());
        }
    }
    let more = other
        .fields
        .names()
        .filter(|field| !one.fields.contains(field));
    names.extend(more.map(str::to_owned));
    names.join(", ")
}
