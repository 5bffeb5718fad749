//! Words that speak of a person, of danger, of disputes and of moods, in all languages.

use crate::text::PhraseSet;

/// Ways to ask for a person, whatever the topic. Departments alone (`room service`) are not one.
pub(crate) static HUMAN: PhraseSet = PhraseSet::new(
    "speak to someone, speak with someone, talk to someone, talk with someone, speak to a person, \
     talk to a person, speak to a human, talk to a human, speak with a human, talk with a human, \
     real person, real human, human agent, a human, an agent, live agent, speak to an agent, \
     speak to staff, talk to staff, speak to the manager, talk to the manager, speak to a \
     manager, talk to a manager, speak to reception, talk to reception, speak to the reception, \
     talk to the reception, speak to somebody, talk to somebody, speak with somebody, the manager \
     please, speak to the front desk, talk to the front desk, someone call me, call me back, team \
     please, connect me, put me through, get me a person, get me a human, get me the manager, mit \
     einem menschen, mit jemandem sprechen, mit einem mitarbeiter, mit der rezeption, mit einer \
     person, einen menschen, mit dem manager, mitarbeiter sprechen, falar com alguem, falar com \
     uma pessoa, falar com um humano, falar com a recepcao, falar com a rececao, falar com o \
     gerente, atendente, hablar con alguien, hablar con una persona, hablar con un humano, hablar \
     con recepcion, hablar con la recepcion, hablar con el gerente, parler a quelqu un, parler \
     avec quelqu un, parler a une personne, parler a un humain, parler avec la reception, parler \
     a la reception, un conseiller, parlare con qualcuno, parlare con una persona, parlare con un \
     umano, parlare con la reception, parlare con il direttore, met iemand spreken, iemand \
     spreken, een medewerker, een mens spreken, met de receptie, met een persoon",
);

/// Verbs that ask for a person with words between them and [`PEOPLE`].
pub(crate) const SPEAK: &[&str] = &[
    "speak",
    "talk",
    "chat",
    "connect",
    "transfer",
    "call",
    "someone",
    "somebody",
    "person",
    "human",
    "manager",
    "agent",
    "operator",
    "receptionist",
    "staff",
    "supervisor",
    "representative",
    "employee",
    "director",
];
/// The people that [`SPEAK`] reaches.
pub(crate) const PEOPLE: &[&str] = &[
    "someone",
    "somebody",
    "person",
    "human",
    "manager",
    "agent",
    "operator",
    "receptionist",
    "staff",
    "supervisor",
    "representative",
    "employee",
    "director",
];

/// Danger to life, health or property: a person at once.
pub(crate) static EMERGENCY: PhraseSet = PhraseSet::new(
    "fire in, there is a fire, there's a fire, on fire, smell smoke, smell of smoke, smell gas, \
     ambulance, heart attack, can't breathe, cannot breathe, unconscious, bleeding, seizure, \
     overdose, been robbed, was robbed, assault*, attacked, threaten*, call the police, need the \
     police, an emergency, suicid*, injured, chest pain, feuer, es brennt, krankenwagen, notarzt, \
     notfall, bewusstlos, polizei, incendio, ambulancia, una emergencia, uma emergencia, policia, \
     ataque cardiaco, incendie, au feu, une urgence, ambulanza, un emergenza, polizia, er is \
     brand, noodgeval, politie, not breathing, isn't breathing, stopped breathing, collapsed, \
     choking, having a stroke, drowning, fainted, passed out, atmet nicht, keine luft, \
     zusammengebrochen, herzinfarkt, ohnmachtig, nao respira, desmaiou, no respira, desmayado, \
     desmayada, ne respire pas, ne respire plus, s est evanoui, crise cardiaque, non respira, \
     svenuto, svenuta, infarto, ademt niet, bewusteloos, hartaanval, allergic reaction, allergic shock, gas leak, trapped in",
);

/// Law and disputes over money: a person decides.
pub(crate) static DISPUTE: PhraseSet = PhraseSet::new(
    "lawyer, sue you, legal action, my attorney, solicitor, chargeback, dispute the charge, \
     dispute this charge, charged twice, double charged, overcharged, charged me twice, wrong \
     charge, unauthorised charge, unauthorized charge, fraud, stolen, data protection, gdpr, \
     anwalt, doppelt belastet, doppelt abgebucht, betrug, gestohlen, advogado, cobrado duas \
     vezes, cobraram duas vezes, fraude, roubad*, abogado, cobrado dos veces, robado, avocat, \
     debite deux fois, vole, avvocato, addebitato due volte, truffa, rubat*, advocaat, dubbel \
     afgeschreven, gestolen",
);

/// Words of fury.
pub(crate) static FURIOUS: PhraseSet = PhraseSet::new(
    "furious, outrageous, scam, wtf, unverschamt, katastrophe, inakzeptabel, inaceitavel, \
     inaceptable, scandaleux, honteux, vergognoso, inaccettabile, onacceptabel, schandalig",
);

/// Words of anger.
pub(crate) static ANGRY: PhraseSet = PhraseSet::new(
    "unacceptable, disgusting, horrible, worst, awful, ridiculous, angry, scandal, useless, \
     complain, complaint, never again, fed up, hate, schrecklich, furchtbar, beschwer*, pessimo, \
     horrivel, vergonha, reclamacao, pesimo, verguenza, queja, plainte, affreux, schifo, reclamo, \
     vreselijk, klacht",
);

/// Words of annoyance.
pub(crate) static UPSET: PhraseSet = PhraseSet::new(
    "terrible, rubbish, disappointed, disappointing, so bad, still waiting, fatal, nul",
);

/// Words of content.
pub(crate) static PLEASED: PhraseSet = PhraseSet::new(
    "great, brilliant, perfect, lovely, excellent, wonderful, amazing, sounds good, awesome, \
     fantastic, toll, super, wunderbar, otimo, maravilhoso, excelente, genial, perfecto, parfait, \
     genial, perfetto, fantastico, geweldig, prima",
);
