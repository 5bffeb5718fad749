//! Names of months, days and small numbers in the languages the concierge speaks.

use chrono::Weekday;

pub(super) const MONTHS: [&str; 12] = [
    "january jan januar janner janeiro enero janvier gennaio januari",
    "february feb februar fevereiro febrero fevrier febbraio februari",
    "march mar marz maerz marco marzo mars maart",
    "april apr abril avril aprile",
    "may mai maio mayo maggio mei",
    "june jun juni junho junio juin giugno",
    "july jul juli julho julio juillet luglio",
    "august aug agosto aout augustus",
    "september sep sept setembro septiembre septembre settembre",
    "october oct oktober okt outubro octubre octobre ottobre",
    "november nov novembro noviembre novembre",
    "december dec dezember dez dezembro diciembre decembre dicembre",
];

pub(super) const WEEKDAYS: [(Weekday, &str); 7] = [
    (
        Weekday::Mon,
        "monday montag segunda lunes lundi lunedi maandag",
    ),
    (
        Weekday::Tue,
        "tuesday dienstag terca martes mardi martedi dinsdag",
    ),
    (
        Weekday::Wed,
        "wednesday mittwoch quarta miercoles mercredi mercoledi woensdag",
    ),
    (
        Weekday::Thu,
        "thursday donnerstag quinta jueves jeudi giovedi donderdag",
    ),
    (
        Weekday::Fri,
        "friday freitag sexta viernes vendredi venerdi vrijdag",
    ),
    (
        Weekday::Sat,
        "saturday samstag sabado samedi sabato zaterdag",
    ),
    (
        Weekday::Sun,
        "sunday sonntag domingo dimanche domenica zondag",
    ),
];

pub(super) const TODAY: &str = "today tonight heute hoje hoy aujourd oggi stasera vandaag vanavond";
pub(super) const TOMORROW: &str = "tomorrow morgen amanha manana demain domani";
pub(super) const NIGHTS: &str =
    "night nights nachte nacht noite noites noche noches nuit nuits notte notti nachten";
pub(super) const PERSONS: &str = "people persons person adults adult guests guest pax personen erwachsene erwachsenen \
    gaste pessoas pessoa adultos adulto hospedes personas persona huespedes personnes \
    personne adultes persone adulti volwassenen gasten";
pub(super) const CHILDREN: &str = "child children kid kids toddler kind kinder crianca criancas nino ninos enfant enfants \
    bambino bambini kinderen";

/// Whether a word stands in a list that is parted by blanks.
pub(super) fn is_one_of(list: &str, word: &str) -> bool {
    list.split_whitespace().any(|listed| listed == word)
}

/// A small number, in digits or as a word.
pub(super) fn number(word: &str) -> Option<u32> {
    const WORDS: [&str; 13] = [
        "",
        "one a an ein eine einen um uma un una une uno een",
        "two couple zwei dois duas dos deux due twee",
        "three drei tres trois tre drie",
        "four vier quatro cuatro quatre quattro",
        "five funf cinco cinq cinque vijf",
        "six sechs seis sei zes",
        "seven sieben sete siete sept sette zeven",
        "eight acht oito ocho huit otto",
        "nine neun nove nueve neuf negen",
        "ten zehn dez diez dix dieci tien",
        "eleven elf onze once undici",
        "twelve zwolf doze doce douze dodici twaalf",
    ];
    if let Ok(number) = word.parse::<u32>() {
        return Some(number);
    }
    WORDS
        .iter()
        .position(|forms| is_one_of(forms, word))
        .and_then(|at| u32::try_from(at).ok())
}
