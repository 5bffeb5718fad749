//! The three-way merge: the whole truth table of a field, and what holds for any input.

use serde_json::{Value, json};
use stayzr_core::transform::{
    ConflictStrategy::{self, LocalWins, ManualReview, MergeFields, RemoteWins},
    FieldMap, FieldRule, MergeInput, MergeOutcome, Owner, merge,
};

#[path = "merge/property.rs"]
mod property;

const FIELD: &str = "email";
const STRATEGIES: [ConflictStrategy; 4] = [RemoteWins, LocalWins, MergeFields, ManualReview];

fn map(value: Option<&Value>) -> FieldMap {
    value
        .map(|value| (FIELD.to_owned(), value.clone()))
        .into_iter()
        .collect()
}

fn run(
    base: Option<&Value>,
    local: Option<&Value>,
    remote: Option<&Value>,
    rule: FieldRule,
    strategy: ConflictStrategy,
) -> MergeOutcome {
    merge(MergeInput {
        base: &map(base),
        local: &map(local),
        remote: &map(remote),
        rules: &[rule],
        strategy,
    })
}

/// What becomes of a field, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Nothing happens at all.
    Nothing,
    /// Both sides hold the same, and it is noted.
    Converge,
    /// The vendor's value is taken.
    Take,
    /// Ours stays and is pushed.
    Push,
    /// Both sides changed differently.
    Dispute,
}

fn a() -> Value {
    json!("a@example.com")
}

fn b() -> Value {
    json!("b@example.com")
}

fn c() -> Value {
    json!("c@example.com")
}

/// (base, here, vendor) → fate, for a field that both sides change.
fn table() -> Vec<(Option<Value>, Value, Option<Value>, Fate)> {
    use Fate::{Converge, Dispute, Nothing, Push, Take};
    let (a, b, c, null) = (a(), b(), c(), Value::Null);
    let some = |value: &Value| Some(value.clone());
    vec![
        // The vendor says nothing about the field.
        (some(&a), a.clone(), None, Nothing),
        (some(&a), b.clone(), None, Push),
        (some(&a), null.clone(), None, Push),
        (some(&null), null.clone(), None, Nothing),
        (some(&null), b.clone(), None, Push),
        (None, b.clone(), None, Nothing),
        (None, null.clone(), None, Nothing),
        // Both agreed on a value.
        (some(&a), a.clone(), some(&a), Converge),
        (some(&a), a.clone(), some(&c), Take),
        (some(&a), a.clone(), some(&null), Take),
        (some(&a), b.clone(), some(&a), Push),
        (some(&a), b.clone(), some(&b), Converge),
        (some(&a), b.clone(), some(&c), Dispute),
        (some(&a), b.clone(), some(&null), Dispute),
        (some(&a), null.clone(), some(&a), Push),
        (some(&a), null.clone(), some(&null), Converge),
        (some(&a), null.clone(), some(&c), Dispute),
        // Both agreed that there is none.
        (some(&null), null.clone(), some(&null), Converge),
        (some(&null), null.clone(), some(&c), Take),
        (some(&null), b.clone(), some(&null), Push),
        (some(&null), b.clone(), some(&b), Converge),
        (some(&null), b.clone(), some(&c), Dispute),
        // They never agreed on anything: a missing value contradicts nobody.
        (None, null.clone(), some(&null), Converge),
        (None, null.clone(), some(&c), Take),
        (None, b.clone(), some(&null), Push),
        (None, b.clone(), some(&b), Converge),
        (None, b.clone(), some(&c), Dispute),
    ]
}

