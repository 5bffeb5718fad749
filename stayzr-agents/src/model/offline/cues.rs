//! Words that tell which tool a message needs.

use crate::text::PhraseSet;

/// Words of a wish, as opposed to a question about it.
pub(super) static WISH: PhraseSet = PhraseSet::new(
    "turn on, turn off, turn up, turn down, switch on, switch off, please send, please bring, bring me, bring us, send me, send us, send up, i need, we need, i \
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
pub(super) const TROUBLE: &[&str] = &["faults", "locked out"];

/// Departments of the concepts that staff deal with.
pub(super) const DEPARTMENTS: &[(&str, &str)] = &[
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
pub(super) static OWN: PhraseSet = PhraseSet::new(
    "my booking, my reservation, my stay, our booking, our reservation, my current \
     booking, my hotel booking, my existing booking, have a booking, have a reservation, confirm \
     my, booking number, reservation number, meine buchung, meine reservierung, meiner buchung, \
     meiner reservierung, unsere buchung, unsere reservierung, a minha reserva, \
     minha reserva, nossa reserva, mi reserva, nuestra reserva, ma reservation, notre \
     reservation, mia prenotazione, nostra prenotazione, mijn reservering, mijn boeking, onze \
     reservering",
);

/// Questions about the conditions of a change, which the documents answer.
pub(super) static CONDITIONS: PhraseSet = PhraseSet::new(
    "how do i cancel, how can i cancel, can i cancel, until when, cancellation policy, cancel a, \
     cancellation fee, free cancellation, stornobedingungen, politica de, bis wann, ate quando, \
     hasta cuando, jusqu a quand, fino a quando, tot wanneer, how late can i cancel, when can i \
     cancel, cancel for free, how late",
);

pub(super) static ADDRESS: PhraseSet = PhraseSet::new(
    "address, adress, addres, where are you, where is the hotel, your location, how do i find you, adresse, wo \
     liegt das hotel, wo ist das hotel, morada, endereco, onde fica o hotel, direccion, donde \
     esta el hotel, ou est l hotel, ou se trouve l hotel, indirizzo, dove si trova l hotel, dov e \
     l hotel, adres, waar is het hotel",
);
pub(super) static PHONE: PhraseSet = PhraseSet::new(
    "phone number, telephone number, telephone, your number, telefonnummer, numero de telefone, \
     numero de telefono, numero de telephone, numero di telefono, telefoonnummer",
);
pub(super) static MAIL: PhraseSet =
    PhraseSet::new("email address, e mail address, your email, your e mail, mail adresse");
pub(super) static CHECK_IN: PhraseSet = PhraseSet::new(
    "check in, checkin, einchecken, when can i arrive, room ready, inchecken, hora de entrada",
);
pub(super) static CHECK_OUT: PhraseSet =
    PhraseSet::new("check out, checkout, auschecken, leave the room, uitchecken, hora de salida");
pub(super) static WHEN: PhraseSet = PhraseSet::new(
    "when, what time, time, until, from, latest, earliest, wann, ab wann, quando, a que horas, \
     que horas, cuando, a que hora, quand, a quelle heure, a che ora, wanneer, hoe laat",
);

/// Concepts whose names are words of amenities and policies.
pub(super) const AMENITIES: &[&str] = &[
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

/// What is missing is a wish too, where staff can bring it.
pub(super) static MISSING: PhraseSet = PhraseSet::new(
    "there are no, there is no, there's no, is missing, are missing, ran out of, run out of, \
     out of, is dirty, are dirty, not clean, not been cleaned, ist schmutzig, sind schmutzig, \
     esta sujo, esta suja, esta sucio, esta sucia, est sale, e sporco, e sporca, is vies, es fehlen, es fehlt, es gibt keine, faltam, falta, nao ha, no hay, il manque, il n y a, \
     mancano, manca, non c e, non ci sono, er zijn geen, er is geen",
);
