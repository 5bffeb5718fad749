use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::{
    availability, blocks, booking,
    list::{ListQuery, Refusal, time},
    notes, orders, prices,
    seed::fields,
    state::{Hotel, Kind, Record, stamp},
    talk,
    write::older_form,
};

type Fields = Map<String, Value>;

/// Answers an operation that reads; none if there is no such operation.
pub(super) fn read(
    hotel: &Hotel,
    operation: &str,
    body: &Fields,
    stale: bool,
    now: DateTime<Utc>,
) -> Option<Result<Value, Refusal>> {
    let query = ListQuery::new(body);
    Some(match operation {
        "configuration/get" => Ok(json!({
            "NowUtc": stamp(now),
            "Enterprise": hotel.enterprise,
            "Service": null,
            "PaymentCardStorage": null,
            "IsIdentityDocumentNumberRequired": false,
        })),
        "services/getAll" => plain(&query, "Services", &hotel.services, &[("ServiceIds", "Id")]),
        "ageCategories/getAll" => plain(
            &query,
            "AgeCategories",
            &hotel.age_categories,
            &[("ServiceIds", "ServiceId"), ("AgeCategoryIds", "Id")],
        ),
        "resourceCategories/getAll" if !query.has("ServiceIds") => {
            Err(Refusal::invalid("ServiceIds"))
        }
        "resourceCategories/getAll" => plain(
            &query,
            "ResourceCategories",
            &hotel.categories,
            &[("ServiceIds", "ServiceId")],
        ),
        "resourceCategoryAssignments/getAll" => plain(
            &query,
            "ResourceCategoryAssignments",
            &hotel.assignments,
            &[
                ("ResourceCategoryIds", "CategoryId"),
                ("ResourceIds", "ResourceId"),
                ("ResourceCategoryAssignmentIds", "Id"),
            ],
        ),
        "rates/getAll" if !query.has("ServiceIds") => Err(Refusal::invalid("ServiceIds")),
        "rates/getAll" => plain(
            &query,
            "Rates",
            &hotel.rates,
            &[("ServiceIds", "ServiceId"), ("RateIds", "Id")],
        ),
        "rates/getPricing" => prices::pricing(hotel, body),
        "resources/getAll" => resources(hotel, body, stale),
        "customers/getAll" => customers(hotel, body, stale),
        "reservations/getAll/2023-06-06" => reservations(hotel, body, stale),
        "serviceOrderNotes/getAll" => notes::list(hotel, body, stale),
        "enterprises/getAll" => {
            let own = std::slice::from_ref(&hotel.enterprise);
            plain(&query, "Enterprises", own, &[("EnterpriseIds", "Id")])
        }
        "customers/search" => search(hotel, body),
        "companionships/getAll" => booking::companionships(hotel, body, stale),
        "reservations/price" => booking::price(hotel, body),
        "reservationGroups/getAll" => groups(hotel, &query),
        "resourceBlocks/getAll" => blocks::list(hotel, body, stale),
        "rateGroups/getAll" => plain(
            &query,
            "RateGroups",
            &hotel.rate_groups,
            &[("ServiceIds", "ServiceId"), ("RateGroupIds", "Id")],
        ),
        "products/getAll" => orders::products(hotel, body),
        "products/getPricing" => orders::pricing(hotel, body),
        "productServiceOrders/getAll" => orders::list(hotel, body, stale),
        "services/getAvailability" => availability::older(hotel, body),
        "services/getAvailability/2024-01-22" => availability::newer(hotel, body),
        "messageThreads/getAll" => talk::threads(hotel, body, stale),
        "messages/getAll" => talk::messages(hotel, body, stale),
        "departments/getAll" => plain(
            &query,
            "Departments",
            &hotel.departments,
            &[("DepartmentIds", "Id")],
        ),
        "tasks/getAll" => talk::tasks(hotel, body, stale),
        _ => return None,
    })
}

/// Whether an operation reads.
pub(super) fn is_read(operation: &str) -> bool {
    operation.contains("/get") || ["customers/search", "reservations/price"].contains(&operation)
}

