use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use stayzr_core::{Error, Result, limit::Priority};

use super::{
    MewsConfig, MewsCredentials,
    auth::MewsAuth,
    error::DIALECT,
    wire::{
        ActivityState, AgeCategoriesGetAll, AgeCategory, AssignmentsGetAll, Configuration,
        ConfigurationGet, CustomerExtent, CustomerWrite, CustomersGetAll, Limitation, NotesAdd,
        NotesUpdate, Pricing, PricingGet, Rate, RatesGetAll, ReservationsCancel,
        ReservationsUpdate, ResourceCategoryAssignment, ResourcesUpdate, Service, ServicesGetAll,
        read_element,
    },
};
use crate::http::{Effect, VendorAnswer, VendorCall, VendorHttp};

/// The most records Mews gives on a page, and the most ids it takes in a call.
pub(super) const PAGE: u32 = 1000;

/// Typed calls to Mews' Connector API.
#[derive(Debug)]
pub struct MewsClient {
    http: VendorHttp,
    config: MewsConfig,
    auth: MewsAuth,
}

/// A page of records as they came.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RawPage {
    /// The records.
    pub items: Vec<Value>,
    /// Where the next page starts; none after the last.
    pub cursor: Option<String>,
    /// Mews' clock before it answered.
    pub vendor_now: Option<DateTime<Utc>>,
}

impl MewsClient {
    /// Calls with these credentials.
    pub fn new(config: MewsConfig, credentials: MewsCredentials, http: VendorHttp) -> Self {
        let auth = MewsAuth::new(credentials, config.client.clone());
        Self { http, config, auth }
    }

    /// What is configured.
    pub fn config(&self) -> &MewsConfig {
        &self.config
    }

