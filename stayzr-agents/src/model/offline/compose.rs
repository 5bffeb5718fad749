//! Puts a reply together from tool results: quotes with their source, in a frame of the guest's
//! language.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    dates::SpokenStay,
    phrases::{Phrases, counted, fill, phrases},
    select,
};
use crate::{
    model::{ChatMessage, ChatRequest, ToolReply, ToolRequest},
    tool::{
        FoundPassages, FoundReservation, FoundReservations, FreeRooms, Prices, PropertyFactsFound,
        RequestMade,
    },
};

/// Replies stay under this, whatever was found.
const MAX_REPLY: usize = 1_450;

/// A reply from the results of the last round of tools.
pub(super) fn compose(
    request: &ChatRequest,
    calls: &[ToolRequest],
    replies: &[ToolReply],
) -> String {
    let phrases = phrases(request.brief.language.language());
    let searches = replies
        .iter()
        .filter(|reply| reply.name == "search_knowledge")
        .count();
    let mut blocks: Vec<String> = Vec::new();
    let mut missing: Vec<String> = Vec::new();
    let mut quotes = false;
    let mut said: Vec<String> = Vec::new();
    let prices: Option<Prices> = replies
        .iter()
        .find(|reply| reply.name == "quote" && reply.ok)
        .and_then(|reply| read(&reply.content));
    let setting = select::Setting {
        language: phrases.language,
        property: &request.brief.property,
        background: asked_before(&request.messages),
    };
    let mut spare: Vec<String> = Vec::new();
    let facts = replies.iter().any(|reply| {
        reply.name == "property_facts" && reply.ok && !looks_up_amenities(&reply.content)
    });
    for reply in replies {
        let call = calls.iter().find(|call| call.id == reply.id);
        if !reply.ok {
            if reply.name != "quote" {
                blocks.push(phrases.failed.to_owned());
            }
            continue;
        }
        match reply.name.as_str() {
            "search_knowledge" => {
                let Some(found) = read::<FoundPassages>(&reply.content) else {
                    continue;
                };
                let most = if searches <= 2 { 3 } else { 2 };
                match quoted(phrases, &found, most, &setting, &mut said) {
                    Some(block) => {
                        quotes = true;
                        blocks.push(block);
                    }
                    None => missing.push(question_of(call, &found)),
                }
            }
            "property_facts" if looks_up_amenities(&reply.content) => {
                spare.extend(stated(phrases, &reply.content));
            }
            "property_facts" => blocks.extend(stated(phrases, &reply.content)),
            "find_reservation" => blocks.extend(reserved(phrases, &reply.content)),
            "check_availability" => {
                blocks.extend(free(phrases, &reply.content, prices.as_ref()));
            }
            "create_service_request" => {
                if let Some(made) = read::<RequestMade>(&reply.content) {
                    blocks.push(format!("{} “{}”", phrases.passed_on, made.description));
                }
            }
            _ => {}
        }
    }
    if blocks.is_empty() && !spare.is_empty() {
        return join(&spare);
    }
    if blocks.is_empty() {
        return phrases.not_found.to_owned();
    }
    if !facts {
        for part in missing.iter().take(2) {
            blocks.push(fill(phrases.not_found_part, &[part]));
        }
    }
    let mut seen = Vec::new();
    blocks.retain(|block| {
        let new = !seen.contains(block);
        seen.push(block.clone());
        new
    });
    // A search that failed found nothing to introduce.
    if quotes {
        blocks.insert(0, phrases.found.to_owned());
    }
    join(&blocks)
}

/// The guest's message before the one that is answered.
fn asked_before(messages: &[ChatMessage]) -> Option<&str> {
    messages
        .iter()
        .rev()
        .filter_map(|message| match message {
            ChatMessage::Guest { text } => Some(text.as_str()),
            _ => None,
        })
        .nth(1)
}

/// Whether facts are amenities and policies, which documents tell better.
fn looks_up_amenities(content: &Value) -> bool {
    read::<PropertyFactsFound>(content)
        .is_some_and(|found| found.facts.iter().all(|fact| fact.topic.contains(": ")))
}