fn check(
    case: &str,
    found: &MergeOutcome,
    fate: Fate,
    strategy: ConflictStrategy,
    (base, local, remote): (Option<&Value>, &Value, Option<&Value>),
) {
    let value = |map: &FieldMap| map.get(FIELD).cloned();
    let nothing = |found: &MergeOutcome| {
        found.conflicts.is_empty() && found.refused.is_empty() && found.replaced.is_empty()
    };
    match (fate, strategy) {
        (Fate::Nothing, _) => {
            assert_eq!(
                (value(&found.apply), value(&found.push)),
                (None, None),
                "{case}"
            );
            assert_eq!(value(&found.base), base.cloned(), "{case}: base");
            assert!(nothing(found), "{case}");
        }
        (Fate::Converge, _) => {
            assert_eq!(
                (value(&found.apply), value(&found.push)),
                (None, None),
                "{case}"
            );
            assert_eq!(value(&found.base), remote.cloned(), "{case}: base");
            assert!(nothing(found), "{case}");
        }
        (Fate::Take, _) => {
            assert_eq!(value(&found.apply), remote.cloned(), "{case}: apply");
            assert_eq!(value(&found.push), None, "{case}: push");
            assert_eq!(value(&found.base), remote.cloned(), "{case}: base");
            assert!(nothing(found), "{case}");
        }
        (Fate::Push, _) => {
            assert_eq!(value(&found.apply), None, "{case}: apply");
            assert_eq!(value(&found.push).as_ref(), Some(local), "{case}: push");
            assert_eq!(
                value(&found.base),
                base.cloned(),
                "{case}: base until confirmed"
            );
            assert!(nothing(found), "{case}");
        }
        (Fate::Dispute, RemoteWins) => {
            assert_eq!(value(&found.apply), remote.cloned(), "{case}: apply");
            assert_eq!(value(&found.push), None, "{case}: push");
            assert_eq!(value(&found.base), remote.cloned(), "{case}: base");
            assert_eq!(
                value(&found.replaced).as_ref(),
                Some(local),
                "{case}: ours is kept"
            );
        }
        (Fate::Dispute, LocalWins | MergeFields) => {
            assert_eq!(value(&found.apply), None, "{case}: apply");
            assert_eq!(value(&found.push).as_ref(), Some(local), "{case}: push");
            assert_eq!(
                value(&found.base),
                remote.cloned(),
                "{case}: the value is known now"
            );
            let refused = found.refused.first().map(|refused| &refused.remote);
            assert_eq!(refused, remote, "{case}: theirs is journalled");
        }
        (Fate::Dispute, ManualReview) => {
            assert_eq!(
                (value(&found.apply), value(&found.push)),
                (None, None),
                "{case}"
            );
            assert_eq!(
                value(&found.base),
                base.cloned(),
                "{case}: base until decided"
            );
            let conflict = found.conflicts.first().expect("a conflict");
            assert_eq!(conflict.base.as_ref(), base, "{case}");
            assert_eq!(conflict.local.as_ref(), Some(local), "{case}");
            assert_eq!(Some(&conflict.remote), remote, "{case}");
        }
    }
}

#[test]
fn invariant_b_the_whole_truth_table_of_a_shared_field() {
    for (base, local, remote, fate) in table() {
        for strategy in STRATEGIES {
            let (base, remote) = (base.as_ref(), remote.as_ref());
            let case = format!("base {base:?}, here {local}, vendor {remote:?}, {strategy:?}");
            let rule = FieldRule::shared(FIELD);
            let found = run(base, Some(&local), remote, rule, strategy);
            check(&case, &found, fate, strategy, (base, &local, remote));
            // The field's own strategy goes before the entity's.
            for entity in STRATEGIES {
                let own = rule.with_strategy(strategy);
                assert_eq!(
                    run(base, Some(&local), remote, own, entity),
                    found,
                    "{case}"
                );
            }
        }
    }
}

/// A triple with its values renamed by order, so that triples that differ in names alone are one.
fn shape(base: Option<&Value>, local: &Value, remote: Option<&Value>) -> [Option<usize>; 3] {
    let mut names = vec![Value::Null];
    [base, Some(local), remote].map(|value| {
        let value = value?;
        let known = names.iter().position(|name| name == value);
        Some(known.unwrap_or_else(|| {
            names.push(value.clone());
            names.len() - 1
        }))
    })
}

#[test]
fn the_truth_table_is_whole() {
    let mut shapes: Vec<_> = table()
        .iter()
        .map(|(base, local, remote, _)| shape(base.as_ref(), local, remote.as_ref()))
        .collect();
    let rows = shapes.len();
    shapes.sort_unstable();
    shapes.dedup();
    assert_eq!(shapes.len(), rows, "each case stands once");
    let values = [None, Some(Value::Null), Some(a()), Some(b()), Some(c())];
    for base in &values {
        for local in values.iter().flatten() {
            for remote in &values {
                let found = shape(base.as_ref(), local, remote.as_ref());
                assert!(shapes.contains(&found), "{base:?} {local} {remote:?}");
            }
        }
    }
}

/// Every way in which a field may be written.
fn every_rule() -> Vec<FieldRule> {
    let shared = FieldRule::shared(FIELD);
    let flags = [(true, true), (true, false), (false, true), (false, false)];
    let shared = flags.map(|(writable, clearable)| FieldRule {
        writable,
        clearable,
        ..shared
    });
    let owned = [FieldRule::remote(FIELD), FieldRule::local(FIELD)];
    shared.into_iter().chain(owned).collect()
}

#[test]
fn a_field_that_is_absent_here_is_one_without_a_value() {
    for (base, local, remote, _) in table() {
        if !local.is_null() {
            continue;
        }
        for strategy in STRATEGIES {
            for rule in every_rule() {
                let (base, remote) = (base.as_ref(), remote.as_ref());
                assert_eq!(
                    run(base, None, remote, rule, strategy),
                    run(base, Some(&local), remote, rule, strategy),
                );
            }
        }
    }
}

#[test]
fn what_may_be_written_decides_the_push_alone() {
    for (base, local, remote, _) in table() {
        for strategy in STRATEGIES {
            for rule in every_rule() {
                if rule.owner != Owner::Shared {
                    continue;
                }
                let (base, remote) = (base.as_ref(), remote.as_ref());
                let shared = FieldRule::shared(FIELD);
                let mut expected = run(base, Some(&local), remote, shared, strategy);
                if !rule.writable || (!rule.clearable && local.is_null()) {
                    expected.push = FieldMap::new();
                }
                let found = run(base, Some(&local), remote, rule, strategy);
                assert_eq!(found, expected, "{base:?} {local} {remote:?} {rule:?}");
            }
        }
    }
}

