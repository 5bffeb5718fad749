//! Each request that the vendor shows is one that we can send, key for key and type for type, or it
//! says why we do not.

use std::collections::BTreeSet;

use serde_json::Value;
use stayzr_core::model::{Money, PricingMode};
use stayzr_pms::{
    PmsProvider as _,
    providers::mews::{
        MewsClient,
        wire::{
            ActivityState, AddressWrite, AgeCategoriesGetAll, AmountWrite, BlockType,
            CompanionshipsGetAll, CustomerExtent, CustomerWrite, CustomersAdd, CustomersGetAll,
            CustomersUpdate, DepartmentsGetAll, EnterprisesGetAll, Interval, Limitation,
            MessageAdd, MessageThreadsGetAll, MessagesAdd, MessagesGetAll, NoteUpdate, NotesUpdate,
            Operation, OrderItem, OrderOptions, OrdersAdd, PersonCount, ProductOrder,
            ProductServiceOrdersGetAll, ProductsGetPricing, RateGroupsGetAll, RatesGetPricing,
            ReservationGroupsGetAll, ReservationOptions, ReservationState, ReservationUpdate,
            ReservationsAddProduct, ReservationsConfirm, ReservationsGetAll, ReservationsProcess,
            ReservationsStart, ReservationsUpdate, ReservationsUpdateCustomer,
            ReservationsUpdateInterval, ResourceBlockAdd, ResourceBlocksAdd, ResourceBlocksGetAll,
            ResourceCategoryAssignmentsGetAll, ResourceExtent, ResourceUpdate, ResourcesGetAll,
            ResourcesUpdate, ServicesGetAll, ServicesGetAvailability, Set, SpaceUpdate,
            SpaceUpdateValue, TasksAdd, TasksGetAll, TimeUnitPrice,
        },
    },
};

use crate::{
    common::{example, provider_at, sandbox, vendor_files},
    requests::{Seen, kind, recorder},
};

/// Requests of the vendor that we do not send, and why.
const NOT_SENT: [(&str, &str); 3] = [
    (
        "rates.set.request.json",
        "what rates there are is the hotel's own business: a concierge sells them, and sets none",
    ),
    (
        "resourceCategories.update.request.json",
        "room types are the hotel's own business, and read only here",
    ),
    (
        "resourceCategoryImageAssignments.getAll.request.json",
        "pictures have no place in our model",
    ),
];

fn text(text: &str) -> String {
    text.to_owned()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn ids() -> Option<Vec<String>> {
    Some(vec![text("one"), text("two")])
}

fn span() -> Option<Interval> {
    Some(Interval {
        start_utc: text("2023-10-01T00:00:00Z"),
        end_utc: text("2023-10-31T00:00:00Z"),
    })
}

fn first() -> Option<Limitation> {
    Limitation::first()
}

fn next() -> Option<Limitation> {
    Some(Limitation {
        count: 10,
        cursor: some("c"),
    })
}

fn set(value: &str) -> Option<Set<String>> {
    Set::to(text(value))
}

fn amount(mode: PricingMode, code: &str) -> AmountWrite {
    let money = Money::new("7.5".parse().unwrap(), "GBP".parse().unwrap());
    AmountWrite::new(&money, mode, vec![text(code)]).unwrap()
}

/// Same keys, and values of the same types. What the vendor shows as `null` may be anything, and
/// its `{}` in an update is the wrapper that empties a field.
fn same(path: &str, ours: &Value, theirs: &Value) {
    if theirs.is_null() {
        return;
    }
    assert_eq!(kind(ours), kind(theirs), "{path}");
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            if theirs.is_empty() {
                assert_eq!(ours.get("Value"), Some(&Value::Null), "{path}");
                return;
            }
            let keys = |of: &serde_json::Map<String, Value>| -> BTreeSet<String> {
                of.keys().cloned().collect()
            };
            assert_eq!(keys(ours), keys(theirs), "{path}");
            for (key, value) in ours {
                same(&format!("{path}/{key}"), value, &theirs[key]);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            let objects = theirs.iter().all(Value::is_object);
            for (index, value) in ours.iter().enumerate() {
                let theirs = theirs.get(index).filter(|_| objects).unwrap_or(&theirs[0]);
                same(&format!("{path}/{index}"), value, theirs);
            }
        }
        _ => {}
    }
}

/// Sends bodies and holds what goes over the wire against the vendor's examples.
struct Compared<'a> {
    client: &'a MewsClient,
    seen: Seen,
    files: BTreeSet<String>,
}

