use std::{collections::HashMap, sync::LazyLock};

use super::{analysis::Class, words::words};

static CLASSES: LazyLock<HashMap<String, Class>> = LazyLock::new(|| {
    let mut classes = HashMap::new();
    for line in include_str!("stopwords.txt").lines() {
        let Some((group, list)) = line.split_once(": ") else {
            continue;
        };
        let class = if group == "generic" {
            Class::Generic
        } else {
            Class::Stop
        };
        for word in words(list) {
            classes.entry(word).or_insert(class);
        }
    }
    classes
});

/// What a folded word is worth.
pub(super) fn class(word: &str) -> Class {
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return Class::Figure;
    }
    CLASSES.get(word).copied().unwrap_or(Class::Content)
}
