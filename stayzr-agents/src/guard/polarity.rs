//! Whether a sentence says that something is so or is not so.

use std::{collections::HashSet, sync::LazyLock};

use crate::text;

const NEGATORS: &str = "not no none never cannot without neither nor nobody nothing nonsmoking against lacks \
    lack don't doesn't doen't isn't aren't won't can't didn't haven't hasn't wasn't couldn't \
    shouldn't dont doesnt isnt cant restricted non nicht kein keine keinen keiner keinem nie \
    ohne nao nenhum nenhuma nunca sem sin ningun ninguna ninguno tampoco pas aucun \
    aucune jamais sans nessun nessuna nessuno mai senza niet geen nooit zonder ne";

static NEGATOR_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| NEGATORS.split_whitespace().collect());

/// The two sides of what a thing costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    Free,
    Paid,
    Unsaid,
}

/// What a sentence says, apart from its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stance {
    /// The particle it begins with: yes, no.
    pub(super) particle: Option<bool>,
    /// Whether its body denies.
    pub(super) denies: bool,
    /// What it says about the cost.
    pub(super) cost: Cost,
    /// Whether it sets a limit: `only`, `just`, `except`.
    pub(super) limits: bool,
}

/// The stance of a sentence.
pub(super) fn stance(sentence: &str) -> Stance {
    let normal = normalise(sentence);
    let mut words = text::words(&normal);
    let mut particle = take_particle(&mut words, has_comma(&normal));
    // `yes` in the middle of a sentence stands where a `no` stood; at its end it affirms.
    if particle.is_none() && words.last().is_some_and(|word| word == "yes") {
        words.pop();
        particle = Some(true);
    } else if particle.is_none() && words.last().is_some_and(|word| word == "no") {
        words.pop();
        particle = Some(false);
    }
    Stance {
        particle,
        denies: denies(&words),
        cost: cost(&words),
        limits: words.iter().any(|word| {
            matches!(
                word.as_str(),
                "only" | "just" | "except" | "nur" | "apenas" | "solo" | "seulement" | "alleen"
            )
        }),
    }
}

/// Phrases whose negation denies nothing, or that deny without a negator.
fn normalise(sentence: &str) -> String {
    let mut folded = text::fold(sentence);
    for (from, to) in [
        ("no extra charge", "free"),
        ("no additional charge", "free"),
        ("no charge", "free"),
        ("no extra fee", "free"),
        ("no additional fee", "free"),
        ("no fee", "free"),
        ("no cost", "free"),
        ("without charge", "free"),
        ("without extra charge", "free"),
        ("free of charge", "free"),
        ("at no", "free"),
        ("complimentary", "free"),
        ("no age restriction", "any age"),
        ("no restriction", "allowed"),
        ("not restricted", "allowed"),
        ("not have any age restriction", "has any age"),
        ("n't have any age restriction", "has any age"),
        ("not have any restriction", "allowed"),
        ("n't have any restriction", "allowed"),
        ("no limit", "unlimited"),
        ("no problem", "fine"),
        ("no doubt", "surely"),
        ("not only", "also"),
        ("no longer", "not"),
        ("smoke free", "nonsmoking"),
        ("smoke-free", "nonsmoking"),
        ("non smoking", "nonsmoking"),
        ("non-smoking", "nonsmoking"),
        ("non-refundable", "nonrefundable"),
        ("non refundable", "nonrefundable"),
        ("pet-free", "not pets"),
        ("gluten-free", "glutenless"),
        ("gluten free", "glutenless"),
        ("lactose-free", "lactoseless"),
        ("step-free", "stepless"),
        ("nao fumadores", "nonsmoking"),
    ] {
        if folded.contains(from) {
            folded = folded.replace(from, to);
        }
    }
    folded
}

/// Whether a `no` with a comma behind it stands at the beginning.
fn has_comma(folded: &str) -> bool {
    folded
        .split_whitespace()
        .take(4)
        .any(|word| matches!(word, "no," | "nope," | "nein," | "nao," | "non," | "nee,"))
}

