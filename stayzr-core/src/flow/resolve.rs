use serde_json::Value;

use super::{
    contacts::changed_contacts,
    dispute::{Wanted, as_seen, wanted},
    push::PushPolicy,
    validate::{check, check_references, validate},
};
use crate::{
    Error, ErrorKind, Result,
    clock::Clock,
    ids::{ChangeId, ConflictId, GuestId},
    model::{
        Change, ChangeOutcome, ChangeSource, Conflict, ConflictStatus, Integration, Resolution,
        ResolutionChoice,
    },
    port::{
        conflict::{Conflicts, ResolveWrite},
        entities::Entities,
        sync::{Mapping, SyncStore},
    },
    tenant::TenantScope,
    transform::{EntityKind, EntityRow, FieldMap, Owner},
};

/// So often a decision is made again when the row or the mapping changes under it.
const ATTEMPTS: u32 = 5;

/// What a person decided about a conflict.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolveRequest {
    /// The conflict.
    pub conflict_id: ConflictId,
    /// Whose values: `local`, `remote`, or field by field.
    pub choice: ResolutionChoice,
    /// With the choice `fields`, every disputed field: `"local"` or `"remote"` chooses a side,
    /// `{"value": …}` or any other JSON is the value to have.
    pub fields: FieldMap,
    /// The revision of the conflict that the person saw; none takes the newest.
    pub expected_revision: Option<i64>,
    /// Who decides.
    pub source: ChangeSource,
}

