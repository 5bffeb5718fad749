use super::signals::{ANGRY, FURIOUS, PLEASED, UPSET};
use crate::text;

/// The mood of a message, from -1 (furious) to 1 (delighted).
pub fn sentiment(message: &str) -> f64 {
    let words = text::words(message);
    let mut anger: f64 = [(&FURIOUS, 0.9), (&ANGRY, 0.65), (&UPSET, 0.4)]
        .iter()
        .filter(|(words_of, _)| words_of.is_in(&words))
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
    let pleased = if PLEASED.is_in(&words) { 0.5 } else { 0.0 };
    (pleased - anger).clamp(-1.0, 1.0)
}
