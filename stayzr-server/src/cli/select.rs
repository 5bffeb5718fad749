//! Finding what a command line names by id or, where that is unique, by name.

use stayzr_core::{
    model::{Integration, Organization, Property},
    port::{Store, entities::EntitiesExt},
    tenant::TenantScope,
};

use crate::failure::Failure;

/// The organization that is named, or the only one.
pub(crate) async fn organization(
    store: &dyn Store,
    named: Option<&str>,
) -> Result<Organization, Failure> {
    let all = store.organizations().await?;
    pick(
        "organization",
        all,
        named,
        |organization| organization.id.to_string(),
        |organization| organization.name.clone(),
    )
}

/// The property that is named.
pub(crate) async fn property(
    store: &dyn Store,
    scope: TenantScope,
    named: Option<&str>,
) -> Result<Property, Failure> {
    let all: Vec<Property> = store
        .all(
            TenantScope::organization(scope.organization_id),
            &Default::default(),
        )
        .await?;
    pick(
        "property",
        all,
        named,
        |property| property.id.to_string(),
        |property| property.name.clone(),
    )
}

/// The integration that is named by its id, or by its provider or its property's name where that is
/// unique.
pub(crate) async fn integration(
    store: &dyn Store,
    scope: TenantScope,
    named: Option<&str>,
) -> Result<Integration, Failure> {
    let all = store.integrations(scope).await?;
    let properties: Vec<Property> = match named {
        Some(_) => store.all(scope, &Default::default()).await?,
        None => Vec::new(),
    };
    let of_property = |integration: &Integration| {
        let property = properties
            .iter()
            .find(|property| property.id == integration.property_id);
        property
            .zip(named)
            .filter(|(property, named)| property.name.eq_ignore_ascii_case(named))
            .map(|(property, _)| property.name.clone())
    };
    pick(
        "integration",
        all,
        named,
        |integration| integration.id.to_string(),
        |integration| of_property(integration).unwrap_or_else(|| integration.provider.clone()),
    )
}

fn pick<T>(
    noun: &str,
    all: Vec<T>,
    named: Option<&str>,
    id: impl Fn(&T) -> String,
    name: impl Fn(&T) -> String,
) -> Result<T, Failure> {
    let names = |items: &[T]| {
        let names: Vec<String> = items
            .iter()
            .map(|item| format!("{} ({})", name(item), id(item)))
            .collect();
        names.join(", ")
    };
    let known = names(&all);
    let mut found: Vec<T> = match named {
        None => all,
        Some(wanted) => {
            let (exact, other): (Vec<T>, Vec<T>) =
                all.into_iter().partition(|item| id(item) == wanted);
            match exact.is_empty() {
                false => exact,
                true => other
                    .into_iter()
                    .filter(|item| name(item).eq_ignore_ascii_case(wanted))
                    .collect(),
            }
        }
    };
    let which = named.map_or_else(String::new, |wanted| format!(" \"{wanted}\""));
    match found.len() {
        1 => Ok(found.remove(0)),
        0 if known.is_empty() => Err(Failure::new("not_found", format!("there is no {noun} yet"))),
        0 => Err(Failure::new(
            "not_found",
            format!("there is no {noun}{which}; there are: {known}"),
        )),
        _ => Err(Failure::new(
            "ambiguous_name",
            format!("which {noun}{which}? Name one by its id: {}", names(&found)),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(named: Option<&str>, all: &[(&str, &str)]) -> Result<String, Failure> {
        let all = all.to_vec();
        pick(
            "hotel",
            all,
            named,
            |one| one.0.to_owned(),
            |one| one.1.to_owned(),
        )
        .map(|one| one.0.to_owned())
    }

    #[test]
    fn a_name_will_do_where_it_is_unique() {
        let hotels = [("1", "Porto"), ("2", "Innsbruck"), ("3", "innsbruck")];
        assert_eq!(find(Some("porto"), &hotels).expect("unique"), "1");
        assert_eq!(find(Some("2"), &hotels).expect("an id"), "2");
        assert_eq!(
            find(Some("Innsbruck"), &hotels).expect_err("two").code,
            "ambiguous_name"
        );
        assert_eq!(
            find(Some("Lisbon"), &hotels).expect_err("none").code,
            "not_found"
        );
        assert_eq!(find(None, &hotels[..1]).expect("the only one"), "1");
        assert_eq!(
            find(None, &hotels).expect_err("several").code,
            "ambiguous_name"
        );
        assert_eq!(find(None, &[]).expect_err("none").code, "not_found");
    }
}