pub(super) fn plain(
    query: &ListQuery<'_>,
    key: &str,
    records: &[Fields],
    filters: &[(&str, &str)],
) -> Result<Value, Refusal> {
    let mut found = Vec::new();
    'records: for record in records {
        for (filter, key) in filters {
            if !query.named(filter, 1000, record, key)? {
                continue 'records;
            }
        }
        if query.active(record)? && query.within("UpdatedUtc", record)? {
            found.push(record);
        }
    }
    query.page(key, found)
}

/// Records of a kind that these filters name (each with its most ids and the key it looks at),
/// that are as active as is asked for and of the times that are.
pub(super) fn listed<'a>(
    hotel: &'a Hotel,
    kind: Kind,
    stale: bool,
    query: &ListQuery<'_>,
    filters: &[(&str, usize, &str)],
) -> Result<Vec<&'a Fields>, Refusal> {
    const SPANS: [&str; 4] = ["CreatedUtc", "UpdatedUtc", "ClosedUtc", "DeadlineUtc"];
    let mut found = Vec::new();
    'records: for record in seen(hotel, kind, stale) {
        for (filter, most, key) in filters {
            if !query.named(filter, *most, record, key)? {
                continue 'records;
            }
        }
        for span in SPANS {
            if !query.within(span, record)? {
                continue 'records;
            }
        }
        if query.active(record)? {
            found.push(record);
        }
    }
    Ok(found)
}

/// Records as a reader sees them: now, or before their last change.
pub(super) fn seen(hotel: &Hotel, kind: Kind, stale: bool) -> impl Iterator<Item = &Fields> {
    hotel.records(kind).values().map(move |record| {
        if stale {
            record.before.as_ref().unwrap_or(&record.now)
        } else {
            &record.now
        }
    })
}

fn extent<'a>(body: &'a Fields, required: &[&str]) -> Result<&'a Fields, Refusal> {
    let refusal = || Refusal::invalid("Extent");
    let extent = body
        .get("Extent")
        .and_then(Value::as_object)
        .ok_or_else(refusal)?;
    if required
        .iter()
        .any(|key| extent.get(*key).is_none_or(|value| !value.is_boolean()))
    {
        return Err(refusal());
    }
    Ok(extent)
}

fn resources(hotel: &Hotel, body: &Fields, stale: bool) -> Result<Value, Refusal> {
    let extent = extent(body, &["Resources", "Inactive"])?;
    let query = ListQuery::new(body);
    let inactive = extent.get("Inactive") == Some(&json!(true));
    let mut found = Vec::new();
    for record in seen(hotel, Kind::Rooms, stale) {
        if query.named("ResourceIds", 1000, record, "Id")?
            && query.named("Names", 1000, record, "Name")?
            && query.within("UpdatedUtc", record)?
            && query.within("CreatedUtc", record)?
            && (inactive || record.get("IsActive") != Some(&json!(false)))
        {
            found.push(record);
        }
    }
    query.page("Resources", found)
}

fn customers(hotel: &Hotel, body: &Fields, stale: bool) -> Result<Value, Refusal> {
    const FILTERS: [&str; 9] = [
        "CustomerIds",
        "Emails",
        "FirstNames",
        "LastNames",
        "LoyaltyCodes",
        "CompanyIds",
        "CreatedUtc",
        "UpdatedUtc",
        "DeletedUtc",
    ];
    extent(body, &["Customers", "Addresses"])?;
    let query = ListQuery::new(body);
    if !FILTERS.iter().any(|filter| query.has(filter)) {
        return Err(Refusal {
            status: 400,
            message: "At least one filter has to be specified.".to_owned(),
        });
    }
    let mut found = Vec::new();
    for record in seen(hotel, Kind::Guests, stale) {
        if query.named("CustomerIds", 1000, record, "Id")?
            && query.named("Emails", 1000, record, "Email")?
            && query.named("FirstNames", 1000, record, "FirstName")?
            && query.named("LastNames", 1000, record, "LastName")?
            && query.named("LoyaltyCodes", 1000, record, "LoyaltyCode")?
            && query.named("CompanyIds", 1, record, "CompanyId")?
            && query.named("ChainIds", 1000, record, "ChainId")?
            && query.within("UpdatedUtc", record)?
            && query.within("CreatedUtc", record)?
            && query.within("DeletedUtc", record)?
            && query.active(record)?
        {
            found.push(record);
        }
    }
    let mut answer = query.page("Customers", found)?;
    answer["Documents"] = Value::Null;
    Ok(answer)
}

