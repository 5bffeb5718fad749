//! What a passage is searched by: its own words and where it stands.

use stayzr_core::model::Chunk;

/// The text that a passage's vector and words are taken from: what the document is about, its file
/// name without ending, the headings above, and the passage. "Hours › 7:00 to 10:30" is found by
/// "breakfast" only because its file or heading says so.
pub fn searchable_text(chunk: &Chunk) -> String {
    let stem = title_of(&chunk.file_name);
    let mut text = String::with_capacity(
        chunk.category.len() + stem.len() + chunk.heading.len() + chunk.text.len() + 8,
    );
    let category = chunk.category.replace(['_', '-'], " ");
    // Said once, not thrice: `wifi/wifi.md › Wifi` is not more about it.
    let heading = chunk.heading.to_lowercase();
    for part in [category.as_str(), stem.as_str()] {
        let known = heading.contains(&part.to_lowercase()) || text.contains(part);
        if !known && !is_filler(part) {
            text.push_str(part);
            text.push_str(". ");
        }
    }
    if !chunk.heading.is_empty() {
        text.push_str(&chunk.heading);
        text.push_str(". ");
    }
    text.push_str(&chunk.text);
    text
}

/// A title made of a file name: without folders and ending, with spaces for dashes.
pub(super) fn title_of(file_name: &str) -> String {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let spaced = stem.replace(['-', '_'], " ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a category or file name says nothing about the passage.
fn is_filler(part: &str) -> bool {
    matches!(
        part.trim().to_lowercase().as_str(),
        "" | "general" | "other" | "misc" | "default" | "faq" | "document" | "documents" | "text"
    )
}
