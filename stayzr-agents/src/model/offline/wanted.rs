//! What kind of answer a question wants: a time, a price, a place.

use crate::text::{self, PhraseSet};

/// What kind of answer a question wants, with the look of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Time,
    Price,
    Amount,
    Place,
    Way,
}

static TIME: PhraseSet = PhraseSet::new(
    "when, what time, hours, open, opening, close, closes, until when, how late, how early, by \
     when, wann, um wie viel uhr, uhr, geoffnet, quando, a que horas, que horas, horario, cuando, \
     a que hora, que hora, quand, a quelle heure, quelle heure, a che ora, che ora, orari, \
     orario, horarios, horaire, horaires, offnungszeiten, zeiten, openingstijden, schedule, \
     wanneer, hoe laat, open van",
);
static PRICE: PhraseSet = PhraseSet::new(
    "how much, cost, costs, price, prices, fee, charge, charges, expensive, free of charge, pay, \
     wie viel kostet, kostet, kosten, preis, was kostet, quanto custa, custa, preco, cuanto \
     cuesta, cuesta, precio, combien, coute, prix, tarif, quanto costa, costa, prezzo, hoeveel \
     kost, kost, prijs, deposit, cheaper",
);
static AMOUNT: PhraseSet = PhraseSet::new(
    "how many, how long, how far, how big, how old, how heavy, how fast, how high, how large, how \
     deep, wie lange, wie weit, wie gross, wie viele, quantos, quantas, quanto tempo, cuantos, \
     cuantas, cuanto tiempo, combien de temps, quanti, quante, hoe lang, hoe ver, hoe veel",
);
static PLACE: PhraseSet = PhraseSet::new("where, wo, onde, donde, ou, dove, waar, which floor");
static WAY: PhraseSet =
    PhraseSet::new("how do i, how can i, how to, wie kann, como posso, como puedo, comment");

/// The kind of answer that a word of a title announces, if it does: `hours`, `prices`.
pub(super) fn names_kind(word: &str) -> Option<Wanted> {
    match word {
        "hours" | "hour" | "time" | "times" | "when" | "open" | "opening" | "opens" | "served"
        | "horario" | "horarios" | "orari" | "horaires" | "zeiten" | "offnungszeiten" => {
            Some(Wanted::Time)
        }
        "price" | "prices" | "cost" | "costs" | "fee" | "fees" | "charge" | "charges" | "rates"
        | "preco" | "precos" | "precios" | "preise" | "prix" | "prezzi" => Some(Wanted::Price),
        "where" | "place" | "location" => Some(Wanted::Place),
        _ => None,
    }
}

/// The kinds of answer that a question wants.
pub(super) fn wanted(words: &[String]) -> Vec<Wanted> {
    [
        (&TIME, Wanted::Time),
        (&PRICE, Wanted::Price),
        (&AMOUNT, Wanted::Amount),
        (&PLACE, Wanted::Place),
        (&WAY, Wanted::Way),
    ]
    .into_iter()
    .filter(|(forms, _)| forms.is_in(words))
    .map(|(_, wanted)| match wanted {
        // `How much weight` asks for no price.
        Wanted::Price if asks_how_much_of(words) => Wanted::Amount,
        wanted => wanted,
    })
    .collect()
}

fn asks_how_much_of(words: &[String]) -> bool {
    words
        .windows(3)
        .any(|three| three[0] == "how" && three[1] == "much" && !text::is_stop_word(&three[2]))
        && !words
            .iter()
            .any(|word| matches!(names_kind(word), Some(Wanted::Price)))
}

/// Whether a sentence has the look of such an answer.
pub(super) fn looks_like(unit: &str, wanted: Wanted) -> bool {
    let folded = text::fold(unit);
    match wanted {
        Wanted::Time => has_time(&folded) || folded.contains("24 hours") || folded.contains("24 h"),
        Wanted::Price => [
            "eur",
            "gbp",
            "usd",
            "chf",
            "€",
            "£",
            "$",
            "free of charge",
            "free for",
            "gratuit",
            "included",
            "kostenlos",
            "no charge",
            ": free",
        ]
        .iter()
        .any(|mark| folded.contains(mark)),
        Wanted::Amount => {
            folded.chars().any(|c| c.is_ascii_digit())
                || [" two ", " three ", " four ", " one ", "up to", "at most"]
                    .iter()
                    .any(|mark| folded.contains(mark))
        }
        Wanted::Place => [
            "floor",
            "beside",
            "next to",
            "reception",
            "lobby",
            "printed",
            " on the ",
            " at the ",
            "in the ",
            "behind",
            "opposite",
            "entrance",
            "between",
        ]
        .iter()
        .any(|mark| folded.contains(mark)),
        Wanted::Way => {
            const MARKS: &[&str] = &[
                "extension",
                "reception",
                "book",
                "order",
                "press",
                "ring",
                "call",
                "write",
                "read",
                "printed",
                "appear",
                "choose",
                "show",
            ];
            folded.contains('@')
                || text::words(&folded)
                    .iter()
                    .any(|word| MARKS.iter().any(|mark| word.starts_with(mark)))
        }
    }
}

fn has_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.windows(4).any(|w| {
        w[0].is_ascii_digit()
            && (w[1] == b':' || w[1] == b'h')
            && w[2].is_ascii_digit()
            && w[3].is_ascii_digit()
    }) || [" am", " pm", " a.m", " p.m", "noon", "midnight", " uhr"]
        .iter()
        .any(|mark| text.contains(mark))
}

/// Whether a text gives two times as a span, as opening hours do.
pub(super) fn has_span(text: &str) -> bool {
    let folded = text::fold(text);
    [
        " to ", "-", "–", " as ", " bis ", " until ", " a ", " alle ",
    ]
    .iter()
    .any(|joint| {
        folded.match_indices(joint).any(|(at, _)| {
            let before = folded[..at].trim_end();
            let after = folded[at + joint.len()..].trim_start();
            before.ends_with(|c: char| c.is_ascii_digit())
                && after.starts_with(|c: char| c.is_ascii_digit())
                && after.chars().take(6).any(|c| c == ':' || c == 'h')
        })
    })
}
