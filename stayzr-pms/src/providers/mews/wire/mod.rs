//! Mews' JSON, as its Connector API writes it.
//!
//! Everything but ids may be missing, unknown enum values are kept as text, and fields without a
//! name here are kept in `extra`: Mews adds to its lists without notice, and its own examples lack
//! fields that its tables call required.
//!
//! A body that is sent is called like its operation, and [`Operation`] says where it goes. What it
//! does not say is left out when it is sent, since Mews keeps what it is not told of.

mod amount;
mod availability;
mod block;
mod booking;
mod companion;
mod customer;
mod enterprise;
mod event;
mod guest;
mod message;
mod note;
mod open;
mod operation;
mod product;
mod rate;
mod request;
mod reservation;
mod resource;
mod room;
mod service;
mod task;
mod words;

pub use amount::{Amount, AmountWrite, TaxValue};
pub use availability::{
    Availability, AvailabilityMetrics, CategoryAvailability, CategoryMetrics, METRICS,
    ServicesGetAvailability, ServicesGetAvailabilityMetrics,
};
pub use block::{
    BlockType, ResourceBlock, ResourceBlockAdd, ResourceBlocks, ResourceBlocksAdd,
    ResourceBlocksDelete, ResourceBlocksGetAll,
};
pub use booking::{
    ItemIds, ReservationAdd, ReservationAdded, ReservationOptions, ReservationPrice,
    ReservationPrices, ReservationUpdate, ReservationsAdd, ReservationsAddCompanion,
    ReservationsAddProduct, ReservationsAdded, ReservationsCancel, ReservationsConfirm,
    ReservationsDeleteCompanion, ReservationsGetAll, ReservationsPrice, ReservationsProcess,
    ReservationsStart, ReservationsUpdate, ReservationsUpdateCustomer, ReservationsUpdateInterval,
    TimeUnitPrice,
};
pub use companion::{
    Companionship, CompanionshipsGetAll, ReservationGroup, ReservationGroupsGetAll,
};
pub use customer::{Customer, CustomerFound, CustomersFound};
pub use enterprise::{Configuration, CurrencySetting, Enterprise, EnterpriseAddress};
pub use event::{
    GeneralEvent, GeneralWebhook, IntegrationChange, IntegrationWebhook, NamedRecord, RecordId,
    SocketEvent, SocketMessage,
};
pub use guest::{
    AddressWrite, CustomerExtent, CustomerWrite, CustomersAdd, CustomersGetAll, CustomersSearch,
    CustomersUpdate,
};
pub use message::{
    Message, MessageAdd, MessageAdded, MessageSender, MessageThread, MessageThreadAdd,
    MessageThreads, MessageThreadsAdd, MessageThreadsGetAll, MessagesAdd, MessagesAdded,
    MessagesGetAll,
};
pub use note::{
    NoteAdd, NoteType, NoteUpdate, NotesAdd, NotesDelete, NotesGetAll, NotesUpdate,
    ServiceOrderNote,
};
pub use open::{Set, read_element};
pub use operation::{Listing, Operation};
pub use product::{
    AgeCategoryPrice, OrderId, OrderItem, OrderOptions, OrdersAdd, Product, ProductOrder,
    ProductPricing, ProductServiceOrder, ProductServiceOrdersGetAll, ProductsGetAll,
    ProductsGetPricing,
};
pub use rate::{
    CategoryPrice, Pricing, Rate, RateGroup, RateGroupsGetAll, RatesGetAll, RatesGetPricing,
};
pub use request::{
    ActivityState, AgeCategoriesGetAll, ConfigurationGet, EnterprisesGetAll, Interval, Limitation,
    ServicesGetAll, seconds,
};
pub use reservation::{
    AccountType, CancellationReason, PersonCount, Reservation, ReservationState, ReservationV2017,
};
pub use resource::{
    CategoryOccupancy, ImageAssignment, OccupancyStates, Resource, ResourceCategory,
    ResourceCategoryAssignment, ResourceData, ResourceOccupancy, ResourceState, SpaceData,
};
pub use room::{
    ResourceCategoriesGetAll, ResourceCategoryAssignmentsGetAll, ResourceExtent, ResourceUpdate,
    ResourcesGetAll, ResourcesUpdate, SpaceUpdate, SpaceUpdateValue,
};
pub use service::{AgeCategory, AgeClassification, Service, ServiceDetail, ServiceTimes};
pub use task::{
    Department, DepartmentsGetAll, Task, TaskId, Tasks, TasksAdd, TasksClose, TasksGetAll,
};
pub use words::{CLASSIFICATIONS, PURPOSES, TITLES, unknown_values};