/// Decides a conflict: sets the row, notes what both sides agree on since, journals, and enqueues
/// the push of what was chosen here. All of it is one command; nothing is half done.
///
/// Disputed is what [`as_seen`] shows as such. A field decided for the vendor takes its value; one
/// decided otherwise keeps ours, or takes the value given, and the vendor's is journalled as
/// refused, so that it can be restored. What waited beside the dispute is applied.
///
/// Errors: [`crate::ErrorKind::NotFound`]; [`crate::ErrorKind::Invalid`] naming the field and why;
/// [`crate::ErrorKind::Conflict`] where it is not open any more, or the vendor said something else
/// since the person looked.
pub async fn resolve<S>(
    store: &S,
    policy: &dyn PushPolicy,
    clock: &dyn Clock,
    scope: TenantScope,
    request: ResolveRequest,
) -> Result<(Conflict, EntityRow)>
where
    S: Entities + SyncStore + Conflicts + ?Sized,
{
    let mut looked: Option<Conflict> = None;
    let mut attempt = 1;
    loop {
        let conflict = open(store, scope, &request, looked.as_ref()).await?;
        let case = Case::load(store, conflict.clone()).await?;
        let write = case.decide(store, policy, clock, scope, &request).await?;
        match store.resolve_conflict(write).await {
            Ok(resolved) => {
                let row = case.read_row(store).await?;
                return Ok((resolved, row));
            }
            // The decision is about values: what changed beside them changes nothing about it.
            Err(error) if error.kind() == ErrorKind::Conflict && attempt < ATTEMPTS => {
                looked.get_or_insert(conflict);
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// The conflict, if it is still the one that the person looked at.
async fn open<S>(
    store: &S,
    scope: TenantScope,
    request: &ResolveRequest,
    looked: Option<&Conflict>,
) -> Result<Conflict>
where
    S: Conflicts + ?Sized,
{
    let id = request.conflict_id;
    let conflict = store.conflict(scope, id).await?.ok_or_else(|| {
        Error::not_found("resolve", "there is no conflict with this id").with("id", id)
    })?;
    if conflict.status != ConflictStatus::Open {
        return Err(Error::conflict("resolve", "it is decided already").with("id", id));
    }
    let same = match looked {
        Some(looked) => (&looked.remote, &looked.waiting) == (&conflict.remote, &conflict.waiting),
        None => request
            .expected_revision
            .is_none_or(|revision| revision == conflict.revision),
    };
    if !same {
        return Err(Error::conflict(
            "resolve",
            "it changed since you looked: look at it again and decide then",
        )
        .with("revision", conflict.revision));
    }
    Ok(conflict)
}

/// A conflict with everything that a decision about it looks at.
struct Case {
    /// As a person sees it.
    seen: Conflict,
    row: EntityRow,
    mapping: Mapping,
    integration: Integration,
}

impl Case {
    async fn load<S>(store: &S, conflict: Conflict) -> Result<Self>
    where
        S: Entities + SyncStore + ?Sized,
    {
        let gone = |what: &'static str| Error::conflict("resolve", what).with("id", conflict.id);
        // Who sees the conflict sees whom it is about, and a guest belongs to the organization.
        let whole = TenantScope::organization(conflict.organization_id);
        let (id, kind) = (conflict.integration_id, conflict.entity);
        let integration = store
            .integration(whole, id)
            .await?
            .ok_or_else(|| gone("the integration is not there any more"))?;
        let mapping = store
            .mappings_of(whole, id, kind, &[conflict.entity_id])
            .await?
            .into_iter()
            .next()
            .ok_or_else(|| gone("the record of the PMS is not this row's any more"))?;
        let row = store
            .row(whole, kind, conflict.entity_id)
            .await?
            .ok_or_else(|| gone("the row is not there any more"))?;
        Ok(Self {
            seen: as_seen(conflict, &row, Some(&mapping)),
            row,
            mapping,
            integration,
        })
    }

    async fn read_row<S: Entities + ?Sized>(&self, store: &S) -> Result<EntityRow> {
        let whole = TenantScope::organization(self.row.organization_id);
        let row = store.row(whole, self.row.kind, self.row.id).await?;
        row.ok_or_else(|| Error::not_found("resolve", "the row is not there any more"))
    }

    /// The property of the PMS, in whose country national telephone numbers are read.
    fn scope(&self) -> TenantScope {
        TenantScope::property(
            self.integration.organization_id,
            self.integration.property_id,
        )
    }

    async fn decide<S>(
        &self,
        store: &S,
        policy: &dyn PushPolicy,
        clock: &dyn Clock,
        scope: TenantScope,
        request: &ResolveRequest,
    ) -> Result<ResolveWrite>
    where
        S: Entities + ?Sized,
    {
        let wanted = wanted(&self.seen, request.choice, &request.fields)?;
        let chosen = self.values(store, policy, wanted).await?;
        let mut state = chosen.clone();
        state.extend(&self.seen.waiting);
        let set = state.changed_from(&self.row.fields);
        if request.choice != ResolutionChoice::Remote {
            let mut after = self.row.clone();
            after.fields.extend(&set);
            check(&after)?;
        }
        let contacts = match self.row.kind {
            EntityKind::Guest => {
                let guest = GuestId::from(self.row.id);
                changed_contacts(store, self.scope(), guest, &set).await?
            }
            _ => Vec::new(),
        };
        let now = clock.now();
        let mut mapping = self.mapping.clone();
        // From now on the vendor's values are known: only newer ones are news.
        mapping.base.extend(&self.seen.remote);
        mapping.base.extend(&self.seen.waiting);
        mapping.revision += 1;
        mapping.updated_at = now;
        let pushed = chosen
            .iter()
            .any(|(field, value)| self.is_told(policy, field, value));
        let (integration, row) = (self.integration.id, &self.row);
        let job = pushed.then(|| policy.push_job(self.scope(), integration, row.kind, row.id));
        Ok(ResolveWrite {
            scope,
            id: self.seen.id,
            expected_revision: self.seen.revision,
            changes: self.lines(clock, &set, &chosen, &request.source),
            resolution: Resolution {
                choice: request.choice,
                fields: chosen,
                source: Some(request.source.clone()),
                at: now,
            },
            expected_version: self.row.version,
            set,
            mapping,
            contacts,
            jobs: job.into_iter().collect(),
        })
    }

    /// The disputed fields as they are to stand.
    async fn values<S>(
        &self,
        store: &S,
        policy: &dyn PushPolicy,
        wanted: Vec<(String, Wanted)>,
    ) -> Result<FieldMap>
    where
        S: Entities + ?Sized,
    {
        let mut chosen = FieldMap::new();
        let mut given = FieldMap::new();
        for (field, wish) in wanted {
            let side = match wish {
                Wanted::Local => &self.seen.local,
                Wanted::Remote => &self.seen.remote,
                Wanted::Value(value) => {
                    given.insert(field, value);
                    continue;
                }
            };
            let value = side.get(&field).cloned().unwrap_or_default();
            chosen.insert(field, value);
        }
        if given.is_empty() {
            return Ok(chosen);
        }
        let mut beside = self.row.clone();
        beside.fields.extend(&self.seen.waiting);
        beside.fields.extend(&chosen);
        let given = validate(&beside, &given)?;
        check_references(store, self.scope(), &self.row, &given).await?;
        for (field, value) in given.iter() {
            self.refuse_untold(policy, field, value)?;
        }
        chosen.extend(&given);
        Ok(chosen)
    }

    /// Refuses a value that the vendor's API cannot be given.
    fn refuse_untold(&self, policy: &dyn PushPolicy, field: &str, value: &Value) -> Result<()> {
        let provider = &self.integration.provider;
        let Some(rule) = policy.rule(provider, self.row.kind, field) else {
            return Ok(());
        };
        let why = if self.seen.remote.get(field) == Some(value) {
            return Ok(());
        } else if rule.owner == Owner::Remote {
            "belongs to the PMS and its API cannot set it: choose `remote`"
        } else if value.is_null() && rule.writable && !rule.clearable {
            "cannot be emptied by the API of the PMS: empty it there, or set another value"
        } else {
            return Ok(());
        };
        Err(Error::invalid("resolve", format!("`{field}` {why}"))
            .with("field", field)
            .with("provider", provider))
    }

    /// Whether the vendor is told a value that was chosen.
    fn is_told(&self, policy: &dyn PushPolicy, field: &str, value: &Value) -> bool {
        let rule = policy.rule(&self.integration.provider, self.row.kind, field);
        self.seen.remote.get(field) != Some(value)
            && rule.is_some_and(|rule| rule.writable && (rule.clearable || !value.is_null()))
    }

    /// A line for each field that changes, and one for each value of the vendor that lost.
    fn lines(
        &self,
        clock: &dyn Clock,
        set: &FieldMap,
        chosen: &FieldMap,
        source: &ChangeSource,
    ) -> Vec<Change> {
        let line =
            |field: &str, outcome, reason: &str, old: Option<&Value>, new: Option<&Value>| Change {
                id: ChangeId::generate(clock),
                organization_id: self.row.organization_id,
                entity: self.row.kind,
                entity_id: self.row.id,
                external_id: Some(self.mapping.external_id.clone()),
                field: Some(field.to_owned()),
                base: self.mapping.base.get(field).cloned(),
                old: old.cloned(),
                new: new.cloned(),
                source: source.clone(),
                outcome,
                reason: Some(reason.to_owned()),
                created_at: clock.now(),
            };
        let applied = set.iter().map(|(field, new)| {
            let reason = match chosen.contains(field) {
                true => "a conflict was decided",
                false => "it waited for a conflict to be decided",
            };
            let old = self.row.fields.get(field);
            line(field, ChangeOutcome::Applied, reason, old, Some(new))
        });
        let refused = chosen.iter().filter_map(|(field, value)| {
            let theirs = self
                .seen
                .remote
                .get(field)
                .filter(|theirs| *theirs != value)?;
            let reason = "a conflict was decided otherwise";
            let outcome = ChangeOutcome::Refused;
            Some(line(field, outcome, reason, Some(value), Some(theirs)))
        });
        applied.chain(refused).collect()
    }
}
