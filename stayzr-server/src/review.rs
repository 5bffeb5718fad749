//! A conflict as a person looks at it: whose record it is, and what each side says of it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;
use stayzr_core::{
    Result,
    flow::as_seen,
    ids::{IntegrationId, PropertyId},
    model::{Conflict, ConflictStatus},
    port::{
        PageRequest, Store,
        entities::{EntityFilter, RowRef},
        sync::Mapping,
    },
    tenant::TenantScope,
    transform::{EntityKind, EntityRow},
};
use uuid::Uuid;

/// A conflict with what a person needs to decide it.
#[derive(Debug, Clone, Serialize)]
pub struct ConflictView {
    /// The conflict. While it is open, `local` is what stands in the row now.
    #[serde(flatten)]
    pub conflict: Conflict,
    /// What people call the record: a guest's name, a reservation's number.
    pub name: Option<String>,
    /// The provider of its integration.
    pub provider: Option<String>,
    /// The property of its integration.
    pub property_id: Option<PropertyId>,
    /// The disputed fields, each with what the sides say.
    pub fields: Vec<DisputedField>,
    /// The vendors' ids of the row.
    pub external_refs: Vec<RowRef>,
}

/// A disputed field, side by side.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DisputedField {
    /// Its name.
    pub field: String,
    /// What both sides last agreed on.
    pub base: Value,
    /// What stands here.
    pub local: Value,
    /// What stands at the vendor.
    pub remote: Value,
}

/// Completes conflicts of an organization: a few queries for all of them.
pub async fn review(
    store: &dyn Store,
    scope: TenantScope,
    conflicts: Vec<Conflict>,
) -> Result<Vec<ConflictView>> {
    // A guest belongs to the organization: who sees the conflict sees whom it is about.
    let scope = TenantScope::organization(scope.organization_id);
    let mut ids: BTreeMap<EntityKind, BTreeSet<Uuid>> = BTreeMap::new();
    for conflict in &conflicts {
        ids.entry(conflict.entity)
            .or_default()
            .insert(conflict.entity_id);
    }
    let mut rows: BTreeMap<Uuid, EntityRow> = BTreeMap::new();
    let mut refs: BTreeMap<Uuid, Vec<RowRef>> = BTreeMap::new();
    for (kind, ids) in ids {
        let ids: Vec<Uuid> = ids.into_iter().collect();
        for found in store.external_refs(scope, kind, &ids).await? {
            refs.entry(found.local_id).or_default().push(found);
        }
        let page = PageRequest {
            limit: 1000,
            cursor: None,
        };
        let filter = EntityFilter {
            ids: Some(ids),
            ..EntityFilter::default()
        };
        for row in store.rows(scope, kind, &filter, &page).await?.items {
            rows.insert(row.id, row);
        }
    }
    let mappings = mappings(store, scope, &conflicts).await?;
    let integrations = match conflicts.is_empty() {
        true => Vec::new(),
        false => store.integrations(scope).await?,
    };
    Ok(conflicts
        .into_iter()
        .map(|conflict| {
            let row = rows.get(&conflict.entity_id);
            let integration = integrations
                .iter()
                .find(|integration| integration.id == conflict.integration_id);
            let mapping = mappings.iter().find(|mapping| {
                (mapping.integration_id, mapping.local_id)
                    == (conflict.integration_id, conflict.entity_id)
            });
            let conflict = match row {
                Some(row) => as_seen(conflict, row, mapping),
                None => conflict,
            };
            ConflictView {
                name: row.and_then(name),
                provider: integration.map(|integration| integration.provider.clone()),
                property_id: integration.map(|integration| integration.property_id),
                fields: side_by_side(&conflict),
                external_refs: refs.get(&conflict.entity_id).cloned().unwrap_or_default(),
                conflict,
            }
        })
        .collect())
}

/// The mappings of the rows in dispute: what edits here made of what waits is seen by them.
async fn mappings(
    store: &dyn Store,
    scope: TenantScope,
    conflicts: &[Conflict],
) -> Result<Vec<Mapping>> {
    let mut open: BTreeMap<(IntegrationId, EntityKind), Vec<Uuid>> = BTreeMap::new();
    for conflict in conflicts {
        if conflict.status == ConflictStatus::Open {
            open.entry((conflict.integration_id, conflict.entity))
                .or_default()
                .push(conflict.entity_id);
        }
    }
    let mut all = Vec::new();
    for ((integration_id, kind), ids) in open {
        all.extend(store.mappings_of(scope, integration_id, kind, &ids).await?);
    }
    Ok(all)
}

fn side_by_side(conflict: &Conflict) -> Vec<DisputedField> {
    conflict
        .remote
        .iter()
        .map(|(field, remote)| DisputedField {
            field: field.to_owned(),
            base: conflict.base.get(field).cloned().unwrap_or_default(),
            local: conflict.local.get(field).cloned().unwrap_or_default(),
            remote: remote.clone(),
        })
        .collect()
}

/// What people call a row.
pub fn name(row: &EntityRow) -> Option<String> {
    const SHOWN: usize = 40;
    let text = |field: &str| row.fields.text(field).map(str::to_owned);
    match row.kind {
        EntityKind::Property | EntityKind::RoomType | EntityKind::Room => text("name"),
        EntityKind::Guest => {
            let names: Vec<String> = [text("first_name"), text("last_name")]
                .into_iter()
                .flatten()
                .collect();
            match names.is_empty() {
                true => text("email").or_else(|| text("phone")),
                false => Some(names.join(" ")),
            }
        }
        EntityKind::Reservation => text("number"),
        EntityKind::Note => text("text").map(|text| text.chars().take(SHOWN).collect()),
        EntityKind::ServiceRequest => {
            text("description").map(|text| text.chars().take(SHOWN).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;
    use stayzr_core::transform::FieldMap;

    use super::*;

    fn fields(value: Value) -> FieldMap {
        serde_json::from_value(value).unwrap()
    }

    fn conflict() -> Conflict {
        Conflict {
            id: Uuid::from_u128(1).into(),
            organization_id: Uuid::from_u128(2).into(),
            integration_id: Uuid::from_u128(3).into(),
            entity: EntityKind::Guest,
            entity_id: Uuid::from_u128(4),
            external_id: "guest-1".to_owned(),
            base: fields(json!({"phone": "1"})),
            local: fields(json!({"phone": "2"})),
            remote: fields(json!({"phone": "3"})),
            waiting: fields(json!({"notes": "late"})),
            status: ConflictStatus::Open,
            resolution: None,
            revision: 1,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        }
    }

    fn row() -> EntityRow {
        EntityRow {
            kind: EntityKind::Guest,
            id: Uuid::from_u128(4),
            organization_id: Uuid::from_u128(2).into(),
            property_id: None,
            version: 3,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
            fields: fields(json!({"phone": "22", "first_name": null, "last_name": "Peña"})),
        }
    }

    #[test]
    fn what_waits_beside_the_dispute_is_not_disputed() {
        let sides = side_by_side(&conflict());
        assert_eq!(sides.len(), 1);
        assert_eq!(
            (&sides[0].base, &sides[0].local, &sides[0].remote),
            (&json!("1"), &json!("2"), &json!("3"))
        );
    }

    #[test]
    fn a_row_is_named_as_people_name_it() {
        assert_eq!(name(&row()).as_deref(), Some("Peña"));
        let mut nameless = row();
        nameless.fields.insert("last_name", Value::Null);
        assert_eq!(name(&nameless).as_deref(), Some("22"));
    }
}
