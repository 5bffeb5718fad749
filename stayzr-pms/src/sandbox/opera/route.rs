use http::Method;

/// Operations by method and path, in which `*` stands for any part.
const OPERATIONS: [(&str, &str, &str); 23] = [
    ("getHotels", "GET", "ent/config/v1/hotels"),
    ("getHotel", "GET", "ent/config/v1/hotels/*"),
    ("getRoomTypes", "GET", "rm/config/v1/hotels/*/roomTypes"),
    ("getRooms", "GET", "rm/config/v1/hotels/*/rooms"),
    (
        "getHousekeepingOverview",
        "GET",
        "hsk/v1/hotels/*/housekeepingOverview",
    ),
    (
        "putRoomRelatedStatus",
        "PUT",
        "hsk/v1/hotels/*/rooms/status",
    ),
    ("getProfiles", "GET", "crm/v1/profiles"),
    ("getProfilesByIds", "GET", "crm/v1/profilesByIds"),
    ("getProfile", "GET", "crm/v1/profiles/*"),
    ("postProfile", "POST", "crm/v1/profiles"),
    ("putProfile", "PUT", "crm/v1/profiles/*"),
    (
        "getHotelReservations",
        "GET",
        "rsv/v1/hotels/*/reservations",
    ),
    ("getReservation", "GET", "rsv/v1/hotels/*/reservations/*"),
    ("putReservation", "PUT", "rsv/v1/hotels/*/reservations/*"),
    (
        "postRoomAssignment",
        "POST",
        "fof/v1/hotels/*/reservations/*/roomAssignments",
    ),
    (
        "getBusinessEvents",
        "GET",
        "int/v1/externalSystem/*/hotels/*/businessEvents",
    ),
    (
        "postCancelReservation",
        "POST",
        "rsv/v1/hotels/*/reservations/*/cancellations",
    ),
    (
        "postCheckIn",
        "POST",
        "fof/v1/hotels/*/reservations/*/checkIns",
    ),
    (
        "postCheckOut",
        "POST",
        "csh/v1/hotels/*/reservations/*/checkOuts",
    ),
    (
        "postGuestMessages",
        "POST",
        "rsv/v1/hotels/*/reservations/*/guestMessages",
    ),
    (
        "postServiceRequests",
        "POST",
        "fof/v1/hotels/*/serviceRequests",
    ),
    (
        "getHotelAvailability",
        "GET",
        "par/v1/hotels/*/availability",
    ),
    ("getToken", "POST", "oauth/v1/tokens"),
];

/// The operation of a path, and what stands in its open parts.
pub(super) fn route(method: &Method, path: &str) -> Option<(&'static str, Vec<String>)> {
    let given: Vec<&str> = path.split('/').collect();
    OPERATIONS.iter().find_map(|(operation, by, pattern)| {
        let wanted: Vec<&str> = pattern.split('/').collect();
        let fits = method.as_str() == *by
            && wanted.len() == given.len()
            && wanted
                .iter()
                .zip(&given)
                .all(|(want, part)| *want == "*" || want == part);
        let open = wanted.iter().zip(&given).filter(|(want, _)| **want == "*");
        fits.then(|| {
            (
                *operation,
                open.map(|(_, part)| (*part).to_owned()).collect(),
            )
        })
    })
}
