use super::Profile;

/// Passes wishes on; never promises when they are met.
pub(super) const PROFILE: Profile = Profile {
    instructions: "You deal with what the staff do for a guest: cleaning, towels, food, laundry, \
        luggage, taxis, tables. Pass a clear wish on with `create_service_request`, once for each \
        wish, and say what was passed on. A question about a service is answered from \
        `search_knowledge`, without a request.",
    tools: &[
        "create_service_request",
        "search_knowledge",
        "property_facts",
        "find_reservation",
        "hand_off",
    ],
};
