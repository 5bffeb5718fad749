//! Who remains of guests that turned out to be others.

use std::collections::{HashMap, HashSet};

use crate::{ids::GuestId, port::sync::GuestMerge};

/// What one merge of a page does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Succession {
    /// The guest who is no more.
    pub(crate) from: GuestId,
    /// The guest whom the row of `from` names.
    pub(crate) into: GuestId,
    /// The guest who gets what hung on `from`: `into`, or who `into` turned out to be.
    pub(crate) heir: GuestId,
}

/// The guests named by these merges.
pub(crate) fn named(merges: &[GuestMerge]) -> HashSet<GuestId> {
    merges
        .iter()
        .flat_map(|merge| [merge.from, merge.into])
        .collect()
}

/// The merges of a page, each guest once, in any order.
///
/// `known` holds the stored guests that the merges lead to, each with whom it was merged into. A
/// merge that would lead back to its own guest is none.
pub(crate) fn successions(
    merges: &[GuestMerge],
    known: &HashMap<GuestId, Option<GuestId>>,
) -> Vec<Succession> {
    let mut leads: HashMap<GuestId, GuestId> = known
        .iter()
        .filter_map(|(guest, into)| into.map(|into| (*guest, into)))
        .collect();
    let mut taken: Vec<(GuestId, GuestId)> = Vec::new();
    for merge in merges {
        let twice = taken.iter().any(|(from, _)| *from == merge.from);
        if !twice && remaining(&leads, merge.into, merge.from) != merge.from {
            leads.insert(merge.from, merge.into);
            taken.push((merge.from, merge.into));
        }
    }
    taken
        .into_iter()
        .map(|(from, into)| Succession {
            from,
            into,
            heir: remaining(&leads, into, from),
        })
        .collect()
}

/// Who is left at the end of the way from a guest, or `stop` where the way comes by there.
fn remaining(leads: &HashMap<GuestId, GuestId>, guest: GuestId, stop: GuestId) -> GuestId {
    let mut seen = HashSet::from([guest]);
    let mut last = guest;
    // Rows that lead in a circle end where it closes.
    while last != stop
        && let Some(next) = leads.get(&last).filter(|next| seen.insert(**next))
    {
        last = *next;
    }
    last
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{HashMap, Succession, named, successions};
    use crate::{ids::GuestId, port::sync::GuestMerge};

    fn guest(number: u128) -> GuestId {
        Uuid::from_u128(number).into()
    }

    fn merge(from: u128, into: u128) -> GuestMerge {
        GuestMerge {
            from: guest(from),
            into: guest(into),
        }
    }

    fn heirs(merges: &[GuestMerge], known: &[(u128, Option<u128>)]) -> Vec<(GuestId, GuestId)> {
        let known: HashMap<_, _> = known
            .iter()
            .map(|(id, into)| (guest(*id), into.map(guest)))
            .collect();
        successions(merges, &known)
            .into_iter()
            .map(|Succession { from, heir, .. }| (from, heir))
            .collect()
    }

    #[test]
    fn a_chain_leads_to_the_guest_who_remains_in_whatever_order_it_comes() {
        let known = [(1, None), (2, None), (3, None)];
        let expected = [(guest(1), guest(3)), (guest(2), guest(3))];
        assert_eq!(heirs(&[merge(1, 2), merge(2, 3)], &known), expected);
        let turned = heirs(&[merge(2, 3), merge(1, 2)], &known);
        assert_eq!(turned, [expected[1], expected[0]]);
        // The second half was stored before.
        let known = [(1, None), (2, Some(3)), (3, None)];
        assert_eq!(heirs(&[merge(1, 2)], &known), expected[..1]);
        assert_eq!(named(&[merge(1, 2), merge(2, 3)]).len(), 3);
    }

    #[test]
    fn a_merge_that_was_done_is_done_again_for_what_came_since() {
        let known = [(1, Some(2)), (2, None), (3, None)];
        assert_eq!(heirs(&[merge(1, 2)], &known), [(guest(1), guest(2))]);
        assert_eq!(heirs(&[merge(1, 3)], &known), [(guest(1), guest(3))]);
        let twice = [merge(1, 2), merge(1, 3)];
        assert_eq!(heirs(&twice, &known), [(guest(1), guest(2))]);
    }

    #[test]
    fn a_circle_ends_with_one_who_remains() {
        let two = [(1, None), (2, None)];
        assert_eq!(heirs(&[merge(1, 1)], &two), []);
        let circle = [merge(1, 2), merge(2, 1)];
        assert_eq!(heirs(&circle, &two), [(guest(1), guest(2))]);
        // Half of it was stored before.
        assert_eq!(heirs(&[merge(2, 1)], &[(1, Some(2)), (2, None)]), []);
        // A circle that somehow got stored ends all the same.
        let stored = [(1, None), (2, Some(3)), (3, Some(2))];
        assert_eq!(heirs(&[merge(1, 2)], &stored), [(guest(1), guest(3))]);
    }
}
