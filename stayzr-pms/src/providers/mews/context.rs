use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use stayzr_core::{Error, Result, transform::TransformContext};
use tokio::sync::Mutex;

use super::{
    MewsClient,
    client::PAGE,
    transform::{clock_time, default_currency, lookup, pricing},
    wire::{
        AgeCategoriesGetAll, AgeCategory, AgeClassification, Enterprise, ResourceCategoriesGetAll,
        ResourceCategory, ResourceCategoryAssignment, ResourceCategoryAssignmentsGetAll, Service,
        ServicesGetAll,
    },
};

/// How long what changes seldom is kept.
const KEPT: Duration = Duration::from_secs(300);

/// What changes seldom and every page needs: the property, its services and categories.
#[derive(Debug)]
pub(super) struct MewsContext {
    pub(super) enterprise: Enterprise,
    /// Mews' clock when this was read.
    pub(super) now: Option<DateTime<Utc>>,
    /// The services whose reservations are stays.
    pub(super) services: Vec<Service>,
    pub(super) service_ids: Vec<String>,
    /// Every service that is sold, the restaurant's included.
    pub(super) sold: Vec<String>,
    pub(super) categories: Vec<ResourceCategory>,
    /// When each resource's assignment to its category last changed.
    pub(super) assigned: Assigned,
    pub(super) transform: TransformContext,
}

/// Keeps the context for some minutes.
#[derive(Debug, Default)]
pub(super) struct ContextCache(Mutex<Option<(Instant, Arc<MewsContext>)>>);

impl ContextCache {
    /// The context, at most five minutes old.
    pub(super) async fn get(&self, client: &MewsClient) -> Result<Arc<MewsContext>> {
        let mut kept = self.0.lock().await;
        if let Some((read, context)) = kept.as_ref()
            && read.elapsed() < KEPT
        {
            return Ok(Arc::clone(context));
        }
        let context = Arc::new(load(client).await?);
        *kept = Some((Instant::now(), Arc::clone(&context)));
        Ok(context)
    }

    /// The context, read anew.
    pub(super) async fn fresh(&self, client: &MewsClient) -> Result<Arc<MewsContext>> {
        *self.0.lock().await = None;
        self.get(client).await
    }
}

async fn load(client: &MewsClient) -> Result<MewsContext> {
    let configuration = client.configuration().await?;
    if configuration.enterprise.is_portfolio == Some(true) {
        return Err(Error::invalid(
            "mews.configuration.get",
            "the access token covers several properties: set enterprise_id in the vendor settings",
        ));
    }
    let wanted = client.config().service_id.as_deref();
    let enterprise_ids = client.config().enterprises();
    let sold = ServicesGetAll {
        enterprise_ids: enterprise_ids.clone(),
        ..ServicesGetAll::default()
    };
    let services = client.list(sold).await?;
    let sold = services
        .iter()
        .filter(|service| service.is_active != Some(false))
        .map(|service| service.id.clone())
        .collect();
    let services: Vec<Service> = services
        .into_iter()
        .filter(|service| wanted.map_or_else(|| service.is_stay(), |id| id == service.id))
        .collect();
    if services.is_empty() {
        return Err(Error::invalid(
            "mews.services.getAll",
            "Mews has no bookable service by the day: check service_id in the vendor settings, and \
             that the integration may see the accommodation service",
        ));
    }
    let service_ids: Vec<String> = services.iter().map(|service| service.id.clone()).collect();
    let ages = AgeCategoriesGetAll {
        service_ids: service_ids.clone(),
        enterprise_ids: enterprise_ids.clone(),
        ..AgeCategoriesGetAll::default()
    };
    let ages = client.list(ages).await?;
    let categories = ResourceCategoriesGetAll {
        service_ids: service_ids.clone(),
        enterprise_ids: enterprise_ids.clone(),
        ..ResourceCategoriesGetAll::default()
    };
    let categories = client.list(categories).await?;
    let assignments = assignments(client, &categories).await?;
    let (resource_categories, assigned) = resources(&assignments);

    let enterprise = configuration.enterprise;
    let mut lookups = BTreeMap::from([(
        lookup::RESOURCE_CATEGORIES.to_owned(),
        Value::Object(resource_categories),
    )]);
    age_lookups(&ages, &mut lookups);
    if let Some(language) = &enterprise.default_language_code {
        lookups.insert(lookup::LANGUAGE.to_owned(), json!(language));
    }
    let (check_in, check_out) = house_times(&services);
    for (key, time) in [(lookup::CHECK_IN, check_in), (lookup::CHECK_OUT, check_out)] {
        if let Some(time) = time {
            lookups.insert(key.to_owned(), json!(time));
        }
    }
    let transform = TransformContext {
        time_zone: enterprise
            .time_zone_identifier
            .as_deref()
            .and_then(|zone| zone.parse().ok())
            .unwrap_or(chrono_tz::UTC),
        currency: default_currency(&enterprise).ok().flatten(),
        country: enterprise
            .address
            .as_ref()
            .and_then(|address| address.country_code.clone()),
        pricing: pricing(&enterprise),
        now: configuration.now_utc.unwrap_or_else(Utc::now),
        lookups,
    };
    Ok(MewsContext {
        enterprise,
        now: configuration.now_utc,
        services,
        service_ids,
        sold,
        categories,
        assigned,
        transform,
    })
}