fn reservations(hotel: &Hotel, body: &Fields, stale: bool) -> Result<Value, Refusal> {
    let query = ListQuery::new(body);
    let mut found = Vec::new();
    for record in seen(hotel, Kind::Reservations, stale) {
        if query.named("ReservationIds", 1000, record, "Id")?
            && query.named("ServiceIds", 1000, record, "ServiceId")?
            && query.named("AccountIds", 1000, record, "AccountId")?
            && query.named("Numbers", 1000, record, "Number")?
            && query.named("AssignedResourceIds", 1000, record, "AssignedResourceId")?
            && query.named("ChannelNumbers", 100, record, "ChannelNumber")?
            && query.named("States", 1000, record, "State")?
            && query.within("UpdatedUtc", record)?
            && query.within("CreatedUtc", record)?
            && query.within("ScheduledStartUtc", record)?
            && query.within("ScheduledEndUtc", record)?
            && collides(&query, record)?
        {
            found.push(record);
        }
    }
    query.page("Reservations", found)
}

/// Whether a stay is in the house at some time of a span.
fn collides(query: &ListQuery<'_>, stay: &Fields) -> Result<bool, Refusal> {
    let at = |key: &str| stay.get(key).and_then(Value::as_str).and_then(time);
    Ok(query.span("CollidingUtc")?.is_none_or(|span| {
        at("ScheduledStartUtc") < Some(span.end) && at("ScheduledEndUtc") > Some(span.start)
    }))
}

/// People who are in house now.
fn search(hotel: &Hotel, body: &Fields) -> Result<Value, Refusal> {
    extent(body, &["Customers"])?;
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let name = text("Name").map(str::to_lowercase);
    let mut found = Vec::new();
    for stay in hotel.reservations.values() {
        let room = text("ResourceId");
        if stay.text("State") != Some("Started")
            || room.is_some_and(|room| stay.text("AssignedResourceId") != Some(room))
        {
            continue;
        }
        let guest = stay.text("AccountId").and_then(|id| hotel.guests.get(id));
        let is_named = |guest: &Record| {
            let names = ["FirstName", "LastName"].map(|key| guest.text(key).unwrap_or_default());
            let names = names.join(" ").to_lowercase();
            name.as_ref().is_none_or(|name| names.contains(name))
        };
        if let Some(guest) = guest.filter(|guest| is_named(guest)) {
            found.push(json!({"Customer": guest.now, "Reservation": older_form(&stay.now)}));
        }
    }
    Ok(json!({"Customers": found, "Documents": null}))
}

/// Groups of reservations, which have nothing but an id here.
fn groups(hotel: &Hotel, query: &ListQuery<'_>) -> Result<Value, Refusal> {
    let ids: BTreeSet<&str> = hotel
        .reservations
        .values()
        .filter_map(|stay| stay.text("GroupId"))
        .collect();
    let groups: Vec<Fields> = ids
        .into_iter()
        .map(|id| {
            fields(json!({
                "Id": id, "EnterpriseId": hotel.enterprise.get("Id"), "Name": null,
                "ChannelManager": null, "ChannelManagerGroupNumber": null,
            }))
        })
        .collect();
    plain(
        query,
        "ReservationGroups",
        &groups,
        &[("ReservationGroupIds", "Id")],
    )
}

impl Hotel {
    pub(super) fn zone(&self) -> Tz {
        self.enterprise
            .get("TimeZoneIdentifier")
            .and_then(Value::as_str)
            .and_then(|zone| zone.parse().ok())
            .unwrap_or(chrono_tz::UTC)
    }

    pub(super) fn currency(&self) -> String {
        self.enterprise
            .get("Currencies")
            .and_then(|list| list.pointer("/0/Currency"))
            .and_then(Value::as_str)
            .unwrap_or("EUR")
            .to_owned()
    }
}
