//! What a sentence is about, so that a claim is held against the sentences that speak of the same
//! thing.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use crate::{router::lexicon, text};

/// Words that every sentence about a hotel may hold.
const GENERIC: &str = "hotel hotels guest guests house guesthouse inn property place location site onsite \
    premises establishment motel hostel lodge available unavailable availability offer \
    offers offered offering provide provides provided providing service services facility \
    facilities amenity amenities option options yes no sorry unfortunately afraid currently \
    moment time here free paid charge extra additional allow allowed allows permit permitted \
    welcome accept accepts accepted stay use used using need needed require required \
    requires let just only also well sure certainly absolutely definitely indeed however \
    though although but per day daily every all not none never cannot can't don't doesn't \
    isn't aren't won't didn't doen't own their there's it's they're that's list listed see \
    says say look make made including include includes inside san francisco cambridge these \
    those being more other one within between starts begins open closed cost costs price hi \
    hello okay ok great wonderful nice very really still now until till able might does area \
    areas kind type policy customers patrons folks possess feature features located existing";

/// Words that say the same in a hotel. The first of a line stands for all.
const SAME: &str = "\
wifi wi fi internet wireless wlan
lift elevator lifts elevators
pool pools swimming swim
gym fitness workout exercise
child children kid kids toddler baby minors
pet pets dog dogs cat cats animal animals
luggage baggage bag bags bell suitcase suitcases
disability disabled disabilities wheelchair wheelchairs accessible access accessibility handicap handicapped ramp
smoking smoke smoker smokers nonsmoking cigarette
parking park car cars garage street
reservation reservations reserve reserved booking book bookings
bed beds cot cots crib rollaway
payment payments pay card cards credit visa mastercard master amex american cash paypal method methods
restaurant restaurants bar bars dining
kitchen kitchens cook cooking kitchenette appliances stove maker microwave
meeting meetings banquet conference convention conventions event events
language languages speak speaks spoken english spanish german french italian hindi russian portuguese
desk reception attendant front
shuttle shuttles transfer airport
laundry washing laundromat
iron ironing
cleaning housekeeping clean cleaned housekeeper maid
breakfast breakfasts meal continental
deposit deposits
heating heated heat heater
safe safety box boxes
spa spas
age ages aged old
checkin checkout
concierge
dry";

/// What a sentence is about: stems, with one word for all that say the same, and the concepts it
/// names in any language.
pub(super) fn topics(sentence: &str) -> HashSet<String> {
    let words = text::words(&text::join_compounds(sentence));
    let mut topics: HashSet<String> = words
        .iter()
        .filter(|word| {
            word.len() > 1
                && !text::is_stop_word(word)
                && !GENERIC_WORDS.contains(word.as_str())
                && !word.chars().any(|c| c.is_ascii_digit())
        })
        .map(|word| canonical(word))
        .collect();
    for concept in concepts(sentence) {
        topics.insert(format!("#{concept}"));
    }
    topics
}

/// Words of proper names in a sentence, folded: runs of capitals that hold a word for a house, and
/// capitalised words that are no topic by themselves. That a claim and a source share the name of
/// the hotel says nothing about what they are about.
pub(super) fn names(sentence: &str) -> HashSet<String> {
    const HOUSE: &[&str] = &[
        "hotel",
        "inn",
        "house",
        "guesthouse",
        "hostel",
        "lodge",
        "motel",
        "suites",
        "b&b",
        "club",
        "breakfast",
        "residence",
        "resort",
        "palace",
        "court",
        "marriott",
        "belfry",
    ];
    const BETWEEN: &[&str] = &["and", "by", "of", "&", "the"];
    let mut names = HashSet::new();
    let mut run: Vec<String> = Vec::new();
    let mut close = |run: &mut Vec<String>| {
        let is_house = run.len() > 1 && run.iter().any(|word| HOUSE.contains(&word.as_str()));
        for word in run.drain(..) {
            if is_house || !is_topic(&word) {
                names.insert(canonical(&word));
            }
        }
    };
    for piece in sentence.split_whitespace() {
        let ends = piece.ends_with(['.', ',', '?', '!', ':', ';']);
        let folded = text::words(piece);
        let capital = piece
            .chars()
            .find(|c| c.is_alphanumeric())
            .is_some_and(char::is_uppercase);
        if capital {
            run.extend(folded);
        } else if run.is_empty() || !BETWEEN.contains(&piece) {
            close(&mut run);
        }
        if ends {
            close(&mut run);
        }
    }
    close(&mut run);
    names
}

/// Whether one of the topics is known to name something of a hotel.
pub(super) fn has_known(topics: &HashSet<String>) -> bool {
    topics
        .iter()
        .any(|topic| SAME_WORDS.contains_key(topic.as_str()))
}

/// Whether a word is known to name something of a hotel.
fn is_topic(word: &str) -> bool {
    SAME_WORDS.contains_key(word) || concepts(word).next().is_some()
}

static GENERIC_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| GENERIC.split_whitespace().collect());

/// Each word of [`SAME`] with the one that stands for it.
static SAME_WORDS: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    SAME.lines()
        .filter_map(|line| line.split_whitespace().next().map(|first| (first, line)))
        .flat_map(|(first, line)| line.split_whitespace().map(move |word| (word, first)))
        .collect()
});

fn canonical(word: &str) -> String {
    SAME_WORDS
        .get(word)
        .map_or_else(|| text::stem(word), |first| (*first).to_owned())
}

fn concepts(sentence: &str) -> impl Iterator<Item = &'static str> {
    lexicon::named(sentence)
        .into_iter()
        .map(|(concept, _)| concept)
        .filter(|concept| !concept.gloss.is_empty())
        .map(|concept| concept.name)
}

/// How many topics of the claim the other text has, and how many the claim has. Concepts count
/// only where no word does, so that a translation is not measured by its words.
pub(super) fn shared(
    claim: &HashSet<String>,
    names: &HashSet<String>,
    other: &HashSet<String>,
) -> (usize, usize) {
    let plain = |topic: &&String| !topic.starts_with('#') && !names.contains(*topic);
    let words = claim.iter().filter(plain).count();
    let hits = claim
        .iter()
        .filter(plain)
        .filter(|topic| {
            other.contains(*topic)
                || (topic.len() >= 5
                    && other.iter().any(|word| {
                        word.len() >= 5
                            && (word.starts_with(topic.as_str())
                                || topic.starts_with(word.as_str())
                                || (topic.len() >= 6 && strsim_close(topic, word)))
                    }))
        })
        .count();
    (hits, words)
}

/// One letter more, less or other: a slip of the pen.
fn strsim_close(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let tail = a
        .iter()
        .rev()
        .zip(b.iter().rev())
        .take_while(|(x, y)| x == y)
        .count();
    head + tail + 1 >= a.len().max(b.len())
}

/// Concepts that both name.
pub(super) fn shared_concepts(claim: &HashSet<String>, other: &HashSet<String>) -> usize {
    claim
        .iter()
        .filter(|topic| topic.starts_with('#') && other.contains(*topic))
        .count()
}
