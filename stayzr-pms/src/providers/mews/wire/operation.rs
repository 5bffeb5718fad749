use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::*;
use crate::http::Effect;

/// A call that the Connector API takes. The type of its body says which one it is.
pub trait Operation: Serialize + Send + Sync {
    /// Where it is: `customers/getAll`.
    const PATH: &'static str;
    /// What it does at Mews.
    const EFFECT: Effect;
    /// What Mews answers.
    type Answer: DeserializeOwned + Send;
}

/// A list, given page by page.
pub trait Listing: Operation<Answer = Value> {
    /// Where the answer has its records.
    const KEY: &'static str;
    /// One of them.
    type Item: DeserializeOwned + Send;

    /// Asks for another page.
    fn limit(&mut self, limitation: Limitation);
}

/// Which body is sent where, what that does, and what comes back.
macro_rules! operations {
    ($($body:ident: $effect:ident $path:literal -> $answer:ty;)*) => {$(
        impl Operation for $body {
            const PATH: &'static str = $path;
            const EFFECT: Effect = Effect::$effect;
            type Answer = $answer;
        }
    )*};
}

/// Which body is sent where, and what its list is called and holds.
macro_rules! lists {
    ($($body:ident: $path:literal -> $key:literal of $item:ty;)*) => {$(
        impl Operation for $body {
            const PATH: &'static str = $path;
            const EFFECT: Effect = Effect::Read;
            type Answer = Value;
        }

        impl Listing for $body {
            const KEY: &'static str = $key;
            type Item = $item;

            fn limit(&mut self, limitation: Limitation) {
                self.limitation = Some(limitation);
            }
        }
    )*};
}

operations! {
    ConfigurationGet: Read "configuration/get" -> Configuration;
    CustomersAdd: Write "customers/add" -> Value;
    CustomersSearch: Read "customers/search" -> CustomersFound;
    CustomersUpdate: Write "customers/update" -> Value;
    MessageThreadsAdd: Write "messageThreads/add" -> MessageThreads;
    MessagesAdd: Write "messages/add" -> MessagesAdded;
    NotesAdd: Write "serviceOrderNotes/add" -> Value;
    NotesDelete: Write "serviceOrderNotes/delete" -> Value;
    NotesUpdate: Write "serviceOrderNotes/update" -> Value;
    OrdersAdd: Write "orders/add" -> OrderId;
    ProductsGetPricing: Read "products/getPricing" -> ProductPricing;
    RatesGetPricing: Read "rates/getPricing" -> Pricing;
    ReservationsAdd: Write "reservations/add" -> ReservationsAdded;
    ReservationsAddCompanion: Write "reservations/addCompanion" -> Value;
    ReservationsAddProduct: Write "reservations/addProduct" -> ItemIds;
    ReservationsCancel: Write "reservations/cancel" -> Value;
    ReservationsConfirm: Write "reservations/confirm" -> Value;
    ReservationsDeleteCompanion: Write "reservations/deleteCompanion" -> Value;
    ReservationsPrice: Read "reservations/price" -> ReservationPrices;
    ReservationsProcess: Write "reservations/process" -> Value;
    ReservationsStart: Write "reservations/start" -> Value;
    ReservationsUpdate: Write "reservations/update" -> Value;
    ReservationsUpdateCustomer: Write "reservations/updateCustomer" -> Value;
    ReservationsUpdateInterval: Write "reservations/updateInterval" -> Value;
    ResourceBlocksAdd: Write "resourceBlocks/add" -> ResourceBlocks;
    ResourceBlocksDelete: Write "resourceBlocks/delete" -> Value;
    ResourcesUpdate: Write "resources/update" -> Value;
    ServicesGetAvailability: Read "services/getAvailability" -> Availability;
    ServicesGetAvailabilityMetrics:
        Read "services/getAvailability/2024-01-22" -> AvailabilityMetrics;
    TasksAdd: Write "tasks/add" -> TaskId;
    TasksClose: Write "tasks/close" -> Value;
    TasksGetAll: Read "tasks/getAll" -> Tasks;
}

lists! {
    AgeCategoriesGetAll: "ageCategories/getAll" -> "AgeCategories" of AgeCategory;
    CompanionshipsGetAll: "companionships/getAll" -> "Companionships" of Companionship;
    CustomersGetAll: "customers/getAll" -> "Customers" of Customer;
    DepartmentsGetAll: "departments/getAll" -> "Departments" of Department;
    EnterprisesGetAll: "enterprises/getAll" -> "Enterprises" of Enterprise;
    MessageThreadsGetAll: "messageThreads/getAll" -> "MessageThreads" of MessageThread;
    MessagesGetAll: "messages/getAll" -> "Messages" of Message;
    NotesGetAll: "serviceOrderNotes/getAll" -> "ServiceOrderNotes" of ServiceOrderNote;
    ProductServiceOrdersGetAll:
        "productServiceOrders/getAll" -> "ProductServiceOrders" of ProductServiceOrder;
    ProductsGetAll: "products/getAll" -> "Products" of Product;
    RateGroupsGetAll: "rateGroups/getAll" -> "RateGroups" of RateGroup;
    RatesGetAll: "rates/getAll" -> "Rates" of Rate;
    ReservationGroupsGetAll: "reservationGroups/getAll" -> "ReservationGroups" of ReservationGroup;
    ReservationsGetAll: "reservations/getAll/2023-06-06" -> "Reservations" of Reservation;
    ResourceBlocksGetAll: "resourceBlocks/getAll" -> "ResourceBlocks" of ResourceBlock;
    ResourceCategoriesGetAll:
        "resourceCategories/getAll" -> "ResourceCategories" of ResourceCategory;
    ResourceCategoryAssignmentsGetAll:
        "resourceCategoryAssignments/getAll"
        -> "ResourceCategoryAssignments" of ResourceCategoryAssignment;
    ResourcesGetAll: "resources/getAll" -> "Resources" of Resource;
    ServicesGetAll: "services/getAll" -> "Services" of Service;
}
