use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Amount, AmountWrite, Interval, Limitation, ReservationState,
    open::{list, text, word},
};

/// Something that is sold with a stay or by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Product {
    /// Its id.
    pub id: String,
    /// The service that sells it.
    #[serde(default)]
    pub service_id: Option<String>,
    /// Whether it is sold.
    #[serde(default)]
    pub is_active: Option<bool>,
    /// Names by language.
    #[serde(default)]
    pub names: Option<BTreeMap<String, Option<String>>>,
    /// Descriptions by language.
    #[serde(default)]
    pub descriptions: Option<BTreeMap<String, Option<String>>>,
    /// `Once`, `PerTimeUnit`, `PerPersonPerTimeUnit` or `PerPerson`.
    #[serde(default, deserialize_with = "word")]
    pub charging_mode: Option<String>,
    /// `Once` or `PerTimeUnit`.
    #[serde(default, deserialize_with = "word")]
    pub posting_mode: Option<String>,
    /// What one costs.
    #[serde(default)]
    pub price: Option<Amount>,
    /// Its id in other systems.
    #[serde(default, deserialize_with = "text")]
    pub external_identifier: Option<String>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `products/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProductsGetAll {
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Services; required.
    pub service_ids: Vec<String>,
    /// Ids, at most 1000.
    pub product_ids: Option<Vec<String>>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Whether what belongs to a rate by default is given too.
    pub include_default: Option<bool>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `products/getPricing`. Times are exact starts of nights.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProductsGetPricing {
    /// The product.
    pub product_id: String,
    /// Start of the first night.
    pub first_time_unit_start_utc: String,
    /// Start of the last night.
    pub last_time_unit_start_utc: String,
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
}

/// The answer of `products/getPricing`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProductPricing {
    /// The product.
    #[serde(default)]
    pub product_id: Option<String>,
    /// Starts of the nights.
    #[serde(default, deserialize_with = "list")]
    pub time_unit_starts_utc: Vec<DateTime<Utc>>,
    /// Prices by night.
    #[serde(default, deserialize_with = "list")]
    pub base_amount_prices: Vec<Amount>,
    /// Prices by night for persons of an age.
    #[serde(default, deserialize_with = "list")]
    pub age_category_prices: Vec<AgeCategoryPrice>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// Prices by night for persons of an age.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AgeCategoryPrice {
    /// The age category.
    #[serde(default)]
    pub age_category_id: Option<String>,
    /// One amount for each night.
    #[serde(default, deserialize_with = "list")]
    pub prices: Vec<Amount>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `orders/add`: an order to a room, or of somebody who has none.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrdersAdd {
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
    /// The service.
    pub service_id: String,
    /// Who pays.
    pub account_id: String,
    /// The stay it belongs to; without it no stay shows it.
    pub linked_reservation_id: Option<String>,
    /// How it is shown.
    pub options: Option<OrderOptions>,
    /// Products.
    pub product_orders: Option<Vec<ProductOrder>>,
    /// Things that are no product.
    pub items: Option<Vec<OrderItem>>,
    /// When it is consumed; now if not said.
    pub consumption_utc: Option<String>,
    /// For the desk to read.
    pub notes: Option<String>,
    /// The segment.
    pub business_segment_id: Option<String>,
    /// The bill it goes to.
    pub bill_id: Option<String>,
}

/// How an order is shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrderOptions {
    /// Whether equal items stand apart.
    pub disable_item_grouping: bool,
}

/// Some of a product.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProductOrder {
    /// The product.
    pub product_id: String,
    /// How many.
    pub count: u32,
    /// What one costs, in place of its price.
    pub unit_amount: Option<AmountWrite>,
    /// The item's id in other systems.
    pub external_identifier: Option<String>,
}

/// Something that is no product.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrderItem {
    /// Its name.
    pub name: String,
    /// How many.
    pub unit_count: u32,
    /// What one costs.
    pub unit_amount: AmountWrite,
    /// Where it is booked.
    pub accounting_category_id: Option<String>,
    /// The item's id in other systems.
    pub external_identifier: Option<String>,
}

/// The answer of `orders/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrderId {
    /// The order.
    #[serde(default)]
    pub order_id: Option<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The body of `productServiceOrders/getAll`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProductServiceOrdersGetAll {
    /// Ids, at most 1000.
    pub product_service_order_ids: Option<Vec<String>>,
    /// Services, at most 1000.
    pub service_ids: Option<Vec<String>>,
    /// Stays they belong to, at most 1000.
    pub linked_reservation_ids: Option<Vec<String>>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// Where they stand.
    pub states: Option<Vec<ReservationState>>,
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// An order of products.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ProductServiceOrder {
    /// Its id.
    pub id: String,
    /// The service.
    #[serde(default)]
    pub service_id: Option<String>,
    /// Who pays.
    #[serde(default)]
    pub account_id: Option<String>,
    /// Its number.
    #[serde(default, deserialize_with = "text")]
    pub number: Option<String>,
    /// Where it stands.
    #[serde(default)]
    pub state: Option<ReservationState>,
    /// The stay it belongs to.
    #[serde(default)]
    pub linked_reservation_id: Option<String>,
    /// When it was made.
    #[serde(default)]
    pub created_utc: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(default)]
    pub updated_utc: Option<DateTime<Utc>>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