impl Compared<'_> {
    async fn send<B: Operation>(&mut self, body: B) {
        // Whether the sandbox knows these ids does not matter here.
        drop(self.client.send(&body).await);
        let file = format!("{}.request.json", B::PATH.replace('/', "."));
        let ours = self.seen.lock().unwrap()[B::PATH].clone();
        if let Some(theirs) = example(&file) {
            same(&file, &ours, &theirs);
        }
        self.files.insert(file);
    }
}

fn persons() -> Vec<PersonCount> {
    ["adult", "child"]
        .map(|age| PersonCount {
            age_category_id: text(age),
            count: 2,
        })
        .to_vec()
}

fn customer() -> CustomerWrite {
    CustomerWrite {
        chain_id: some("chain"),
        title: some("Miss"),
        first_name: some("Thea"),
        last_name: some("Carbone"),
        birth_date: "1985-09-30".parse().ok(),
        birth_place: some("Pescara (BI)"),
        occupation: some("Giornalista"),
        email: some("thea@quotidiano.example"),
        phone: some("+39 06 555 5555"),
        notes: some("Check-in notturno."),
        car_registration_number: some("AA 111AA"),
        tax_identification_number: some("ZGNZLR17U72P554F"),
        address: Some(AddressWrite {
            line1: some("Via Antimo 474 Piano 5"),
            line2: None,
            city: some("Liborio laziale"),
            postal_code: some("30228"),
            country_code: some("IT"),
            country_subdivision_code: some("IT-65"),
        }),
        classifications: Some(vec![text("Media")]),
        options: Some(vec![text("SendMarketingEmails")]),
        ..CustomerWrite::default()
    }
}

fn update() -> ReservationUpdate {
    let price = |index| TimeUnitPrice {
        index,
        amount: amount(PricingMode::Gross, "UK-S"),
    };
    ReservationUpdate {
        reservation_id: text("r"),
        channel_number: set("TW48ZP"),
        start_utc: set("2019-10-01T14:00:00Z"),
        end_utc: set("2019-10-03T10:00:00Z"),
        person_counts: Set::to(persons()),
        assigned_resource_id: set("room"),
        assigned_resource_locked: Set::to(false),
        requested_category_id: set("category"),
        travel_agency_id: Set::or_empty(None),
        company_id: set("company"),
        business_segment_id: set("segment"),
        purpose: set("Business"),
        rate_id: set("rate"),
        credit_card_id: set("card"),
        time_unit_prices: Set::to(vec![price(0), price(1)]),
        booker_id: set("booker"),
        availability_block_id: set("block"),
        options: Some(ReservationOptions {
            owner_checked_in: Set::to(true),
        }),
    }
}

async fn lists(wire: &mut Compared<'_>) {
    wire.send(AgeCategoriesGetAll {
        enterprise_ids: ids(),
        service_ids: vec![text("s")],
        age_category_ids: ids(),
        updated_utc: span(),
        activity_states: Some(vec![ActivityState::Active]),
        limitation: first(),
    })
    .await;
    wire.send(CompanionshipsGetAll {
        enterprise_ids: ids(),
        companionship_ids: ids(),
        customer_ids: ids(),
        reservation_ids: ids(),
        reservation_group_ids: ids(),
        updated_utc: span(),
        limitation: first(),
    })
    .await;
    wire.send(CustomersGetAll {
        chain_ids: ids(),
        customer_ids: ids(),
        company_ids: ids(),
        emails: ids(),
        first_names: ids(),
        last_names: ids(),
        loyalty_codes: ids(),
        created_utc: span(),
        updated_utc: span(),
        activity_states: Some(vec![ActivityState::Active]),
        extent: CustomerExtent::default(),
        limitation: first(),
    })
    .await;
    wire.send(DepartmentsGetAll {
        enterprise_ids: ids(),
        department_ids: ids(),
        updated_utc: span(),
        limitation: first(),
    })
    .await;
    wire.send(EnterprisesGetAll {
        enterprise_ids: ids(),
        external_identifiers: ids(),
        linked_utc: span(),
        updated_utc: span(),
        limitation: next(),
    })
    .await;
    wire.send(MessageThreadsGetAll {
        enterprise_ids: ids(),
        created_utc: span(),
        limitation: next(),
        ..MessageThreadsGetAll::default()
    })
    .await;
    wire.send(MessagesGetAll {
        message_thread_ids: vec![text("t")],
        created_utc: span(),
        enterprise_ids: ids(),
        limitation: first(),
    })
    .await;
    wire.send(ProductServiceOrdersGetAll {
        product_service_order_ids: ids(),
        service_ids: ids(),
        linked_reservation_ids: ids(),
        updated_utc: span(),
        states: Some(vec![ReservationState::Confirmed]),
        limitation: next(),
        ..ProductServiceOrdersGetAll::default()
    })
    .await;
    wire.send(RateGroupsGetAll {
        rate_group_ids: ids(),
        service_ids: ids(),
        external_identifiers: ids(),
        updated_utc: span(),
        activity_states: Some(vec![ActivityState::Active]),
        enterprise_ids: ids(),
        limitation: next(),
    })
    .await;
    wire.send(ReservationGroupsGetAll {
        enterprise_ids: ids(),
        reservation_group_ids: ids(),
        updated_utc: span(),
        limitation: next(),
    })
    .await;
    wire.send(ServicesGetAll {
        enterprise_ids: ids(),
        service_ids: ids(),
        updated_utc: span(),
        limitation: first(),
    })
    .await;
    wire.send(TasksGetAll {
        task_ids: ids(),
        department_ids: ids(),
        service_order_ids: ids(),
        created_utc: span(),
        closed_utc: span(),
        deadline_utc: span(),
        enterprise_ids: None,
    })
    .await;
}

