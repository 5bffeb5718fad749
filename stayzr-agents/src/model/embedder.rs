//! The port for what turns texts into vectors, and the scale that makes their scores comparable.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use stayzr_core::{Error, Result, port::knowledge::EmbedderMark};

/// Turns texts into vectors of length one, so that the dot product of two is their cosine.
///
/// The same text gives the same direction within one [`EmbedderMark`]. Documents and questions may
/// be embedded differently, since several models were trained so.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// Who made the vectors, and how many numbers they have. Changes with every change that makes
    /// old and new vectors incomparable.
    fn mark(&self) -> EmbedderMark;

    /// How its cosines are read.
    fn calibration(&self) -> &Calibration;

    /// One vector for each passage, in order.
    async fn embed_documents(&self, texts: &[String]) -> Result<Vec<Vec<f32>>>;

    /// One vector for each question, in order.
    async fn embed_queries(&self, texts: &[String]) -> Result<Vec<Vec<f32>>>;
}

/// How an embedder's cosines are read, and how far its judgement goes against that of the words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// From raw cosine to the common scale.
    pub curve: Curve,
    /// How much the vector's score counts, from 0 to 1.
    pub vector_weight: f64,
    /// How much the words' score counts, from 0 to 1.
    pub words_weight: f64,
}

impl Calibration {
    /// For a trained model: its own judgement stands, shared words add to it.
    pub const fn semantic(curve: Curve) -> Self {
        Self {
            curve,
            vector_weight: 1.0,
            words_weight: 0.3,
        }
    }

    /// Joins both scores: either is enough, both are better. From 0 to 1.
    pub fn join(&self, vector: f64, words: f64) -> f64 {
        let against = (1.0 - self.vector_weight * vector) * (1.0 - self.words_weight * words);
        (1.0 - against).clamp(0.0, 1.0)
    }
}

/// A rising line through points (raw cosine, common score). On the common scale 0.3 means
/// probably relevant and 0.15 maybe; 0 is unrelated and 1 the same.
///
/// ```
/// use stayzr_agents::model::embedder::Curve;
///
/// let curve = Curve::new(vec![(0.2, 0.0), (0.4, 0.3), (1.0, 1.0)])?;
/// assert!((curve.score(0.3) - 0.15).abs() < 1e-6);
/// assert_eq!(curve.score(-1.0), 0.0);
/// # Ok::<(), stayzr_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<(f32, f32)>", into = "Vec<(f32, f32)>")]
pub struct Curve {
    points: Vec<(f32, f32)>,
}

impl Curve {
    /// A curve through these points. [`stayzr_core::ErrorKind::Invalid`] with fewer than two, with
    /// raw values that do not rise, scores that fall, or a score outside 0 to 1.
    pub fn new(points: Vec<(f32, f32)>) -> Result<Self> {
        let rises = points
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
        let bounded = points
            .iter()
            .all(|(raw, score)| raw.is_finite() && (0.0..=1.0).contains(score));
        if points.len() < 2 || !rises || !bounded {
            return Err(Error::invalid(
                "embedder.curve",
                "a curve needs two points or more that rise, with scores from 0 to 1",
            ));
        }
        Ok(Self { points })
    }

    /// A curve drawn from raw cosines of pairs known to belong together and of pairs known not to:
    /// 0.15 lies at the unrelated pairs' 95th percentile, 0.3 half-way from there to the related
    /// pairs' median, 0.7 at that median. [`stayzr_core::ErrorKind::Invalid`] where the two groups
    /// do not differ or one is empty.
    pub fn fit(related: &[f32], unrelated: &[f32]) -> Result<Self> {
        let percentile = |values: &[f32], share: f32| {
            let mut sorted: Vec<f32> = values.iter().copied().filter(|v| v.is_finite()).collect();
            sorted.sort_by(f32::total_cmp);
            let last = sorted.len().checked_sub(1)?;
            sorted.get((share * last as f32).round() as usize).copied()
        };
        let (Some(noise), Some(middle), Some(signal)) = (
            percentile(unrelated, 0.95),
            percentile(unrelated, 0.5),
            percentile(related, 0.5),
        ) else {
            return Err(Error::invalid(
                "embedder.calibrate",
                "calibration needs related and unrelated pairs",
            ));
        };
        if signal <= noise {
            return Err(Error::invalid(
                "embedder.calibrate",
                "the embedder does not tell related pairs from unrelated ones",
            ));
        }
        let mut points = vec![
            (noise, 0.15),
            (noise + (signal - noise) / 2.0, 0.3),
            (signal, 0.7),
        ];
        if middle < noise {
            points.insert(0, (middle, 0.0));
        }
        if signal < 1.0 {
            points.push((1.0, 1.0));
        }
        Self::new(points)
    }

    /// The common score of a raw cosine, flat outside the points.
    pub fn score(&self, raw: f32) -> f64 {
        let after = self.points.partition_point(|(at, _)| *at <= raw);
        let score = match (
            after
                .checked_sub(1)
                .and_then(|before| self.points.get(before)),
            self.points.get(after),
        ) {
            (Some((x0, y0)), Some((x1, y1))) => y0 + (raw - x0) / (x1 - x0) * (y1 - y0),
            (Some((_, y)), None) | (None, Some((_, y))) => *y,
            (None, None) => 0.0,
        };
        f64::from(score)
    }
}

impl TryFrom<Vec<(f32, f32)>> for Curve {
    type Error = Error;

    fn try_from(points: Vec<(f32, f32)>) -> Result<Self> {
        Self::new(points)
    }
}

impl From<Curve> for Vec<(f32, f32)> {
    fn from(curve: Curve) -> Self {
        curve.points
    }
}

/// Scales a vector to length one. Unchanged if it is all zeros or not finite.
pub fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 && length.is_finite() {
        vector.iter_mut().for_each(|x| *x /= length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_that_falls_is_refused() {
        assert!(Curve::new(vec![(0.0, 0.5), (1.0, 0.2)]).is_err());
        assert!(Curve::new(vec![(0.5, 0.1), (0.5, 0.2)]).is_err());
        assert!(Curve::new(vec![(0.5, 0.1)]).is_err());
    }

    #[test]
    fn a_fitted_curve_parts_the_groups() {
        let related: Vec<f32> = (0..100).map(|n| 0.5 + n as f32 / 500.0).collect();
        let unrelated: Vec<f32> = (0..100).map(|n| n as f32 / 400.0).collect();
        let curve = Curve::fit(&related, &unrelated).unwrap();
        assert!(
            unrelated
                .iter()
                .filter(|raw| curve.score(**raw) >= 0.15)
                .count()
                <= 10
        );
        assert!(related.iter().all(|raw| curve.score(*raw) >= 0.3));
        assert!(Curve::fit(&unrelated, &related).is_err());
    }

    #[test]
    fn joined_scores_stay_on_the_scale_and_never_fall() {
        let calibration = Calibration::semantic(Curve::new(vec![(0.0, 0.0), (1.0, 1.0)]).unwrap());
        assert!(calibration.join(0.35, 0.0) >= 0.35 - 1e-9);
        assert!(calibration.join(0.35, 0.5) > calibration.join(0.35, 0.0));
        assert!(calibration.join(1.0, 1.0) <= 1.0);
    }
}
