use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Amount, AmountWrite, Interval, Limitation, PersonCount, ReservationState, ReservationV2017,
    Set, open::list,
};

/// The body of `reservations/getAll/2023-06-06`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsGetAll {
    /// Ids, at most 1000.
    pub reservation_ids: Option<Vec<String>>,
    /// Services, at most 1000.
    pub service_ids: Option<Vec<String>>,
    /// Groups, at most 1000.
    pub reservation_group_ids: Option<Vec<String>>,
    /// Whose they are, at most 1000.
    pub account_ids: Option<Vec<String>>,
    /// Companies, at most 100.
    pub partner_company_ids: Option<Vec<String>>,
    /// Agencies, at most 100.
    pub travel_agency_ids: Option<Vec<String>>,
    /// Numbers that guests were given, at most 1000.
    pub numbers: Option<Vec<String>>,
    /// Rooms, at most 1000.
    pub assigned_resource_ids: Option<Vec<String>>,
    /// Blocks, at most 100.
    pub availability_block_ids: Option<Vec<String>>,
    /// When they were made.
    pub created_utc: Option<Interval>,
    /// When they changed.
    pub updated_utc: Option<Interval>,
    /// When they are in the house.
    pub colliding_utc: Option<Interval>,
    /// Planned arrival.
    pub scheduled_start_utc: Option<Interval>,
    /// Planned departure.
    pub scheduled_end_utc: Option<Interval>,
    /// Where they stand.
    pub states: Option<Vec<ReservationState>>,
    /// Properties, for a token of several.
    pub enterprise_ids: Option<Vec<String>>,
    /// Which page; required.
    pub limitation: Option<Limitation>,
}

/// The body of `reservations/add`. Mews would write to the guest by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsAdd {
    /// The service.
    pub service_id: String,
    /// The group they join; none makes one.
    pub group_id: Option<String>,
    /// The name of the group that is made.
    pub group_name: Option<String>,
    /// Whether Mews writes to the guest.
    pub send_confirmation_email: bool,
    /// Whether the rate must be on sale for the stay.
    pub check_rate_applicability: bool,
    /// Whether a room must be free.
    pub check_overbooking: bool,
    /// What is booked, at most 1000.
    pub reservations: Vec<ReservationAdd>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// One reservation of `reservations/add` or `reservations/price`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationAdd {
    /// Tells the answers of one call apart, and no more.
    pub identifier: Option<String>,
    /// `Confirmed`, `Optional` or `Enquired`.
    pub state: Option<ReservationState>,
    /// Arrival.
    pub start_utc: String,
    /// Departure.
    pub end_utc: String,
    /// Until when an optional one is held.
    pub released_utc: Option<String>,
    /// Whose it is; required to add.
    pub customer_id: Option<String>,
    /// Who books.
    pub booker_id: Option<String>,
    /// The category.
    pub requested_category_id: String,
    /// The rate.
    pub rate_id: String,
    /// Who comes.
    pub person_counts: Vec<PersonCount>,
    /// The room.
    pub assigned_resource_id: Option<String>,
    /// The number at the channel.
    pub channel_number: Option<String>,
    /// For the desk to read.
    pub notes: Option<String>,
    /// Prices of nights, in place of the rate's.
    pub time_unit_prices: Option<Vec<TimeUnitPrice>>,
}

/// The price of a night.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TimeUnitPrice {
    /// Which night, from zero.
    pub index: u32,
    /// What it costs.
    pub amount: AmountWrite,
}

/// The body of `reservations/price`, which quotes exactly and makes nothing. It does not say that
/// persons do not fit: it prices as many as do.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsPrice {
    /// The service.
    pub service_id: String,
    /// What would be booked, without a customer.
    pub reservations: Vec<ReservationAdd>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// One reservation of `reservations/update`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationUpdate {
    /// The reservation.
    pub reservation_id: String,
    /// The number at the channel.
    pub channel_number: Option<Set<String>>,
    /// Arrival.
    pub start_utc: Option<Set<String>>,
    /// Departure.
    pub end_utc: Option<Set<String>>,
    /// Who comes, replaced as a whole.
    pub person_counts: Option<Set<Vec<PersonCount>>>,
    /// The room.
    pub assigned_resource_id: Option<Set<String>>,
    /// Whether the room is pinned.
    pub assigned_resource_locked: Option<Set<bool>>,
    /// The category that is booked.
    pub requested_category_id: Option<Set<String>>,
    /// The agency.
    pub travel_agency_id: Option<Set<String>>,
    /// The company.
    pub company_id: Option<Set<String>>,
    /// The segment.
    pub business_segment_id: Option<Set<String>>,
    /// Leisure, Business or Student.
    pub purpose: Option<Set<String>>,
    /// The rate.
    pub rate_id: Option<Set<String>>,
    /// The card.
    pub credit_card_id: Option<Set<String>>,
    /// Prices of nights.
    pub time_unit_prices: Option<Set<Vec<TimeUnitPrice>>>,
    /// Who booked.
    pub booker_id: Option<Set<String>>,
    /// The block it is taken from.
    pub availability_block_id: Option<Set<String>>,
    /// What is noted about the arrival.
    pub options: Option<ReservationOptions>,
}

