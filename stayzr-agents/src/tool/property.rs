use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stayzr_core::{Error, Result, model::PropertyBrief};

use super::{Tool, ToolContext, ToolOutput, arguments};
use crate::model::ToolSpec;

/// `property_facts`: what the property says about itself.
pub struct PropertyFacts;

/// What `property_facts` answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PropertyFactsFound {
    /// The property's name.
    pub property: String,
    /// The facts that were asked for and are known.
    pub facts: Vec<Fact>,
}

/// One fact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is about: `address`, `phone`, `check_in`, an amenity or a policy.
    pub topic: String,
    /// What it says.
    pub text: String,
}

/// Topics with a fixed meaning; `amenities` and `policies` stand for all of them.
const TOPICS: &[&str] = &[
    "address",
    "phone",
    "email",
    "website",
    "check_in",
    "check_out",
    "languages",
    "currency",
    "amenities",
    "policies",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default)]
    topics: Vec<String>,
}

const NAME: &str = "property_facts";

/// The address on one line.
fn address_line(brief: &PropertyBrief) -> Option<String> {
    let address = &brief.address;
    let place = [address.postal_code.as_deref(), address.city.as_deref()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    let parts: Vec<&str> = [
        address.line1.as_deref(),
        address.line2.as_deref(),
        Some(place.as_str()),
        address.country_code.as_deref(),
    ]
    .into_iter()
    .flatten()
    .filter(|part| !part.is_empty())
    .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

/// All facts of a property, in the order of [`TOPICS`].
fn facts_of(brief: &PropertyBrief) -> Vec<Fact> {
    let fact = |topic: &str, text: Option<String>| {
        text.filter(|text| !text.is_empty()).map(|text| Fact {
            topic: topic.to_owned(),
            text,
        })
    };
    let languages = brief
        .languages
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let mut facts: Vec<Fact> = [
        fact("address", address_line(brief)),
        fact("phone", brief.phone.clone()),
        fact("email", brief.email.clone()),
        fact("website", brief.website.clone()),
        fact("check_in", brief.check_in.clone()),
        fact("check_out", brief.check_out.clone()),
        fact("languages", Some(languages)),
        fact("currency", Some(brief.currency.code().to_owned())),
    ]
    .into_iter()
    .flatten()
    .collect();
    for amenity in &brief.amenities {
        let price = amenity.price.as_ref().map(ToString::to_string);
        let text = [amenity.detail.clone(), amenity.hours.clone(), price]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; ");
        facts.push(Fact {
            topic: format!("amenity: {}", amenity.name),
            text: if text.is_empty() {
                amenity.name.clone()
            } else {
                text
            },
        });
    }
    for policy in &brief.policies {
        facts.push(Fact {
            topic: format!("policy: {}", policy.topic),
            text: policy.text.clone(),
        });
    }
    facts
}

fn matches(fact: &Fact, wanted: &str) -> bool {
    match wanted {
        "amenities" => fact.topic.starts_with("amenity: "),
        "policies" => fact.topic.starts_with("policy: "),
        topic if TOPICS.contains(&topic) => fact.topic == topic,
        // A free word finds amenities and policies that name it.
        word => {
            let word = crate::text::fold(word);
            crate::text::fold(&fact.topic).contains(&word)
                || (fact.topic.contains(": ") && crate::text::fold(&fact.text).contains(&word))
        }
    }
}

#[async_trait]
impl Tool for PropertyFacts {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: NAME.to_owned(),
            description: format!(
                "Facts of the property: {}, or a word that an amenity or policy names. Without \
                 topics: all.",
                TOPICS.join(", ")
            ),
            parameters: json!({
                "type": "object",
                "properties": {
                    "topics": {"type": "array", "items": {"type": "string"}}
                }
            }),
        }
    }

    async fn call(
        &self,
        context: &ToolContext,
        arguments: &Value,
        _index: u32,
    ) -> Result<ToolOutput> {
        let Arguments { topics } = arguments::read(NAME, arguments)?;
        if topics.len() > 10 {
            return Err(Error::invalid(NAME, "`topics` may have at most 10 entries"));
        }
        let topics: Vec<String> = topics
            .iter()
            .map(|topic| topic.trim().to_lowercase().replace([' ', '-'], "_"))
            .filter(|topic| !topic.is_empty())
            .collect();
        let mut facts = facts_of(&context.property);
        if !topics.is_empty() {
            facts.retain(|fact| {
                topics
                    .iter()
                    .any(|topic| matches(fact, topic) || matches(fact, &topic.replace('_', " ")))
            });
        }
        Ok(ToolOutput {
            value: super::to_value(&PropertyFactsFound {
                property: context.property.name.clone(),
                facts,
            })?,
            ..ToolOutput::default()
        })
    }
}
