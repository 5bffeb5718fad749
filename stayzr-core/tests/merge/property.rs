//! What holds for any base, any two sides and any rule.

use proptest::prelude::*;
use serde_json::{Value, json};
use stayzr_core::transform::{FieldRule, MergeOutcome, Owner};

use super::{FIELD, STRATEGIES, map, run};

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!("a")),
        Just(json!("b")),
        Just(json!("c")),
        Just(json!(7)),
        prop::collection::vec(prop::sample::select(vec!["x", "y", "z"]), 0..3)
            .prop_map(|items| json!(items)),
    ]
}

fn rule() -> impl Strategy<Value = FieldRule> {
    let owner = prop::sample::select(vec![Owner::Remote, Owner::Local, Owner::Shared]);
    let strategy = prop::option::of(prop::sample::select(STRATEGIES.to_vec()));
    let flags = (any::<bool>(), any::<bool>());
    (owner, flags, strategy).prop_map(|(owner, (writable, clearable), strategy)| FieldRule {
        field: FIELD,
        owner,
        writable: writable && owner == Owner::Shared,
        clearable,
        strategy,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn invariant_b_no_local_edit_is_lost_in_silence(
        base in prop::option::of(value()),
        local in value(),
        remote in prop::option::of(value()),
        rule in rule(),
        strategy in prop::sample::select(STRATEGIES.to_vec()),
    ) {
        let found = run(base.as_ref(), Some(&local), remote.as_ref(), rule, strategy);
        let edited = match &base {
            Some(base) => *base != local,
            None => !local.is_null(),
        };
        if edited && rule.owner == Owner::Shared && found.apply.contains(FIELD) {
            prop_assert_eq!(found.replaced.get(FIELD), Some(&local), "it can be restored");
        }
        if rule.owner == Owner::Local {
            prop_assert!(found.apply.is_empty() && found.push.is_empty());
        }
    }

    #[test]
    fn merging_the_same_record_again_changes_nothing_more(
        base in prop::option::of(value()),
        local in value(),
        remote in value(),
        rule in rule(),
        strategy in prop::sample::select(STRATEGIES.to_vec()),
    ) {
        let first = run(base.as_ref(), Some(&local), Some(&remote), rule, strategy);
        let here = first.apply.get(FIELD).unwrap_or(&local);
        let again = run(first.base.get(FIELD), Some(here), Some(&remote), rule, strategy);
        prop_assert!(again.apply.is_empty(), "{again:?}");
        prop_assert!(again.refused.is_empty(), "{again:?}");
        prop_assert_eq!(&again.push, &first.push);
        prop_assert_eq!(&again.base, &first.base);
        prop_assert_eq!(&again.conflicts, &first.conflicts);
    }

    #[test]
    fn invariant_b_both_sides_converge_once_the_push_has_arrived(
        base in prop::option::of(value()),
        local in value(),
        remote in value(),
        rule in rule(),
        strategy in prop::sample::select(STRATEGIES.to_vec()),
    ) {
        let first = run(base.as_ref(), Some(&local), Some(&remote), rule, strategy);
        let here = first.apply.get(FIELD).unwrap_or(&local).clone();
        let there = first.push.get(FIELD).unwrap_or(&remote).clone();
        let echo = run(first.base.get(FIELD), Some(&here), Some(&there), rule, strategy);
        prop_assert!(echo.apply.is_empty() && echo.push.is_empty(), "{echo:?}");
        if rule.owner == Owner::Shared && rule.writable && rule.clearable
            && first.conflicts.is_empty()
        {
            prop_assert_eq!(here, there);
        }
    }

    #[test]
    fn invariant_c_equal_sides_need_nothing(
        same in value(),
        rule in rule(),
        strategy in prop::sample::select(STRATEGIES.to_vec()),
    ) {
        let same = Some(&same);
        let found = run(same, same, same, rule, strategy);
        let expected = MergeOutcome {
            base: map(same),
            ..MergeOutcome::default()
        };
        prop_assert_eq!(found, expected);
    }
}