    /// Makes a call: `path` as in `customers/getAll`, `name` as in `mews.customers.getAll`.
    async fn call(
        &self,
        (path, name): (&str, &'static str),
        effect: Effect,
        priority: Priority,
        body: &impl Serialize,
    ) -> Result<VendorAnswer> {
        let Ok(Value::Object(body)) = serde_json::to_value(body) else {
            return Err(Error::internal(name, "the request is not an object"));
        };
        self.send((path, name), effect, priority, body).await
    }

    async fn send(
        &self,
        (path, name): (&str, &'static str),
        effect: Effect,
        priority: Priority,
        body: Map<String, Value>,
    ) -> Result<VendorAnswer> {
        let url = format!("{}/api/connector/v1/{path}", self.config.base_url);
        let call = VendorCall::post(name, url, body)
            .with_effect(effect)
            .with_priority(priority);
        self.http.send(&call, &self.auth, &DIALECT).await
    }

    /// One page of a list: `key` is where the answer has its records.
    pub(super) async fn page(
        &self,
        operation: (&str, &'static str),
        key: &str,
        priority: Priority,
        body: &impl Serialize,
        count: u32,
    ) -> Result<RawPage> {
        let answer = self.call(operation, Effect::Read, priority, body).await?;
        let vendor_now = answer.vendor_now;
        let Value::Object(mut body) = answer.body else {
            return Err(not_as_documented(operation.1, "is not an object"));
        };
        let items = match body.remove(key) {
            Some(Value::Array(items)) => items,
            Some(Value::Null) | None => Vec::new(),
            Some(_) => return Err(not_as_documented(operation.1, "has no list of records")),
        };
        let full = u32::try_from(items.len()).is_ok_and(|len| len >= count);
        let cursor = match body.remove("Cursor") {
            Some(Value::String(cursor)) if full => Some(cursor),
            _ => None,
        };
        Ok(RawPage {
            items,
            cursor,
            vendor_now,
        })
    }

    /// All records of a list that is short by nature. Records that cannot be read are left out.
    async fn all<B: Serialize, T: DeserializeOwned>(
        &self,
        operation: (&str, &'static str),
        key: &str,
        body: impl Fn(Limitation) -> B,
    ) -> Result<Vec<T>> {
        let mut found = Vec::new();
        let mut cursor = None;
        loop {
            let body = body(Limitation {
                count: PAGE,
                cursor,
            });
            let page = self
                .page(operation, key, Priority::High, &body, PAGE)
                .await?;
            for item in &page.items {
                match read_element(item) {
                    Ok(record) => found.push(record),
                    Err((field, reason)) => {
                        tracing::warn!(operation = operation.1, field, reason, "left out");
                    }
                }
            }
            match page.cursor {
                Some(next) => cursor = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// `configuration/get`: the property, and Mews' clock.
    pub async fn configuration(&self) -> Result<Configuration> {
        let name = "mews.configuration.get";
        let body = ConfigurationGet {
            enterprise_id: self.config.enterprise_id.clone(),
        };
        let answer = self
            .call(
                ("configuration/get", name),
                Effect::Read,
                Priority::High,
                &body,
            )
            .await?;
        typed(name, &answer.body)
    }

    /// `services/getAll`.
    pub async fn services(&self) -> Result<Vec<Service>> {
        self.all(
            ("services/getAll", "mews.services.getAll"),
            "Services",
            |limitation| ServicesGetAll {
                enterprise_ids: self.config.enterprises(),
                limitation: Some(limitation),
            },
        )
        .await
    }

    /// `ageCategories/getAll` of these services.
    pub async fn age_categories(&self, services: &[String]) -> Result<Vec<AgeCategory>> {
        self.all(
            ("ageCategories/getAll", "mews.ageCategories.getAll"),
            "AgeCategories",
            |limitation| AgeCategoriesGetAll {
                enterprise_ids: self.config.enterprises(),
                service_ids: services.to_vec(),
                limitation: Some(limitation),
                ..AgeCategoriesGetAll::default()
            },
        )
        .await
    }

    /// `resourceCategoryAssignments/getAll` of these categories.
    pub async fn assignments(
        &self,
        categories: &[String],
    ) -> Result<Vec<ResourceCategoryAssignment>> {
        let mut found = Vec::new();
        for ids in categories.chunks(PAGE as usize) {
            let part = self
                .all(
                    (
                        "resourceCategoryAssignments/getAll",
                        "mews.resourceCategoryAssignments.getAll",
                    ),
                    "ResourceCategoryAssignments",
                    |limitation| AssignmentsGetAll {
                        resource_category_ids: ids.to_vec(),
                        enterprise_ids: self.config.enterprises(),
                        limitation: Some(limitation),
                        ..AssignmentsGetAll::default()
                    },
                )
                .await?;
            found.extend(part);
        }
        Ok(found)
    }

    /// `rates/getAll` of these services.
    pub async fn rates(&self, services: &[String]) -> Result<Vec<Rate>> {
        self.all(
            ("rates/getAll", "mews.rates.getAll"),
            "Rates",
            |limitation| RatesGetAll {
                service_ids: services.to_vec(),
                enterprise_ids: self.config.enterprises(),
                limitation: Some(limitation),
            },
        )
        .await
    }

    /// `rates/getPricing`.
    pub async fn pricing(&self, body: &PricingGet) -> Result<Pricing> {
        let name = "mews.rates.getPricing";
        let answer = self
            .call(
                ("rates/getPricing", name),
                Effect::Read,
                Priority::High,
                body,
            )
            .await?;
        typed(name, &answer.body)
    }

    /// `customers/getAll` of active customers with this email, or else with these names, the newest
    /// first.
    pub async fn customers_like(
        &self,
        chain: Option<String>,
        email: Option<&str>,
        names: (Option<&str>, Option<&str>),
    ) -> Result<Vec<Value>> {
        let one = |name: Option<&str>| name.map(|name| vec![name.to_owned()]);
        let (first, last) = match email {
            Some(_) => (None, None),
            None => names,
        };
        let body = CustomersGetAll {
            chain_ids: chain.map(|id| vec![id]),
            emails: one(email),
            first_names: one(first),
            last_names: one(last),
            activity_states: Some(vec![ActivityState::Active]),
            extent: CustomerExtent {
                customers: true,
                addresses: false,
            },
            limitation: Some(Limitation {
                count: PAGE,
                cursor: None,
            }),
            ..CustomersGetAll::default()
        };
        let operation = ("customers/getAll", "mews.customers.getAll");
        let page = self.page(operation, "Customers", Priority::High, &body, PAGE);
        Ok(page.await?.items)
    }

    /// `serviceOrderNotes/add`: the notes that were added.
    pub async fn add_notes(&self, body: &NotesAdd) -> Result<Value> {
        self.write(
            ("serviceOrderNotes/add", "mews.serviceOrderNotes.add"),
            body,
        )
        .await
    }

    /// `serviceOrderNotes/update`: the notes, where the answer carries them.
    pub async fn update_notes(&self, body: &NotesUpdate) -> Result<Value> {
        let operation = ("serviceOrderNotes/update", "mews.serviceOrderNotes.update");
        self.write(operation, body).await
    }

    /// `customers/add`: the customer that was made.
    pub async fn add_customer(&self, body: &CustomerWrite) -> Result<Value> {
        self.write(("customers/add", "mews.customers.add"), body)
            .await
    }

    /// `customers/update`: the customer, where the answer carries it.
    pub async fn update_customer(&self, body: &CustomerWrite) -> Result<Value> {
        self.write(("customers/update", "mews.customers.update"), body)
            .await
    }

    /// `reservations/update`: the reservations in their older form.
    pub async fn update_reservations(&self, body: &ReservationsUpdate) -> Result<Value> {
        self.write(("reservations/update", "mews.reservations.update"), body)
            .await
    }

    /// `reservations/cancel`.
    pub async fn cancel_reservations(&self, body: &ReservationsCancel) -> Result<Value> {
        self.write(("reservations/cancel", "mews.reservations.cancel"), body)
            .await
    }

    /// `resources/update`.
    pub async fn update_resources(&self, body: &ResourcesUpdate) -> Result<Value> {
        self.write(("resources/update", "mews.resources.update"), body)
            .await
    }

    async fn write(&self, operation: (&str, &'static str), body: &impl Serialize) -> Result<Value> {
        let answer = self
            .call(operation, Effect::Write, Priority::High, body)
            .await?;
        Ok(answer.body)
    }
}

fn typed<T: DeserializeOwned>(operation: &'static str, body: &Value) -> Result<T> {
    T::deserialize(body).map_err(|error| {
        not_as_documented(operation, "cannot be read").with("reason", error.to_string())
    })
}

fn not_as_documented(operation: &'static str, what: &str) -> Error {
    Error::corrupt(operation, format!("the answer of Mews {what}"))
}