/// What is noted about the arrival.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationOptions {
    /// Whether the owner is checked in.
    pub owner_checked_in: Option<Set<bool>>,
}

/// The body of `reservations/update`. Mews would set new prices and take a fee by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsUpdate {
    /// What to change.
    pub reservation_updates: Vec<ReservationUpdate>,
    /// Whether prices are computed anew.
    pub reprice: bool,
    /// Whether a fee is taken for nights that fall away.
    pub apply_cancellation_fee: bool,
    /// Why; required where a price changes.
    pub reason: Option<String>,
    /// The reservation again, which the table of the operation wants.
    pub reservation_id: String,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The body of `reservations/updateInterval`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsUpdateInterval {
    /// The reservation.
    pub reservation_id: String,
    /// Arrival.
    pub start_utc: Option<String>,
    /// Departure.
    pub end_utc: Option<String>,
    /// Whether a fee is taken for nights that fall away; required.
    pub charge_cancellation_fee: bool,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The body of `reservations/updateCustomer`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsUpdateCustomer {
    /// The reservation.
    pub reservation_id: String,
    /// Whose it becomes.
    pub customer_id: String,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The body of `reservations/confirm`: optional ones become confirmed. Mews would write to the
/// guest by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsConfirm {
    /// Which.
    pub reservation_ids: Vec<String>,
    /// Whether Mews writes to the guest.
    pub send_confirmation_email: Option<bool>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The body of `reservations/cancel`. Mews would write to the guest by default.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsCancel {
    /// Which, at most 1000.
    pub reservation_ids: Vec<String>,
    /// Whether a fee is taken.
    pub post_cancellation_fee: bool,
    /// Whether Mews writes to the guest.
    pub send_email: bool,
    /// Why; required.
    pub notes: String,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The body of `reservations/start`: the check-in. Mews wants a confirmed stay that does not begin
/// in the future, and a room that is inspected.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsStart {
    /// The reservation.
    pub reservation_id: String,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The body of `reservations/process`: the check-out, on the last day at the earliest.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsProcess {
    /// The reservation.
    pub reservation_id: String,
    /// Whether bills are closed.
    pub close_bills: bool,
    /// Whether somebody may leave who has not paid.
    pub allow_open_balance: bool,
    /// Why they may; required then.
    pub notes: Option<String>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The body of `reservations/addProduct`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsAddProduct {
    /// The reservation.
    pub reservation_id: String,
    /// The product.
    pub product_id: String,
    /// How many.
    pub count: u32,
    /// From when; the whole stay if not said.
    pub start_utc: Option<String>,
    /// Until when.
    pub end_utc: Option<String>,
    /// What one costs, in place of the product's price.
    pub unit_amount: Option<AmountWrite>,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The body of `reservations/addCompanion`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsAddCompanion {
    /// The reservation.
    pub reservation_id: String,
    /// Who stays there too.
    pub customer_id: String,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The body of `reservations/deleteCompanion`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsDeleteCompanion {
    /// The reservation.
    pub reservation_id: String,
    /// Who no longer stays there.
    pub customer_id: String,
    /// The property, for a token of several.
    pub enterprise_id: Option<String>,
}

/// The answer of `reservations/add`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationsAdded {
    /// What was made.
    #[serde(default, deserialize_with = "list")]
    pub reservations: Vec<ReservationAdded>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One reservation that was made.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationAdded {
    /// The identifier of the request.
    #[serde(default)]
    pub identifier: Option<String>,
    /// The reservation, in the older form.
    #[serde(default)]
    pub reservation: Option<ReservationV2017>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The answer of `reservations/price`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationPrices {
    /// The prices.
    #[serde(default, deserialize_with = "list")]
    pub reservation_prices: Vec<ReservationPrice>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// What a stay would cost.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReservationPrice {
    /// The identifier of the request.
    #[serde(default)]
    pub identifier: Option<String>,
    /// The whole stay.
    #[serde(default)]
    pub total_amount: Option<Amount>,
    /// The same, in the older form.
    #[serde(default)]
    pub total: Option<Amount>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The answer of `reservations/addProduct`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ItemIds {
    /// The items on the bill.
    #[serde(default, deserialize_with = "list")]
    pub item_ids: Vec<String>,
    /// What has no name here.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
