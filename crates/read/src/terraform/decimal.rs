//! Terraform's numbers: binary floats of 512 bits, rounded to the nearest, even at a tie, and written
//! with the fewest decimal digits that lead back to them.

use std::cmp::Ordering;

use num_bigint::BigUint;

/// Bits of a mantissa.
const PRECISION: u64 = 512;

/// Powers of two and of ten, beyond which a number is not worked with.
const MAX_EXPONENT: i64 = 20_000;
const MAX_TENS: i64 = 5_000;

/// A number: a mantissa, odd or zero, times a power of two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Big {
    negative: bool,
    mantissa: BigUint,
    exponent: i64,
}

impl Big {
    /// The number nearest to what was found, of which `more` is left over. None where it is too large.
    fn rounded(negative: bool, mut mantissa: BigUint, mut exponent: i64, more: bool) -> Option<Big> {
        let bits = mantissa.bits();
        if bits > PRECISION {
            let cut = bits - PRECISION;
            let half = mantissa.bit(cut - 1);
            let below = more || mantissa.trailing_zeros().is_some_and(|zeros| zeros < cut - 1);
            mantissa >>= cut;
            exponent += cut as i64;
            if half && (below || mantissa.bit(0)) {
                mantissa += 1u8;
            }
        }
        match mantissa.trailing_zeros() {
            Some(zeros) => {
                mantissa >>= zeros;
                exponent += zeros as i64;
            }
            None => exponent = 0,
        }
        (exponent.abs() <= MAX_EXPONENT).then_some(Big { negative, mantissa, exponent })
    }

    pub fn whole(number: i64) -> Option<Big> {
        Big::rounded(number < 0, number.unsigned_abs().into(), 0, false)
    }