async fn assignments(
    client: &MewsClient,
    categories: &[ResourceCategory],
) -> Result<Vec<ResourceCategoryAssignment>> {
    let mut found = Vec::new();
    for part in categories.chunks(PAGE as usize) {
        let ids = part.iter().map(|category| category.id.clone()).collect();
        let body = ResourceCategoryAssignmentsGetAll {
            resource_category_ids: Some(ids),
            enterprise_ids: client.config().enterprises(),
            ..ResourceCategoryAssignmentsGetAll::default()
        };
        found.extend(client.list(body).await?);
    }
    Ok(found)
}

/// When each resource was put into its category.
type Assigned = BTreeMap<String, Option<DateTime<Utc>>>;

/// Resource → category, and when that was set. A resource in several categories counts for the
/// one it was put into last.
fn resources(assignments: &[ResourceCategoryAssignment]) -> (Map<String, Value>, Assigned) {
    let mut sorted: Vec<&ResourceCategoryAssignment> = assignments
        .iter()
        .filter(|assignment| assignment.is_active != Some(false))
        .collect();
    sorted.sort_by_key(|assignment| (assignment.updated_utc, &assignment.id));
    let mut categories = Map::new();
    let mut assigned = BTreeMap::new();
    for assignment in sorted {
        if let (Some(resource), Some(category)) = (&assignment.resource_id, &assignment.category_id)
        {
            categories.insert(resource.clone(), json!(category));
            assigned.insert(resource.clone(), assignment.updated_utc);
        }
    }
    (categories, assigned)
}

fn age_lookups(ages: &[AgeCategory], lookups: &mut BTreeMap<String, Value>) {
    let mut classes = Map::new();
    for age in ages {
        let Some(class) = &age.classification else {
            continue;
        };
        classes.insert(age.id.clone(), json!(class));
        let key = match class {
            AgeClassification::Adult => lookup::ADULT_CATEGORY,
            AgeClassification::Child => lookup::CHILD_CATEGORY,
            AgeClassification::Unknown(_) => continue,
        };
        if age.is_active != Some(false) {
            lookups
                .entry(key.to_owned())
                .or_insert_with(|| json!(age.id));
        }
    }
    lookups.insert(lookup::AGE_CATEGORIES.to_owned(), Value::Object(classes));
}

/// Check-in and check-out of the first active service that says them.
fn house_times(services: &[Service]) -> (Option<String>, Option<String>) {
    let mut times = (None, None);
    for service in services
        .iter()
        .filter(|service| service.is_active != Some(false))
    {
        let offsets = service
            .data
            .as_ref()
            .and_then(|detail| detail.value.as_ref());
        let start = offsets.and_then(|times| times.start_offset.as_ref());
        let end = offsets.and_then(|times| times.end_offset.as_ref());
        let start = start.or(service.start_time.as_ref());
        let end = end.or(service.end_time.as_ref());
        times.0 = times.0.or_else(|| start.and_then(|text| clock_time(text)));
        times.1 = times.1.or_else(|| end.and_then(|text| clock_time(text)));
    }
    times
}

impl MewsContext {
    /// A category by its id.
    pub(super) fn category(&self, id: &str) -> Option<&ResourceCategory> {
        self.categories.iter().find(|category| category.id == id)
    }
}
