use super::Profile;

/// Facts first, documents second, and the staff for what is broken.
pub(super) const PROFILE: Profile = Profile {
    instructions: "You deal with the house, its rooms, equipment, facilities and rules. Look in \
        `property_facts` for address, contacts and times, and in `search_knowledge` for the \
        rest. If something is broken or missing, pass it on with `create_service_request`.",
    tools: &[
        "property_facts",
        "search_knowledge",
        "create_service_request",
        "hand_off",
    ],
};
