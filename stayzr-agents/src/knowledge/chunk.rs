//! Texts cut into passages that can be read by themselves.

use text_splitter::{ChunkConfig, MarkdownSplitter, TextSplitter};

use super::ingest::RawPassage;

/// A passage has at most so many characters (Unicode scalar values). Long enough for a section of
/// house rules, short enough to quote.
pub(super) const MAX_CHARACTERS: usize = 1_000;

/// A long text is filled up to at least so many characters before it is cut.
const FILL_CHARACTERS: usize = 500;

/// What stands between two headings of a path.
const HEADING_JOINT: &str = " › ";

/// Plain text by paragraphs.
pub(super) fn plain(text: &str) -> Vec<RawPassage> {
    let mut passages = Vec::new();
    let mut title: Option<&str> = None;
    for paragraph in paragraphs(text) {
        if title.is_none() && is_title(paragraph) {
            title = Some(paragraph);
            continue;
        }
        let joined = match title.take() {
            Some(title) => format!("{title}\n{paragraph}"),
            None => paragraph.to_owned(),
        };
        passages.extend(split_long(&joined).into_iter().map(without_heading));
    }
    passages.extend(title.map(|title| without_heading(title.to_owned())));
    passages
}

/// The text, cut at sentences where it is longer than [`MAX_CHARACTERS`].
pub(super) fn split_long(text: &str) -> Vec<String> {
    if text.chars().count() <= MAX_CHARACTERS {
        return vec![text.to_owned()];
    }
    TextSplitter::new(ChunkConfig::new(FILL_CHARACTERS..MAX_CHARACTERS))
        .chunks(text)
        .map(str::to_owned)
        .collect()
}

fn without_heading(text: String) -> RawPassage {
    RawPassage {
        heading: String::new(),
        text,
    }
}

/// Paragraphs: what blank lines part.
fn paragraphs(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut end, mut at) = (None, 0, 0);
    for line in text.split_inclusive('\n') {
        if line.trim().is_empty() {
            if let Some(from) = start.take() {
                found.push(text[from..end].trim());
            }
        } else {
            start.get_or_insert(at);
            end = at + line.len();
        }
        at += line.len();
    }
    found.extend(start.map(|from| text[from..end].trim()));
    found
}

/// Whether a paragraph is a title of what follows: one short line that does not end as a sentence
/// or hold a figure, which would be a fact of its own.
fn is_title(paragraph: &str) -> bool {
    !paragraph.contains('\n')
        && paragraph.chars().count() <= 80
        && !paragraph.ends_with(['.', '!', '?', ';', ','])
        && !paragraph.contains(|c: char| c.is_ascii_digit())
}

/// Markdown by headings, long sections by blocks and sentences.
pub(super) fn markdown(text: &str) -> Vec<RawPassage> {
    let splitter = MarkdownSplitter::new(ChunkConfig::new(FILL_CHARACTERS..MAX_CHARACTERS));
    let sections = sections(without_front_matter(text));
    let mut passages = Vec::new();
    for (at, section) in sections.iter().enumerate() {
        let body = section.body.trim();
        let heading = section.path.join(HEADING_JOINT);
        if body.is_empty() {
            // A heading above other headings lives on in their paths; a lone one says something.
            let has_children = sections
                .get(at + 1)
                .is_some_and(|next| next.path.len() > section.path.len());
            if let Some(last) = section.path.last().filter(|_| !has_children) {
                passages.push(RawPassage {
                    heading: section.path[..section.path.len() - 1].join(HEADING_JOINT),
                    text: last.clone(),
                });
            }
            continue;
        }
        passages.extend(splitter.chunks(body).map(|chunk| RawPassage {
            heading: heading.clone(),
            text: chunk.to_owned(),
        }));
    }
    passages
}

#[derive(Default)]
struct Section<'a> {
    path: Vec<String>,
    body: &'a str,
}

