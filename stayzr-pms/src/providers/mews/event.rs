use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
use stayzr_core::{
    Error, Result,
    model::{ExternalRef, PmsEvent},
    transform::EntityKind,
};

use super::wire::{GeneralWebhook, IntegrationWebhook};

/// What a webhook body of Mews says happened.
///
/// A general webhook becomes a change for each record, once, however often the body names it:
/// `CustomerAdded` always comes with `CustomerUpdated`. An integration webhook becomes its action
/// alone, since the rest can hold a live access token. Errors never quote the body.
pub fn parse_event(body: &[u8]) -> Result<Vec<PmsEvent>> {
    let refuse = |why: &'static str| Error::invalid("mews.webhook", why);
    let value: Value =
        serde_json::from_slice(body).map_err(|_| refuse("the body is not valid JSON"))?;
    if value.get("Action").is_some() {
        let webhook = IntegrationWebhook::deserialize(&value)
            .map_err(|_| refuse("not an integration webhook of Mews"))?;
        return Ok(vec![PmsEvent::Unknown {
            remote_property_id: webhook.data.enterprise.and_then(|enterprise| enterprise.id),
            name: webhook.action,
        }]);
    }
    let webhook = GeneralWebhook::deserialize(&value)
        .map_err(|_| refuse("not a webhook of Mews: EnterpriseId and Events are missing"))?;
    let mut seen = BTreeSet::new();
    let mut events = Vec::new();
    for event in webhook.events {
        let id = event.value.and_then(|record| record.id);
        let kind = match event.discriminator.as_str() {
            "ServiceOrderUpdated" => Some(EntityKind::Reservation),
            "CustomerAdded" | "CustomerUpdated" => Some(EntityKind::Guest),
            // The room of a block is found when it is read.
            "ResourceUpdated" | "ResourceBlockUpdated" => Some(EntityKind::Room),
            _ => None,
        };
        events.push(match (kind, id) {
            (None, Some(id)) if event.discriminator == "MessageAdded" => PmsEvent::Message {
                remote_property_id: webhook.enterprise_id.clone(),
                id,
            },
            (Some(kind), Some(id)) => {
                if !seen.insert((kind, id.clone())) {
                    continue;
                }
                PmsEvent::Changed {
                    remote_property_id: webhook.enterprise_id.clone(),
                    record: ExternalRef { kind, id },
                }
            }
            _ => PmsEvent::Unknown {
                remote_property_id: Some(webhook.enterprise_id.clone()),
                name: event.discriminator,
            },
        });
    }
    Ok(events)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(property: &str, kind: EntityKind, id: &str) -> PmsEvent {
        PmsEvent::Changed {
            remote_property_id: property.to_owned(),
            record: ExternalRef {
                kind,
                id: id.to_owned(),
            },
        }
    }

    #[test]
    fn a_record_named_twice_changes_once_and_other_events_are_kept_by_name() {
        let body = br#"{"EnterpriseId":"e","IntegrationId":"i","Events":[
            {"Discriminator":"CustomerAdded","Value":{"Id":"c"}},
            {"Discriminator":"CustomerUpdated","Value":{"Id":"c"}},
            {"Discriminator":"ServiceOrderUpdated","Value":{"Id":"r"}},
            {"Discriminator":"ResourceUpdated","Value":{"Id":"s"}},
            {"Discriminator":"ResourceBlockUpdated","Value":{"Id":"b"}},
            {"Discriminator":"MessageAdded","Value":{"Id":"m"}},
            {"Discriminator":"SomethingNew","Value":{"Id":"x"}},
            {"Discriminator":"ServiceOrderUpdated","Value":null}]}"#;
        let unknown = |name: &str| PmsEvent::Unknown {
            remote_property_id: Some("e".to_owned()),
            name: name.to_owned(),
        };
        assert_eq!(
            parse_event(body).unwrap(),
            [
                changed("e", EntityKind::Guest, "c"),
                changed("e", EntityKind::Reservation, "r"),
                changed("e", EntityKind::Room, "s"),
                changed("e", EntityKind::Room, "b"),
                PmsEvent::Message {
                    remote_property_id: "e".to_owned(),
                    id: "m".to_owned(),
                },
                unknown("SomethingNew"),
                unknown("ServiceOrderUpdated"),
            ]
        );
    }

    #[test]
    fn invariant_u_an_event_of_another_shape_does_not_lose_those_beside_it() {
        let body = br#"{"EnterpriseId":"e","Events":[
            {"Discriminator":"PriceUpdated","Value":"2026"},
            {"Discriminator":null,"Value":{"Id":"x"}},
            {"Discriminator":"CustomerUpdated","Value":{"Id":7}},
            "odd",
            {"Discriminator":"CustomerUpdated","Value":{"Id":"c"}}]}"#;
        let unknown = |name: &str| PmsEvent::Unknown {
            remote_property_id: Some("e".to_owned()),
            name: name.to_owned(),
        };
        assert_eq!(
            parse_event(body).unwrap(),
            [
                unknown("PriceUpdated"),
                unknown(""),
                unknown("CustomerUpdated"),
                unknown(""),
                changed("e", EntityKind::Guest, "c"),
            ]
        );
    }

    #[test]
    fn invariant_p_an_integration_webhook_leaves_only_its_action() {
        let body = br#"{"Action":"IntegrationCreated","Data":{"Enterprise":{"Id":"e","Name":"n"},
            "AccessToken":"live-token"}}"#;
        let events = parse_event(body).unwrap();
        assert_eq!(
            events,
            [PmsEvent::Unknown {
                remote_property_id: Some("e".to_owned()),
                name: "IntegrationCreated".to_owned(),
            }]
        );
        assert!(!format!("{events:?}").contains("live-token"));
    }

    #[test]
    fn a_body_that_is_not_of_mews_is_an_error_that_does_not_quote_it() {
        for body in [&b"secret-words"[..], br#"{"secret-words":1}"#, b"[1]", b""] {
            let error = format!("{:?}", parse_event(body).unwrap_err());
            assert!(!error.contains("secret-words"), "{error}");
        }
    }
}
