//! Mews' JSON, as its Connector API writes it.
//!
//! Everything but ids may be missing, unknown enum values are kept as text, and fields without a
//! name here are kept in `extra`: Mews adds to its lists without notice, and its own examples lack
//! fields that its tables call required.

mod customer;
mod enterprise;
mod event;
mod note;
mod open;
mod rate;
mod request;
mod reservation;
mod resource;
mod service;
mod words;

pub use customer::{Customer, CustomerWrite};
pub use enterprise::{Configuration, CurrencySetting, Enterprise, EnterpriseAddress};
pub use event::{
    GeneralEvent, GeneralWebhook, IntegrationChange, IntegrationWebhook, NamedRecord, RecordId,
};
pub use note::{
    NoteAdd, NoteType, NoteUpdate, NotesAdd, NotesGetAll, NotesUpdate, ServiceOrderNote,
};
pub use open::{Set, read_element};
pub use rate::{Amount, CategoryPrice, Pricing, Rate};
pub use request::{
    ActivityState, AgeCategoriesGetAll, AssignmentsGetAll, CategoriesGetAll, ConfigurationGet,
    CustomerExtent, CustomersGetAll, Interval, Limitation, PricingGet, RatesGetAll,
    ReservationsCancel, ReservationsGetAll, ReservationsUpdate, ResourceExtent, ResourcesGetAll,
    ResourcesUpdate, ServicesGetAll,
};
pub use reservation::{
    AccountType, CancellationReason, PersonCount, Reservation, ReservationState, ReservationUpdate,
    ReservationV2017,
};
pub use resource::{
    Resource, ResourceCategory, ResourceCategoryAssignment, ResourceData, ResourceState,
    ResourceUpdate, SpaceData,
};
pub use service::{AgeCategory, AgeClassification, Service, ServiceDetail, ServiceTimes};
pub use words::{CLASSIFICATIONS, PURPOSES, TITLES, unknown_values};
