//! Concepts: what guests ask about, whatever the language.

use std::{collections::HashMap, sync::LazyLock};

use super::words::words;

/// Something guests ask hotels about.
#[derive(Debug, Clone, PartialEq)]
pub struct Concept {
    /// Its name in English, `breakfast` or `room_service`.
    pub name: String,
    /// From 0 to 1: 1 for a topic, less for what says little alone, such as a price or an hour.
    pub weight: f32,
    /// Whether its words are related but not the same: lunch and dinner, towels and cleaning.
    pub is_family: bool,
}

/// Where a concept stands in a list of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConceptMatch {
    /// Its place in [`concepts`].
    pub concept: usize,
    /// The first of its words.
    pub start: usize,
    /// How many words it takes.
    pub len: usize,
}

struct Pattern {
    concept: usize,
    /// The words and whether each matches by its beginning only.
    parts: Vec<(String, bool)>,
}

struct Lexicon {
    concepts: Vec<Concept>,
    patterns: Vec<Pattern>,
    /// Patterns by their first word, where it matches whole.
    whole: HashMap<String, Vec<usize>>,
    /// Patterns by their first word, where it matches by its beginning.
    beginning: HashMap<String, Vec<usize>>,
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| parse(include_str!("concepts.txt")));

fn parse(text: &str) -> Lexicon {
    let mut lexicon = Lexicon {
        concepts: Vec::new(),
        patterns: Vec::new(),
        whole: HashMap::new(),
        beginning: HashMap::new(),
    };
    for line in text.lines() {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        if !line.starts_with(' ') {
            let mut parts = line.split(' ');
            lexicon.concepts.push(Concept {
                name: parts.next().unwrap_or_default().to_owned(),
                weight: parts.next().and_then(|it| it.parse().ok()).unwrap_or(1.0),
                is_family: parts.next() == Some("family"),
            });
            continue;
        }
        let list = line.split_once(": ").map_or("", |(_, list)| list);
        for phrase in list.split(',') {
            let parts: Vec<(String, bool)> = phrase
                .split_whitespace()
                .flat_map(|part| {
                    let open = part.ends_with('*');
                    let folded = words(part.trim_end_matches('*'));
                    let last = folded.len().saturating_sub(1);
                    folded
                        .into_iter()
                        .enumerate()
                        .map(move |(at, word)| (word, open && at == last))
                        .collect::<Vec<_>>()
                })
                .collect();
            let Some((first, open)) = parts.first().cloned() else {
                continue;
            };
            let index = if open {
                &mut lexicon.beginning
            } else {
                &mut lexicon.whole
            };
            index.entry(first).or_default().push(lexicon.patterns.len());
            lexicon.patterns.push(Pattern {
                concept: lexicon.concepts.len() - 1,
                parts,
            });
        }
    }
    lexicon
}

/// All concepts.
pub fn concepts() -> &'static [Concept] {
    &LEXICON.concepts
}

/// The concepts in a list of folded words (see [`words`](super::words())), in order of place.
/// Overlapping ones are all given: "late check out" is about leaving and about leaving late.
pub fn match_concepts(list: &[impl AsRef<str>]) -> Vec<ConceptMatch> {
    let mut found: Vec<ConceptMatch> = Vec::new();
    for (start, word) in list.iter().enumerate() {
        let word = word.as_ref();
        let beginnings = word
            .char_indices()
            .map(|(at, c)| &word[..at + c.len_utf8()])
            .filter_map(|beginning| LEXICON.beginning.get(beginning));
        for &pattern in LEXICON
            .whole
            .get(word)
            .into_iter()
            .chain(beginnings)
            .flatten()
        {
            let Pattern { concept, parts } = &LEXICON.patterns[pattern];
            let rest = &list[start + 1..];
            let holds = parts.len() - 1 <= rest.len()
                && parts[1..].iter().zip(rest).all(|((part, open), word)| {
                    let word = word.as_ref();
                    word == part || (*open && word.starts_with(part.as_str()))
                });
            if !holds {
                continue;
            }
            let len = parts.len();
            match found
                .iter_mut()
                .find(|seen| seen.concept == *concept && seen.start == start)
            {
                Some(seen) => seen.len = seen.len.max(len),
                None => found.push(ConceptMatch {
                    concept: *concept,
                    start,
                    len,
                }),
            }
        }
    }
    found
}

/// The concept whose word is spelled almost like this one: one slip in five to seven letters, two
/// in eight or more, the first letter right. For words that are known to be nothing else.
pub fn nearest_concept(word: &str) -> Option<usize> {
    let length = word.chars().count();
    let allowed = match length {
        0..5 => return None,
        5..8 => 1,
        _ => 2,
    };
    let first = word.chars().next()?;
    LEXICON
        .patterns
        .iter()
        .filter(|pattern| pattern.parts.len() == 1)
        .filter_map(|pattern| {
            let (part, _) = &pattern.parts[0];
            let near = part.starts_with(first)
                && part.len() >= 5
                && part.len().abs_diff(word.len()) <= allowed;
            let slips = near.then(|| strsim::osa_distance(part, word))?;
            (slips <= allowed).then_some((slips, pattern.concept))
        })
        .min()
        .map(|(_, concept)| concept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&'static str> {
        let mut names: Vec<_> = match_concepts(&words(text))
            .into_iter()
            .map(|found| concepts()[found.concept].name.as_str())
            .collect();
        names.dedup();
        names
    }

    #[test]
    fn one_concept_in_many_languages() {
        for text in [
            "When is breakfast?",
            "A que horas é o pequeno-almoço?",
            "Wann gibt es Frühstück?",
            "¿Cuándo es el desayuno?",
            "À quelle heure est le petit-déjeuner ?",
            "A che ora è la colazione?",
            "早餐几点",
            "朝食は何時ですか",
        ] {
            assert!(
                names(text).contains(&"breakfast"),
                "{text}: {:?}",
                names(text)
            );
        }
    }

    #[test]
    fn words_in_order_are_one_concept() {
        assert!(names("can I check out late").contains(&"checkout"));
        assert!(!names("check the room").contains(&"checkout"));
        assert!(names("Gibt es WLAN").contains(&"wifi"));
        assert!(names("is there Wi-Fi").contains(&"wifi"));
    }

    #[test]
    fn slips_of_the_pen_are_forgiven() {
        let name = |word| nearest_concept(word).map(|at| concepts()[at].name.as_str());
        assert_eq!(name("brekfast"), Some("breakfast"));
        assert_eq!(name("parkign"), Some("parking"));
        assert_eq!(name("helicopter"), None);
    }
}
