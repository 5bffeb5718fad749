//! Which tools a message needs, decided by its words.

use serde_json::{Value, json};

use super::{
    cues::{
        ADDRESS, AMENITIES, CHECK_IN, CHECK_OUT, CONDITIONS, DEPARTMENTS, MAIL, MISSING, OWN,
        PHONE, TROUBLE, WHEN, WISH,
    },
    dates,
    questions::{asks_openly, questions},
    select,
};
use crate::{
    model::{ChatRequest, ToolRequest},
    router::{classify, lexicon},
    specialists::Specialist,
    text,
};

/// What to do about a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plan {
    /// Call these tools.
    Tools(Vec<ToolRequest>),
    /// Ask for what is not known of a stay.
    AskStay(dates::SpokenStay),
    /// Nothing to look up.
    Talk,
}

/// Plans the tools for the guest's message; `earlier` are his messages before it.
pub(super) fn plan(request: &ChatRequest, message: &str, earlier: &[&str]) -> Plan {
    let mut planner = Planner {
        request,
        calls: Vec::new(),
    };
    let words = text::words(message);
    let route = classify(message);
    if route.human || route.emergency || route.sentiment <= FURY {
        planner.call("hand_off", json!({"reason": clip(message, 200)}));
        return planner.finish();
    }
    let concepts: Vec<&str> = lexicon::named(message)
        .into_iter()
        .map(|(concept, _)| concept.name)
        .collect();
    let arguments = reservation_arguments(message);
    let numbered = arguments != json!({}) && concepts.contains(&"book");
    let own = OWN.is_in(&words) || numbered;
    let changes =
        concepts.contains(&"change or cancel") && !CONDITIONS.is_in(&words) && !asks_openly(&words);
    if own || (changes && route.specialist == Specialist::Booking) {
        planner.call("find_reservation", arguments);
        if changes {
            planner.call(
                "create_service_request",
                json!({"category": "reservations", "description": clip(message, 400)}),
            );
        }
        let asks_terms = CONDITIONS.is_in(&words) && concepts.contains(&"change or cancel");
        if changes || !message.contains('?') || (concepts.iter().all(is_booking) && !asks_terms) {
            return planner.finish();
        }
    }
    if let Some(category) = wish(&words, &concepts) {
        planner.call(
            "create_service_request",
            json!({"category": category, "description": clip(message, 400)}),
        );
        return planner.finish();
    }
    if let Some(category) = complaint(message, &words, &concepts, route.sentiment) {
        planner.call(
            "create_service_request",
            json!({"category": category, "description": clip(message, 400)}),
        );
        return planner.finish();
    }
    if let Some(plan) = stay(&mut planner, message, earlier, &concepts, route.specialist) {
        return plan;
    }
    if is_talk(&concepts, &words, message, route.specialist) {
        return Plan::Talk;
    }
    for question in questions(message) {
        planner.look_up(&question);
    }
    planner.finish()
}

struct Planner<'a> {
    request: &'a ChatRequest,
    calls: Vec<ToolRequest>,
}

impl Planner<'_> {
    /// Adds a call if the tool is offered and not asked the same already.
    fn call(&mut self, name: &str, arguments: Value) {
        let offered = self.request.tools.iter().any(|tool| tool.name == name);
        let asked = self
            .calls
            .iter()
            .any(|call| call.name == name && call.arguments == arguments);
        if offered && !asked && self.calls.len() < 6 {
            self.calls.push(ToolRequest {
                id: format!("offline-{}", self.calls.len()),
                name: name.to_owned(),
                arguments,
            });
        }
    }

    /// Facts of the property where they are asked for, and the documents.
    fn look_up(&mut self, question: &str) {
        let words = text::words(question);
        let asks_when = WHEN.is_in(&words);
        let mut topics = Vec::new();
        if ADDRESS.is_in(&words) {
            topics.push("address");
        }
        if PHONE.is_in(&words) {
            topics.push("phone");
        }
        if MAIL.is_in(&words) {
            topics.push("email");
        }
        let special = words.iter().any(|word| {
            matches!(
                word.as_str(),
                "late" | "early" | "spa" | "luggage" | "online" | "cost" | "costs" | "much"
            )
        });
        if asks_when && !special && CHECK_IN.is_in(&words) {
            topics.push("check_in");
        }
        if asks_when && !special && CHECK_OUT.is_in(&words) {
            topics.push("check_out");
        }
        if !topics.is_empty() {
            self.call("property_facts", json!({"topics": topics}));
        }
        self.call("search_knowledge", json!({"query": query(question)}));
        // What the property says of its amenities, for what the documents leave out.
        if topics.is_empty() {
            let named: Vec<&str> = lexicon::named(question)
                .into_iter()
                .map(|(concept, _)| concept.name)
                .filter(|name| AMENITIES.contains(name))
                .collect();
            if !named.is_empty() {
                self.call("property_facts", json!({"topics": named}));
            }
        }
    }

    fn finish(self) -> Plan {
        if self.calls.is_empty() {
            Plan::Talk
        } else {
            Plan::Tools(self.calls)
        }
    }
}

/// A message of this mood or worse is for a person.
const FURY: f64 = -0.9;

/// A message of a worse mood than this is a complaint.
const COMPLAINT: f64 = -0.3;

/// Guides of the area seldom say that a place is nearby.
const AROUND: &str = "local guide nearby";

/// The question as it is searched: foreign words get their English names beside them.
fn query(question: &str) -> String {
    let english =
        crate::router::detect_language(question).is_none_or(|language| language.language() == "en");
    let glosses = select::glosses(question);
    let around = glosses.contains(&AROUND);
    if glosses.is_empty() || (english && !around) {
        return question.to_owned();
    }
    format!("{question} ({})", glosses.join(", "))
}

