use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

use super::state::MemoryStore;
use crate::{
    Error, Result,
    ids::OrganizationId,
    port::idempotency::{Idempotency, IdempotencyCheck, StoredResponse},
    tenant::TenantScope,
};

/// How long a request is remembered.
pub(super) const KEEP: TimeDelta = TimeDelta::hours(24);

/// A request without an answer for longer than this is taken for dead.
const DEAD: TimeDelta = TimeDelta::minutes(1);

/// (organization, route, key)
pub(super) type RequestKey = (OrganizationId, String, String);

/// A request that was seen.
#[derive(Debug, Clone)]
pub(super) struct SeenRequest {
    fingerprint: String,
    pub(super) begun_at: DateTime<Utc>,
    response: Option<StoredResponse>,
}

impl SeenRequest {
    /// What to do with the same key again; none if it may be claimed anew.
    fn check(&self, fingerprint: &str, now: DateTime<Utc>) -> Option<IdempotencyCheck> {
        let age = now - self.begun_at;
        if age > KEEP {
            return None;
        }
        if self.fingerprint != fingerprint {
            return Some(IdempotencyCheck::Mismatch);
        }
        match &self.response {
            Some(response) => Some(IdempotencyCheck::Replay(response.clone())),
            None if age > DEAD => None,
            None => Some(IdempotencyCheck::Running),
        }
    }
}

fn request_key(scope: TenantScope, route: &str, key: &str) -> RequestKey {
    (scope.organization_id, route.to_owned(), key.to_owned())
}

#[async_trait]
impl Idempotency for MemoryStore {
    async fn begin(
        &self,
        scope: TenantScope,
        route: &str,
        key: &str,
        fingerprint: &str,
    ) -> Result<IdempotencyCheck> {
        let (mut state, now) = self.begin();
        let key = request_key(scope, route, key);
        let seen = state.seen.get(&key);
        if let Some(check) = seen.and_then(|seen| seen.check(fingerprint, now)) {
            return Ok(check);
        }
        let request = SeenRequest {
            fingerprint: fingerprint.to_owned(),
            begun_at: now,
            response: None,
        };
        state.seen.insert(key, request);
        Ok(IdempotencyCheck::Proceed)
    }

    async fn complete(
        &self,
        scope: TenantScope,
        route: &str,
        key: &str,
        response: Option<StoredResponse>,
    ) -> Result<()> {
        let mut state = self.lock();
        let key = request_key(scope, route, key);
        let running = state
            .seen
            .get_mut(&key)
            .filter(|seen| seen.response.is_none());
        match (running, response) {
            (Some(seen), Some(response)) => seen.response = Some(response),
            (Some(_), None) => {
                state.seen.remove(&key);
            }
            (None, None) => {}
            (None, Some(_)) => {
                return Err(Error::not_found(
                    "memory.idempotency_complete",
                    "no request with this key waits for an answer",
                ));
            }
        }
        Ok(())
    }
}
