//! Which tools a message needs, decided by its words.

use serde_json::{Value, json};

use super::{dates, select};
use crate::{
    model::{ChatRequest, ToolRequest},
    router::{classify, lexicon},
    specialists::Specialist,
    text::{self, PhraseSet},
};

/// What to do about a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Plan {
    /// Call these tools.
    Tools(Vec<ToolRequest>),
    /// Ask for the dates of a stay.
    AskStay,
    /// Nothing to look up.
    Talk,
}

/// Words of a wish, as opposed to a question about it.
static WISH: PhraseSet = PhraseSet::new(
    "please send, please bring, bring me, bring us, send me, send us, send up, i need, we need, i \
     want, we want, i would like, i'd like, we'd like, we would like, can i have, could i have, \
     can we have, could we have, can i get, could i get, can we get, may i have, can you send, \
     could you send, can you bring, could you bring, can someone, could someone, can somebody, \
     please clean, please fix, book me, order me, call me a, get me, please call, please order, \
     please book, can you call, can you order, can you book, could you book, could you call, \
     could you order, please arrange, wake me, ich brauche, wir brauchen, ich mochte, wir \
     mochten, ich hatte gern, konnen sie, konnten sie, konnten wir, kann ich bitte, bitte \
     bringen, bitte schicken, preciso de, precisamos de, queria, gostaria, quero, pode trazer, \
     podem trazer, pode enviar, podem enviar, pode chamar, podem chamar, pode reservar, necesito, \
     necesitamos, quisiera, quiero, me gustaria, pueden traer, puede traer, pueden enviar, \
     podria, podrian, j ai besoin, nous avons besoin, je voudrais, nous voudrions, pouvez vous, \
     pourriez vous, puis je avoir, ho bisogno, abbiamo bisogno, vorrei, vorremmo, potete, \
     potrebbe, mi serve, ci serve, posso avere, ik heb nodig, ik wil, ik wil graag, wij willen, \
     kunt u, kunnen jullie, zou u, mag ik",
);

/// What is broken or missing is a wish even without a wishing word.
const TROUBLE: &[&str] = &["faults", "locked out"];

/// Departments of the concepts that staff deal with.
const DEPARTMENTS: &[(&str, &str)] = &[
    ("faults", "maintenance"),
    ("locked out", "reception"),
    ("housekeeping", "housekeeping"),
    ("room service", "food_and_beverage"),
    ("transport", "transport"),
    ("luggage", "reception"),
    ("wake-up call", "reception"),
    ("laundry", "housekeeping"),
    ("tables and appointments", "food_and_beverage"),
    ("restaurant", "food_and_beverage"),
    ("spa", "spa"),
    ("room equipment", "housekeeping"),
    ("children", "housekeeping"),
    ("parking", "reception"),
    ("change or cancel", "reservations"),
];

/// Questions about the reservation that the guest already has.
static OWN: PhraseSet = PhraseSet::new(
    "my booking, my reservation, my stay, my room, our booking, our reservation, my current \
     booking, my hotel booking, my existing booking, have a booking, have a reservation, confirm \
     my, booking number, reservation number, meine buchung, meine reservierung, meiner buchung, \
     meiner reservierung, unsere buchung, unsere reservierung, mein zimmer, a minha reserva, \
     minha reserva, nossa reserva, mi reserva, nuestra reserva, ma reservation, notre \
     reservation, mia prenotazione, nostra prenotazione, mijn reservering, mijn boeking, onze \
     reservering",
);

/// Questions about the conditions of a change, which the documents answer.
static CONDITIONS: PhraseSet = PhraseSet::new(
    "how do i cancel, how can i cancel, can i cancel, until when, cancellation policy, cancel a, \
     cancellation fee, free cancellation, stornobedingungen, politica de, bis wann, ate quando, \
     hasta cuando, jusqu a quand, fino a quando, tot wanneer, how late can i cancel, when can i \
     cancel, cancel for free, how late",
);

