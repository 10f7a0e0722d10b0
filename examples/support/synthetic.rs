//! What the generators of synthetic data share: random numbers and digits that are the same on
//! every machine.
//!
//! Only `+ - * /` and square roots of floats are used, which IEEE 754 fixes to the last bit; the
//! logarithm of the C library is not. Digits are written from integers.

use volledger::domain::{Calendar, Day};

/// A xorshift64* generator: small, seeded, good enough for made-up prices.
pub struct Random(u64);

impl Random {
    /// A generator whose stream depends on nothing but the seed.
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            random.next(); // neighbouring seeds start alike
        }
        random
    }

    /// The next 32 random bits.
    pub fn next(&mut self) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) as u32
    }

    /// A number from 0 to `bound` - 1.
    pub fn below(&mut self, bound: u32) -> i64 {
        i64::from(((u64::from(self.next()) * u64::from(bound)) >> 32) as u32)
    }
}

/// Appends a non-negative number of hundredths with two decimals: 4553 is `45.53`.
pub fn push_hundredths(out: &mut Vec<u8>, hundredths: i64) {
    push_integer(out, hundredths / 100);
    let cents = (hundredths % 100) as u8;
    out.extend([b'.', b'0' + cents / 10, b'0' + cents % 10]);
}

/// Appends a non-negative integer.
pub fn push_integer(out: &mut Vec<u8>, value: i64) {
    let start = out.len();
    let mut rest = value;
    loop {
        out.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if let Some(digits) = out.get_mut(start..) {
        digits.reverse();
    }
}

/// The mean of integers, rounded half up.
pub fn mean(values: &[i64]) -> i64 {
    let count = values.len().max(1) as i64;
    (values.iter().sum::<i64>() * 2 + count) / (count * 2)
}

/// The last `count` trading days up to and including `last`, oldest first.
pub fn trading_days(last: Day, count: usize) -> Vec<Day> {
    let nyse = Calendar::nyse();
    let mut day = last.next();
    let mut days: Vec<Day> = std::iter::repeat_with(|| {
        day = nyse.previous_open(day);
        day
    })
    .take(count)
    .collect();
    days.reverse();
    days
}
