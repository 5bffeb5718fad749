use std::collections::BTreeMap;

use super::text;

/// The text in the property's language, else in the same language of another place, else in
/// English, else the first there is; blank ones do not count.
pub fn localized<'a>(
    texts: Option<&'a BTreeMap<String, Option<String>>>,
    language: &str,
) -> Option<&'a str> {
    let texts: Vec<(&str, &str)> = texts?
        .iter()
        .filter_map(|(tag, value)| Some((tag.as_str(), text(value.as_ref())?)))
        .collect();
    let base = |tag: &str| tag.split(['-', '_']).next().unwrap_or(tag).to_owned();
    let wanted = base(language);
    texts
        .iter()
        .find(|(tag, _)| tag.eq_ignore_ascii_case(language))
        .or_else(|| texts.iter().find(|(tag, _)| base(tag) == wanted))
        .or_else(|| texts.iter().find(|(tag, _)| base(tag) == "en"))
        .or_else(|| texts.first())
        .map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_language_is_taken() {
        let texts = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(tag, value)| ((*tag).to_owned(), Some((*value).to_owned())))
                .collect::<BTreeMap<_, _>>()
        };
        let names = texts(&[("de-DE", "Zimmer"), ("en-US", "Room"), ("pt-BR", "Quarto")]);
        for (language, name) in [("de-DE", "Zimmer"), ("pt-PT", "Quarto"), ("fr-FR", "Room")] {
            assert_eq!(localized(Some(&names), language), Some(name), "{language}");
        }
        assert_eq!(
            localized(Some(&texts(&[("cs-CZ", "Pokoj")])), "fr"),
            Some("Pokoj")
        );
        assert_eq!(localized(Some(&texts(&[("fr", " ")])), "fr"), None);
        assert_eq!(localized(None, "fr"), None);
    }
}
