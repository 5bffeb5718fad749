//! Which vendors an edit is pushed to.

use serde_json::Value;
use uuid::Uuid;

use crate::{
    Error, Result,
    ids::IntegrationId,
    port::{entities::Entities, sync::SyncStore},
    queue::NewJob,
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap, FieldRule, Owner},
};

/// What may be pushed to a vendor, and the job that does it. Implemented where providers are
/// known.
pub trait PushPolicy: Send + Sync {
    /// The provider's rule for a field; none means that the vendor does not know the field.
    fn rule(&self, provider: &str, kind: EntityKind, field: &str) -> Option<FieldRule>;

    /// Whether the provider's API makes records of this kind from rows that are made here.
    fn creates(&self, provider: &str, kind: EntityKind) -> bool {
        let _ = (provider, kind);
        false
    }

    /// The job that pushes a row, or makes it at the vendor where it has no record yet.
    fn push_job(
        &self,
        scope: TenantScope,
        integration_id: IntegrationId,
        kind: EntityKind,
        id: Uuid,
    ) -> NewJob;
}

/// The push jobs of an edit, and the base of the edited fields.
pub(super) async fn pushes<S>(
    store: &S,
    policy: &dyn PushPolicy,
    scope: TenantScope,
    row: &EntityRow,
    set: &FieldMap,
) -> Result<(Vec<NewJob>, FieldMap)>
where
    S: Entities + SyncStore + ?Sized,
{
    let mut jobs = Vec::new();
    let mut base = FieldMap::new();
    // A guest may be known to the PMS of any property, in sight of the editor or not.
    let organization = TenantScope::organization(scope.organization_id);
    let known = store
        .external_refs(organization, row.kind, &[row.id])
        .await?;
    if known.is_empty() {
        return Ok((jobs, base));
    }
    for integration in store.integrations(organization).await? {
        // Of an organization's many PMSs few know the row.
        if !known
            .iter()
            .any(|known| known.integration_id == integration.id)
        {
            continue;
        }
        let mapped = store
            .mappings_of(organization, integration.id, row.kind, &[row.id])
            .await?;
        let Some(mapping) = mapped
            .into_iter()
            .find(|mapping| mapping.merged_into.is_none())
        else {
            continue;
        };
        base.extend(&mapping.base.only(set.names()));
        let mut writable = false;
        for field in set.names() {
            match policy.rule(&integration.provider, row.kind, field) {
                Some(rule) if rule.owner == Owner::Remote => {
                    return Err(Error::invalid(
                        "edit",
                        format!(
                            "`{field}` belongs to the PMS ({}) and its API cannot set it: change \
                             it there",
                            integration.provider
                        ),
                    )
                    .with("field", field));
                }
                Some(rule) if rule.writable => {
                    let cleared = set.get(field).is_some_and(Value::is_null);
                    if cleared && !rule.clearable {
                        return Err(Error::invalid(
                            "edit",
                            format!(
                                "the API of the PMS ({}) cannot empty `{field}`: empty it there, \
                                 or set another value",
                                integration.provider
                            ),
                        )
                        .with("field", field));
                    }
                    writable = true;
                }
                _ => {}
            }
        }
        if writable {
            let scope = TenantScope::property(scope.organization_id, integration.property_id);
            jobs.push(policy.push_job(scope, integration.id, row.kind, row.id));
        }
    }
    Ok((jobs, base))
}
