use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    clock::Clock,
    ids::{ChangeId, IntegrationId},
    model::{Change, ChangeOutcome, ChangeSource},
    queue::{NewJob, Queue},
    tenant::TenantScope,
    transform::EntityKind,
};

/// A record put aside: it cannot be read, the rest of the page goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedRecord {
    /// What kind of record.
    pub entity: EntityKind,
    /// The vendor's id, where it has one.
    pub external_id: Option<String>,
    /// The row that it belongs to, where one is mapped.
    #[serde(default)]
    pub local_id: Option<Uuid>,
    /// Why, naming the vendor's field.
    pub reason: String,
}

impl ParkedRecord {
    /// The job that stands FAILED for this record; retried, it reads the record again. Its payload
    /// is `{"type":"targeted","integration_id","kind","ids":[…]}`, its dedupe key names the record,
    /// so that a record which stays unreadable is shown once.
    pub fn job(&self, scope: TenantScope, integration_id: IntegrationId) -> NewJob {
        let ids: Vec<&str> = self.external_id.as_deref().into_iter().collect();
        let payload = serde_json::json!({
            "type": "targeted",
            "integration_id": integration_id,
            "kind": self.entity,
            "ids": ids,
        });
        let name = self.external_id.as_deref().unwrap_or(&self.reason);
        NewJob::new(Queue::PmsSyncQueue, scope, payload).dedupe(Self::dedupe_key(
            integration_id,
            self.entity,
            name,
        ))
    }

    /// The dedupe key of the job that stands for a record of an integration.
    pub fn dedupe_key(
        integration_id: IntegrationId,
        entity: EntityKind,
        external_id: &str,
    ) -> String {
        format!("parked:{integration_id}:{entity}:{external_id}")
    }

    /// The line of the journal for this record: refused, with the reason.
    pub fn change(
        &self,
        clock: &dyn Clock,
        scope: TenantScope,
        integration_id: IntegrationId,
    ) -> Change {
        Change {
            id: ChangeId::generate(clock),
            organization_id: scope.organization_id,
            entity: self.entity,
            entity_id: self.local_id.unwrap_or_default(),
            external_id: self.external_id.clone(),
            field: None,
            base: None,
            old: None,
            new: None,
            source: ChangeSource::Vendor {
                integration_id,
                event: "read".to_owned(),
            },
            outcome: ChangeOutcome::Refused,
            reason: Some(self.reason.clone()),
            created_at: clock.now(),
        }
    }
}
