use super::lexicon::{ANGER, PLEASED};
use crate::text;

/// The mood of a message, from -1 (furious) to 1 (delighted).
pub fn sentiment(message: &str) -> f64 {
    let words = text::words(message);
    let mut anger: f64 = ANGER
        .iter()
        .filter(|(form, _)| text::contains_phrase(&words, form))
        .map(|(_, weight)| weight)
        .sum();
    let letters = message.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = message.chars().filter(|c| c.is_uppercase()).count();
    if letters >= 12 && capitals * 10 >= letters * 7 {
        anger += 0.3;
    }
    if message.contains("!!") || message.contains("?!") {
        anger += 0.15;
    }
    let pleased = PLEASED
        .iter()
        .filter(|form| text::contains_phrase(&words, form))
        .count();
    let pleased = f64::from(u32::try_from(pleased).unwrap_or(u32::MAX)) * 0.5;
    (pleased - anger).clamp(-1.0, 1.0)
}