fn join(blocks: &[String]) -> String {
    let mut reply = String::new();
    for block in blocks {
        if reply.chars().count() + block.chars().count() + 1 > MAX_REPLY {
            continue;
        }
        if !reply.is_empty() {
            reply.push('\n');
        }
        reply.push_str(block);
    }
    reply
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

fn question_of(call: Option<&ToolRequest>, found: &FoundPassages) -> String {
    let asked = call
        .and_then(|call| call.arguments.get("query"))
        .and_then(Value::as_str)
        .unwrap_or(&found.query);
    let shown = select::own_words(asked);
    shown
        .trim_end_matches(['?', '!', '.', ' '])
        .chars()
        .take(80)
        .collect()
}

/// Quotes grouped by document, each group with its source; what was said already is left out.
fn quoted(
    phrases: &Phrases,
    found: &FoundPassages,
    most: usize,
    setting: &select::Setting<'_>,
    said: &mut Vec<String>,
) -> Option<String> {
    let quotes = select::select(&found.query, &found.passages, most, setting);
    if quotes.is_empty() {
        return None;
    }
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for quote in quotes {
        if said.contains(&quote.text) {
            continue;
        }
        said.push(quote.text.clone());
        match lines.iter_mut().find(|(file, _)| *file == quote.file_name) {
            Some((_, texts)) => texts.push(quote.text),
            None => lines.push((quote.file_name, vec![quote.text])),
        }
    }
    let text = lines
        .into_iter()
        .map(|(file, texts)| format!("{} ({}: {file})", texts.join(" "), phrases.source))
        .collect::<Vec<_>>()
        .join("\n");
    Some(text)
}

fn stated(phrases: &Phrases, content: &Value) -> Option<String> {
    let found: PropertyFactsFound = read(content)?;
    let lines: Vec<String> = found
        .facts
        .iter()
        .map(|fact| match fact.topic.as_str() {
            "address" => format!("{}: {}", phrases.address, fact.text),
            "phone" => format!("{}: {}", phrases.phone, fact.text),
            "email" => format!("E-mail: {}", fact.text),
            "check_in" => format!("{} {}", phrases.check_in, fact.text),
            "check_out" => format!("{} {}", phrases.check_out, fact.text),
            _ => fact.text.clone(),
        })
        .collect();
    (!lines.is_empty()).then(|| format!("{}: {}", found.property, lines.join(" · ")))
}

fn reserved(phrases: &Phrases, content: &Value) -> Option<String> {
    let found: FoundReservations = read(content)?;
    if found.reservations.is_empty() {
        return Some(phrases.no_reservation.to_owned());
    }
    let mut lines = vec![phrases.reservation.to_owned()];
    lines.extend(
        found
            .reservations
            .iter()
            .take(3)
            .map(|reservation| reservation_line(phrases, reservation)),
    );
    Some(lines.join("\n"))
}

fn reservation_line(phrases: &Phrases, reservation: &FoundReservation) -> String {
    let status = match reservation.status.as_str() {
        "tentative" => phrases.status[0],
        "confirmed" => phrases.status[1],
        "in_house" => phrases.status[2],
        "departed" => phrases.status[3],
        "cancelled" => phrases.status[4],
        "no_show" => phrases.status[5],
        other => other,
    };
    let persons = counted(phrases.persons, reservation.persons);
    [
        reservation.number.clone(),
        reservation.room_type.clone(),
        reservation
            .room
            .as_ref()
            .map(|room| format!("{} {room}", phrases.room)),
        Some(format!(
            "{} – {}",
            reservation.arrival, reservation.departure
        )),
        Some(persons),
        Some(status.to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(", ")
}

fn free(phrases: &Phrases, content: &Value, prices: Option<&Prices>) -> Option<String> {
    let found: FreeRooms = read(content)?;
    let persons = counted(phrases.persons, found.persons);
    let (arrival, departure) = (found.arrival.to_string(), found.departure.to_string());
    let values = [arrival.as_str(), departure.as_str(), persons.as_str()];
    if found.rooms.is_empty() {
        return Some(fill(phrases.none_free, &values));
    }
    let mut lines = vec![fill(phrases.free, &values)];
    for room in found.rooms.iter().take(6) {
        let price = prices
            .into_iter()
            .flat_map(|prices| &prices.prices)
            .filter(|price| price.room_type == room.room_type)
            .map(|price| format!("{} ({})", price.total, price.rate))
            .take(2)
            .collect::<Vec<_>>()
            .join(", ");
        let free = counted(phrases.rooms_free, room.free);
        lines.push(if price.is_empty() {
            format!("{}: {free}", room.room_type)
        } else {
            format!("{}: {free}, {price}", room.room_type)
        });
    }
    if prices.is_none_or(|prices| prices.prices.is_empty()) {
        lines.push(phrases.no_price.to_owned());
    }
    Some(lines.join("\n"))
}

/// What to say where nothing was looked up.
pub(super) fn talk(request: &ChatRequest, message: &str) -> String {
    let phrases = phrases(request.brief.language.language());
    let named = crate::router::lexicon::named(message);
    let says = |name: &str| named.iter().any(|(concept, _)| concept.name == name);
    if says("farewell") {
        phrases.farewell
    } else if says("thanks") {
        phrases.thanks
    } else if says("greeting") {
        phrases.greeting
    } else {
        phrases.small_talk
    }
    .to_owned()
}

/// Asks for what is not known of a stay.
pub(super) fn ask_stay(request: &ChatRequest, known: &SpokenStay) -> String {
    let phrases = phrases(request.brief.language.language());
    let dated = known.arrival.is_some() && known.departure.is_some();
    match (dated, known.persons.is_some()) {
        (true, _) => phrases.ask_persons,
        (false, true) => phrases.ask_dates,
        (false, false) => phrases.ask_stay,
    }
    .to_owned()
}

/// Calls and results of the last round of tools, if the last message is one.
pub(super) fn last_results(messages: &[ChatMessage]) -> Option<(&[ToolRequest], &[ToolReply])> {
    let Some(ChatMessage::Tools { replies }) = messages.last() else {
        return None;
    };
    let calls = messages.iter().rev().find_map(|message| match message {
        ChatMessage::Assistant { calls, .. } if !calls.is_empty() => Some(calls.as_slice()),
        _ => None,
    })?;
    Some((calls, replies))
}
