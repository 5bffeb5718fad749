/// Domains, with those beneath them, whose addresses a booking site makes for each reservation and
/// forwards: they name a booking, not a person.
const RELAYS: [&str; 6] = [
    "guest.booking.com",
    "expediapartnercentral.com",
    "guest.airbnb.com",
    "reply.airbnb.com",
    "agoda-messaging.com",
    "messages.homeaway.com",
];

/// Whether an email address is one that a booking site forwards from. Nobody is recognised by it.
///
/// ```
/// use stayzr_core::identity::is_relay_address;
///
/// assert!(is_relay_address("asilva.123456@guest.booking.com"));
/// assert!(!is_relay_address("ana@booking.com"));
/// ```
pub fn is_relay_address(email: &str) -> bool {
    let Some((_, domain)) = email.trim().rsplit_once('@') else {
        return false;
    };
    let domain = domain.to_ascii_lowercase();
    RELAYS.iter().any(|relay| {
        domain
            .strip_suffix(relay)
            .is_some_and(|left| left.is_empty() || left.ends_with('.'))
    })
}
