//! The knowledge and the properties of the demo's hotels, inside the binary.

use serde_json::Value;

use crate::failure::Failure;

/// A file of knowledge.
pub(crate) struct KnowledgeFile {
    pub(crate) slug: &'static str,
    pub(crate) name: &'static str,
    pub(crate) content: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/demo_files.rs"));

/// Files of a hotel.
pub(crate) fn knowledge(slug: &str) -> impl Iterator<Item = &'static KnowledgeFile> {
    KNOWLEDGE.iter().filter(move |file| file.slug == slug)
}

/// What is known of a hotel beside its PMS.
pub(crate) fn property(slug: &str) -> Result<Value, Failure> {
    let found = PROPERTIES.iter().find(|(name, _)| *name == slug);
    let text = found.map_or("", |(_, text)| text);
    serde_json::from_str(text).map_err(|error| {
        Failure::new(
            "internal",
            format!("the demo's hotel {slug} cannot be read: {error}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::state::CAST;

    #[test]
    fn every_hotel_has_its_property_and_a_dozen_documents() {
        for (_, hotels) in CAST {
            for hotel in hotels {
                assert!(property(hotel.slug).expect(hotel.slug)["name"].is_string());
                assert!(knowledge(hotel.slug).count() >= 12, "{}", hotel.slug);
            }
        }
    }
}