async fn lists_of_stays_and_rooms(wire: &mut Compared<'_>) {
    wire.send(ReservationsGetAll {
        reservation_ids: ids(),
        service_ids: ids(),
        reservation_group_ids: ids(),
        account_ids: ids(),
        partner_company_ids: ids(),
        travel_agency_ids: ids(),
        numbers: ids(),
        assigned_resource_ids: ids(),
        availability_block_ids: ids(),
        created_utc: span(),
        updated_utc: span(),
        colliding_utc: span(),
        scheduled_start_utc: span(),
        scheduled_end_utc: span(),
        states: Some(vec![ReservationState::Inquired]),
        enterprise_ids: ids(),
        limitation: first(),
    })
    .await;
    wire.send(ResourceBlocksGetAll {
        resource_block_ids: ids(),
        assigned_resource_ids: ids(),
        activity_states: Some(vec![ActivityState::Deleted]),
        colliding_utc: span(),
        created_utc: span(),
        updated_utc: span(),
        enterprise_ids: ids(),
        limitation: first(),
    })
    .await;
    wire.send(ResourceCategoryAssignmentsGetAll {
        resource_category_assignment_ids: ids(),
        resource_category_ids: ids(),
        updated_utc: span(),
        activity_states: Some(vec![ActivityState::Active]),
        resource_ids: ids(),
        enterprise_ids: ids(),
        limitation: next(),
    })
    .await;
    wire.send(ResourcesGetAll {
        resource_ids: ids(),
        names: ids(),
        extent: ResourceExtent::default(),
        created_utc: span(),
        updated_utc: span(),
        enterprise_ids: ids(),
        limitation: first(),
    })
    .await;
}

async fn questions(wire: &mut Compared<'_>) {
    let (first_night, last_night) = ("2022-01-01T23:00:00Z", "2022-01-03T23:00:00Z");
    wire.send(ProductsGetPricing {
        product_id: text("p"),
        first_time_unit_start_utc: text(first_night),
        last_time_unit_start_utc: text(last_night),
        enterprise_ids: ids(),
    })
    .await;
    wire.send(RatesGetPricing {
        rate_id: text("r"),
        first_time_unit_start_utc: text(first_night),
        last_time_unit_start_utc: text(last_night),
    })
    .await;
    wire.send(ServicesGetAvailability {
        service_id: text("s"),
        first_time_unit_start_utc: text(first_night),
        last_time_unit_start_utc: text(last_night),
    })
    .await;
}

async fn writes_of_stays(wire: &mut Compared<'_>) {
    wire.send(ReservationsUpdate {
        reservation_updates: vec![update()],
        reason: some("Testing"),
        reservation_id: text("r"),
        enterprise_id: some("e"),
        ..ReservationsUpdate::default()
    })
    .await;
    wire.send(ReservationsUpdateInterval {
        reservation_id: text("r"),
        start_utc: some("2017-08-12T15:00:00Z"),
        end_utc: some("2017-08-15T12:00:00Z"),
        charge_cancellation_fee: false,
        enterprise_id: some("e"),
    })
    .await;
    wire.send(ReservationsUpdateCustomer {
        reservation_id: text("r"),
        customer_id: text("c"),
        enterprise_id: some("e"),
    })
    .await;
    wire.send(ReservationsConfirm {
        reservation_ids: vec![text("r")],
        ..ReservationsConfirm::default()
    })
    .await;
    wire.send(ReservationsStart {
        reservation_id: text("r"),
        enterprise_id: some("e"),
    })
    .await;
    wire.send(ReservationsProcess {
        reservation_id: text("r"),
        notes: some("A friend of the house"),
        enterprise_id: some("e"),
        ..ReservationsProcess::default()
    })
    .await;
    wire.send(ReservationsAddProduct {
        reservation_id: text("r"),
        product_id: text("p"),
        count: 1,
        start_utc: some("2021-01-02T00:00:00Z"),
        end_utc: some("2021-01-03T00:00:00Z"),
        unit_amount: Some(amount(PricingMode::Gross, "UK-S")),
        enterprise_id: None,
    })
    .await;
}

