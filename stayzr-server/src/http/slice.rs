use stayzr_core::port::{Page, PageRequest};

use super::Problem;

/// A page of a list that is known whole; its cursor is the id of the last item before it.
pub fn page_of<T>(
    items: Vec<T>,
    page: &PageRequest,
    id: impl Fn(&T) -> String,
) -> Result<Page<T>, Problem> {
    let from = match &page.cursor {
        None => 0,
        Some(cursor) => {
            let at = items.iter().position(|item| id(item) == *cursor);
            1 + at.ok_or_else(|| {
                Problem::invalid("`cursor` is none of this list: begin without it")
                    .with("parameter", "cursor")
            })?
        }
    };
    let limit = page.limit as usize;
    let more = items.len() > from + limit;
    let items: Vec<T> = items.into_iter().skip(from).take(limit).collect();
    let next_cursor = items.last().filter(|_| more).map(id);
    Ok(Page { items, next_cursor })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: u32, cursor: Option<&str>) -> Result<Page<u32>, Problem> {
        let page = PageRequest {
            limit,
            cursor: cursor.map(str::to_owned),
        };
        page_of(vec![1, 2, 3], &page, u32::to_string)
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        let first = page(2, None).expect("a page");
        assert_eq!(
            (first.items, first.next_cursor.as_deref()),
            (vec![1, 2], Some("2"))
        );
        let last = page(2, Some("2")).expect("a page");
        assert_eq!((last.items, last.next_cursor), (vec![3], None));
        let whole = page(3, None).expect("a page");
        assert_eq!((whole.items.len(), whole.next_cursor), (3, None));
        assert_eq!(page(2, Some("9")).expect_err("unknown").code(), "invalid");
    }
}
