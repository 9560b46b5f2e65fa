//! Chance that can be had again: the same seed gives the same throws.

use serde_json::{Map, Value};

/// `SplitMix64`: enough to choose by, and ten lines.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `most - 1`.
    pub(super) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).unwrap_or_default()
    }

    /// True once in `times`.
    pub(super) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub(super) fn pick<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// Some of these, in their order.
    pub(super) fn some<T: Clone>(&mut self, choices: &[T]) -> Vec<T> {
        let kept = choices.iter().filter(|_| self.once_in(3));
        kept.cloned().collect()
    }

    /// Each of these fields once in `times`, with one of its values.
    pub(super) fn fields(
        &mut self,
        times: usize,
        choices: &[(&str, Vec<Value>)],
    ) -> Map<String, Value> {
        let mut fields = Map::new();
        for (key, values) in choices {
            if self.once_in(times) {
                fields.insert((*key).to_owned(), self.pick(values));
            }
        }
        fields
    }
}
