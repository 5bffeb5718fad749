use uuid::Uuid;

/// Numbers that follow from a seed and stay the same in every release: SplitMix64.
#[derive(Debug, Clone)]
pub(super) struct SplitMix(u64);

impl SplitMix {
    /// A sequence for this purpose.
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a, so that sequences of different purposes have nothing in common.
        let mut hash = seed ^ 0xcbf2_9ce4_8422_2325;
        for byte in purpose.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Self(hash)
    }

    /// The next number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is at least 1.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// One of these.
    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let index = usize::try_from(self.below(of.len() as u64)).unwrap_or_default();
        &of[index]
    }

    /// An id that looks like those of vendors.
    pub(super) fn uuid(&mut self) -> String {
        let bits = (u128::from(self.next()) << 64) | u128::from(self.next());
        uuid::Builder::from_random_bytes(bits.to_be_bytes())
            .into_uuid()
            .to_string()
    }
}

/// The id of the record with this number among those of a purpose.
pub(super) fn id(seed: u64, purpose: &str, number: u64) -> String {
    let id = SplitMix::new(seed, &format!("{purpose}/{number}")).uuid();
    debug_assert!(Uuid::parse_str(&id).is_ok());
    id
}
