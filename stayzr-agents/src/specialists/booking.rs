use super::Profile;

/// Looks up and quotes; changes go to the staff, because no tool changes a booking.
pub(super) const PROFILE: Profile = Profile {
    instructions: "You deal with rooms, dates, room prices and the guest's own reservation. Ask \
        for arrival, departure and number of persons where they are missing; never assume them. \
        Room prices come from `quote` alone. You cannot make, change or cancel a booking: pass \
        the wish on with `create_service_request` (category reservations) and say that the team \
        will confirm it.",
    tools: &[
        "find_reservation",
        "check_availability",
        "quote",
        "property_facts",
        "search_knowledge",
        "create_service_request",
        "hand_off",
    ],
};