static ADDRESS: PhraseSet = PhraseSet::new(
    "address, where are you, where is the hotel, your location, how do i find you, adresse, wo \
     liegt das hotel, wo ist das hotel, morada, endereco, onde fica o hotel, direccion, donde \
     esta el hotel, ou est l hotel, ou se trouve l hotel, indirizzo, dove si trova l hotel, dov e \
     l hotel, adres, waar is het hotel",
);
static PHONE: PhraseSet = PhraseSet::new(
    "phone number, telephone number, telephone, your number, telefonnummer, numero de telefone, \
     numero de telefono, numero de telephone, numero di telefono, telefoonnummer",
);
static MAIL: PhraseSet =
    PhraseSet::new("email address, e mail address, your email, your e mail, mail adresse");
static CHECK_IN: PhraseSet = PhraseSet::new(
    "check in, checkin, einchecken, when can i arrive, room ready, inchecken, hora de entrada",
);
static CHECK_OUT: PhraseSet =
    PhraseSet::new("check out, checkout, auschecken, leave the room, uitchecken, hora de salida");
static WHEN: PhraseSet = PhraseSet::new(
    "when, what time, time, until, from, latest, earliest, wann, ab wann, quando, a que horas, \
     que horas, cuando, a que hora, quand, a quelle heure, a che ora, wanneer, hoe laat",
);

/// Concepts whose names are words of amenities and policies.
const AMENITIES: &[&str] = &[
    "spa",
    "gym",
    "pool",
    "restaurant",
    "breakfast",
    "wifi",
    "parking",
    "pets",
    "smoking",
    "laundry",
    "luggage",
    "children",
];

/// Plans the tools for the guest's message; `earlier` are his messages before it.
pub(super) fn plan(request: &ChatRequest, message: &str, earlier: &[&str]) -> Plan {
    let mut planner = Planner {
        request,
        calls: Vec::new(),
    };
    let words = text::words(message);
    let route = classify(message);
    if route.human || route.emergency {
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
        if changes || !message.contains('?') || concepts.iter().all(is_booking) {
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

/// The question as it is searched: foreign words get their English names beside them.
fn query(question: &str) -> String {
    let english =
        crate::router::detect_language(question).is_none_or(|language| language.language() == "en");
    let glosses = select::glosses(question);
    if english || glosses.is_empty() {
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
            | "arrival and departure"
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
    let troubled = concepts.iter().any(|name| TROUBLE.contains(name));
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
    // `12 to 15 May, two of us` answers the question for dates.
    let answers =
        spoken.arrival.is_some() && spoken.departure.is_some() && concepts.iter().all(is_booking);
    if !(wants_room && specialist == Specialist::Booking || answers) {
        return None;
    }
    if CONDITIONS.is_in(&text::words(message)) {
        return None;
    }
    let before = earlier
        .iter()
        .rev()
        .take(4)
        .map(|message| dates::stay(message, today))
        .fold(dates::SpokenStay::default(), |known, older| known.or(older));
    let stay = spoken.or(before);
    let (Some(arrival), Some(departure), Some(persons)) =
        (stay.arrival, stay.departure, stay.persons)
    else {
        return Some(Plan::AskStay);
    };
    let arguments = json!({
        "arrival": arrival.to_string(),
        "departure": departure.to_string(),
        "persons": persons,
    });
    planner.call("check_availability", arguments.clone());
    planner.call("quote", arguments);
    if planner.calls.is_empty() {
        return Some(Plan::AskStay);
    }
    Some(Plan::Tools(std::mem::take(&mut planner.calls)))
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
    for sentence in text::sentences(message) {
        let mut rest = sentence;
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
    let mut parts = if meaningful.is_empty() {
        found
    } else {
        meaningful
    };
    parts.truncate(4);
    parts
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
fn asks_openly(words: &[String]) -> bool {
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
