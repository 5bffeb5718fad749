//! Filters, as Qdrant documents them.

use std::collections::HashMap;

use ::qdrant_client::qdrant::{
    Condition, FieldCondition, Filter, Value, condition::ConditionOneOf, r#match::MatchValue,
    point_id::PointIdOptions, value::Kind,
};

/// Whether a point fits: all of `must`, none of `must_not`, and one of `should` if there are any.
pub(crate) fn holds(filter: &Filter, id: &str, payload: &HashMap<String, Value>) -> bool {
    assert!(filter.min_should.is_none(), "the fake knows no min_should");
    let one = |condition: &Condition| fits(condition, id, payload);
    filter.must.iter().all(one)
        && !filter.must_not.iter().any(one)
        && (filter.should.is_empty() || filter.should.iter().any(one))
}

fn fits(condition: &Condition, id: &str, payload: &HashMap<String, Value>) -> bool {
    match condition.condition_one_of.as_ref().expect("a condition says something") {
        ConditionOneOf::Field(field) => field_fits(field, payload),
        // Null, missing and the empty list are empty; only a null that is written is null.
        ConditionOneOf::IsEmpty(field) => match payload.get(&field.key).map(|value| &value.kind) {
            None | Some(None | Some(Kind::NullValue(_))) => true,
            Some(Some(Kind::ListValue(list))) => list.values.is_empty(),
            _ => false,
        },
        ConditionOneOf::IsNull(field) => payload
            .get(&field.key)
            .is_some_and(|value| matches!(value.kind, Some(Kind::NullValue(_)))),
        ConditionOneOf::HasId(wanted) => wanted.has_id.iter().any(|wanted| {
            matches!(&wanted.point_id_options, Some(PointIdOptions::Uuid(uuid)) if uuid == id)
        }),
        ConditionOneOf::Filter(inner) => holds(inner, id, payload),
        other => panic!("the fake does not know {other:?}"),
    }
}

fn field_fits(field: &FieldCondition, payload: &HashMap<String, Value>) -> bool {
    let wanted = field
        .r#match
        .as_ref()
        .and_then(|wanted| wanted.match_value.as_ref());
    let Some(MatchValue::Keyword(wanted)) = wanted else {
        panic!("the fake only matches keywords, not {field:?}");
    };
    payload
        .get(&field.key)
        .and_then(|value| value.as_str())
        .is_some_and(|found| found == wanted)
}