fn is_booking(concept: &&str) -> bool {
    matches!(
        *concept,
        "book"
            | "stay"
            | "room price"
            | "change or cancel"
            | "guests and nights"
            | "arrival"
            | "departure"
            | "greeting"
            | "thanks"
            | "repeat"
    )
}

fn reservation_arguments(message: &str) -> Value {
    // A number of a reservation has digits, and letters or five digits at least.
    let number = message
        .split(|c: char| !(c.is_alphanumeric() || c == '-'))
        .find(|token| {
            let digits = token.chars().filter(char::is_ascii_digit).count();
            let letters = token.chars().filter(char::is_ascii_uppercase).count();
            digits >= 5 || (digits >= 3 && letters >= 1)
        });
    number.map_or_else(|| json!({}), |number| json!({"number": number}))
}

fn wish(words: &[String], concepts: &[&str]) -> Option<&'static str> {
    let missing = MISSING.is_in(words) && !asks_openly(words);
    let troubled = missing || concepts.iter().any(|name| TROUBLE.contains(name));
    let wished = WISH.is_in(words)
        || words
            .last()
            .is_some_and(|word| matches!(word.as_str(), "please" | "bitte" | "favor" | "plait"));
    if !wished && (!troubled || asks_openly(words)) {
        return None;
    }
    // Rooms are asked for with the same words as towels, and are not sent up.
    if concepts.contains(&"stay") && !troubled {
        return None;
    }
    DEPARTMENTS
        .iter()
        .find(|(concept, _)| concepts.contains(concept))
        .map(|(_, department)| *department)
        .filter(|department| *department != "reservations")
}

/// Who deals with what a guest complains of without asking anything: reception, where it is no
/// one else's.
fn complaint(
    message: &str,
    words: &[String],
    concepts: &[&str],
    sentiment: f64,
) -> Option<&'static str> {
    if sentiment >= COMPLAINT || message.contains('?') || asks_openly(words) {
        return None;
    }
    let department = DEPARTMENTS
        .iter()
        .find(|(concept, _)| concepts.contains(concept))
        .map(|(_, department)| *department);
    Some(department.unwrap_or("reception"))
}

fn stay(
    planner: &mut Planner<'_>,
    message: &str,
    earlier: &[&str],
    concepts: &[&str],
    specialist: Specialist,
) -> Option<Plan> {
    let today = planner.request.brief.today;
    let spoken = dates::stay(message, today);
    let wants_room = concepts
        .iter()
        .any(|name| matches!(*name, "stay" | "room price"))
        || (concepts.contains(&"book")
            && !concepts.iter().any(|name| {
                matches!(
                    *name,
                    "tables and appointments"
                        | "spa"
                        | "restaurant"
                        | "parking"
                        | "gym"
                        | "pool"
                        | "change or cancel"
                        | "transport"
                        | "meetings"
                        | "laundry"
                        | "breakfast"
                )
            }));
    let before = earlier
        .iter()
        .rev()
        .take(4)
        .map(|message| dates::stay(message, today))
        .fold(dates::SpokenStay::default(), |known, older| known.or(older));
    // `12 to 15 May` answers the question for dates, and `two of us` the one for persons.
    let dated = spoken.arrival.is_some() && spoken.departure.is_some();
    let asked = earlier
        .last()
        .is_some_and(|message| wants_stay(message, today));
    let completes = asked && (spoken.arrival.is_some() || spoken.persons.is_some());
    let answers = (dated || completes) && concepts.iter().all(is_booking);
    if !(wants_room && specialist == Specialist::Booking || answers) {
        return None;
    }
    if CONDITIONS.is_in(&text::words(message)) {
        return None;
    }
    let stay = spoken.or(before);
    let (Some(arrival), Some(departure), Some(persons)) =
        (stay.arrival, stay.departure, stay.persons)
    else {
        return Some(Plan::AskStay(stay));
    };
    let arguments = json!({
        "arrival": arrival.to_string(),
        "departure": departure.to_string(),
        "persons": persons,
    });
    planner.call("check_availability", arguments.clone());
    planner.call("quote", arguments);
    if planner.calls.is_empty() {
        return Some(Plan::AskStay(stay));
    }
    Some(Plan::Tools(std::mem::take(&mut planner.calls)))
}

/// Whether a message asks for a room, or gives dates or persons for one.
fn wants_stay(message: &str, today: chrono::NaiveDate) -> bool {
    let named = lexicon::named(message);
    let asks = named
        .iter()
        .any(|(concept, _)| matches!(concept.name, "stay" | "room price" | "book"));
    let stay = dates::stay(message, today);
    let tells = stay.arrival.is_some() || stay.persons.is_some();
    (asks || tells) && named.iter().all(|(concept, _)| is_booking(&concept.name))
}

fn is_talk(concepts: &[&str], words: &[String], message: &str, specialist: Specialist) -> bool {
    let chat_only = concepts
        .iter()
        .all(|name| matches!(*name, "greeting" | "thanks" | "farewell" | "repeat"));
    let topics = words
        .iter()
        .filter(|word| !text::is_stop_word(word))
        .count();
    chat_only
        && specialist == Specialist::Concierge
        && !message.contains('?')
        && (!concepts.is_empty() || topics <= 3)
}

/// At most so many characters, on one line.
fn clip(message: &str, limit: usize) -> String {
    message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(limit)
        .collect::<String>()
        .trim()
        .to_owned()
}
