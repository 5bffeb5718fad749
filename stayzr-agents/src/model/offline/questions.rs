//! The parts of a message that each ask something.

use super::select;
use crate::{router::lexicon, text};

/// The questions of a message: sentences, and halves joined by `and` that each ask something.
pub(super) fn questions(message: &str) -> Vec<String> {
    const JOINTS: &[&str] = &[" and ", " und ", " e ", " y ", " et ", " en ", "; "];
    const STARTS: &[&str] = &[
        "what", "what's", "when", "where", "which", "who", "how", "is", "are", "do", "does", "can",
        "wann", "wo", "wie", "was", "welche", "gibt", "kann", "qual", "quando", "onde", "como",
        "quanto", "a", "cual", "cuando", "donde", "cuanto", "hay", "quel", "quelle", "quand", "ou",
        "combien", "comment", "quale", "dove", "che", "wat", "wanneer", "waar", "hoe", "ha", "c",
    ];
    let mut found = Vec::new();
    let sentences = text::sentences(message);
    // What is told before a question is no question of its own.
    let asks = |sentence: &&str| sentence.ends_with('?') || asks_openly(&text::words(sentence));
    let only_asking = sentences.iter().any(asks);
    for sentence in sentences
        .iter()
        .filter(|sentence| !only_asking || asks(sentence))
    {
        let mut rest = *sentence;
        'split: loop {
            for joint in JOINTS {
                for (at, _) in rest.match_indices(joint) {
                    let tail = &rest[at + joint.len()..];
                    let words = text::words(tail);
                    let starts = words
                        .first()
                        .is_some_and(|word| STARTS.contains(&word.as_str()));
                    let asks = starts
                        && words
                            .iter()
                            .filter(|word| !text::is_stop_word(word))
                            .count()
                            >= 1;
                    if asks && words.len() >= 3 {
                        found.push(rest[..at].trim().to_owned());
                        rest = tail;
                        continue 'split;
                    }
                }
            }
            break;
        }
        found.push(rest.trim().to_owned());
    }
    // A greeting before the question is no question.
    let meaningful: Vec<String> = found
        .iter()
        .filter(|part| !is_courtesy(part))
        .cloned()
        .collect();
    let parts = if meaningful.is_empty() {
        found
    } else {
        meaningful
    };
    // `… and how much does it cost?` asks about what stands before it.
    let mut joined: Vec<String> = Vec::new();
    for part in parts {
        match joined.last_mut() {
            Some(before) if leans(&part) => {
                before.push(' ');
                before.push_str(&part);
            }
            _ => joined.push(part),
        }
    }
    let mut parts = joined;
    parts.truncate(4);
    parts
}

/// Whether a part only makes sense after the one before: it names nothing, or only `it`.
fn leans(part: &str) -> bool {
    let refers = || {
        text::words(part)
            .iter()
            .any(|word| matches!(word.as_str(), "it" | "they" | "them"))
    };
    select::terms(part).is_empty() || (select::glosses(part).is_empty() && refers())
}

fn is_courtesy(part: &str) -> bool {
    let words = text::words(part);
    words.len() <= 4
        && !part.contains('?')
        && lexicon::named(part)
            .iter()
            .any(|(concept, _)| matches!(concept.name, "greeting" | "thanks" | "farewell"))
}

/// Whether a message asks for knowledge: nobody wishes with `how much`.
pub(super) fn asks_openly(words: &[String]) -> bool {
    words.first().is_some_and(|word| {
        matches!(
            word.as_str(),
            "what"
                | "what's"
                | "when"
                | "where"
                | "which"
                | "who"
                | "how"
                | "is"
                | "are"
                | "do"
                | "does"
                | "wann"
                | "wo"
                | "wie"
                | "was"
                | "welche"
                | "gibt"
                | "qual"
                | "quando"
                | "onde"
                | "quanto"
                | "quantos"
                | "cual"
                | "cuando"
                | "donde"
                | "cuanto"
                | "quel"
                | "quelle"
                | "quand"
                | "combien"
                | "quale"
                | "dove"
                | "wat"
                | "wanneer"
                | "waar"
                | "hoe"
                | "hoeveel"
        )
    })
}
