//! One question read several ways, before anything is searched.

use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::lexicon::{Analysis, Class, analyse, concepts, match_concepts, words};

/// Who said a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// The guest.
    Guest,
    /// The hotel: staff or machine.
    Hotel,
}

/// Something said before the question.
///
/// Read from JSON as `{"speaker":"guest","text":"…"}`, as `{"role":"user","content":"…"}` or as a
/// line that may begin with `U:` or `S:`; without a mark the guest said it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// Who said it.
    pub speaker: Speaker,
    /// What was said.
    pub text: String,
}

impl Turn {
    /// A turn of a line such as `U: And on Sundays?`.
    pub fn parse(line: &str) -> Self {
        let (mark, rest) = line.split_once(':').unwrap_or(("", line));
        let (speaker, text) = match mark.trim().to_ascii_lowercase().as_str() {
            "s" | "system" | "assistant" | "hotel" | "staff" => (Speaker::Hotel, rest),
            "u" | "user" | "guest" => (Speaker::Guest, rest),
            _ => (Speaker::Guest, line),
        };
        Self {
            speaker,
            text: text.trim().to_owned(),
        }
    }
}

impl<'de> Deserialize<'de> for Turn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TurnVisitor;

        impl<'de> de::Visitor<'de> for TurnVisitor {
            type Value = Turn;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a line of a conversation, or an object with speaker and text")
            }

            fn visit_str<E: de::Error>(self, line: &str) -> Result<Turn, E> {
                Ok(Turn::parse(line))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Turn, A::Error> {
                #[derive(Deserialize)]
                struct Parts {
                    #[serde(alias = "role", alias = "author", default)]
                    speaker: String,
                    #[serde(alias = "content")]
                    text: String,
                }
                let parts = Parts::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let marked = Turn::parse(&format!("{}:", parts.speaker));
                Ok(Turn {
                    speaker: marked.speaker,
                    text: parts.text,
                })
            }
        }

        deserializer.deserialize_any(TurnVisitor)
    }
}

/// One way to read a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Pass {
    /// What is searched.
    pub text: String,
    /// How much its scores count, from 0 to 1: less the further the reading is from the words.
    pub weight: f64,
    /// Which part of the question it is about, from 0; none where it is about all of it.
    pub part: Option<usize>,
}

/// The most parts that one message is taken apart into.
const MAX_PARTS: usize = 4;

/// How far back a follow-up looks for what it is about, in guest turns.
const MAX_TURNS_BACK: usize = 4;

/// The readings of a question: whole; each part by itself where it asks several things; together
/// with the guest's turn before where it only makes sense so ("And on Sundays?"); and by the English
/// names of its concepts where it is in another language.
pub fn plan(question: &str, history: &[Turn]) -> Vec<Pass> {
    let analysis = analyse(question);
    let mut passes = vec![Pass {
        text: question.trim().to_owned(),
        weight: 1.0,
        part: None,
    }];
    let parts = parts(question);
    if parts.len() > 1 {
        passes.extend(parts.into_iter().enumerate().map(|(part, text)| Pass {
            text,
            weight: 0.97,
            part: Some(part),
        }));
    }
    if leans_on_history(question, &analysis)
        && let Some(before) = subject_before(history)
    {
        // The question alone says too little to count fully.
        passes[0].weight = 0.6;
        passes.push(Pass {
            text: format!("{before} {}", question.trim()),
            weight: 1.0,
            part: None,
        });
    }
    if analysis.is_foreign {
        let names: BTreeSet<&str> = analysis
            .concepts
            .iter()
            .map(|found| concepts()[found.concept].name.as_str())
            .collect();
        if !names.is_empty() {
            let text = names
                .into_iter()
                .collect::<Vec<_>>()
                .join(" ")
                .replace('_', " ");
            passes.push(Pass {
                text,
                weight: 0.85,
                part: None,
            });
        }
    }
    passes
}

/// Topics of a text: concepts that say something by themselves.
fn topics(text: &str) -> BTreeSet<usize> {
    match_concepts(&words(text))
        .iter()
        .map(|found| found.concept)
        .filter(|concept| concepts()[*concept].weight >= 0.8)
        .collect()
}

/// The last thing the guest spoke about, if any.
fn subject_before(history: &[Turn]) -> Option<&str> {
    history
        .iter()
        .rev()
        .filter(|turn| turn.speaker == Speaker::Guest)
        .take(MAX_TURNS_BACK)
        .find(|turn| !topics(&turn.text).is_empty())
        .map(|turn| turn.text.trim())
}

/// Whether a question only makes sense after another: it names no topic and says little.
fn leans_on_history(question: &str, analysis: &Analysis) -> bool {
    if !topics(question).is_empty() {
        return false;
    }
    let telling = analysis
        .terms
        .iter()
        .filter(|term| term.class == Class::Content)
        .count();
    telling <= 1 || (telling <= 4 && begins_as_follow_up(question))
}