async fn writes(wire: &mut Compared<'_>) {
    wire.send(CustomersAdd {
        customer: customer(),
        overwrite_existing: false,
        italian_destination_code: some("7654321"),
        italian_fiscal_code: some("ZGNZLR17U72P554F"),
        italian_lottery_code: some("AB12345"),
    })
    .await;
    wire.send(CustomersUpdate {
        customer_id: text("c"),
        customer: CustomerWrite {
            company_id: some("company"),
            ..customer()
        },
        italian_destination_code: set("7654321"),
        italian_fiscal_code: set("ZGNZLR17U72P554F"),
        italian_lottery_code: set("AB12345"),
    })
    .await;
    wire.send(MessagesAdd {
        messages: vec![MessageAdd {
            message_thread_id: text("t"),
            text: text("Text of the message"),
            identifier: some("Message 1"),
        }],
        enterprise_id: None,
    })
    .await;
    wire.send(OrdersAdd {
        enterprise_id: some("e"),
        service_id: text("s"),
        account_id: text("c"),
        linked_reservation_id: some("r"),
        options: Some(OrderOptions::default()),
        product_orders: Some(vec![ProductOrder {
            product_id: text("p"),
            count: 2,
            unit_amount: None,
            external_identifier: some("EXT-PROD-001"),
        }]),
        items: Some(vec![OrderItem {
            name: text("Beer"),
            unit_count: 3,
            unit_amount: amount(PricingMode::Net, "US-DC-G"),
            accounting_category_id: some("a"),
            external_identifier: some("EXT-ITEM-001"),
        }]),
        consumption_utc: some("2020-02-04T00:00:00Z"),
        notes: some("Order for guest room service"),
        business_segment_id: some("b"),
        bill_id: some("b"),
    })
    .await;
    let block = |kind| ResourceBlockAdd {
        resource_id: text("room"),
        name: text("Maintenance"),
        r#type: Some(kind),
        start_utc: text("2023-08-01T14:00:00Z"),
        end_utc: text("2023-08-01T18:00:00Z"),
        notes: some("Air conditioning"),
    };
    wire.send(ResourceBlocksAdd {
        resource_blocks: vec![block(BlockType::OutOfOrder), block(BlockType::InternalUse)],
        enterprise_id: None,
    })
    .await;
    wire.send(ResourcesUpdate {
        resource_updates: vec![
            ResourceUpdate {
                resource_id: text("one"),
                name: set("101"),
                data: Some(SpaceUpdate {
                    discriminator: text("Space"),
                    value: SpaceUpdateValue {
                        floor_number: set("2"),
                        location_notes: set("Behind the lift"),
                    },
                }),
                state: set("Inspected"),
                state_reason: set("Looked at"),
                parent_resource_id: None,
            },
            ResourceUpdate {
                resource_id: text("two"),
                name: set("102"),
                parent_resource_id: set("one"),
                state: set("Clean"),
                ..ResourceUpdate::default()
            },
        ],
        enterprise_id: None,
    })
    .await;
    wire.send(NotesUpdate {
        service_order_note_updates: vec![NoteUpdate {
            service_order_note_id: text("n"),
            text: set("Shaken, not stirred."),
        }],
        enterprise_id: None,
    })
    .await;
    wire.send(TasksAdd {
        name: text("Test"),
        description: some("Task description"),
        deadline_utc: text("2016-01-01T14:00:00Z"),
        service_order_id: some("r"),
        department_id: some("d"),
        enterprise_id: None,
    })
    .await;
}

#[tokio::test]
async fn every_request_the_vendor_shows_is_sent_alike_or_says_why_not() {
    let sandbox = sandbox().await;
    let (base_url, seen) = recorder(&sandbox).await;
    let provider = provider_at(&base_url);
    assert_eq!(provider.name(), "mews");
    let mut wire = Compared {
        client: provider.client(),
        seen,
        files: BTreeSet::new(),
    };
    lists(&mut wire).await;
    lists_of_stays_and_rooms(&mut wire).await;
    questions(&mut wire).await;
    writes_of_stays(&mut wire).await;
    writes(&mut wire).await;
    let Some(files) = vendor_files() else { return };
    let requests = files
        .into_iter()
        .filter(|name| name.ends_with(".request.json"));
    let mut known = wire.files;
    known.extend(NOT_SENT.iter().map(|(file, _)| (*file).to_owned()));
    assert_eq!(requests.collect::<BTreeSet<_>>(), known);
}
