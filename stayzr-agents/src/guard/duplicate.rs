use std::collections::HashSet;

use crate::text;

/// Whether a reply says the same as one of the last ones: the same words, or nine of ten of them
/// with the same figures. A guest who asks again wants another answer.
pub fn is_duplicate(reply: &str, last: &[&str]) -> bool {
    let words = text::words(reply);
    if words.is_empty() {
        return false;
    }
    let set: HashSet<&String> = words.iter().collect();
    let digits = digits_of(&words);
    last.iter().any(|other| {
        let other = text::words(other);
        if other == words {
            return true;
        }
        let others: HashSet<&String> = other.iter().collect();
        let shared = set.intersection(&others).count();
        let all = set.union(&others).count().max(1);
        set.len() >= 6 && shared * 10 >= all * 9 && digits_of(&other) == digits
    })
}

fn digits_of(words: &[String]) -> Vec<&String> {
    words
        .iter()
        .filter(|word| word.chars().any(|c| c.is_ascii_digit()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_and_near_same_replies_are_found() {
        let said = ["Breakfast is served from 07:00 to 10:30 in the Sala do Douro."];
        assert!(is_duplicate(
            "Breakfast is served from 07:00 to 10:30 in the Sala do Douro!",
            &said
        ));
        assert!(!is_duplicate(
            "Breakfast is served from 07:30 to 11:30 in the Sala do Douro.",
            &said
        ));
        assert!(!is_duplicate("The pool is on floor 6.", &said));
    }
}