/// Takes a leading answer particle off, behind an apology or filler.
fn take_particle(words: &mut Vec<String>, comma: bool) -> Option<bool> {
    const FILLER: &[&str] = &[
        "sorry",
        "i'm",
        "i",
        "am",
        "afraid",
        "unfortunately",
        "well",
        "oh",
        "hi",
        "hello",
        "and",
        "ok",
        "okay",
        "regrettably",
        "but",
    ];
    let at = words
        .iter()
        .take(4)
        .position(|word| !FILLER.contains(&word.as_str()))?;
    let particle = match words[at].as_str() {
        "yes" | "yeah" | "yep" | "sure" | "absolutely" | "certainly" | "definitely" | "ja"
        | "sim" | "oui" => true,
        "no" | "nope" | "nein" | "nao" | "non" | "nee" => {
            // `No pets are allowed` denies; `No, pets are not allowed` answers. Where guests and
            // staff leave the comma out, the word behind it decides.
            let next = words.get(at + 1).map(String::as_str);
            let answers = comma
                || next.is_none()
                || next.is_some_and(|next| {
                    matches!(
                        next,
                        "the"
                            | "this"
                            | "that"
                            | "these"
                            | "they"
                            | "there"
                            | "there's"
                            | "we"
                            | "it"
                            | "you"
                            | "i"
                            | "i'm"
                            | "at"
                            | "our"
                            | "a"
                            | "an"
                            | "your"
                            | "he"
                            | "she"
                            | "sorry"
                            | "unfortunately"
                            | "but"
                    )
                });
            if !answers {
                return None;
            }
            false
        }
        _ => return None,
    };
    words.drain(..=at);
    Some(particle)
}

/// Adjectives that deny; they turn the rest of the sentence round, wherever they stand.
const DENYING: &[&str] = &[
    "unavailable",
    "prohibited",
    "forbidden",
    "unable",
    "excluded",
];

fn denies(words: &[String]) -> bool {
    let turned = words.iter().any(|word| DENYING.contains(&word.as_str()));
    negated(words) != turned
}

/// One negation denies; two next to each other affirm.
fn negated(words: &[String]) -> bool {
    let places: Vec<usize> = words
        .iter()
        .enumerate()
        .filter(|(_, word)| NEGATOR_WORDS.contains(word.as_str()) || word.ends_with("n't"))
        .map(|(at, _)| at)
        .collect();
    match places.as_slice() {
        [] => false,
        [one, two] => two - one > 2 || !cancels(&words[*one]) || !cancels(&words[*two]),
        _ => true,
    }
}

/// Two of these next to each other affirm. In Romance languages two negations are one: `no hay
/// ninguna`, `ne … pas`.
fn cancels(word: &str) -> bool {
    matches!(word, "not" | "no" | "never" | "cannot" | "without") || word.ends_with("n't")
}

fn cost(words: &[String]) -> Cost {
    let has = |forms: &[&str]| words.iter().any(|word| forms.contains(&word.as_str()));
    if has(&[
        "free",
        "included",
        "gratis",
        "gratuito",
        "gratuita",
        "gratuit",
        "gratuite",
        "kostenlos",
        "kostenfrei",
        "inbegriffen",
    ]) {
        Cost::Free
    } else if has(&[
        "paid",
        "charge",
        "charged",
        "charges",
        "fee",
        "cost",
        "costs",
        "price",
        "pay",
        "surcharge",
        "kostenpflichtig",
    ]) {
        Cost::Paid
    } else {
        Cost::Unsaid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denial_is_told_from_the_particle() {
        assert!(stance("No pets are allowed.").denies);
        let answer = stance("No, the hotel does not allow pets.");
        assert_eq!((answer.particle, answer.denies), (Some(false), true));
        assert!(!stance("There is no charge for parking.").denies);
        assert!(!stance("The hotel doesn't do not offer parking.").denies);
        assert_eq!(stance("Parking is paid.").cost, Cost::Paid);
    }
}
