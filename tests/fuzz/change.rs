//! Inputs made of seeds by chance, the same for the same number.

/// A small generator of numbers (splitmix64).
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when there is none.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap_or_default()
    }

    /// A piece of some bytes.
    fn piece<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let start = self.below(bytes.len() + 1);
        let most = (bytes.len() - start).min(64);
        &bytes[start..start + self.below(most + 1)]
    }

    /// A seed, changed in a few places.
    pub fn changed(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(6) {
            self.change(&mut input, seeds);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        /// Bytes that mean something somewhere.
        const TELLING: &[u8] = b"\0\t\n\r !\"#$%&'()*,-./09:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xc3\xef\xfe\xff";
        let at = self.below(input.len() + 1);
        match self.below(8) {
            0 => input.insert(at, TELLING[self.below(TELLING.len())]),
            1 => input.insert(at, self.next().to_le_bytes()[0]),
            2 if at < input.len() => input[at] = TELLING[self.below(TELLING.len())],
            3 if at < input.len() => input[at] ^= 1 << self.below(8),
            4 => {
                let end = (at + self.below(16)).min(input.len());
                input.drain(at..end);
            }
            5 => {
                let other = seeds[self.below(seeds.len())].clone();
                let piece = self.piece(&other).to_vec();
                input.splice(at..at, piece);
            }
            6 => {
                let piece = self.piece(&input.clone()).repeat(1 + self.below(40));
                input.splice(at..at, piece);
            }
            _ => input.truncate(at),
        }
    }
}