#[test]
fn a_field_of_the_vendor_is_always_taken() {
    for (base, local, remote, _) in table() {
        for strategy in STRATEGIES {
            let rule = FieldRule::remote(FIELD);
            let found = run(base.as_ref(), Some(&local), remote.as_ref(), rule, strategy);
            let expected = remote.clone().filter(|remote| *remote != local);
            assert_eq!(found.apply.get(FIELD).cloned(), expected);
            assert!(found.push.is_empty() && found.conflicts.is_empty());
            let base = remote.as_ref().or(base.as_ref());
            assert_eq!(found.base.get(FIELD), base);
        }
    }
}

#[test]
fn invariant_b_a_field_of_ours_is_never_touched() {
    for (base, local, remote, _) in table() {
        for strategy in STRATEGIES {
            let rule = FieldRule::local(FIELD);
            let found = run(base.as_ref(), Some(&local), remote.as_ref(), rule, strategy);
            let expected = MergeOutcome {
                base: map(base.as_ref()),
                ..MergeOutcome::default()
            };
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn what_the_vendor_cannot_be_told_is_kept_and_not_pushed() {
    let mut read_only = FieldRule::shared(FIELD);
    read_only.writable = false;
    let found = run(Some(&a()), Some(&b()), Some(&a()), read_only, LocalWins);
    assert!(found.apply.is_empty() && found.push.is_empty());
    let found = run(Some(&a()), Some(&b()), Some(&c()), read_only, LocalWins);
    assert!(found.apply.is_empty() && found.push.is_empty());
    assert_eq!(found.refused.len(), 1);

    let kept = FieldRule::shared(FIELD).not_clearable();
    for remote in [Some(a()), None] {
        let found = run(
            Some(&a()),
            Some(&Value::Null),
            remote.as_ref(),
            kept,
            LocalWins,
        );
        assert!(found.apply.is_empty(), "an emptied field stays empty here");
        assert!(found.push.is_empty(), "the vendor's API cannot empty it");
    }
    let found = run(Some(&a()), Some(&b()), Some(&a()), kept, LocalWins);
    assert_eq!(found.push.get(FIELD), Some(&b()));
}

#[test]
fn invariant_b_a_stale_value_after_local_wins_does_not_trigger_again() {
    let rule = FieldRule::shared(FIELD);
    let first = run(Some(&a()), Some(&b()), Some(&c()), rule, LocalWins);
    assert_eq!(first.refused.len(), 1);
    // The vendor's refused value comes again and again before our push has arrived.
    let mut base = first.base;
    for _ in 0..3 {
        let again = run(base.get(FIELD), Some(&b()), Some(&c()), rule, LocalWins);
        assert!(again.apply.is_empty() && again.refused.is_empty());
        assert_eq!(again.push.get(FIELD), Some(&b()));
        base = again.base;
    }
    // It arrives, comes back, and is no news.
    let echo = run(base.get(FIELD), Some(&b()), Some(&b()), rule, LocalWins);
    assert!(echo.apply.is_empty() && echo.push.is_empty() && echo.refused.is_empty());
    // From then on a newer value of the vendor is taken.
    let newer = run(
        echo.base.get(FIELD),
        Some(&b()),
        Some(&c()),
        rule,
        LocalWins,
    );
    assert_eq!(newer.apply.get(FIELD), Some(&c()));
}

#[test]
fn lists_are_united_less_what_either_side_took_away() {
    let rule = FieldRule::shared(FIELD).with_strategy(MergeFields);
    for (base, local, remote, united) in [
        (
            json!(["a"]),
            json!(["a", "b"]),
            json!(["a", "c"]),
            json!(["a", "b", "c"]),
        ),
        (
            json!(["a", "b"]),
            json!(["b", "x"]),
            json!(["a", "b", "y"]),
            json!(["b", "x", "y"]),
        ),
        (json!(["a", "b"]), json!(["a"]), json!(["b"]), json!([])),
        (
            json!(["a"]),
            json!(["c", "a", "b"]),
            json!(["a", "d"]),
            json!(["c", "a", "b", "d"]),
        ),
        (json!([]), json!(["z"]), json!(["b"]), json!(["b", "z"])),
    ] {
        let found = run(Some(&base), Some(&local), Some(&remote), rule, LocalWins);
        let here = found.apply.get(FIELD).unwrap_or(&local);
        assert_eq!(here, &united, "{base} {local} {remote}");
        let there = found.push.get(FIELD).unwrap_or(&remote);
        assert_eq!(there, &united, "{base} {local} {remote}");
        assert!(found.conflicts.is_empty() && found.refused.is_empty());
    }
    // The same items in another order are the same, and do not go back and forth.
    let (ours, theirs) = (json!(["b", "a"]), json!(["a", "b"]));
    let found = run(
        Some(&json!([])),
        Some(&ours),
        Some(&theirs),
        rule,
        LocalWins,
    );
    assert_eq!(found.apply.get(FIELD), Some(&theirs));
    assert!(found.push.is_empty());
}