fn begins_as_follow_up(question: &str) -> bool {
    const OPENINGS: &[&str] = &[
        "and",
        "what about",
        "how about",
        "or",
        "but",
        "also",
        "is it",
        "is that",
        "does it",
        "e",
        "y",
        "et",
        "und",
        "ed",
        "en",
        "ou",
        "o",
        "oder",
        "mas",
        "pero",
        "mais",
        "aber",
        "ma",
    ];
    let folded = crate::lexicon::fold(question.trim_start_matches(['¿', '¡', ' ']));
    OPENINGS.iter().any(|opening| {
        folded
            .strip_prefix(opening)
            .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
    })
}

/// The parts of a question that asks several things, in order; one part if it asks one. It is cut
/// at ends of sentences, and at "and" and its like where both sides are about different topics.
fn parts(question: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    for sentence in question.split_inclusive(['?', '!', '\n', ';', '？', '。']) {
        for piece in by_conjunction(sentence) {
            let fresh = topics(&piece);
            if fresh.is_empty() || fresh.is_subset(&seen) {
                continue;
            }
            seen.extend(fresh);
            found.push(piece);
        }
    }
    found.truncate(MAX_PARTS);
    found
}

fn by_conjunction(sentence: &str) -> Vec<String> {
    const JOINTS: &[&str] = &[
        "and",
        "e",
        "y",
        "et",
        "und",
        "en",
        "also",
        "plus",
        "außerdem",
        "também",
        "além",
    ];
    let mut pieces: Vec<(String, BTreeSet<usize>)> = Vec::new();
    let mut current: Vec<&str> = Vec::new();
    let close = |current: &mut Vec<&str>, pieces: &mut Vec<(String, BTreeSet<usize>)>| {
        let text = current.join(" ");
        current.clear();
        let about = topics(&text);
        match pieces.last_mut() {
            // Without a topic of its own, or with a shared one, it belongs to what went before.
            Some((before, known))
                if about.is_empty() || known.is_empty() || !about.is_disjoint(known) =>
            {
                before.push(' ');
                before.push_str(&text);
                known.extend(about);
            }
            _ if !text.trim().is_empty() => pieces.push((text, about)),
            _ => {}
        }
    };
    for word in sentence.split_whitespace() {
        if JOINTS.contains(&word.to_lowercase().as_str()) {
            close(&mut current, &mut pieces);
            continue;
        }
        current.push(word);
        if word.ends_with(',') {
            close(&mut current, &mut pieces);
        }
    }
    close(&mut current, &mut pieces);
    pieces.into_iter().map(|(text, _)| text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(question: &str, history: &[&str]) -> Vec<String> {
        let history: Vec<Turn> = history.iter().map(|line| Turn::parse(line)).collect();
        plan(question, &history)
            .into_iter()
            .map(|pass| pass.text)
            .collect()
    }

    #[test]
    fn two_questions_in_one_are_also_asked_apart() {
        assert_eq!(
            texts(
                "When is breakfast and what's the wifi password policy?",
                &[]
            ),
            [
                "When is breakfast and what's the wifi password policy?",
                "When is breakfast",
                "what's the wifi password policy?",
            ]
        );
        assert_eq!(texts("Where is the pool? Is there parking?", &[]).len(), 3);
    }

    #[test]
    fn one_question_stays_whole() {
        assert_eq!(texts("Is breakfast included and good?", &[]).len(), 1);
        assert_eq!(texts("Is it a calm and quiet place?", &[]).len(), 1);
    }

    #[test]
    fn a_follow_up_takes_its_subject_from_the_guest_before() {
        let history = [
            "U: When is breakfast?",
            "S: From 7:00 to 10:30. The pool opens at 9.",
        ];
        assert_eq!(
            texts("And on Sundays?", &history),
            ["And on Sundays?", "When is breakfast? And on Sundays?"]
        );
        assert_eq!(
            texts("And is there parking?", &history),
            ["And is there parking?"]
        );
        assert_eq!(texts("And on Sundays?", &[]), ["And on Sundays?"]);
    }

    #[test]
    fn another_language_is_also_asked_by_its_concepts() {
        let passes = texts("A que horas é servido o pequeno-almoço?", &[]);
        assert!(
            passes.iter().any(|text| text.contains("breakfast")),
            "{passes:?}"
        );
    }

    #[test]
    fn history_is_read_in_the_forms_people_send() {
        let turns: Vec<Turn> = serde_json::from_str(
            r#"["U: a", "S: b", "c", {"speaker":"hotel","text":"d"}, {"role":"user","content":"e"}]"#,
        )
        .unwrap();
        let read: Vec<_> = turns
            .iter()
            .map(|turn| (turn.speaker == Speaker::Guest, turn.text.as_str()))
            .collect();
        assert_eq!(
            read,
            [
                (true, "a"),
                (false, "b"),
                (true, "c"),
                (false, "d"),
                (true, "e")
            ]
        );
    }
}
