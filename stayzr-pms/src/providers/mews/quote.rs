use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use stayzr_core::{
    Error, Result,
    model::{Currency, ExternalRef, Money},
    port::backend::StayQuery,
    transform::EntityKind,
};

use super::{
    MewsClient,
    context::MewsContext,
    transform::localized,
    wire::{Pricing, Rate, RatesGetAll, RatesGetPricing, seconds},
};
use crate::provider::RemoteQuote;

/// Prices of a stay at the public base rate, or at the configured one, for room types that take so
/// many persons.
pub(super) async fn quote(
    client: &MewsClient,
    context: &MewsContext,
    stay: &StayQuery,
) -> Result<Vec<RemoteQuote>> {
    let nights = (stay.departure - stay.arrival).num_days();
    if !(1..=60).contains(&nights) {
        return Err(Error::invalid("mews.quote", "a stay has 1 to 60 nights"));
    }
    let rate = rate(client, context).await?;
    let zone = context.transform.time_zone;
    let body = RatesGetPricing {
        rate_id: rate.id.clone(),
        first_time_unit_start_utc: night(zone, stay.arrival),
        last_time_unit_start_utc: night(zone, stay.departure - TimeDelta::days(1)),
    };
    let pricing = client.send(&body).await?;
    let language = context.enterprise.default_language_code.as_deref();
    let name = localized(rate.names.as_ref(), language.unwrap_or("en"))
        .or(rate.name.as_deref())
        .or(rate.short_name.as_deref())
        .unwrap_or("Standard");
    Ok(prices(&pricing, context, stay.persons, nights)
        .into_iter()
        .map(|(category, total)| RemoteQuote {
            room_type: ExternalRef {
                kind: EntityKind::RoomType,
                id: category,
            },
            rate: name.to_owned(),
            total,
        })
        .collect())
}

/// The rate that quotes are made with, and that stays are booked at which name none.
pub(super) async fn rate(client: &MewsClient, context: &MewsContext) -> Result<Rate> {
    let rates = RatesGetAll {
        service_ids: context.service_ids.clone(),
        enterprise_ids: client.config().enterprises(),
        ..RatesGetAll::default()
    };
    let rates = client.list(rates).await?;
    let chosen = choose(&rates, client.config().rate_id.as_deref());
    chosen.cloned().ok_or_else(|| {
        Error::unsupported(
            "mews.quote",
            "Mews has no public rate: set rate_id in the vendor settings",
        )
    })
}

/// The configured rate, else the public rate that is the default, a base rate, the first by id.
fn choose<'a>(rates: &'a [Rate], wanted: Option<&str>) -> Option<&'a Rate> {
    if let Some(wanted) = wanted {
        return rates.iter().find(|rate| rate.id == wanted);
    }
    rates
        .iter()
        .filter(|rate| rate.is_active != Some(false) && rate.is_enabled != Some(false))
        .filter(|rate| match rate.r#type.as_deref() {
            Some(kind) => kind == "Public",
            None => rate.is_public == Some(true),
        })
        .min_by_key(|rate| {
            let base = rate.is_base_rate.unwrap_or(rate.base_rate_id.is_none());
            (rate.is_default != Some(true), !base, rate.id.as_str())
        })
}

/// The start of a night: local midnight in UTC, or the first moment of a day that has none.
pub(super) fn night(zone: Tz, day: NaiveDate) -> String {
    let start: DateTime<Utc> = (0..=3)
        .filter_map(|hour| day.and_hms_opt(hour, 0, 0))
        .find_map(|local| zone.from_local_datetime(&local).earliest())
        .map_or_else(
            || day.and_time(chrono::NaiveTime::MIN).and_utc(),
            |start| start.with_timezone(&Utc),
        );
    seconds(start)
}

/// Sums by category. A category with another number of nights than asked, or with a night that
/// has no price, has no price for the stay.
fn prices(
    pricing: &Pricing,
    context: &MewsContext,
    persons: u32,
    nights: i64,
) -> Vec<(String, Money)> {
    let mut found = Vec::new();
    for category in &pricing.category_prices {
        let fits = context
            .category(&category.category_id)
            .is_some_and(|known| {
                let beds = known
                    .capacity
                    .map(|beds| beds + known.extra_capacity.unwrap_or(0));
                known.is_active != Some(false) && beds.is_none_or(|beds| beds >= i64::from(persons))
            });
        let complete = i64::try_from(category.amount_prices.len()) == Ok(nights);
        let currency = category
            .amount_prices
            .first()
            .and_then(|amount| amount.currency.as_deref())
            .or(pricing.currency.as_deref())
            .and_then(|code| code.parse::<Currency>().ok())
            .or(context.transform.currency);
        let total: Option<Decimal> = category
            .amount_prices
            .iter()
            .map(|amount| amount.priced(context.transform.pricing))
            .sum();
        if let (true, true, Some(currency), Some(total)) = (fits, complete, currency, total) {
            found.push((category.category_id.clone(), Money::new(total, currency)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_starts_at_local_midnight_even_where_clocks_change() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        for (zone, date, start) in [
            ("Europe/Lisbon", "2026-03-01", "2026-03-01T00:00:00Z"),
            ("Europe/Vienna", "2026-07-01", "2026-06-30T22:00:00Z"),
            ("Asia/Shanghai", "2026-01-02", "2026-01-01T16:00:00Z"),
            // Midnight does not exist there on that day.
            ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"),
        ] {
            assert_eq!(night(zone.parse().unwrap(), day(date)), start, "{zone}");
        }
    }

    #[test]
    fn the_public_default_base_rate_is_chosen() {
        let rate = |id: &str, public: bool, base: bool, default: bool| Rate {
            id: id.to_owned(),
            is_public: Some(public),
            is_base_rate: Some(base),
            is_default: Some(default),
            ..Rate::default()
        };
        let rates = [
            rate("private", false, true, true),
            rate("derived", true, false, false),
            rate("base", true, true, false),
        ];
        assert_eq!(choose(&rates, None).unwrap().id, "base");
        assert_eq!(choose(&rates, Some("derived")).unwrap().id, "derived");
        assert!(choose(&rates, Some("gone")).is_none());
        assert!(choose(&rates[..1], None).is_none());
    }
}
