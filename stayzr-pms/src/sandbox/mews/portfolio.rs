//! A token that covers several properties.

use serde_json::{Map, Value, json};

use super::{
    api::Running,
    list::{ListQuery, Refusal},
    read::{is_read, plain},
    state::{Hotel, stamp},
};

type Fields = Map<String, Value>;

/// What such a token is answered before any one property is; none where the call goes on.
pub(super) fn answer<'a>(
    hotels: impl Iterator<Item = &'a Hotel>,
    operation: &str,
    body: &Fields,
) -> Option<Result<Value, Refusal>> {
    let enterprises: Vec<Fields> = hotels.map(|hotel| hotel.enterprise.clone()).collect();
    let known = |id: &Value| enterprises.iter().any(|known| known.get("Id") == Some(id));
    let said = |key: &str| body.get(key).filter(|value| !value.is_null());
    if said("EnterpriseId").is_some_and(|id| !known(id)) {
        return Some(Err(Refusal::invalid("EnterpriseId")));
    }
    let ids = said("EnterpriseIds").and_then(Value::as_array);
    if ids.is_some_and(|ids| !ids.iter().all(known)) {
        return Some(Err(Refusal::invalid("EnterpriseIds")));
    }
    match operation {
        "enterprises/getAll" => {
            let query = ListQuery::new(body);
            Some(plain(
                &query,
                "Enterprises",
                &enterprises,
                &[("EnterpriseIds", "Id")],
            ))
        }
        "configuration/get" if said("EnterpriseId").is_none() => Some(Ok(json!({
            "NowUtc": stamp(chrono::Utc::now()),
            "Enterprise": {"Id": "00000000-0000-0000-0000-000000000000", "Name": "Portfolio",
                "IsPortfolio": true},
            "Service": null,
        }))),
        // Customers belong to a chain.
        _ if operation.starts_with("customers/") => None,
        _ if !is_read(operation) && said("EnterpriseId").is_none() => {
            Some(Err(Refusal::invalid("EnterpriseId")))
        }
        _ => None,
    }
}

/// The property that a call means: the one it names, or whose chain, service or rate it does.
pub(super) fn meant<'a>(running: &'a mut Running, body: &Fields) -> &'a mut Hotel {
    let said = |key: &str| match body.get(key) {
        Some(Value::Array(values)) => values.first(),
        other => other,
    };
    let (enterprise, chain) = (
        said("EnterpriseId").or(said("EnterpriseIds")),
        said("ChainId").or(said("ChainIds")),
    );
    let (service, rate) = (said("ServiceId").or(said("ServiceIds")), said("RateId"));
    running.find(|hotel| {
        let is = |key: &str, id: Option<&Value>| id.is_some() && hotel.enterprise.get(key) == id;
        let has = |list: &[Fields], id: Option<&Value>| {
            id.is_some() && list.iter().any(|known| known.get("Id") == id)
        };
        is("Id", enterprise)
            || is("ChainId", chain)
            || has(&hotel.services, service)
            || has(&hotel.rates, rate)
    })
}
