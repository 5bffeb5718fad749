use serde_json::Value;

use super::{ConflictStrategy, FieldMap, FieldRule, Owner};

/// The three states of a record, and the rules to merge them by.
#[derive(Debug, Clone, Copy)]
pub struct MergeInput<'a> {
    /// The last state both sides agreed on.
    pub base: &'a FieldMap,
    /// The state here.
    pub local: &'a FieldMap,
    /// The state at the vendor; a field that is absent says nothing.
    pub remote: &'a FieldMap,
    /// What may be done with each field.
    pub rules: &'a [FieldRule],
    /// Who decides where a field has no strategy of its own.
    pub strategy: ConflictStrategy,
}

/// A field that both sides changed differently and a person must decide.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldConflict {
    /// The field.
    pub field: String,
    /// As last agreed.
    pub base: Option<Value>,
    /// As it is here.
    pub local: Option<Value>,
    /// As it is at the vendor.
    pub remote: Value,
}

/// A vendor's value that was not taken.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusedField {
    /// The field.
    pub field: String,
    /// The vendor's value.
    pub remote: Value,
    /// Why not.
    pub reason: &'static str,
}

/// What a merge decided.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MergeOutcome {
    /// Fields to set here.
    pub apply: FieldMap,
    /// Fields to set at the vendor.
    pub push: FieldMap,
    /// Fields that a person must decide.
    pub conflicts: Vec<FieldConflict>,
    /// Values of the vendor that lost, for the journal.
    pub refused: Vec<RefusedField>,
    /// Values of ours that lost, for the journal: field → what stood here.
    pub replaced: FieldMap,
    /// The new base: what both sides agree on once `apply` and `push` are done. A field under
    /// `push` or `conflicts` keeps its old base until the vendor confirms or a person decides.
    pub base: FieldMap,
}

/// Merges a vendor's record into ours, field by field.
///
/// Changed only at the vendor: applied. Changed only here: kept and pushed. Changed on both sides
/// to the same value: converged. Changed on both sides differently: the field's strategy decides.
/// A field that only the vendor owns is applied always; one that only we own is never touched.
pub fn merge(input: MergeInput<'_>) -> MergeOutcome {
    let mut outcome = MergeOutcome {
        base: input.base.clone(),
        ..MergeOutcome::default()
    };
    for rule in input.rules {
        merge_field(input, rule, &mut outcome);
    }
    outcome
}

fn merge_field(input: MergeInput<'_>, rule: &FieldRule, outcome: &mut MergeOutcome) {
    let field = rule.field;
    if rule.owner == Owner::Local {
        return;
    }
    let base = input.base.get(field);
    let local = input.local.get(field).unwrap_or(&Value::Null);
    let Some(remote) = input.remote.get(field) else {
        // The vendor says nothing about the field: ours stays, and is pushed if it is news.
        if base.is_some_and(|base| base != local) {
            keep_local(rule, local, outcome);
        }
        return;
    };
    if remote == local {
        outcome.base.insert(field, remote.clone());
        return;
    }
    if rule.owner == Owner::Remote {
        take_remote(field, remote, outcome);
        return;
    }
    // Without a base the two sides never agreed on anything: a value that is missing on one side
    // is no contradiction, two different ones are.
    let (local_changed, remote_changed) = match base {
        Some(base) => (base != local, base != remote),
        None => (!local.is_null(), !remote.is_null()),
    };
    match (local_changed, remote_changed) {
        (false, _) => take_remote(field, remote, outcome),
        (true, false) => keep_local(rule, local, outcome),
        (true, true) => resolve(input, rule, local, remote, outcome),
    }
}

fn take_remote(field: &str, remote: &Value, outcome: &mut MergeOutcome) {
    outcome.apply.insert(field, remote.clone());
    outcome.base.insert(field, remote.clone());
}

fn keep_local(rule: &FieldRule, local: &Value, outcome: &mut MergeOutcome) {
    // What the vendor cannot be told stays here and is not offered again and again.
    if rule.writable && (rule.clearable || !local.is_null()) {
        outcome.push.insert(rule.field, local.clone());
    }
}

fn resolve(
    input: MergeInput<'_>,
    rule: &FieldRule,
    local: &Value,
    remote: &Value,
    outcome: &mut MergeOutcome,
) {
    let strategy = rule.strategy.unwrap_or(input.strategy);
    match strategy {
        ConflictStrategy::RemoteWins => {
            outcome.replaced.insert(rule.field, local.clone());
            take_remote(rule.field, remote, outcome);
        }
        ConflictStrategy::LocalWins => keep_against(rule, local, remote, outcome),
        ConflictStrategy::MergeFields => match (local, remote) {
            // The same items in another order: the vendor's order, since it would come back always.
            (Value::Array(ours), Value::Array(theirs)) if same_items(ours, theirs) => {
                outcome.replaced.insert(rule.field, local.clone());
                take_remote(rule.field, remote, outcome);
            }
            (Value::Array(ours), Value::Array(theirs)) => {
                let united = unite(input.base.get(rule.field), ours, theirs);
                if &united != local {
                    outcome.replaced.insert(rule.field, local.clone());
                    outcome.apply.insert(rule.field, united.clone());
                }
                outcome.base.insert(rule.field, remote.clone());
                if &united != remote {
                    keep_local(rule, &united, outcome);
                }
            }
            _ => keep_against(rule, local, remote, outcome),
        },
        ConflictStrategy::ManualReview => outcome.conflicts.push(FieldConflict {
            field: rule.field.to_owned(),
            base: input.base.get(rule.field).cloned(),
            local: Some(local.clone()),
            remote: remote.clone(),
        }),
    }
}

fn keep_against(rule: &FieldRule, local: &Value, remote: &Value, outcome: &mut MergeOutcome) {
    outcome.refused.push(RefusedField {
        field: rule.field.to_owned(),
        remote: remote.clone(),
        reason: "changed here since both sides agreed",
    });
    // From now on the vendor's value is known: only a newer one is news.
    outcome.base.insert(rule.field, remote.clone());
    keep_local(rule, local, outcome);
}

fn same_items(ours: &[Value], theirs: &[Value]) -> bool {
    let holds = |list: &[Value], other: &[Value]| other.iter().all(|item| list.contains(item));
    ours.len() == theirs.len() && holds(ours, theirs) && holds(theirs, ours)
}

/// Both lists, less what either side took away since they agreed: sorted where both are, else in
/// the order of ours.
fn unite(base: Option<&Value>, ours: &[Value], theirs: &[Value]) -> Value {
    let agreed = base
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let removed =
        |item: &Value| agreed.contains(item) && (!ours.contains(item) || !theirs.contains(item));
    let mut united: Vec<Value> = Vec::new();
    for item in ours.iter().chain(theirs) {
        if !removed(item) && !united.contains(item) {
            united.push(item.clone());
        }
    }
    let name = |item: &Value| item.as_str().map(str::to_owned);
    if [ours, theirs]
        .iter()
        .all(|list| list.is_sorted_by_key(name))
    {
        united.sort_by_key(name);
    }
    Value::Array(united)
}