/// Sections with their path of headings: `#` lines and underlined ones, not those inside fences.
fn sections(text: &str) -> Vec<Section<'_>> {
    let mut sections = Vec::new();
    let mut levels: Vec<(usize, String)> = Vec::new();
    let mut fence: Option<&str> = None;
    let (mut at, mut body_start) = (0, 0);
    let mut before: Option<(usize, &str)> = None;
    let close = |levels: &[(usize, String)], body| Section {
        path: levels.iter().map(|(_, title)| title.clone()).collect(),
        body,
    };
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let marker = ["```", "~~~"]
            .into_iter()
            .find(|marker| bare.starts_with(marker));
        match (fence, marker) {
            (None, Some(_)) => fence = marker,
            (Some(open), Some(marker)) if open == marker => fence = None,
            _ => {}
        }
        let heading = match (fence, before) {
            (None, _) if marker.is_none() && hash_heading(bare).is_some() => {
                hash_heading(bare).map(|(level, title)| (level, title, at))
            }
            (None, Some((line_start, title))) => {
                underline_level(bare).map(|level| (level, title, line_start))
            }
            _ => None,
        };
        if let Some((level, title, heading_start)) = heading {
            sections.push(close(&levels, &text[body_start..heading_start]));
            levels.retain(|(above, _)| *above < level);
            levels.push((level, plain_title(title)));
            body_start = at + line.len();
            before = None;
        } else {
            let paragraph_like = fence.is_none()
                && !bare.is_empty()
                && !bare.starts_with(['-', '*', '+', '>', '|', '#', '=', '`', '~']);
            // Only a single line over an underline is taken for a heading.
            before = (paragraph_like && before.is_none()).then_some((at, bare));
        }
        at += line.len();
    }
    sections.push(close(&levels, &text[body_start..]));
    if sections
        .first()
        .is_some_and(|first| first.path.is_empty() && first.body.trim().is_empty())
    {
        sections.remove(0);
    }
    sections
}

fn hash_heading(line: &str) -> Option<(usize, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let rest = &line[level..];
    let title = rest.trim().trim_end_matches('#').trim();
    ((1..=6).contains(&level) && rest.starts_with([' ', '\t']) && !title.is_empty())
        .then_some((level, title))
}

fn underline_level(line: &str) -> Option<usize> {
    let all = |mark: char| line.len() >= 3 && line.chars().all(|c| c == mark);
    match line {
        line if all('=') && line.starts_with('=') => Some(1),
        line if all('-') && line.starts_with('-') => Some(2),
        _ => None,
    }
}

/// A title without emphasis marks.
fn plain_title(title: &str) -> String {
    title.replace(['*', '`'], "").trim().to_owned()
}

/// The text behind a block of settings between `---` lines at the very start.
fn without_front_matter(text: &str) -> &str {
    text.strip_prefix("---\n")
        .and_then(|rest| {
            let end = rest.find("\n---\n")?;
            Some(&rest[end + 5..])
        })
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(passages: &[RawPassage]) -> Vec<(&str, &str)> {
        passages
            .iter()
            .map(|passage| (passage.heading.as_str(), passage.text.as_str()))
            .collect()
    }

    #[test]
    fn markdown_keeps_the_path_of_headings() {
        let text = "Welcome.\n\n# Breakfast\n\n## Hours\n7:00 to 10:30\n\n## Price ##\n18 EUR\n\n# Pool\n\
                    ```\n# not a heading\n```\n";
        assert_eq!(
            pairs(&markdown(text)),
            [
                ("", "Welcome."),
                ("Breakfast › Hours", "7:00 to 10:30"),
                ("Breakfast › Price", "18 EUR"),
                ("Pool", "```\n# not a heading\n```"),
            ]
        );
    }

    #[test]
    fn underlined_headings_and_lone_ones_are_read() {
        let text = "---\ntitle: x\n---\nHouse\n=====\n\nRules\n-----\nNo smoking.\n\n# The pool is closed\n";
        assert_eq!(
            pairs(&markdown(text)),
            [("House › Rules", "No smoking."), ("", "The pool is closed")]
        );
    }

    #[test]
    fn a_long_section_is_cut_and_every_piece_keeps_its_heading() {
        let text = format!("# Rules\n\n{}", "Please be quiet after ten. ".repeat(120));
        let passages = markdown(&text);
        assert!(passages.len() > 2);
        for passage in passages {
            assert_eq!(passage.heading, "Rules");
            assert!(passage.text.chars().count() <= MAX_CHARACTERS);
        }
    }

    #[test]
    fn plain_text_goes_by_paragraphs_and_titles_go_with_theirs() {
        let text =
            "Parking\n\nThe garage costs 18 EUR.\nIt is below the house.\n\n\nPool: 9 to 18\n\nEnd";
        assert_eq!(
            pairs(&plain(text)),
            [
                (
                    "",
                    "Parking\nThe garage costs 18 EUR.\nIt is below the house."
                ),
                ("", "Pool: 9 to 18"),
                ("", "End"),
            ]
        );
    }

    #[test]
    fn nothing_of_a_long_paragraph_is_lost() {
        let words: Vec<String> = (0..600).map(|n| format!("word{n}")).collect();
        let text = words.join(" ");
        let joined: Vec<String> = plain(&text)
            .into_iter()
            .map(|passage| passage.text)
            .collect();
        assert!(joined.len() > 1);
        assert_eq!(joined.join(" "), text);
    }
}
