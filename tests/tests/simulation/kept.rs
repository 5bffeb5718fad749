//! Stories that once failed, and what was wrong.

/// (seed, why it failed)
pub const KEPT: &[(u64, &str)] = &[
    (
        4087,
        "a message that came between the question whose telephone it is and the page that gave it \
         away left two guests",
    ),
    (
        5966,
        "a stay that was read while its guest was being merged kept the guest who is no more",
    ),
    (
        9410,
        "of two merges in a chain, the first waited for ever for a guest who was no news",
    ),
    (9756, "the same, with the merges in one delivery"),
    (
        1589,
        "a read that could not be read, written after one that could, stood put aside for ever",
    ),
    (2635, "the same, of a guest whose edit was being told"),
    (
        19261,
        "what became of a merged guest while a replica lagged and the vendor's clock was moved, no \
         sweep asked about",
    ),
    (
        43003,
        "an answer to a push was the first to say that its guest was merged, and nobody followed it",
    ),
];
