//! Prices.

use chrono::{Days, Utc};
use rust_decimal::Decimal;
use stayzr_core::{ErrorKind, port::backend::StayQuery, transform::EntityKind};

use super::{
    Case, Outcome,
    report::{ensure, fail},
};

/// A stay has a price for a room type that the vendor has, above nothing.
pub async fn a_stay_has_a_price(case: &Case<'_>) -> Outcome {
    let quotes = case.provider.quote(&stay()).await?;
    ensure(!quotes.is_empty(), || {
        "no room type has a price in a month".to_owned()
    })?;
    let there = case.ids(EntityKind::RoomType).await?;
    for quote in quotes {
        let (kind, id) = (quote.room_type.kind, &quote.room_type.id);
        ensure(kind == EntityKind::RoomType && there.contains(id), || {
            format!("the price is of {kind} {id}, which is no room type of the vendor's")
        })?;
        ensure(quote.total.amount > Decimal::ZERO, || {
            format!("{id} costs {:?}", quote.total)
        })?;
    }
    Ok(())
}

/// A provider that gives no prices says so.
pub async fn no_price_is_said(case: &Case<'_>) -> Outcome {
    if case.capabilities().quote {
        return Err(super::Stop::Skip("it gives prices".to_owned()));
    }
    match case.provider.quote(&stay()).await {
        Err(error) if error.kind() == ErrorKind::Unsupported => Ok(()),
        Err(error) => Err(fail(format!("not unsupported: {error}"))),
        Ok(_) => Err(fail("prices though none are declared")),
    }
}

/// Two nights in a month, for two.
fn stay() -> StayQuery {
    let arrival = Utc::now().date_naive() + Days::new(30);
    StayQuery {
        arrival,
        departure: arrival + Days::new(2),
        persons: 2,
    }
}
