use std::str::FromStr;

use crate::{
    Error, Result,
    port::{Page, PageRequest},
};

/// Where a list goes on: behind the item with this mark.
pub(super) fn after<T: FromStr>(request: &PageRequest) -> Result<Option<T>> {
    request
        .cursor
        .as_deref()
        .map(|cursor| {
            cursor.parse().map_err(|_| {
                Error::invalid("memory.page", "not a cursor of this list").with("cursor", cursor)
            })
        })
        .transpose()
}

/// One page of items that come in order, each with the mark that finds it again.
pub(super) fn cut<T, M: ToString>(
    items: impl Iterator<Item = (M, T)>,
    request: &PageRequest,
) -> Page<T> {
    let limit = request.limit.clamp(1, 1000) as usize;
    let mut items: Vec<(M, T)> = items.take(limit + 1).collect();
    let more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items
        .last()
        .filter(|_| more)
        .map(|(mark, _)| mark.to_string());
    Page {
        items: items.into_iter().map(|(_, item)| item).collect(),
        next_cursor,
    }
}
