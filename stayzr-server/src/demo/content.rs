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

    #[test]
    fn what_the_vendor_knows_of_rooms_and_times_is_what_the_documents_say() {
        for hotel in CAST.iter().flat_map(|(_, hotels)| hotels.iter()) {
            let text = |start: &str| {
                knowledge(hotel.slug)
                    .find(|file| file.name.starts_with(start))
                    .expect(start)
                    .content
            };
            let (rooms, arrival) = (text("rooms"), text("check-in"));
            let mut numbers = std::collections::BTreeSet::new();
            for kind in hotel.room_types {
                let own: Vec<u32> = kind.rooms.iter().flat_map(|(a, z)| *a..=*z).collect();
                let count = match own.len() {
                    2 => "two".to_owned(),
                    6 => "six".to_owned(),
                    8 => "eight".to_owned(),
                    count => count.to_string(),
                };
                let said = format!("The {count} {}", kind.name);
                assert!(rooms.contains(&said), "{}: {said}", hotel.slug);
                numbers.extend(own);
            }
            assert_eq!(numbers.len(), 40, "no room is of two types: {}", hotel.slug);
            for number in [numbers.first(), numbers.last()].into_iter().flatten() {
                assert!(rooms.contains(&number.to_string()), "{number}");
            }
            let described = property(hotel.slug).expect(hotel.slug);
            for key in ["check_in", "check_out"] {
                let time = described[key].as_str().expect(key);
                assert!(arrival.contains(time), "{}: {key} {time}", hotel.slug);
            }
        }
    }
}
