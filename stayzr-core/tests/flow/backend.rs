//! Free rooms, by the property's own days.

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use stayzr_core::{
    Result,
    flow::StoreBackend,
    ids::PropertyId,
    model::Quote,
    port::{
        Store,
        backend::{HotelBackend, Quotes, StayQuery},
    },
    store::conformance::sample,
    tenant::TenantScope,
};

use crate::{hotel::Hotel, pms::Pms};

on_each_store! {
    a_night_is_taken_where_clocks_jump_over_its_last_midnight
}

struct NoPrices;

#[async_trait]
impl Quotes for NoPrices {
    async fn quotes(&self, _: TenantScope, _: PropertyId, _: &StayQuery) -> Result<Vec<Quote>> {
        Ok(Vec::new())
    }
}

fn at_utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

/// In Havana clocks jump from 0:00 to 1:00 on 8 March 2026; 7 March ends at 5:00 UTC.
async fn a_night_is_taken_where_clocks_jump_over_its_last_midnight<S: Store + 'static>(
    at: Hotel<S>,
) {
    let clock = at.clock.clone();
    let mut property = sample::property(clock.as_ref(), at.scope.organization_id);
    property.time_zone = "America/Havana".to_owned();
    let id = property.id;
    at.store
        .create_property(property)
        .await
        .expect("a property");
    let scope = TenantScope::property(at.scope.organization_id, id);
    let room_type = sample::room_type(clock.as_ref(), scope, "Double");
    let mut room = sample::room(clock.as_ref(), scope, "101");
    room.room_type_id = Some(room_type.id);
    let guest = sample::guest(clock.as_ref(), scope, "Ana");
    let mut stay = sample::reservation(clock.as_ref(), scope, guest.id);
    stay.room_type_id = Some(room_type.id);
    // Comes at 21:00 of 7 March, which is 8 March in UTC.
    stay.arrival = at_utc("2026-03-08T02:00:00Z");
    stay.departure = at_utc("2026-03-10T15:00:00Z");
    let rows = vec![
        sample::row(&room_type),
        sample::row(&room),
        sample::row(&guest),
        sample::row(&stay),
    ];
    sample::store_rows(&at.store, clock.as_ref(), scope, rows).await;

    let day = |day| NaiveDate::from_ymd_opt(2026, 3, day).expect("a day");
    let query = StayQuery {
        arrival: day(7),
        departure: day(8),
        persons: 2,
    };
    let (store, prices) = (at.store.into(), std::sync::Arc::new(NoPrices));
    let backend = StoreBackend::new(store, prices, std::sync::Arc::new(Pms), clock);
    let free = backend
        .availability(scope, id, &query)
        .await
        .expect("rooms");
    assert_eq!(free[0].free, 0);
}
