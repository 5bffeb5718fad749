use std::collections::BTreeSet;

use super::splitmix::SplitMix;

/// A person of a simulated hotel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) female: bool,
    pub(super) nationality: &'static str,
    pub(super) language: &'static str,
    pub(super) email: String,
    pub(super) phone: Option<String>,
}

struct Culture {
    nationality: &'static str,
    language: &'static str,
    women: [&'static str; 5],
    men: [&'static str; 5],
    families: [&'static str; 8],
}

const CULTURES: &[Culture] = &[
    Culture {
        nationality: "GB",
        language: "en-GB",
        women: ["Amelia", "Charlotte", "Isla", "Freya", "Harriet"],
        men: ["Oliver", "George", "Arthur", "Callum", "Rhys"],
        families: [
            "Whitfield",
            "Ashworth",
            "Campbell",
            "Pritchard",
            "Okafor",
            "Hughes",
            "Sinclair",
            "Barlow",
        ],
    },
    Culture {
        nationality: "US",
        language: "en-US",
        women: ["Emily", "Grace", "Madison", "Hannah", "Naomi"],
        men: ["Ethan", "Logan", "Carter", "Julian", "Mason"],
        families: [
            "Anderson", "Ramirez", "Bennett", "Nguyen", "Coleman", "Fischer", "Delgado", "Whitman",
        ],
    },
    Culture {
        nationality: "DE",
        language: "de-DE",
        women: ["Anna", "Lena", "Katharina", "Greta", "Ulrike"],
        men: ["Lukas", "Felix", "Jonas", "Matthias", "Jürgen"],
        families: [
            "Müller",
            "Schneider",
            "Hoffmann",
            "Weiß",
            "Krüger",
            "Bauer",
            "Lindner",
            "Yilmaz",
        ],
    },
    Culture {
        nationality: "FR",
        language: "fr-FR",
        women: ["Camille", "Élodie", "Manon", "Chloé", "Margaux"],
        men: ["Hugo", "Louis", "Théo", "Étienne", "Mathieu"],
        families: [
            "Lefèvre", "Moreau", "Girard", "Rousseau", "Benali", "Fontaine", "Mercier", "Dubois",
        ],
    },
    Culture {
        nationality: "AU",
        language: "en-AU",
        women: ["Matilda", "Ruby", "Sienna", "Zoe", "Imogen"],
        men: ["Jack", "Lachlan", "Cooper", "Angus", "Noah"],
        families: [
            "Kelly",
            "Papadopoulos",
            "Mitchell",
            "Nguyen",
            "O'Brien",
            "Harris",
            "Tran",
            "Fraser",
        ],
    },
    Culture {
        nationality: "SE",
        language: "sv-SE",
        women: ["Astrid", "Ebba", "Linnéa", "Maja", "Ingrid"],
        men: ["Erik", "Lars", "Oskar", "Nils", "Björn"],
        families: [
            "Lindqvist",
            "Bergström",
            "Nyström",
            "Åkesson",
            "Holm",
            "Sandberg",
            "Ekström",
            "Wallin",
        ],
    },
    Culture {
        nationality: "PT",
        language: "pt-PT",
        women: ["Beatriz", "Inês", "Mariana", "Leonor", "Joana"],
        men: ["João", "Tiago", "Duarte", "Gonçalo", "Rui"],
        families: [
            "Almeida",
            "Carvalho",
            "Ferreira",
            "Magalhães",
            "Nogueira",
            "Pacheco",
            "Simões",
            "Teixeira",
        ],
    },
    Culture {
        nationality: "ES",
        language: "es-ES",
        women: ["Lucía", "Carmen", "Irene", "Marta", "Nuria"],
        men: ["Álvaro", "Javier", "Pablo", "Sergio", "Íñigo"],
        families: [
            "Navarro",
            "Domínguez",
            "Iglesias",
            "Peña",
            "Cortés",
            "Vidal",
            "Ibáñez",
            "Molina",
        ],
    },
    Culture {
        nationality: "IT",
        language: "it-IT",
        women: ["Giulia", "Chiara", "Francesca", "Elena", "Sofia"],
        men: ["Lorenzo", "Matteo", "Davide", "Riccardo", "Paolo"],
        families: [
            "Rossi",
            "Conti",
            "Ferrari",
            "D'Angelo",
            "Marchetti",
            "Ricci",
            "Bianchi",
            "Gallo",
        ],
    },
    Culture {
        nationality: "JP",
        language: "ja-JP",
        women: ["Yuki", "Sakura", "Aiko", "Haruka", "Emi"],
        men: ["Haruto", "Kenji", "Daichi", "Takumi", "Ren"],
        families: [
            "Tanaka",
            "Sato",
            "Yamamoto",
            "Nakamura",
            "Kobayashi",
            "Ito",
            "Watanabe",
            "Suzuki",
        ],
    },
];

/// So many people, the same ones for the same sequence. Emails and telephone numbers are unique,
/// and lead nowhere: domains of RFC 2606, and numbers that regulators keep for fiction.
pub(super) fn people(sequence: &mut SplitMix, count: usize) -> Vec<Person> {
    let mut emails = BTreeSet::new();
    (0..count)
        .map(|number| {
            let culture = sequence.pick(CULTURES);
            let female = sequence.below(2) == 0;
            let names = if female { &culture.women } else { &culture.men };
            let first_name = (*sequence.pick(names)).to_owned();
            let last_name = (*sequence.pick(&culture.families)).to_owned();
            let domain = *sequence.pick(&["example.com", "example.org", "example.net"]);
            let local = format!("{}.{}", ascii(&first_name), ascii(&last_name));
            let mut email = format!("{local}@{domain}");
            if !emails.insert(email.clone()) {
                email = format!("{local}.{}@{domain}", number + 1);
                emails.insert(email.clone());
            }
            // One in ten leaves no number.
            let phone = (sequence.below(10) > 0).then(|| phone(culture.nationality, number));
            Person {
                first_name,
                last_name,
                female,
                nationality: culture.nationality,
                language: culture.language,
                email,
                phone,
            }
        })
        .collect()
}

/// A number that a regulator keeps for fiction, as a receptionist writes it. Where a country keeps
/// none, the person lives in one that does.
fn phone(nationality: &str, number: usize) -> String {
    // Ofcom, NANPA, BNetzA, ARCEP, ACMA and PTS publish these ranges.
    match nationality {
        "US" => format!(
            "+1 {}-555-{:04}",
            AREAS[number / 100 % AREAS.len()],
            100 + number % 100
        ),
        "DE" if number < 100 => format!("0049 171 39200{:02}", number % 100),
        "FR" => format!("+33 4 65 71 {:02} {:02}", number / 100 % 100, number % 100),
        "AU" => format!("+61 2 7010 {:04}", number % 10_000),
        "SE" if number < 95 => format!("+46 70 174 06 {:02}", 5 + number % 95),
        "JP" | "IT" => {
            format!(
                "+1 {}-555-{:04}",
                CANADIAN[number / 100 % CANADIAN.len()],
                100 + number % 100
            )
        }
        _ => format!("+44 20 7946 0{:03}", number % 1000),
    }
}

const AREAS: [&str; 10] = [
    "202", "212", "303", "312", "404", "415", "512", "617", "702", "813",
];
const CANADIAN: [&str; 4] = ["613", "416", "604", "514"];

/// Small letters of ASCII.
fn ascii(name: &str) -> String {
    name.to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            'a'..='z' => Some(letter),
            'á' | 'ã' | 'å' | 'ä' | 'à' => Some('a'),
            'é' | 'è' | 'ê' => Some('e'),
            'í' | 'î' => Some('i'),
            'ó' | 'õ' | 'ö' | 'ô' => Some('o'),
            'ú' | 'ü' => Some('u'),
            'ñ' => Some('n'),
            'ç' => Some('c'),
            'ß' => Some('s'),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use stayzr_core::model::phone_e164;

    use super::*;

    #[test]
    fn every_number_is_valid_in_its_country_and_no_two_people_share_one() {
        let people = people(&mut SplitMix::new(7, "people"), 100);
        let mut seen = BTreeSet::new();
        let mut with_phone = 0;
        for person in &people {
            if let Some(phone) = &person.phone {
                let number = phone_e164(phone, None)
                    .unwrap_or_else(|| panic!("{phone} of {person:?} is no number"));
                assert!(seen.insert(number), "{phone} twice");
                with_phone += 1;
            }
        }
        assert!(with_phone > 80, "{with_phone}");
        let emails: BTreeSet<_> = people.iter().map(|person| &person.email).collect();
        assert_eq!(emails.len(), people.len());
    }

    #[test]
    fn the_same_seed_makes_the_same_people() {
        let people = |seed| people(&mut SplitMix::new(seed, "people"), 20);
        assert_eq!(people(1), people(1));
        assert_ne!(people(1), people(2));
    }
}
