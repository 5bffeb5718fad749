//! Texts cut into folded words.

use super::fold::fold_char;

/// The words of a text in order, folded.
///
/// Runs of letters and digits are words; a figure keeps its inner point, comma or colon (`7:30`,
/// `12.50`). Scripts that do not part words (Han, Kana, Hangul, Thai) give overlapping pairs of
/// characters. Single letters that apostrophes leave behind are dropped.
pub fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut run: Vec<char> = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if is_unspaced(c) {
            flush_word(&mut word, &mut found);
            run.push(c);
            continue;
        }
        flush_run(&mut run, &mut found);
        let joins_figure = matches!(c, ':' | '.' | ',')
            && word.ends_with(|last: char| last.is_ascii_digit())
            && chars.peek().is_some_and(char::is_ascii_digit);
        let is_mark = matches!(c, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}');
        if c.is_alphanumeric() || joins_figure || is_mark {
            fold_char(c, &mut word);
        } else {
            flush_word(&mut word, &mut found);
        }
    }
    flush_word(&mut word, &mut found);
    flush_run(&mut run, &mut found);
    found
}

/// Whether a character is of a script that does not part its words by spaces.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{e7f}'
        | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}')
}

fn flush_word(word: &mut String, found: &mut Vec<String>) {
    let lone_letter = word.len() == 1 && !word.starts_with(|c: char| c.is_ascii_digit());
    if !word.is_empty() && !lone_letter {
        found.push(std::mem::take(word));
    }
    word.clear();
}

fn flush_run(run: &mut Vec<char>, found: &mut Vec<String>) {
    match run.as_slice() {
        [] => return,
        [only] => found.push(only.to_string()),
        several => found.extend(
            several
                .windows(2)
                .map(|pair| pair.iter().collect::<String>()),
        ),
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn words_are_folded_and_figures_stay_whole() {
        assert_eq!(
            words("What's the Wi‑Fi at 7:30, Apartment 4B? Pequeno-almoço: 12.50€."),
            [
                "what",
                "the",
                "wi",
                "fi",
                "at",
                "7:30",
                "apartment",
                "4b",
                "pequeno",
                "almoco",
                "12.50"
            ]
        );
    }

    #[test]
    fn unspaced_scripts_give_pairs() {
        assert_eq!(words("早餐时间"), ["早餐", "餐时", "时间"]);
    }

    #[test]
    fn a_decomposed_accent_is_dropped() {
        assert_eq!(words("cafe\u{301}"), ["cafe"]);
    }
}
