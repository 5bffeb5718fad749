//! How lists are walked: page by page, with the vendor's several ways of saying that there is more.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stayzr_core::{Error, Result, transform::EntityKind};

use super::{record, wire::Node};

/// Where a walk through a list stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Records on the pages before.
    pub(super) offset: usize,
    /// The first record of the page before: a page that starts with it is that page again.
    first: Option<String>,
}

impl Position {
    pub(super) const START: Self = Self {
        offset: 0,
        first: None,
    };

    pub(super) fn parse(value: Option<&Value>) -> Result<Self> {
        let Some(value) = value else {
            return Ok(Self::START);
        };
        Self::deserialize(value)
            .map_err(|_| Error::invalid("opera.fetch_page", "not a position of this provider"))
    }

    pub(super) fn json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// What follows a page; none after the last. Where `hasMore` is missing everything was given,
    /// unless the total says otherwise; a list without either goes on while its pages are full.
    pub(super) fn next(&self, listed: &Listed, full: usize) -> Option<Self> {
        let again = listed.first.is_some() && listed.first == self.first;
        if listed.items.is_empty() || again {
            return None;
        }
        let offset = self.offset + listed.items.len();
        let more = match (listed.has_more, listed.total) {
            (Some(more), _) => more,
            (None, Some(total)) => (offset as u64) < total,
            (None, None) => listed.items.len() >= full,
        };
        more.then(|| Self {
            offset,
            first: listed.first.clone(),
        })
    }
}

/// A list as one answer gives it.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) items: Vec<Value>,
    pub(super) first: Option<String>,
    pub(super) has_more: Option<bool>,
    pub(super) total: Option<u64>,
    pub(super) now: Option<DateTime<Utc>>,
}

impl Listed {
    /// The list under these names, with its paging beside it.
    pub(super) fn read(kind: EntityKind, around: Node<'_>, items: Vec<Node<'_>>) -> Self {
        let items: Vec<Value> = items.iter().filter_map(|item| item.0.cloned()).collect();
        let total = around.at("totalResults").whole().ok().flatten();
        Self {
            first: items.first().and_then(|item| record::id_of(kind, item)),
            items,
            has_more: around.at("hasMore").flag(),
            total: total.and_then(|total| u64::try_from(total).ok()),
            now: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listed(ids: &[&str], has_more: Option<bool>, total: Option<u64>) -> Listed {
        Listed {
            items: ids.iter().map(|id| json!({"roomId": id})).collect(),
            first: ids.first().map(|id| (*id).to_owned()),
            has_more,
            total,
            now: None,
        }
    }

    #[test]
    fn a_walk_follows_has_more_then_the_total_then_full_pages() {
        let start = Position::START;
        let next = |listed: &Listed, full| start.next(listed, full).map(|next| next.offset);
        assert_eq!(next(&listed(&["a", "b"], Some(true), None), 100), Some(2));
        assert_eq!(next(&listed(&["a", "b"], Some(false), Some(9)), 2), None);
        assert_eq!(next(&listed(&["a", "b"], None, Some(3)), 100), Some(2));
        assert_eq!(next(&listed(&["a", "b"], None, Some(2)), 2), None);
        assert_eq!(next(&listed(&["a", "b"], None, None), 2), Some(2));
        assert_eq!(next(&listed(&["a"], None, None), 2), None);
        assert_eq!(next(&listed(&[], Some(true), Some(9)), 2), None);
    }

    #[test]
    fn a_vendor_that_gives_the_same_page_again_is_not_asked_forever() {
        let page = listed(&["a", "b"], Some(true), None);
        let second = Position::START.next(&page, 2).unwrap();
        assert_eq!(second.next(&page, 2), None);
    }

    #[test]
    fn a_position_survives_being_stored() {
        let position = Position {
            offset: 200,
            first: Some("a".to_owned()),
        };
        assert_eq!(Position::parse(Some(&position.json())).unwrap(), position);
        assert!(Position::parse(Some(&json!({"page": 1}))).is_err());
    }
}