    /// Reads `-12.5e3`.
    pub fn parse(text: &str) -> Option<Big> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (digits, tens) = match text.split_once(['e', 'E']) {
            Some((digits, tens)) => (digits, tens.parse::<i64>().ok().filter(|tens| tens.abs() <= MAX_TENS)?),
            None => (text, 0),
        };
        let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{before}{after}");
        if all.is_empty() || all.len() as i64 > MAX_TENS || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = BigUint::parse_bytes(all.as_bytes(), 10)?;
        Big::of_decimal(negative, number, tens - after.len() as i64)
    }

    fn of_decimal(negative: bool, number: BigUint, tens: i64) -> Option<Big> {
        let power = BigUint::from(10u8).pow(u32::try_from(tens.unsigned_abs()).ok()?);
        match tens >= 0 {
            true => Big::rounded(negative, number * power, 0, false),
            false => Big::quotient(negative, &number, &power, 0),
        }
    }

    fn quotient(negative: bool, number: &BigUint, by: &BigUint, exponent: i64) -> Option<Big> {
        let shift = (PRECISION + 2 + by.bits()).saturating_sub(number.bits());
        let raised = number << shift;
        let quotient = &raised / by;
        let more = &quotient * by != raised;
        Big::rounded(negative, quotient, exponent - shift as i64, more)
    }

    pub fn is_zero(&self) -> bool {
        self.mantissa.bits() == 0
    }

    pub fn negated(&self) -> Big {
        Big { negative: !self.negative, ..self.clone() }
    }

    pub fn plus(&self, other: &Big) -> Option<Big> {
        let exponent = self.exponent.min(other.exponent);
        let raised = |of: &Big| &of.mantissa << (of.exponent - exponent) as u64;
        let (a, b) = (raised(self), raised(other));
        match self.negative == other.negative {
            true => Big::rounded(self.negative, a + b, exponent, false),
            false if a >= b => Big::rounded(self.negative && a != b, a - b, exponent, false),
            false => Big::rounded(other.negative, b - a, exponent, false),
        }
    }

    pub fn minus(&self, other: &Big) -> Option<Big> {
        self.plus(&other.negated())
    }

    pub fn times(&self, other: &Big) -> Option<Big> {
        let exponent = self.exponent + other.exponent;
        Big::rounded(self.negative != other.negative, &self.mantissa * &other.mantissa, exponent, false)
    }

    /// None where `other` is zero.
    pub fn over(&self, other: &Big) -> Option<Big> {
        if other.is_zero() {
            return None;
        }
        let exponent = self.exponent - other.exponent;
        Big::quotient(self.negative != other.negative, &self.mantissa, &other.mantissa, exponent)
    }

    /// What is left of a division towards zero.
    pub fn remainder(&self, other: &Big) -> Option<Big> {
        let whole = self.over(other)?.truncated()?;
        self.minus(&other.times(&whole)?)
    }

    fn truncated(&self) -> Option<Big> {
        match self.exponent < 0 {
            true => {
                let whole = &self.mantissa >> self.exponent.unsigned_abs();
                Big::rounded(self.negative, whole, 0, false)
            }
            false => Some(self.clone()),
        }
    }

    /// The whole number below, or above.
    pub fn stepped(&self, up: bool) -> Option<Big> {
        let whole = self.truncated()?;
        match whole == *self || self.negative == up {
            true => Some(whole),
            false => whole.plus(&Big::whole(if up { 1 } else { -1 })?),
        }
    }

    pub fn compared(&self, other: &Big) -> Ordering {
        if self.is_zero() && other.is_zero() {
            return Ordering::Equal;
        }
        let exponent = self.exponent.min(other.exponent);
        let raised = |of: &Big| &of.mantissa << (of.exponent - exponent) as u64;
        match (self.negative && !self.is_zero(), other.negative && !other.is_zero()) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (negative, _) => {
                let order = raised(self).cmp(&raised(other));
                if negative { order.reverse() } else { order }
            }
        }
    }

    /// The number, where it is a whole one of 64 bits.
    pub fn as_whole(&self) -> Option<i64> {
        if self.exponent < 0 || self.mantissa.bits() + self.exponent.unsigned_abs() > 63 {
            return None;
        }
        let whole = i64::try_from(&self.mantissa << self.exponent.unsigned_abs()).ok()?;
        Some(if self.negative { -whole } else { whole })
    }

    /// The fewest decimal digits that lead back here, without zeros at either end, and where the point
    /// stands before them.
    pub fn digits(&self) -> (String, i64) {
        if self.is_zero() {
            return ("0".to_owned(), 1);
        }
        let (exact, tens) = match self.exponent >= 0 {
            true => (&self.mantissa << self.exponent.unsigned_abs(), 0),
            false => {
                let fives = BigUint::from(5u8).pow(u32::try_from(self.exponent.unsigned_abs()).unwrap_or(u32::MAX));
                (&self.mantissa * fives, self.exponent)
            }
        };
        let exact = exact.to_string();
        let point = exact.len() as i64 + tens;
        for length in 1..exact.len().min(PRECISION as usize) {
            let Some((digits, carried)) = cut(&exact, length) else { continue };
            let Some(number) = BigUint::parse_bytes(digits.as_bytes(), 10) else { continue };
            let at = point + i64::from(carried);
            if Big::of_decimal(self.negative, number, at - digits.len() as i64).as_ref() == Some(self) {
                return (digits.trim_end_matches('0').to_owned(), at);
            }
        }
        (exact.trim_end_matches('0').to_owned(), point)
    }

    pub fn is_negative(&self) -> bool {
        self.negative
    }

    /// As Go writes `%e`: one digit, `precision` more, and a power of ten of at least two.
    pub fn scientific(&self, precision: Option<usize>) -> String {
        let (mut digits, mut point) = self.digits();
        if let Some(precision) = precision {
            if let Some((short, carried)) = cut(&digits, precision + 1) {
                (digits, point) = (short, point + i64::from(carried));
            }
            digits = format!("{digits:0<width$}", width = precision + 1);
        }
        let exponent = if self.is_zero() { 0 } else { point - 1 };
        let sign = if self.negative { "-" } else { "" };
        let fraction = if digits.len() > 1 { format!(".{}", &digits[1..]) } else { String::new() };
        let exponent_sign = if exponent < 0 { '-' } else { '+' };
        format!("{sign}{}{fraction}e{exponent_sign}{:02}", &digits[..1], exponent.abs())
    }

    /// As Go writes `%g` with as many digits as it takes.
    pub fn general(&self) -> String {
        let (_, point) = self.digits();
        match !self.is_zero() && !(-4..6).contains(&(point - 1)) {
            true => self.scientific(None),
            false => self.to_string(),
        }
    }
}

/// The first digits, rounded, and whether a one was carried beyond them. None where there are no more.
fn cut(digits: &str, length: usize) -> Option<(String, bool)> {
    let next = digits.as_bytes().get(length)?;
    let kept = &digits[..length];
    if *next < b'5' {
        return Some((kept.to_owned(), false));
    }
    let raised = (BigUint::parse_bytes(kept.as_bytes(), 10)? + 1u8).to_string();
    let carried = raised.len() > length;
    Some((format!("{raised:0>length$}"), carried))
}

impl std::fmt::Display for Big {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (digits, point) = self.digits();
        if self.negative {
            f.write_str("-")?;
        }
        match usize::try_from(point) {
            Ok(0) | Err(_) => write!(f, "0.{}{digits}", "0".repeat(point.unsigned_abs() as usize)),
            Ok(point) if point >= digits.len() => write!(f, "{digits}{}", "0".repeat(point - digits.len())),
            Ok(point) => write!(f, "{}.{}", &digits[..point], &digits[point..]),
        }
    }
}
