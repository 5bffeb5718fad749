use chrono::{DateTime, Datelike, TimeZone, Utc};
use chrono_tz::Tz;
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde_json::{Map, Value, json};

use super::{
    list::{ListQuery, Refusal, time},
    notes,
    state::{Hotel, Kind, stamp},
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
        "rates/getPricing" => pricing(hotel, body),
        "resources/getAll" => resources(hotel, body, stale),
        "customers/getAll" => customers(hotel, body, stale),
        "reservations/getAll/2023-06-06" => reservations(hotel, body, stale),
        "serviceOrderNotes/getAll" => notes::list(hotel, body, stale),
        _ => return None,
    })
}

/// Whether an operation reads.
pub(super) fn is_read(operation: &str) -> bool {
    operation.contains("/get")
}

fn plain(
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
        {
            found.push(record);
        }
    }
    query.page("Reservations", found)
}

/// Prices are the same every night, but for Fridays and Saturdays, which cost a tenth more.
fn pricing(hotel: &Hotel, body: &Fields) -> Result<Value, Refusal> {
    let rate = body.get("RateId");
    if !hotel.rates.iter().any(|known| known.get("Id") == rate) {
        return Err(Refusal::invalid("RateId"));
    }
    let zone = hotel.zone();
    let night = |key: &str| {
        body.get(key)
            .and_then(Value::as_str)
            .and_then(time)
            .map(|start| start.with_timezone(&zone))
            .filter(|start| start.time() == chrono::NaiveTime::MIN)
            .map(|start| start.date_naive())
            .ok_or_else(|| Refusal::invalid(key))
    };
    let (first, last) = (
        night("FirstTimeUnitStartUtc")?,
        night("LastTimeUnitStartUtc")?,
    );
    if last < first || (last - first).num_days() > 366 {
        return Err(Refusal::invalid("LastTimeUnitStartUtc"));
    }
    let nights: Vec<chrono::NaiveDate> = first.iter_days().take_while(|day| *day <= last).collect();
    let currency = hotel.currency();
    let amounts = |price: Decimal| -> Vec<Value> {
        nights
            .iter()
            .map(|day| {
                let weekend = matches!(day.weekday(), chrono::Weekday::Fri | chrono::Weekday::Sat);
                let gross = if weekend {
                    price * Decimal::new(11, 1)
                } else {
                    price
                };
                amount(gross.round_dp(2), &currency)
            })
            .collect()
    };
    let starts: Vec<Value> = nights
        .iter()
        .filter_map(|day| {
            zone.from_local_datetime(&day.and_time(chrono::NaiveTime::MIN))
                .earliest()
        })
        .map(|start| stamp(start.to_utc()))
        .collect();
    let base = hotel.prices.values().min().copied().unwrap_or_default();
    let categories: Vec<Value> = hotel
        .prices
        .iter()
        .map(|(id, price)| json!({"CategoryId": id, "AmountPrices": amounts(*price)}))
        .collect();
    Ok(json!({
        "Currency": currency,
        "TimeUnitStartsUtc": starts,
        "BaseAmountPrices": amounts(base),
        "CategoryPrices": categories,
        "CategoryAdjustments": [],
    }))
}

/// An amount with a tax of a tenth in it.
fn amount(gross: Decimal, currency: &str) -> Value {
    let net = (gross / Decimal::new(11, 1)).round_dp(2);
    let tax = gross - net;
    let number = |value: Decimal| value.to_f64().map_or(Value::Null, Value::from);
    json!({
        "Currency": currency,
        "NetValue": number(net),
        "GrossValue": number(gross),
        "TaxValues": [{"Code": "SANDBOX-10", "Value": number(tax)}],
        "Breakdown": {"Items": [
            {"TaxRateCode": "SANDBOX-10", "NetValue": number(net), "TaxValue": number(tax)}
        ]},
    })
}

impl Hotel {
    pub(super) fn zone(&self) -> Tz {
        self.enterprise
            .get("TimeZoneIdentifier")
            .and_then(Value::as_str)
            .and_then(|zone| zone.parse().ok())
            .unwrap_or(chrono_tz::UTC)
    }

    fn currency(&self) -> String {
        self.enterprise
            .get("Currencies")
            .and_then(|list| list.pointer("/0/Currency"))
            .and_then(Value::as_str)
            .unwrap_or("EUR")
            .to_owned()
    }
}
