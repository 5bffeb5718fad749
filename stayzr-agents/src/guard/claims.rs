//! Cuts a reply into what it claims about the hotel, leaving out courtesy and questions.

use crate::{
    model::phrases,
    text::{self, PhraseSet},
};

/// Words that begin a question which the reply asks back.
const ASKING: &[&str] = &[
    "Is",
    "Are",
    "Was",
    "Do",
    "Does",
    "Did",
    "Can",
    "Could",
    "Would",
    "Will",
    "Should",
    "Shall",
    "May",
    "Have",
    "Has",
    "How",
    "What",
    "Which",
    "When",
    "Where",
    "Who",
    "Anything",
    "Any",
    "Posso",
    "Deseja",
    "Quer",
    "Posso",
    "Kann",
    "Soll",
    "Darf",
    "Möchten",
    "Puedo",
    "Quiere",
    "Desea",
    "Puis-je",
    "Voulez-vous",
    "Souhaitez-vous",
    "Vuole",
    "Desidera",
    "Zal",
    "Wilt",
];

/// Sentences about the conversation and not about the hotel.
static COURTESY: PhraseSet = PhraseSet::new(
    "look forward, looking forward, we hope, i hope, hope this helps, hope that helps, welcome to, \
     good question, great question, good morning, good evening, good afternoon, let me know, glad to help, happy to help, thank you, thanks, you're welcome, please feel \
     free, feel free to, welcome to ask, here to help, have a nice, have a great, have a lovely, \
     have a good, have a wonderful, would you like, would you want, do you want, do you need, do \
     you have any, can i help, may i help, is there anything, is there any else, anything else, \
     shall i, should i, what else, enjoy your, i can't find, i cannot find, i could not find, i \
     couldn't find, i don't have, i do not have, i'm not able, i am not able, i'm unable, i am \
     unable, i'm not sure, i am not sure, i don't know, i'll ask, i will ask, i have passed, i've \
     passed, one of my colleagues, a colleague will, our team will, the team will, will get back \
     to you, no problem, of course, with pleasure, nao encontr*, nao consigo, nao tenho, kann ich \
     leider nicht, finde ich, habe ich leider keine, ich weiss nicht, ich habe ihre, ich habe das \
     an, no encuentro, no tengo, no puedo, je ne trouve, je n ai pas, je ne peux, non trovo, non \
     ho, non posso, ik vind, ik heb geen, ik kan, ho passato, j ai transmis, he transmitido, \
     transmiti, ik heb dit",
);

/// The claims of a reply.
pub(super) fn claims(reply: &str) -> Vec<&str> {
    text::sentences(reply)
        .into_iter()
        .map(without_source)
        .filter_map(without_question)
        .filter(|sentence| !text::words(sentence).is_empty())
        .filter(|sentence| !is_courtesy(sentence))
        .collect()
}

/// The sentence without the file it is quoted from: `… (Source: wifi.md)`.
fn without_source(sentence: &str) -> &str {
    let trimmed = sentence.trim();
    match trimmed.rfind('(') {
        Some(at)
            if trimmed.ends_with(')')
                && trimmed[at..].contains(": ")
                && trimmed[at..].contains('.') =>
        {
            trimmed[..at].trim_end()
        }
        _ => trimmed,
    }
}

/// The sentence up to the question it runs into; none if it is a question.
fn without_question(sentence: &str) -> Option<&str> {
    if !sentence.ends_with('?') {
        return Some(sentence);
    }
    let mut cut = None;
    for (at, word) in word_starts(sentence) {
        if at > 0 && ASKING.contains(&word) {
            cut = Some(at);
            break;
        }
    }
    let claim = sentence[..cut?].trim();
    (text::words(claim).len() >= 2).then_some(claim)
}

fn word_starts(sentence: &str) -> impl Iterator<Item = (usize, &str)> {
    sentence.split_whitespace().map(move |word| {
        let at = word.as_ptr() as usize - sentence.as_ptr() as usize;
        (
            at,
            word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-'),
        )
    })
}

fn is_courtesy(sentence: &str) -> bool {
    let folded = text::fold(sentence);
    let is_phrase = phrases::all().iter().any(|phrases| {
        [
            phrases.greeting,
            phrases.thanks,
            phrases.farewell,
            phrases.small_talk,
            phrases.found,
            phrases.not_found,
            phrases.not_found_part,
            phrases.ask_stay,
            phrases.no_reservation,
            phrases.no_price,
            phrases.failed,
            phrases.handoff,
            phrases.passed_on,
            phrases.none_free,
        ]
        .iter()
        .flat_map(|phrase| text::sentences(phrase))
        .any(|part| {
            let part = text::fold(part.split("{}").next().unwrap_or(part));
            let part = part.trim();
            part.chars().count() >= 6 && folded.starts_with(part)
        })
    });
    let has_digit = sentence.chars().any(|c| c.is_ascii_digit());
    if is_phrase {
        return true;
    }
    let words = text::words(sentence);
    !has_digit && words.len() <= 24 && COURTESY.find(&words).is_some_and(|(at, _)| at <= 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_and_courtesy_claim_nothing() {
        assert_eq!(
            claims("No pool here. Is there anything else? Let me know!"),
            ["No pool here."]
        );
        assert_eq!(
            claims("No, a spa is not available at this hotel Can I still book a room?"),
            ["No, a spa is not available at this hotel"]
        );
        assert_eq!(
            claims("I'm sorry, I can't find that. Shall I ask a colleague?"),
            [""; 0]
        );
    }
}
